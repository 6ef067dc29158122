#include "memory.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sys/mman.h>
#include <unistd.h>

#include "errors.h"

extern "C" {
extern char __start_mlsys_device[] __attribute__((weak));
extern char __stop_mlsys_device[] __attribute__((weak));
extern char __start_mlsys_constant[] __attribute__((weak));
extern char __stop_mlsys_constant[] __attribute__((weak));
extern char __start_mlsys_managed[] __attribute__((weak));
extern char __stop_mlsys_managed[] __attribute__((weak));
extern char __start_mlsys_references[] __attribute__((weak));
extern char __stop_mlsys_references[] __attribute__((weak));
}

namespace mlsys {

Space device, block_memory;
uint64_t arena_bytes = 2ull << 30;
Section sections[section_count];

namespace {

constexpr uint64_t section_bytes = 16 << 20;
constexpr uint64_t parameter_bytes = 16 << 20;
constexpr uint64_t most_live = 1ull << 30;  // bytes of all allocations together
constexpr uint8_t poison = 0xff;            // of memory that nobody has written: NaN, -1

std::map<uint32_t, Allocation> allocations;  // by offset; those that were freed stay until their place is needed
std::map<char *, Pinned> pinned;
std::vector<Slot *> permanent;
uint32_t permanent_top = permanent_slots;
uint64_t top = 1 << 20, live_bytes = 0;
char *parameters;
std::map<char *, size_t> parameter_blocks;
std::vector<std::pair<uintptr_t, uintptr_t>> read_only;

void *reserve(uint64_t size)
{
    void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? nullptr : memory;
}

bool set_up(Space &space, uint64_t size, uint64_t shadowed)
{
    space.size = shadowed;
    space.base = (char *)reserve(size);
    space.states = (uint8_t *)reserve(shadowed);
    space.words = (Cell *)reserve(shadowed / 4 * sizeof(Cell));
    space.bytes = (Cell *)reserve(shadowed * sizeof(Cell));
    if (space.base && space.states && space.words && space.bytes)
        return true;
    for (auto [at, length] : {std::pair<void *, uint64_t>{space.base, size}, {space.states, shadowed},
             {space.words, shadowed / 4 * sizeof(Cell)}, {space.bytes, shadowed * sizeof(Cell)}})
        if (at)
            munmap(at, length);
    return false;
}

void add_section(unsigned i, char *from, char *to, bool constant, bool managed)
{
    sections[i] = {from, to, 0, constant, managed};
    sections[i].offset = (uint32_t)(arena_bytes + section_bytes / section_count / 4096 * 4096 * i);
    // what an initialiser does not give is zero
    memset(device.states + sections[i].offset, accessible | written, (size_t)(to - from));
}

uint64_t redzone(uint64_t size) { return std::max<uint64_t>(256 << 10, std::min<uint64_t>(size, 16 << 20)); }

// Whether `size` bytes fit at the top, which begins anew over what was freed when it has come to the end.
bool make_room(uint64_t span)
{
    for (int round = 0; round < 2; round++) {
        while (top + span <= arena_bytes) {
            auto next = allocations.lower_bound((uint32_t)top);
            if (next != allocations.begin()) {
                auto before = std::prev(next);
                if (before->first + before->second.span > top) {
                    if (before->second.live) {
                        top = before->first + before->second.span;
                        continue;
                    }
                    memset(device.states + before->first, 0, before->second.size);
                    allocations.erase(before);
                    continue;
                }
            }
            if (next == allocations.end() || next->first >= top + span)
                return true;
            if (next->second.live) {
                top = next->first + next->second.span;
                continue;
            }
            memset(device.states + next->first, 0, next->second.size);
            allocations.erase(next);
        }
        top = 1 << 20;
    }
    return false;
}

void forget(void *from, size_t size)
{
    uintptr_t page = 4096, begin = ((uintptr_t)from + page - 1) & ~(page - 1), end = ((uintptr_t)from + size) & ~(page - 1);
    if (end > begin)
        madvise((void *)begin, end - begin, MADV_DONTNEED);
}

}  // namespace

void set_up_memory()
{
    while (!set_up(device, arena_bytes, arena_bytes + section_bytes)) {
        arena_bytes /= 2;
        if (arena_bytes < (64 << 20)) {
            fprintf(stderr, "the emulation finds no address space for device memory\n");
            _exit(88);
        }
    }
    if (!set_up(block_memory, block_memory_bytes, block_memory_bytes) || !(parameters = (char *)reserve(parameter_bytes))) {
        fprintf(stderr, "the emulation finds no address space for shared memory\n");
        _exit(88);
    }
    add_section(0, __start_mlsys_device, __stop_mlsys_device, false, false);
    add_section(1, __start_mlsys_constant, __stop_mlsys_constant, true, false);
    add_section(2, __start_mlsys_managed, __stop_mlsys_managed, false, true);
}

Allocation *allocation_at(uint32_t offset)
{
    auto next = allocations.upper_bound(offset);
    Allocation *after = next == allocations.end() ? nullptr : &next->second;
    Allocation *before = next == allocations.begin() ? nullptr : &std::prev(next)->second;
    if (!before || !after)
        return before ? before : after;
    uint64_t behind = before->offset + before->size > offset ? 0 : offset - (before->offset + before->size);
    return behind <= after->offset - offset ? before : after;
}

void *allocate(size_t size, Allocation::Kind kind, Site at)
{
    uint64_t rounded = (size + 255) / 256 * 256, span = (rounded + redzone(rounded) + 255) / 256 * 256;
    if (size > most_live || live_bytes + rounded > most_live || !make_room(span))
        return nullptr;
    Allocation &made = allocations[(uint32_t)top];
    made = Allocation{(uint32_t)top, size, span, kind, true, at, {}};
    top += span;
    live_bytes += rounded;
    memset(device.base + made.offset, poison, size);
    memset(device.states + made.offset, accessible, size);
    return device.base + made.offset;
}

bool release(void *pointer, Site at)
{
    auto found = allocations.find((uint32_t)((char *)pointer - device.base));
    if (!in_arena((uintptr_t)pointer) || found == allocations.end() || !found->second.live)
        return false;
    Allocation &gone = found->second;
    gone.live = false, gone.gone = at;
    live_bytes -= (gone.size + 255) / 256 * 256;
    memset(device.states + gone.offset, freed, gone.size);
    if (gone.size >= (64 << 10)) {
        // what nobody may look at any more needs no memory
        forget(device.base + gone.offset, gone.size);
        forget(device.words + gone.offset / 4, gone.size / 4 * sizeof(Cell));
        forget(device.bytes + gone.offset, gone.size * sizeof(Cell));
    }
    return true;
}

Pinned *pinned_at(uintptr_t address, size_t size)
{
    if (pinned.empty())
        return nullptr;
    auto next = pinned.upper_bound((char *)address);
    if (next == pinned.begin())
        return nullptr;
    Pinned &found = std::prev(next)->second;
    return (char *)address + size <= found.base + found.size ? &found : nullptr;
}

void *allocate_pinned(size_t size)
{
    void *memory = aligned_alloc(4096, (size + 4095) / 4096 * 4096 + 4096);
    if (memory)
        note_pinned(memory, size, false);
    return memory;
}

void note_pinned(void *pointer, size_t size, bool registered) { pinned[(char *)pointer] = {(char *)pointer, size, registered}; }

bool release_pinned(void *pointer)
{
    auto found = pinned.find((char *)pointer);
    if (found == pinned.end())
        return false;
    if (!found->second.registered)
        free(pointer);
    pinned.erase(found);
    return true;
}

bool is_parameter(uintptr_t a)
{
    return a - (uintptr_t)parameters < parameter_bytes ||
           (a >= (uintptr_t)__start_mlsys_references && a < (uintptr_t)__stop_mlsys_references);
}

bool is_read_only_data(uintptr_t a)
{
    if (read_only.empty()) {
        FILE *maps = fopen("/proc/self/maps", "r");
        char line[512];
        while (maps && fgets(line, sizeof line, maps)) {
            unsigned long from, to;
            char rights[5];
            if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) == 3 && rights[0] == 'r' && rights[1] == '-')
                read_only.push_back({from, to});
        }
        if (maps)
            fclose(maps);
    }
    for (auto [from, to] : read_only)
        if (a >= from && a < to)
            return true;
    return false;
}

Section *section_of(uintptr_t a)
{
    for (Section &section : sections)
        if (section.has(a))
            return &section;
    return nullptr;
}

bool device_offset(uintptr_t a, uint32_t &offset)
{
    if (in_arena(a)) {
        offset = (uint32_t)(a - (uintptr_t)device.base);
        return true;
    }
    if (Section *section = section_of(a)) {
        offset = section->offset + (uint32_t)(a - (uintptr_t)section->from);
        return true;
    }
    return false;
}

void mark_written(uintptr_t to, size_t size)
{
    uint32_t offset;
    if (device_offset(to, offset))
        memset(device.states + offset, accessible | written, size);
}

// -- shared memory

namespace {

void fresh(uint32_t offset, uint32_t size)
{
    memset(block_memory.base + offset, poison, size);
    memset(block_memory.states + offset, accessible, size);
}

}  // namespace

void begin_shared(Running &launch, Block &)
{
    for (Slot *slot : launch.slots)
        fresh(slot->offset, slot->size);
    for (Slot *slot : permanent)
        fresh(slot->offset, slot->size);
    if (launch.dynamic)
        fresh(dynamic_base, launch.dynamic);
}

void save_shared(Running &launch, Block &block)
{
    auto keep = [&](uint32_t from, uint32_t to) {
        block.shared.insert(block.shared.end(), block_memory.base + from, block_memory.base + to);
        block.shared_states.insert(block.shared_states.end(), block_memory.states + from, block_memory.states + to);
    };
    block.shared.clear(), block.shared_states.clear();
    keep(permanent_slots, permanent_top);
    keep(dynamic_base, dynamic_base + launch.dynamic);
    keep(0, launch.slots_top);
}

void restore_shared(Running &launch, Block &block)
{
    if (block.shared.empty())
        return;
    size_t at = 0;
    auto put = [&](uint32_t from, uint32_t to) {
        memcpy(block_memory.base + from, block.shared.data() + at, to - from);
        memcpy(block_memory.states + from, block.shared_states.data() + at, to - from);
        at += to - from;
    };
    put(permanent_slots, permanent_top);
    put(dynamic_base, dynamic_base + launch.dynamic);
    uint32_t saved = (uint32_t)(block.shared.size() - at);
    put(0, saved);
    // arrays that another block has come to first
    for (Slot *slot : launch.slots)
        if (slot->offset >= saved)
            fresh(slot->offset, slot->size);
}

Slot *slot_at(uint32_t offset)
{
    Slot *found = nullptr;
    auto look = [&](Slot *slot) {
        if (slot->offset <= offset && (!found || slot->offset > found->offset))
            found = slot;
    };
    if (running && offset < permanent_slots)
        for (Slot *slot : running->slots)
            look(slot);
    else if (offset < dynamic_base)
        for (Slot *slot : permanent)
            look(slot);
    return found;
}

}  // namespace mlsys

using namespace mlsys;

extern "C" void *mlsys_parameters(size_t size)
{
    size = (size + 63) / 64 * 64;
    char *at = parameters;
    for (auto [from, length] : parameter_blocks) {
        if (from - at >= (ptrdiff_t)size)
            break;
        at = from + length;
    }
    if (at + size > parameters + parameter_bytes) {
        fprintf(stderr, "too many kernel launches are held by graphs\n");
        _exit(88);
    }
    parameter_blocks[at] = size;
    return at;
}

extern "C" void mlsys_parameters_free(void *at) { parameter_blocks.erase((char *)at); }

extern "C" void *mlsys_dynamic_shared() { return block_memory.base + dynamic_base; }

extern "C" void *mlsys_shared(Slot *slot, unsigned size, unsigned element, const char *name, unsigned line)
{
    if (!now) {
        if (running || slot->size)
            fail("shared-on-host", Json().put("name", name).put("line", line));
        // declared outside of any function: it has its place from the start
        *slot = Slot{0, permanent_top, size, element, name, line};
        permanent_top = (permanent_top + size + 255) / 128 * 128;
        if (permanent_top > dynamic_base)
            fail("shared-too-large", Json().put("bytes", permanent_top - permanent_slots).put("limit", static_limit));
        permanent.push_back(slot);
        return block_memory.base + slot->offset;
    }
    Running &launch = *running;
    if (slot->launch != launch.op) {
        launch.static_used = (launch.static_used + 15) / 16 * 16 + size;
        unsigned limit = launch.dynamic ? launch.shared_limit : static_limit;
        if (launch.static_used > static_limit || launch.static_used + launch.dynamic > limit) {
            Json json;
            describe(json, *now);
            json.put("bytes", launch.static_used).put("dynamic", launch.dynamic);
            fail("shared-too-large", json.put("limit", launch.static_used > static_limit ? static_limit : limit));
        }
        *slot = Slot{launch.op, (launch.slots_top + 255) / 128 * 128, size, element, name, line};
        launch.slots_top = slot->offset + size;
        launch.slots.push_back(slot);
        fresh(slot->offset, size);
    }
    return block_memory.base + slot->offset;
}
