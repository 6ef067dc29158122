// What the headers ask of the runtime.
#pragma once

#include <cstddef>
#include <cstdint>

#include "site.h"

namespace mlsys {

// A `__shared__` variable: the runtime gives it a place in the block's shared memory when a launch first comes by.
struct Slot {
    unsigned launch, offset, size, extent;
    const char *name;
    unsigned line;
};

enum class Atomic : int { add, subtract, exchange, smallest, largest, bits_and, bits_or, bits_xor, swap, increment, decrement };

}  // namespace mlsys

extern "C" {
void *mlsys_shared(mlsys::Slot *slot, unsigned size, unsigned element, const char *name, unsigned line);
void *mlsys_dynamic_shared();
uint32_t mlsys_atomic_i32(void *at, mlsys::Atomic op, uint32_t value, uint32_t expected);
uint32_t mlsys_atomic_u32(void *at, mlsys::Atomic op, uint32_t value, uint32_t expected);
uint64_t mlsys_atomic_i64(void *at, mlsys::Atomic op, uint64_t value, uint64_t expected);
uint64_t mlsys_atomic_u64(void *at, mlsys::Atomic op, uint64_t value, uint64_t expected);
uint16_t mlsys_atomic_u16(void *at, mlsys::Atomic op, uint16_t value, uint16_t expected);
float mlsys_atomic_f32(void *at, mlsys::Atomic op, float value);
double mlsys_atomic_f64(void *at, mlsys::Atomic op, double value);
}

namespace mlsys {

enum class Barrier : int { plain, count, all, any };
enum class WarpOp : int {
    sync, index, up, down, exclusive, ballot, all, any, active, match_any, match_all, add, smallest, largest, bits_and, bits_or,
    bits_xor,
};

}  // namespace mlsys

extern "C" {
int mlsys_barrier(mlsys::Barrier kind, int predicate, mlsys::Site at);
uint64_t mlsys_warp(mlsys::WarpOp op, unsigned mask, uint64_t value, int argument, int width, bool is_signed, mlsys::Site at);
void mlsys_fence(bool whole_device);
long long mlsys_clock();
void mlsys_pause();
void mlsys_async_copy(void *to, const void *from, size_t size, size_t zeros, mlsys::Site at);
void mlsys_async_commit(mlsys::Site at);
void mlsys_async_wait(size_t prior, mlsys::Site at);
[[noreturn]] void mlsys_trap(const char *what, mlsys::Site at);
}
