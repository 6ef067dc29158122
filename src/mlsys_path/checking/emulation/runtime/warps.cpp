#include "warps.h"

#include <algorithm>
#include <cstring>

#include "access.h"

namespace mlsys {

namespace {

const char *name_of(WarpOp op)
{
    switch (op) {
    case WarpOp::sync:
        return "__syncwarp";
    case WarpOp::index:
        return "__shfl_sync";
    case WarpOp::up:
        return "__shfl_up_sync";
    case WarpOp::down:
        return "__shfl_down_sync";
    case WarpOp::exclusive:
        return "__shfl_xor_sync";
    case WarpOp::ballot:
        return "__ballot_sync";
    case WarpOp::all:
        return "__all_sync";
    case WarpOp::any:
        return "__any_sync";
    case WarpOp::active:
        return "__activemask";
    case WarpOp::match_any:
        return "__match_any_sync";
    case WarpOp::match_all:
        return "__match_all_sync";
    default:
        return "__reduce_sync";
    }
}

Thread &lane_of(Warp &warp, unsigned lane) { return *warp.block->threads[warp.first + lane]; }

uint32_t existing(const Warp &warp) { return warp.count == 32 ? ~0u : (1u << warp.count) - 1; }

// A __syncwarp may be met by one of another line; a shuffle or a vote is one place of the program.
bool same_call(const WarpCall &a, const WarpCall &b)
{
    if (a.op != b.op || a.mask != b.mask)
        return false;
    return a.op == WarpOp::sync || (a.at.line == b.at.line && (a.at.file == b.at.file || !strcmp(a.at.file, b.at.file)));
}

// The lane that a shuffle reads; -1 when it keeps its own value.
int source(unsigned lane, const WarpCall &call)
{
    int width = call.width, me = (int)lane, first = me & ~(width - 1), from;
    switch (call.op) {
    case WarpOp::index:
        return first + (call.argument & (width - 1));
    case WarpOp::up:
        from = me - call.argument;
        return from < first || call.argument < 0 ? -1 : from;
    case WarpOp::down:
        from = me + call.argument;
        return from >= first + width || call.argument < 0 ? -1 : from;
    default:
        from = me ^ call.argument;
        return from >= first + width || from < 0 ? -1 : from;
    }
}

void shuffle(Warp &warp, uint32_t lanes)
{
    for (uint32_t rest = lanes; rest; rest &= rest - 1) {
        unsigned lane = (unsigned)__builtin_ctz(rest);
        Thread &t = lane_of(warp, lane);
        int from = source(lane, t.call);
        if (from < 0) {
            t.call.result = t.call.value;
        } else if (lanes >> from & 1) {
            t.call.result = lane_of(warp, (unsigned)from).call.value;
        } else if (t.call.mask >> from & 1) {
            Json json;
            describe(json, t);
            json.put("call", name_of(t.call.op)).put("at", t.call.at).put("lane", lane).put("from", from);
            json.put("exists", existing(warp) >> from & 1 ? true : false).put("threads", warp.block->threads_count);
            fail("shuffle-from-absent", json);
        } else {
            // undefined, and nobody may use it
            t.call.result = ~0ull;
            note("shuffle-outside-mask",
                Json().put("call", name_of(t.call.op)).put("at", t.call.at).put("lane", lane).put("from", from));
        }
    }
}

void reduce(Warp &warp, uint32_t lanes, const WarpCall &call)
{
    int64_t value = 0;
    bool first = true;
    for (uint32_t rest = lanes; rest; rest &= rest - 1) {
        uint64_t raw = lane_of(warp, (unsigned)__builtin_ctz(rest)).call.value;
        int64_t mine = call.is_signed ? (int64_t)(int32_t)raw : (int64_t)(uint32_t)raw;
        if (first) {
            value = mine, first = false;
            continue;
        }
        switch (call.op) {
        case WarpOp::add:
            value += mine;
            break;
        case WarpOp::smallest:
            value = std::min(value, mine);
            break;
        case WarpOp::largest:
            value = std::max(value, mine);
            break;
        case WarpOp::bits_and:
            value &= mine;
            break;
        case WarpOp::bits_or:
            value |= mine;
            break;
        default:
            value ^= mine;
        }
    }
    for (uint32_t rest = lanes; rest; rest &= rest - 1)
        lane_of(warp, (unsigned)__builtin_ctz(rest)).call.result = (uint64_t)value;
}

void match(Warp &warp, uint32_t lanes, bool all)
{
    for (uint32_t rest = lanes; rest; rest &= rest - 1) {
        Thread &t = lane_of(warp, (unsigned)__builtin_ctz(rest));
        uint32_t alike = 0;
        for (uint32_t others = lanes; others; others &= others - 1) {
            unsigned other = (unsigned)__builtin_ctz(others);
            alike |= lane_of(warp, other).call.value == t.call.value ? 1u << other : 0;
        }
        t.call.result = all ? (alike == lanes ? alike : 0) : alike;
    }
}

void vote(Warp &warp, uint32_t lanes, WarpOp op)
{
    uint32_t holding = 0;
    for (uint32_t rest = lanes; rest; rest &= rest - 1) {
        unsigned lane = (unsigned)__builtin_ctz(rest);
        holding |= lane_of(warp, lane).call.value ? 1u << lane : 0;
    }
    uint64_t result = op == WarpOp::ballot ? holding
                      : op == WarpOp::all  ? holding == lanes
                      : op == WarpOp::any  ? holding != 0
                                           : lanes;
    for (uint32_t rest = lanes; rest; rest &= rest - 1)
        lane_of(warp, (unsigned)__builtin_ctz(rest)).call.result = result;
}

// __syncwarp puts what its lanes did before it before what they do after it. Shuffles and votes promise nothing of memory.
void synchronise(Warp &warp, uint32_t lanes)
{
    uint32_t epoch = warp.block->epoch;
    if (!warp.seen)
        warp.seen = std::make_unique<Seen>(), warp.seen->epoch = epoch;
    Seen &seen = *warp.seen;
    if (seen.epoch != epoch)
        memset(seen.sub, 0, sizeof seen.sub), seen.epoch = epoch;
    uint32_t joined[warp_threads] = {};
    Known known;
    for (uint32_t rest = lanes; rest; rest &= rest - 1) {
        unsigned lane = (unsigned)__builtin_ctz(rest);
        Thread &t = lane_of(warp, lane);
        if (++t.sub >= 0xffff)
            running->races = false;
        seen.sub[lane][lane] = t.sub;
        for (unsigned i = 0; i < warp_threads; i++)
            joined[i] = std::max(joined[i], seen.sub[lane][i]);
        if (t.known && t.known != known) {
            if (known) {
                known = std::make_shared<Knowledge>(*known);
                known->join(*t.known);
            } else {
                known = t.known;
            }
        }
    }
    for (uint32_t rest = lanes; rest; rest &= rest - 1) {
        unsigned lane = (unsigned)__builtin_ctz(rest);
        memcpy(seen.sub[lane], joined, sizeof joined);
        lane_of(warp, lane).known = known;
    }
}

void carry_out(Warp &warp, uint32_t lanes)
{
    const WarpCall call = lane_of(warp, (unsigned)__builtin_ctz(lanes)).call;
    running->kernel->warp_calls++;
    running->progress++;
    switch (call.op) {
    case WarpOp::sync:
        synchronise(warp, lanes);
        break;
    case WarpOp::index:
    case WarpOp::up:
    case WarpOp::down:
    case WarpOp::exclusive:
        shuffle(warp, lanes);
        break;
    case WarpOp::ballot:
    case WarpOp::all:
    case WarpOp::any:
    case WarpOp::active:
        vote(warp, lanes, call.op);
        break;
    case WarpOp::match_any:
    case WarpOp::match_all:
        match(warp, lanes, call.op == WarpOp::match_all);
        break;
    default:
        reduce(warp, lanes, call);
    }
    warp.waiting &= ~lanes, warp.ready |= lanes;
    for (uint32_t rest = lanes; rest; rest &= rest - 1)
        lane_of(warp, (unsigned)__builtin_ctz(rest)).state = State::ready;
}

}  // namespace

void resolve_warp_calls(Warp &warp)
{
    uint32_t rest = warp.waiting;
    while (rest) {
        Thread &first = lane_of(warp, (unsigned)__builtin_ctz(rest));
        uint32_t alike = 0;
        for (uint32_t lanes = warp.waiting; lanes; lanes &= lanes - 1) {
            unsigned lane = (unsigned)__builtin_ctz(lanes);
            if (same_call(lane_of(warp, lane).call, first.call))
                alike |= 1u << lane;
        }
        rest &= ~alike;
        // who is active together is known when nobody of the warp can come any more
        bool complete = first.call.op == WarpOp::active ? !warp.ready
                                                        : (first.call.mask & existing(warp) & ~warp.done & ~alike) == 0;
        if (complete)
            carry_out(warp, alike);
    }
}

void fail_warp_calls(Block &block)
{
    for (Warp *warp : block.warps)
        for (uint32_t rest = warp->waiting; rest; rest &= rest - 1) {
            Thread &t = lane_of(*warp, (unsigned)__builtin_ctz(rest));
            for (unsigned lane = 0; lane < warp->count; lane++) {
                Thread &other = lane_of(*warp, lane);
                if (!(t.call.mask >> lane & 1) || other.state == State::done ||
                    (other.state == State::in_warp_call && same_call(other.call, t.call)))
                    continue;
                Json json, second;
                describe(json, t);
                json.put("call", name_of(t.call.op)).put("at", t.call.at).put("mask", t.call.mask).put("lane", lane);
                describe(second, other);
                if (other.state == State::in_warp_call)
                    second.put("call", name_of(other.call.op)).put("at", other.call.at).put("mask", other.call.mask);
                else if (other.state == State::at_barrier)
                    second.put("call", "__syncthreads").put("at", other.barrier.at);
                json.raw("other", second.text());
                fail("warp-divergent", json);
            }
        }
    fail("stuck", Json());
}

}  // namespace mlsys

using namespace mlsys;

extern "C" uint64_t mlsys_warp(WarpOp op, unsigned mask, uint64_t value, int argument, int width, bool is_signed, Site at)
{
    Thread *t = now;
    if (!t)
        fail("device-function-on-host", Json().put("what", name_of(op)).put("at", at));
    if (t->pending.kind != Pending::none)
        settle(*t, 0, false);
    bool wrong_width = width <= 0 || width > 32 || (width & (width - 1));
    if (op != WarpOp::active && (!(mask >> t->lane & 1) || wrong_width)) {
        Json json;
        describe(json, *t);
        json.put("call", name_of(op)).put("at", at).put("mask", mask).put("lane", (unsigned)t->lane).put("width", width);
        fail(wrong_width ? "wrong-width" : "mask-without-caller", json);
    }
    t->call = {op, mask, value, 0, argument, width, is_signed, at};
    t->state = State::in_warp_call;
    stop(t);
    return t->call.result;
}
