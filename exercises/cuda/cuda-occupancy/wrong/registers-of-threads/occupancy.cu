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

static int up(int n, int unit) { return (n + unit - 1) / unit * unit; }
static int warps_of(int threads) { return (threads + warp_size - 1) / warp_size; }

Residency residency(const Device &device, const Block &block)
{
    int warps = warps_of(block.threads);
    Residency r{};
    r.warps_allow = device.warps / warps;
    r.blocks_allow = device.blocks;
    r.registers_allow = device.registers / (block.registers * block.threads);
    r.shared_allow = device.shared / up(block.shared + device.reserve, device.shared_unit);

    r.blocks = std::min({r.warps_allow, r.blocks_allow, r.registers_allow, r.shared_allow});
    r.warps = r.blocks * warps;
    r.limiters = (r.warps_allow == r.blocks ? by_warps : 0u) | (r.blocks_allow == r.blocks ? by_blocks : 0u) |
                 (r.registers_allow == r.blocks ? by_registers : 0u) | (r.shared_allow == r.blocks ? by_shared : 0u);
    return r;
}

// The most registers of a thread, up to 255, with which the registers allow `blocks` blocks; 0 if none do.
int register_budget(const Device &device, int threads, int blocks)
{
    int in_partition = (warps_of(threads) * blocks + device.partitions - 1) / device.partitions;
    int of_warp = device.registers / device.partitions / in_partition;
    return std::min(of_warp / device.register_unit * device.register_unit / warp_size, most_registers);
}

// The most bytes that a block may ask for when shared memory is to allow `blocks` blocks; -1 if not even 0 bytes do.
int shared_budget(const Device &device, int blocks)
{
    return std::max(device.shared / blocks / device.shared_unit * device.shared_unit - device.reserve, -1);
}

// Seconds for `grid` blocks whose threads wait for memory `rounds` times, each time with `bytes` bytes of each thread
// under way. As many blocks as fit run side by side, and the next wave begins when all of them are done. A round of a
// wave takes as long as one load, or as the bytes of the wave take to cross the memory. Infinity if no block fits.
double seconds(const Device &device, const Block &block, long long grid, int rounds, int bytes)
{
    if (grid == 0)
        return 0;
    long long wave = (long long)residency(device, block).blocks * device.sms;
    if (wave == 0)
        return std::numeric_limits<double>::infinity();
    auto time = [&](long long blocks) {
        return rounds * std::max(device.latency, (double)blocks * block.threads * bytes / device.bandwidth);
    };
    long long rest = grid % wave;
    return (double)(grid / wave) * time(wave) + (rest ? time(rest) : 0);
}
