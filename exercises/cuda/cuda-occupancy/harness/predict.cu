// Asks the functions of occupancy.cu. A request is a line, and so is its answer:
//   DEVICE residency THREADS REGISTERS SHARED                    four allowances, blocks, warps, limiters
//   DEVICE budget THREADS BLOCKS 0                               registers, bytes of shared memory
//   DEVICE seconds THREADS REGISTERS SHARED GRID ROUNDS BYTES    seconds
// where DEVICE are the members of the structure in their order.
#include <cstdio>
#include <cstring>

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

Residency residency(const Device &device, const Block &block);
int register_budget(const Device &device, int threads, int blocks);
int shared_budget(const Device &device, int blocks);
double seconds(const Device &device, const Block &block, long long grid, int rounds, int bytes);

int main()
{
    char line[1024];
    while (fgets(line, sizeof line, stdin)) {
        Device d;
        char what[16];
        int read = 0;
        if (sscanf(line, "%d %d %d %d %d %d %d %d %d %lf %lf %15s %n", &d.sms, &d.warps, &d.blocks, &d.registers,
                   &d.partitions, &d.register_unit, &d.shared, &d.shared_unit, &d.reserve, &d.bandwidth, &d.latency, what,
                   &read) != 12)
            return 5;
        Block b;
        long long grid = 0;
        int rounds = 0, bytes = 0;
        if (sscanf(line + read, "%d %d %d %lld %d %d", &b.threads, &b.registers, &b.shared, &grid, &rounds, &bytes) < 3)
            return 5;
        if (strcmp(what, "residency") == 0) {
            Residency r = residency(d, b);
            printf("%d %d %d %d %d %d %u\n", r.warps_allow, r.blocks_allow, r.registers_allow, r.shared_allow, r.blocks,
                   r.warps, r.limiters);
        } else if (strcmp(what, "budget") == 0) {
            printf("%d %d\n", register_budget(d, b.threads, b.registers), shared_budget(d, b.registers));
        } else {
            printf("%.17g\n", seconds(d, b, grid, rounds, bytes));
        }
    }
    return 0;
}
