// What a multiprocessor holds of a kernel at once, and how long a grid takes.

#include <algorithm>
#include <limits>

// The limits of a device. The program that calls your functions has the same structures: leave them as they are.
struct Device {
    int sms;            // multiprocessors
    int warps, blocks;  // that a multiprocessor holds at most
    int registers;      // of a multiprocessor
    int partitions;     // equal parts of a multiprocessor and of its registers; a warp lives in one of them
    int register_unit;  // a warp gets its registers in multiples of this; itself a multiple of 32
    int shared;         // bytes of shared memory of a multiprocessor
    int shared_unit;    // a block gets them in multiples of this
    int reserve;        // bytes that CUDA adds to what each block asks for
    double bandwidth;   // of the memory, bytes a second
    double latency;     // seconds from a load to its value
};

struct Block {
    int threads;
    int registers;  // of a thread
    int shared;     // bytes that the block asks for, static and dynamic
};

enum Limiter : unsigned { by_warps = 1, by_blocks = 2, by_registers = 4, by_shared = 8 };

struct Residency {
    int warps_allow, blocks_allow, registers_allow, shared_allow;  // blocks of a multiprocessor, by each limit alone
    int blocks, warps;                                             // that are resident on a multiprocessor
    unsigned limiters;                                             // each Limiter that allows no more than `blocks`
};

constexpr int warp_size = 32, most_registers = 255;

// What a multiprocessor holds of a kernel whose blocks are like this one.
Residency residency(const Device &device, const Block &block)
{
    Residency r{};
    // TODO: 1. warps_allow and blocks_allow: a block takes whole warps
    //       2. registers_allow: a warp's registers lie in one partition, in multiples of register_unit
    //       3. shared_allow: what the block asks for and the reserve, together, in multiples of shared_unit
    //       4. blocks is the smallest of the four, warps those of the blocks; limiters are by_warps | by_blocks | …
    return r;
}

// The most registers of a thread, up to 255, with which the registers allow `blocks` blocks; 0 if none do.
int register_budget(const Device &device, int threads, int blocks)
{
    // TODO: the way back from registers_allow
    return 0;
}

// The most bytes that a block may ask for when shared memory is to allow `blocks` blocks; -1 if not even 0 bytes do.
int shared_budget(const Device &device, int blocks)
{
    // TODO: the way back from shared_allow
    return -1;
}

// Seconds for `grid` blocks whose threads wait for memory `rounds` times, each time with `bytes` bytes of each thread
// under way. As many blocks as fit run side by side, and the next wave begins when all of them are done. A round of a
// wave takes as long as one load, or as the bytes of the wave take to cross the memory. Infinity if no block fits.
double seconds(const Device &device, const Block &block, long long grid, int rounds, int bytes)
{
    // TODO: a wave is as many blocks as all multiprocessors hold; the last one may be smaller
    return 0;
}
