// Device memory and the shared memory of the block that runs, with what is known of each byte.
#pragma once

#include <cstddef>
#include <cstdint>

#include "machine.h"

namespace mlsys {

// Who did something, when, and at which place of the program.
struct Mark {
    uint32_t who, when, pc;
};

// The last accesses of four bytes, or of one where a word is touched in parts. Numbers of other operations are out of date.
struct Cell {
    uint32_t write_op, read_op;
    uint8_t write_access, first_access, second_access, in_parts;
    Mark write, first, second;  // the last write; the last two readers
};

enum : uint8_t { accessible = 1, written = 2, freed = 4, under_way = 8 };

struct Space {
    char *base = nullptr;
    uint64_t size = 0;
    uint8_t *states = nullptr;  // a byte for each byte
    Cell *words = nullptr;
    Cell *bytes = nullptr;
};

extern Space device;  // what cudaMalloc gives, and behind it variables of the device
extern Space block_memory;
extern uint64_t arena_bytes;

constexpr uint32_t permanent_slots = 256 << 10;  // of block_memory: arrays that are declared outside of functions
constexpr uint32_t dynamic_base = 512 << 10;
constexpr uint32_t block_memory_bytes = 1 << 20;

struct Allocation {
    uint32_t offset = 0;
    uint64_t size = 0, span = 0;
    enum Kind : uint8_t { device, managed } kind = device;
    bool live = true;
    Site made{}, gone{};
};

// a variable of `__device__`, `__constant__` or `__managed__`
struct Section {
    char *from = nullptr, *to = nullptr;
    uint32_t offset = 0;  // in `device`
    bool constant = false, managed = false;
    bool has(uintptr_t a, size_t size = 1) const { return a >= (uintptr_t)from && a + size <= (uintptr_t)to; }
};
constexpr unsigned section_count = 3;
extern Section sections[section_count];

void set_up_memory();

// The allocation that an address belongs to, or the nearest one to it; null when there is none.
Allocation *allocation_at(uint32_t offset);
void *allocate(size_t size, Allocation::Kind kind, Site at);
bool release(void *pointer, Site at);

struct Pinned {
    char *base;
    size_t size;
    bool registered;
};
Pinned *pinned_at(uintptr_t address, size_t size = 1);
void *allocate_pinned(size_t size);
bool release_pinned(void *pointer);
void note_pinned(void *pointer, size_t size, bool registered);

inline bool in_arena(uintptr_t a) { return a - (uintptr_t)device.base < arena_bytes; }
inline bool in_block_memory(uintptr_t a) { return a - (uintptr_t)block_memory.base < block_memory_bytes; }
bool is_parameter(uintptr_t a);
bool is_read_only_data(uintptr_t a);
Section *section_of(uintptr_t a);
// the number of an address in `device`, whether it lies in the arena or in a section; false when in neither
bool device_offset(uintptr_t a, uint32_t &offset);

void begin_shared(Running &launch, Block &block);
void save_shared(Running &launch, Block &block);
void restore_shared(Running &launch, Block &block);
Slot *slot_at(uint32_t offset);

void mark_written(uintptr_t to, size_t size);  // by a copy or by the host

}  // namespace mlsys
