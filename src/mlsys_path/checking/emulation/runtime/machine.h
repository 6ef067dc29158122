// The emulated machine: what a launch, a block, a warp and a thread are while they run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "../cuda/mlsys/launch.h"
#include "../cuda/mlsys/runtime.h"
#include "fibre.h"

namespace mlsys {

constexpr unsigned warp_threads = 32;
constexpr unsigned most_threads = 1024;       // of a block
constexpr unsigned most_resident = 16384;     // threads of all blocks that have begun and not ended
constexpr int budget_of_accesses = 4096;      // before the next thread has its turn
constexpr unsigned static_limit = 48 << 10;   // bytes of shared memory that nobody needs to ask for
constexpr unsigned opt_in_limit = 227 << 10;  // and with cudaFuncSetAttribute

struct Kernel;
struct Block;
struct Warp;

// What one thread knows to have happened before, in blocks and threads other than those that a barrier told it of.
struct Knowledge {
    std::unordered_map<uint32_t, uint32_t> epochs;   // block: barriers that lie behind us
    std::unordered_map<uint32_t, uint32_t> moments;  // thread: accesses up to then
    void join(const Knowledge &other);
};
using Known = std::shared_ptr<Knowledge>;  // shared by threads: copied before it is changed

enum class State : uint8_t { ready, spinning, at_barrier, in_warp_call, done };

// An operation of a warp that a lane has come to.
struct WarpCall {
    WarpOp op;
    uint32_t mask;
    uint64_t value, result;
    int argument, width;
    bool is_signed;
    Site at;
};

struct BarrierCall {
    Barrier kind;
    int predicate, result;
    Site at;
};

// A conflict that is judged when the thread goes on: whether it wrote what was there already, or comes back with an atomic.
struct Pending {
    enum Kind : uint8_t { none, same_value, atomic_follows } kind = none;
    uint8_t size = 0;
    bool shared = false;
    uintptr_t address = 0;
    uint8_t old[16];
    uint32_t pc = 0, other_pc = 0, other_who = 0;
    uint8_t access = 0, other_access = 0;
};

// A copy into shared memory that a thread has begun and not waited for.
struct AsyncCopy {
    uintptr_t to;
    uint32_t size, group;
    unsigned char data[16];
};

struct Thread {
    Context context;
    State state = State::ready;
    uint8_t lane = 0;
    uint32_t index = 0;  // in its block
    uint3 id{};
    uint32_t who = 0;    // block and thread in one number
    int budget = budget_of_accesses;
    uint32_t sub = 0;    // steps since the last barrier: warp synchronisations and fences
    uint32_t fence = 0;  // the moment of the last fence
    bool fenced = false, fenced_in_epoch = false;
    Block *block = nullptr;
    Warp *warp = nullptr;
    char *stack = nullptr;
    Known known;
    WarpCall call{};
    BarrierCall barrier{};
    uintptr_t polled = 0;  // the address that it keeps looking at, and what it finds there
    uint64_t polled_value = 0;
    unsigned polls = 0;
    uint32_t polled_pc = 0;
    Pending pending;
    std::vector<AsyncCopy> copies;  // in the order of their beginning
    uint32_t groups = 0;            // that it has committed
    uint32_t bytes_under_way = 0;

    uint32_t when() const;
};

// One warp-level access: the addresses that lanes have touched at one place of the program, in their k-th turn there.
struct Touched {
    uint32_t lanes;
    uint32_t offset[warp_threads];
};

struct AtSite {
    uint32_t turns[warp_threads] = {};
    std::vector<Touched> touched;
    bool listed = false;
};

struct Seen {
    uint32_t epoch = 0;
    uint32_t sub[warp_threads][warp_threads] = {};
};

struct Warp {
    Block *block = nullptr;
    unsigned first = 0, count = 0;  // threads
    uint32_t ready = 0, spinning = 0, waiting = 0, done = 0;  // lanes, by state
    std::vector<AtSite> sites;
    std::vector<uint32_t> used;  // sites with something in them
    std::unique_ptr<Seen> seen;
};

struct Block {
    uint3 index{};
    uint32_t linear = 0, serial = 0, epoch = 0;
    unsigned threads_count = 0, live = 0, at_barrier = 0, fences = 0;
    uint32_t all_fenced = 0;  // epochs that every thread has fenced
    std::vector<Thread *> threads;
    std::vector<Warp *> warps;
    std::vector<unsigned> order;  // of warps
    std::vector<char> shared, shared_states;  // while another block runs
    bool stuck = false;
};

inline uint32_t Thread::when() const { return block->epoch << 16 | (sub & 0xffff); }

enum class Access : uint8_t { read, write, atomic, volatile_read, volatile_write };
inline bool writes(Access a) { return a == Access::write || a == Access::atomic || a == Access::volatile_write; }
inline bool is_strong(Access a) { return a != Access::read && a != Access::write; }

// What the accesses of one place of the program come to.
struct Totals {
    uint32_t pc = 0;
    uint8_t access = 0, size = 0;
    bool shared = false;
    uint64_t requests = 0, lanes = 0, bytes = 0, used = 0, sectors = 0, least_sectors = 0;
    uint64_t wavefronts = 0, least_wavefronts = 0;
    uint32_t ways = 0;  // the most lanes that had to wait for one another
};

struct Kernel {
    std::string name;
    uint64_t launches = 0, blocks = 0, threads = 0, barriers = 0, warp_calls = 0;
    unsigned static_shared = 0;
    uint64_t async_copies = 0, async_bytes = 0;
    uint64_t under_way = 0;  // bytes on their way into shared memory, summed over all loads from there
    std::vector<Totals> sites;  // two a site: global, shared
};

// A read of what nobody had written. It is one when nobody writes it before the next barrier; else the two race.
struct Suspect {
    bool open = false, shared = false;
    uintptr_t address = 0;
    unsigned size = 0;
    const Block *block = nullptr;
    std::string told;  // JSON
};

struct Running {
    Kernel *kernel = nullptr;
    Suspect suspect;
    uint32_t op = 0;  // its number among all operations on the device
    dim3 grid, block;
    unsigned dynamic = 0, static_used = 0, slots_top = 0, shared_limit = static_limit;
    Site at{};
    Call call{};
    std::vector<const void *> pointers;
    std::vector<Slot *> slots;
    bool races = true;
    uint32_t ordered_floor = 0;  // operations with smaller numbers are known to have ended before it began
    std::unordered_map<uintptr_t, Known> released;
    uint64_t progress = 0;  // counts what may wake somebody who waits
};

extern thread_local Thread *now;  // null on the host
extern Running *running;

Kernel &kernel_named(const char *name);
void run(Running &launch);      // the scheduler
void stop(Thread *thread);      // back to the scheduler
void finish_interval(Warp &);   // judge and count what a warp has touched
uint32_t site_number(uint32_t pc, unsigned part);
void count_barrier();

inline uint32_t global_site(uint32_t site) { return site * 2; }
inline uint32_t shared_site(uint32_t site) { return site * 2 + 1; }

}  // namespace mlsys
