// Blocks one after another, in an order of the day; the threads of a block as fibres that run to the next barrier. A block
// whose threads only look at memory that somebody else has to change lets others go on.
#include <algorithm>
#include <cstring>
#include <ctime>
#include <random>

#include "access.h"
#include "warps.h"

// the built-in variables, which kernels see as constants
extern "C++" {
uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;
int warpSize = 32;
}

namespace mlsys {

thread_local Thread *now;
Running *running;

namespace {

constexpr unsigned polls_before_waiting = 4;
constexpr unsigned idle_rounds = 2000;  // with nobody changing anything, and no less than
constexpr double idle_seconds = 0.3;    // in which a loop may read the same a million times: then nobody ever will

Context scheduler;
std::vector<Thread *> idle_threads;
std::vector<Warp *> idle_warps;
std::vector<Block *> idle_blocks;
uint32_t serials = 0;

template <class T> T *take(std::vector<T *> &idle)
{
    if (idle.empty())
        return new T;
    T *taken = idle.back();
    idle.pop_back();
    return taken;
}

std::mt19937_64 &dice()
{
    static std::mt19937_64 made([] {
        const char *seed = getenv("MLSYS_SEED");
        return seed ? strtoull(seed, nullptr, 10) : 1;
    }());
    return made;
}

double cpu_seconds() { return (double)clock() / CLOCKS_PER_SEC; }

void thread_main()
{
    Thread *t = now;
    running->call.run(running->call.self);
    t = now;
    if (t->pending.kind != Pending::none)
        settle(*t, 0, false);
    t->state = State::done;
    stop(t);
    __builtin_unreachable();
}

[[noreturn]] void out_of_time(const Thread &t, Json json)
{
    describe(json, t);
    fail("timeout", json);
}

void resume(Thread &t)
{
    if (time_is_over)
        out_of_time(t, t.polled_pc ? Json().put("pc", t.polled_pc) : Json().put("at", t.barrier.at));
    Warp &warp = *t.warp;
    uint32_t bit = 1u << t.lane;
    warp.ready &= ~bit, warp.spinning &= ~bit, warp.waiting &= ~bit;
    threadIdx = t.id;
    t.state = State::ready;
    t.budget = budget_of_accesses;
    now = &t;
    switch_to(scheduler, t.context);
    now = nullptr;
    switch (t.state) {
    case State::ready:
        warp.ready |= bit;
        break;
    case State::spinning:
        warp.spinning |= bit;
        break;
    case State::in_warp_call:
        warp.waiting |= bit;
        break;
    case State::at_barrier:
        t.block->at_barrier++;
        break;
    case State::done:
        warp.done |= bit;
        t.block->live--;
        break;
    }
}

void run_lanes(Warp &warp, uint32_t lanes)
{
    for (; lanes; lanes &= lanes - 1)
        resume(*warp.block->threads[warp.first + (unsigned)__builtin_ctz(lanes)]);
    finish_interval(warp);
    resolve_warp_calls(warp);
}

// Until no lane can go on, or each has used up its turn.
void run_warp(Warp &warp)
{
    bool preempted = false;
    while (warp.ready && !preempted) {
        uint32_t lanes = warp.ready;
        run_lanes(warp, lanes);
        for (uint32_t rest = lanes & warp.ready; rest; rest &= rest - 1)
            preempted = preempted || warp.block->threads[warp.first + (unsigned)__builtin_ctz(rest)]->budget <= 0;
    }
}

uint3 index_of(uint32_t linear, dim3 extent)
{
    return {linear % extent.x, linear / extent.x % extent.y, linear / extent.x / extent.y};
}

Block *begin_block(Running &launch, uint32_t linear)
{
    Block *block = take(idle_blocks);
    block->index = index_of(linear, launch.grid);
    block->linear = linear & 0x3fffff;
    block->serial = ++serials;
    block->epoch = 0, block->at_barrier = 0, block->fences = 0, block->all_fenced = 0, block->stuck = false;
    block->threads_count = block->live = launch.block.x * launch.block.y * launch.block.z;
    block->threads.clear(), block->warps.clear(), block->order.clear(), block->shared.clear();
    for (unsigned i = 0; i < block->threads_count; i++) {
        Thread *t = take(idle_threads);
        if (!t->stack)
            t->stack = new_stack();
        if (i % warp_threads == 0) {
            Warp *warp = take(idle_warps);
            warp->block = block, warp->first = i;
            warp->count = std::min(warp_threads, block->threads_count - i);
            warp->ready = warp->count == 32 ? ~0u : (1u << warp->count) - 1;
            warp->spinning = warp->waiting = warp->done = 0;
            warp->seen.reset();
            block->order.push_back((unsigned)block->warps.size());
            block->warps.push_back(warp);
        }
        t->state = State::ready, t->lane = (uint8_t)(i % warp_threads), t->index = i;
        t->id = index_of(i, launch.block);
        t->who = block->linear << 10 | i;
        t->sub = 0, t->fenced = t->fenced_in_epoch = false;
        t->block = block, t->warp = block->warps.back();
        t->known.reset();
        t->polled = 0, t->polls = 0, t->polled_pc = 0;
        t->barrier.at = {nullptr, 0};
        t->pending.kind = Pending::none;
        t->copies.clear(), t->groups = 0, t->bytes_under_way = 0;
        prepare(t->context, t->stack, thread_main);
        block->threads.push_back(t);
    }
    std::shuffle(block->order.begin(), block->order.end(), dice());
    launch.kernel->blocks++;
    launch.kernel->threads += block->threads_count;
    return block;
}

void end_block(Block *block)
{
    idle_threads.insert(idle_threads.end(), block->threads.begin(), block->threads.end());
    idle_warps.insert(idle_warps.end(), block->warps.begin(), block->warps.end());
    idle_blocks.push_back(block);
}

[[noreturn]] void wrong_barrier(Block &block)
{
    Thread *waiting = nullptr, *other = nullptr;
    for (Thread *t : block.threads)
        if (t->state == State::at_barrier && !waiting)
            waiting = t;
    bool returned = block.live < block.threads_count;
    for (Thread *t : block.threads)
        if (!other && (returned ? t->state == State::done : t->barrier.at.line != waiting->barrier.at.line))
            other = t;
    Json json, second;
    describe(json, *waiting);
    json.put("at", waiting->barrier.at);
    describe(second, *other);
    if (!returned)
        second.put("at", other->barrier.at);
    json.raw("other", second.text()).put("returned", block.threads_count - block.live).put("threads", block.threads_count);
    fail(returned ? "barrier-after-return" : "barrier-divergent", json);
}

void release_barrier(Block &block)
{
    Thread *first = block.threads[0];
    int holding = 0;
    for (Thread *t : block.threads) {
        if (t->state != State::at_barrier || t->barrier.at.line != first->barrier.at.line ||
            t->barrier.kind != first->barrier.kind || strcmp(t->barrier.at.file, first->barrier.at.file) != 0)
            wrong_barrier(block);
        holding += t->barrier.predicate != 0;
    }
    Barrier kind = first->barrier.kind;
    int result = kind == Barrier::count ? holding
                 : kind == Barrier::all ? holding == (int)block.threads_count
                                        : holding > 0;
    block.epoch++;
    block.at_barrier = 0;
    if (block.epoch >= 0xffff)
        running->races = false;
    if (block.fences == block.threads_count)
        block.all_fenced = block.epoch;
    block.fences = 0;
    running->kernel->barriers++;
    running->progress++;
    // what one of them knows, all know now
    Known all;
    for (Thread *t : block.threads)
        if (t->known && t->known != all) {
            if (!all) {
                all = t->known;
                continue;
            }
            all = std::make_shared<Knowledge>(*all);
            all->join(*t->known);
        }
    for (Thread *t : block.threads) {
        t->state = State::ready;
        t->barrier.result = result;
        t->sub = 0, t->fenced_in_epoch = false;
        t->known = all;
    }
    for (Warp *warp : block.warps)
        warp->ready = warp->count == 32 ? ~0u : (1u << warp->count) - 1;
}

bool somebody_spins(Block &block)
{
    for (Warp *warp : block.warps)
        if (warp->spinning)
            return true;
    return false;
}

// Let everybody who waits for memory to change have another look; whether anything came of it.
bool look_again(Block &block)
{
    uint64_t before = running->progress;
    bool moved = false;
    for (unsigned i : block.order) {
        Warp &warp = *block.warps[i];
        uint32_t lanes = warp.spinning;
        if (lanes) {
            run_lanes(warp, lanes);
            moved = moved || warp.spinning != lanes || warp.ready;
        }
    }
    return moved || running->progress != before;
}

// The time in which somebody else might have written what was read is over.
void judge_suspect(const Block &block)
{
    const Suspect &suspect = running->suspect;
    if (suspect.open && suspect.shared && suspect.block == &block)
        fail_as_told(suspect.told);
}

// Runs a block until it has ended (true), or until only other blocks can help (false).
bool run_block(Block &block)
{
    for (;;) {
        bool ran = false;
        for (unsigned i : block.order)
            if (block.warps[i]->ready) {
                run_warp(*block.warps[i]);
                ran = true;
            }
        if (ran)
            continue;
        if (block.live == 0) {
            judge_suspect(block);
            return true;
        }
        if (block.at_barrier == block.live) {
            judge_suspect(block);
            release_barrier(block);
            continue;
        }
        if (!somebody_spins(block))
            fail_warp_calls(block);
        if (!look_again(block))
            return false;
    }
}

[[noreturn]] void deadlock(const std::vector<Block *> &resident, uint32_t not_begun)
{
    for (Block *block : resident)
        for (Thread *t : block->threads)
            if (t->state == State::spinning) {
                Json json;
                describe(json, *t);
                json.put("pc", t->polled_pc).put("resident", (unsigned)resident.size()).put("not_begun", not_begun);
                describe_place(json, t->polled, 4);
                fail("deadlock", json);
            }
    abort();
}

}  // namespace

void stop(Thread *thread) { switch_to(thread->context, scheduler); }

void preempt(Thread &t, uint32_t pc)
{
    if (time_is_over)
        out_of_time(t, Json().put("pc", pc));
    t.state = State::ready;
    stop(&t);
}

void poll(Thread &t, uintptr_t address, uint64_t value)
{
    if (t.polled != address || t.polled_value != value) {
        t.polled = address, t.polled_value = value, t.polls = 0;
        return;
    }
    if (++t.polls < polls_before_waiting)
        return;
    t.state = State::spinning;
    stop(&t);
}

void run(Running &launch)
{
    running = &launch;
    blockDim = launch.block, gridDim = launch.grid;
    uint32_t count = launch.grid.x * launch.grid.y * launch.grid.z, begun = 0;
    unsigned threads = launch.block.x * launch.block.y * launch.block.z;
    std::vector<uint32_t> order(count);
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    std::shuffle(order.begin(), order.end(), dice());

    std::vector<Block *> resident;
    Block *current = nullptr;
    unsigned idle = 0;
    double idle_since = 0;
    auto activate = [&](Block *block, bool fresh) {
        if (current && current != block)
            save_shared(launch, *current);
        if (fresh)
            begin_shared(launch, *block);
        else if (current != block)
            restore_shared(launch, *block);
        current = block;
        blockIdx = block->index;
    };
    while (begun < count || !resident.empty()) {
        uint64_t before = launch.progress;
        bool ended = false;
        for (size_t i = 0; i < resident.size();) {
            activate(resident[i], false);
            if (!run_block(*resident[i])) {
                i++;
                continue;
            }
            current = nullptr;
            ended = true;
            end_block(resident[i]);
            resident.erase(resident.begin() + (ptrdiff_t)i);
        }
        if (begun < count && (resident.empty() || (!ended && launch.progress == before)) &&
            (resident.size() + 1) * threads <= most_resident) {
            resident.push_back(begin_block(launch, order[begun++]));
            activate(resident.back(), true);
            if (run_block(*resident.back())) {
                current = nullptr;
                end_block(resident.back());
                resident.pop_back();
            }
            idle = 0;
            continue;
        }
        if (ended || launch.progress != before)
            idle = 0;
        else if (++idle == 1)
            idle_since = cpu_seconds();
        else if (idle > idle_rounds && idle % 256 == 0 && cpu_seconds() - idle_since > idle_seconds)
            deadlock(resident, count - begun);
    }
    if (launch.suspect.open)
        fail_as_told(launch.suspect.told);
    running = nullptr;
}

}  // namespace mlsys

using namespace mlsys;

extern "C" int mlsys_barrier(Barrier kind, int predicate, Site at)
{
    Thread *t = now;
    if (!t)
        fail("device-function-on-host", Json().put("what", "__syncthreads()").put("at", at));
    if (t->pending.kind != Pending::none)
        settle(*t, 0, false);
    t->barrier = {kind, predicate, 0, at};
    t->state = State::at_barrier;
    stop(t);
    return t->barrier.result;
}

extern "C" long long mlsys_clock()
{
    static long long cycles = 0;
    // who waits for a time to pass lets others go on
    if (Thread *t = now) {
        if (++t->polls % 64 == 0) {
            t->state = State::spinning;
            running->progress++;
            stop(t);
        }
    }
    return cycles += 32;
}

extern "C" void mlsys_pause()
{
    if (Thread *t = now) {
        t->state = State::spinning;
        stop(t);
    }
}
