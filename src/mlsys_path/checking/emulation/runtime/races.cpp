// Two threads at the same byte, one of them writing, and nothing that puts one before the other.
#include <algorithm>
#include <cstring>

#include "access.h"
#include "streams.h"

namespace mlsys {

void Knowledge::join(const Knowledge &other)
{
    for (auto [block, epoch] : other.epochs) {
        uint32_t &mine = epochs[block];
        mine = std::max(mine, epoch);
    }
    for (auto [who, moment] : other.moments) {
        uint32_t &mine = moments[who];
        mine = std::max(mine, moment);
    }
}

namespace {

bool known(const Thread &t, const Mark &mark)
{
    if (!t.known)
        return false;
    if (auto found = t.known->epochs.find(mark.who >> 10); found != t.known->epochs.end() && mark.when >> 16 < found->second)
        return true;
    auto found = t.known->moments.find(mark.who);
    return found != t.known->moments.end() && mark.when <= found->second;
}

// Whether what the mark stands for has happened before the present of `t`.
bool happened_before(const Thread &t, const Mark &mark)
{
    if (mark.who >> 10 == t.who >> 10) {
        uint32_t epoch = t.block->epoch;
        if (mark.when >> 16 < epoch)
            return true;
        unsigned other = mark.who & 1023;
        if (other / warp_threads == t.index / warp_threads && t.warp->seen && t.warp->seen->epoch == epoch &&
            (mark.when & 0xffff) < t.warp->seen->sub[t.lane][other % warp_threads])
            return true;
    }
    return known(t, mark);
}

[[noreturn]] void race(Thread &t, uintptr_t address, unsigned size, Access access, uint32_t pc, uint32_t who, Access other, uint32_t other_pc)
{
    Json json;
    describe(json, t);
    json.put("access", access_word(access)).put("pc", pc).put("size", size);
    describe_place(json, address, size);
    json.raw("other", described(who, other_pc, other));
    json.put("same_block", who >> 10 == t.who >> 10);
    json.put("same_warp", who >> 5 == t.who >> 5);
    fail("race", json);
}

void hold(Thread &t, Pending::Kind kind, uintptr_t address, unsigned size, Access access, uint32_t pc, const Mark &mark, Access other)
{
    Pending &p = t.pending;
    p.kind = kind, p.size = (uint8_t)size, p.address = address;
    p.pc = pc, p.other_pc = mark.pc, p.other_who = mark.who, p.access = (uint8_t)access, p.other_access = (uint8_t)other;
    memcpy(p.old, (const void *)address, size);
}

// Polling a flag with volatile is how blocks wait for one another; in shared memory __syncthreads and __syncwarp are.
bool both_strong(const Space &space, Access a, Access b)
{
    return (a == Access::atomic && b == Access::atomic) || (&space == &device && is_strong(a) && is_strong(b));
}

uint32_t present_op(const Thread &t, const Space &space) { return &space == &device ? running->op : t.block->serial; }

}  // namespace

void settle(Thread &t, uintptr_t address, bool is_atomic)
{
    Pending p = t.pending;
    t.pending.kind = Pending::none;
    if (p.kind == Pending::same_value && memcmp(p.old, (const void *)p.address, p.size) == 0)
        return;
    if (p.kind == Pending::atomic_follows && is_atomic && address / 8 == p.address / 8)
        return;
    race(t, p.address, p.size, (Access)p.access, p.pc, p.other_who, (Access)p.other_access, p.other_pc);
}

void note_read(Thread &t, Space &space, Cell &cell, Access access, uint32_t pc, uintptr_t address, unsigned size)
{
    uint32_t op = present_op(t, space);
    if (cell.write_op == op) {
        Access by = (Access)cell.write_access;
        if (cell.write.who != t.who && !happened_before(t, cell.write) && !both_strong(space, access, by)) {
            if (by == Access::atomic && access == Access::read)
                hold(t, Pending::atomic_follows, address, size, access, pc, cell.write, by);
            else
                race(t, address, size, access, pc, cell.write.who, by, cell.write.pc);
        }
    } else if (&space == &device && cell.write_op >= running->ordered_floor) {
        check_order(t, cell.write_op, cell.write.pc, true, address, size, access, pc);
    }
    if (cell.read_op != op) {
        cell.read_op = op;
        cell.second.who = 0xffffffff;
    } else if (cell.first.who != t.who) {
        cell.second = cell.first;
        cell.second_access = cell.first_access;
    }
    cell.first = {t.who, t.when(), pc};
    cell.first_access = (uint8_t)access;
}

void note_write(Thread &t, Space &space, Cell &cell, Access access, uint32_t pc, uintptr_t address, unsigned size)
{
    uint32_t op = present_op(t, space);
    if (cell.write_op == op) {
        Access by = (Access)cell.write_access;
        if (cell.write.who != t.who && !both_strong(space, access, by) && !happened_before(t, cell.write)) {
            if (access == Access::atomic || by == Access::atomic)
                race(t, address, size, access, pc, cell.write.who, by, cell.write.pc);
            if (t.pending.kind == Pending::none)
                hold(t, Pending::same_value, address, size, access, pc, cell.write, by);
        }
    } else if (&space == &device && cell.write_op >= running->ordered_floor) {
        check_order(t, cell.write_op, cell.write.pc, true, address, size, access, pc);
    }
    if (cell.read_op == op) {
        const Mark *marks[] = {&cell.first, &cell.second};
        uint8_t by[] = {cell.first_access, cell.second_access};
        for (int i = 0; i < 2; i++)
            if (marks[i]->who != 0xffffffff && marks[i]->who != t.who && !both_strong(space, access, (Access)by[i]) &&
                !happened_before(t, *marks[i]))
                race(t, address, size, access, pc, marks[i]->who, (Access)by[i], marks[i]->pc);
        if (access == Access::atomic && cell.first.who == t.who) {
            // a look before an atomic is part of it
            cell.first = cell.second, cell.first_access = cell.second_access;
            cell.second.who = 0xffffffff;
            if (cell.first.who == 0xffffffff)
                cell.read_op = 0;
        }
    } else if (&space == &device && cell.read_op >= running->ordered_floor) {
        check_order(t, cell.read_op, cell.first.pc, false, address, size, access, pc);
    }
    cell.write_op = op;
    cell.write = {t.who, t.when(), pc};
    cell.write_access = (uint8_t)access;
}

void take_knowledge(Thread &t, uintptr_t address)
{
    if (running->released.empty())
        return;
    auto found = running->released.find(address);
    if (found == running->released.end() || found->second == t.known)
        return;
    if (!t.known) {
        t.known = found->second;
        return;
    }
    Known joined = std::make_shared<Knowledge>(*t.known);
    joined->join(*found->second);
    t.known = joined;
}

void give_knowledge(Thread &t, uintptr_t address)
{
    if (!t.fenced)
        return;
    Known &place = running->released[address];
    if (!place)
        place = std::make_shared<Knowledge>();
    else if (place.use_count() > 1)
        place = std::make_shared<Knowledge>(*place);
    if (t.known && t.known != place)
        place->join(*t.known);
    uint32_t &epoch = place->epochs[t.who >> 10];
    epoch = std::max({epoch, t.fence >> 16, t.block->all_fenced});
    uint32_t &moment = place->moments[t.who];
    moment = std::max(moment, t.fence);
}

}  // namespace mlsys

using namespace mlsys;

extern "C" void mlsys_fence(bool)
{
    Thread *t = now;
    if (!t)
        return;
    t->fence = t->when();
    t->fenced = true;
    t->block->fences += !t->fenced_in_epoch;
    t->fenced_in_epoch = true;
    if (++t->sub >= 0xffff)
        running->races = false;  // more moments than a mark can tell apart
}
