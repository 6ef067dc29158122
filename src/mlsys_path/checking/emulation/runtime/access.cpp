#include "access.h"

#include <cstring>

#include "streams.h"

namespace mlsys {

namespace {

[[noreturn]] void not_accessible(Thread &t, Space &space, uint32_t offset, unsigned size, Access access, uint32_t pc, uintptr_t address)
{
    const char *kind = "out-of-bounds";
    for (unsigned i = 0; i < size; i++)
        if (space.states[offset + i] & freed)
            kind = "use-after-free";
    Json json;
    describe(json, t);
    json.put("access", access_word(access)).put("pc", pc).put("size", size);
    describe_place(json, address, size);
    fail(kind, json);
}

[[noreturn]] void still_under_way(Thread &t, unsigned size, Access access, uint32_t pc, uintptr_t address)
{
    Json json;
    describe(json, t);
    json.put("access", access_word(access)).put("pc", pc).put("size", size);
    describe_place(json, address, size);
    fail("async-under-way", json);
}

void not_written(Thread &t, unsigned size, Access access, uint32_t pc, uintptr_t address)
{
    Suspect &suspect = running->suspect;
    if (suspect.open)
        return;
    Json json;
    describe(json, t);
    json.put("access", access_word(access)).put("pc", pc).put("size", size);
    describe_place(json, address, size);
    suspect = {true, in_block_memory(address), address, size, t.block, json.put("kind", "uninitialised").text()};
}

template <class Word>
inline void check_word(Thread &t, Space &space, uint32_t offset, Access access, uint32_t pc, uintptr_t address)
{
    constexpr Word all = (Word)0x0303030303030303ull, may = (Word)0x0101010101010101ull, flies = (Word)0x0808080808080808ull;
    Word state;
    memcpy(&state, space.states + offset, sizeof state);
    if (state == all)
        return;
    if ((state & may) != may)
        not_accessible(t, space, offset, sizeof(Word), access, pc, address);
    if (state & flies)
        still_under_way(t, sizeof(Word), access, pc, address);
    if (access == Access::read || access == Access::volatile_read || access == Access::atomic)
        not_written(t, sizeof(Word), access, pc, address);
    if (writes(access))
        memcpy(space.states + offset, &all, sizeof all);
}

inline void check_states(Thread &t, Space &space, uint32_t offset, unsigned size, Access access, uint32_t pc, uintptr_t address)
{
    switch (size) {
    case 1:
        return check_word<uint8_t>(t, space, offset, access, pc, address);
    case 2:
        return check_word<uint16_t>(t, space, offset, access, pc, address);
    case 4:
        return check_word<uint32_t>(t, space, offset, access, pc, address);
    case 16:
        check_word<uint64_t>(t, space, offset + 8, access, pc, address + 8);
        [[fallthrough]];
    default:
        return check_word<uint64_t>(t, space, offset, access, pc, address);
    }
}

// From here on each byte of a word has a cell of its own.
void split(Space &space, uint32_t offset)
{
    Cell &word = space.words[offset >> 2];
    if (word.in_parts)
        return;
    for (uint32_t i = 0; i < 4; i++)
        space.bytes[(offset & ~3u) + i] = word;
    word.in_parts = 1;
}

inline void check_races(Thread &t, Space &space, uint32_t offset, unsigned size, Access access, uint32_t pc, uintptr_t address)
{
    auto note = [&](Cell &cell, uintptr_t at, unsigned bytes) {
        writes(access) ? note_write(t, space, cell, access, pc, at, bytes) : note_read(t, space, cell, access, pc, at, bytes);
    };
    if (size < 4)
        split(space, offset);
    for (uint32_t at = offset & ~3u; at < offset + size; at += 4) {
        Cell &word = space.words[at >> 2];
        if (!word.in_parts) {
            note(word, address + (at - offset), 4);
            continue;
        }
        for (uint32_t byte = at < offset ? offset : at; byte < at + 4 && byte < offset + size; byte++)
            note(space.bytes[byte], address + (byte - offset), 1);
    }
}

inline void count(Thread &t, uint32_t site, uint32_t offset, unsigned size, Access access, uint32_t pc, bool shared)
{
    Warp &warp = *t.warp;
    if (site >= warp.sites.size())
        warp.sites.resize(site + 16);
    AtSite &here = warp.sites[site];
    unsigned turn = here.turns[t.lane]++;
    if (!here.listed) {
        here.listed = true;
        warp.used.push_back(site);
        Kernel &kernel = *running->kernel;
        if (site >= kernel.sites.size())
            kernel.sites.resize(site + 16);
        Totals &totals = kernel.sites[site];
        totals.pc = pc, totals.access = (uint8_t)access, totals.size = (uint8_t)size, totals.shared = shared;
    }
    while (turn >= here.touched.size())
        here.touched.push_back(Touched{0, {}});
    Touched &touched = here.touched[turn];
    touched.lanes |= 1u << t.lane;
    touched.offset[t.lane] = offset;
}

[[noreturn]] void misaligned(Thread &t, unsigned size, Access access, uint32_t pc, uintptr_t address)
{
    Json json;
    describe(json, t);
    json.put("access", access_word(access)).put("pc", pc).put("size", size).put("address", (unsigned long long)address);
    describe_place(json, address, size);
    fail("misaligned", json);
}

// Neither shared memory nor what cudaMalloc gave.
void elsewhere(Thread &t, uintptr_t address, unsigned size, Access access, uint32_t pc)
{
    if (address - (uintptr_t)t.stack < stack_bytes || is_parameter(address))
        return;
    const char *kind = "host-pointer";
    if (Section *section = section_of(address)) {
        if (!section->constant || !writes(access)) {
            if (section->constant)
                return;
            uint32_t offset = section->offset + (uint32_t)(address - (uintptr_t)section->from);
            check_states(t, device, offset, size, access, pc, address);
            if (running->races)
                check_races(t, device, offset, size, access, pc, address);
            return;
        }
        kind = "constant-written";
    } else if (address < 4096) {
        kind = "null-pointer";
    } else if (pinned_at(address, size) || (!writes(access) && is_read_only_data(address))) {
        return;
    } else {
        for (Thread *other : t.block->threads)
            if (address - (uintptr_t)other->stack < stack_bytes)
                kind = "local-of-another";
    }
    Json json;
    describe(json, t);
    json.put("access", access_word(access)).put("pc", pc).put("size", size).put("address", (unsigned long long)address);
    describe_place(json, address, size);
    fail(kind, json);
}

void host_access(uintptr_t address, unsigned size, Access access, uint32_t pc)
{
    const char *kind = nullptr;
    if (in_arena(address)) {
        Allocation *found = allocation_at((uint32_t)(address - (uintptr_t)device.base));
        if (found && found->live && found->kind == Allocation::managed &&
            (uint32_t)(address - (uintptr_t)device.base) + size <= found->offset + found->size) {
            if (writes(access))
                mark_written(address, size);
            host_touches(address, size, writes(access), pc);
            return;
        }
        kind = "device-pointer-on-host";
    } else if (in_block_memory(address)) {
        kind = "shared-on-host";
    } else if (Section *section = section_of(address)) {
        if (section->managed)
            return;
        kind = "device-variable-on-host";
    } else {
        if (work_is_pending())
            host_touches(address, size, writes(access), pc);
        return;
    }
    Json json;
    json.put("access", access_word(access)).put("pc", pc).put("size", size);
    describe_place(json, address, size);
    fail(kind, json);
}

}  // namespace

void access(uintptr_t address, unsigned size, Access access, uint32_t pc, unsigned part)
{
    Thread *t = now;
    if (!t)
        return host_access(address, size, access, pc);
    if (t->pending.kind != Pending::none)
        settle(*t, address, access == Access::atomic);
    bool shared = in_block_memory(address);
    if (!shared && !in_arena(address))
        return elsewhere(*t, address, size, access, pc);
    if (address & (size - 1))
        misaligned(*t, size, access, pc, address);
    Space &space = shared ? block_memory : device;
    uint32_t offset = (uint32_t)(address - (uintptr_t)space.base);
    check_states(*t, space, offset, size, access, pc, address);
    if (running->races)
        check_races(*t, space, offset, size, access, pc, address);
    uint32_t site = site_number(pc, part);
    count(*t, shared ? shared_site(site) : global_site(site), offset, size, access, pc, shared);
    if (!shared && has_unordered_copies())
        check_copies(*t, address, size, writes(access), pc);
    if (writes(access) && access != Access::atomic)
        running->progress++;
    if (shared && !writes(access))
        running->kernel->under_way += t->bytes_under_way;
    if (--t->budget <= 0)
        preempt(*t, pc);
}

void access_range(uintptr_t address, size_t size, Access kind, uint32_t pc)
{
    if (!size)
        return;
    unsigned piece = address % 4 == 0 && size % 4 == 0 ? 4 : address % 2 == 0 && size % 2 == 0 ? 2 : 1;
    if (!now)
        // the ends tell where it lies
        return access(address, 1, kind, pc), access(address + size - 1, 1, kind, pc);
    for (size_t i = 0; i < size; i += piece)
        access(address + i, piece, kind, pc, (unsigned)(i / piece) & 0xffff);
}

}  // namespace mlsys
