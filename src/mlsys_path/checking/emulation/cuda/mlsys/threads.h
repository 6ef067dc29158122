// What a thread knows of itself, and what threads do together: barriers, shuffles, votes, fences.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "runtime.h"
#include "vectors.h"

namespace mlsys {

// Plain, so that the compiler takes the built-in variables for the constants that they are to a thread.
struct Index {
    unsigned int x, y, z;
    operator uint3() const { return {x, y, z}; }
    operator dim3() const { return {x, y, z}; }
};

}  // namespace mlsys

// the runtime gives them the values of the thread that goes on
extern const mlsys::Index threadIdx, blockIdx, blockDim, gridDim;
extern const int warpSize;

inline void __syncthreads(mlsys::Site at = mlsys::here()) { mlsys_barrier(mlsys::Barrier::plain, 0, at); }
inline int __syncthreads_count(int p, mlsys::Site at = mlsys::here()) { return mlsys_barrier(mlsys::Barrier::count, p, at); }
inline int __syncthreads_and(int p, mlsys::Site at = mlsys::here()) { return mlsys_barrier(mlsys::Barrier::all, p, at); }
inline int __syncthreads_or(int p, mlsys::Site at = mlsys::here()) { return mlsys_barrier(mlsys::Barrier::any, p, at); }

inline void __threadfence() { mlsys_fence(true); }
inline void __threadfence_system() { mlsys_fence(true); }
inline void __threadfence_block() { mlsys_fence(false); }

inline void __syncwarp(unsigned mask = 0xffffffffu, mlsys::Site at = mlsys::here())
{
    mlsys_warp(mlsys::WarpOp::sync, mask, 0, 0, 32, false, at);
}
inline unsigned __activemask(mlsys::Site at = mlsys::here())
{
    return (unsigned)mlsys_warp(mlsys::WarpOp::active, 0, 0, 0, 32, false, at);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, mlsys::Site at = mlsys::here())
{
    return (unsigned)mlsys_warp(mlsys::WarpOp::ballot, mask, predicate != 0, 0, 32, false, at);
}
inline int __all_sync(unsigned mask, int predicate, mlsys::Site at = mlsys::here())
{
    return (int)mlsys_warp(mlsys::WarpOp::all, mask, predicate != 0, 0, 32, false, at);
}
inline int __any_sync(unsigned mask, int predicate, mlsys::Site at = mlsys::here())
{
    return (int)mlsys_warp(mlsys::WarpOp::any, mask, predicate != 0, 0, 32, false, at);
}

namespace mlsys {

// What a shuffle can move: numbers, and the narrow floats of cuda_fp16.h and cuda_bf16.h.
template <class T> struct Moved : std::is_arithmetic<T> {
};

template <class T> inline T exchange(WarpOp op, unsigned mask, T value, int argument, int width, Site at)
{
    static_assert(Moved<T>::value && sizeof(T) <= 8, "a shuffle moves a number of up to 8 bytes, and no structure");
    uint64_t bits = 0;
    __builtin_memcpy(&bits, &value, sizeof value);
    bits = mlsys_warp(op, mask, bits, argument, width, false, at);
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

template <class T> inline uint64_t widened(T value)
{
    if constexpr (std::is_floating_point<T>::value) {
        uint64_t bits = 0;
        __builtin_memcpy(&bits, &value, sizeof value);
        return bits;
    } else {
        return (uint64_t)(int64_t)value;
    }
}

template <class T> inline T reduced(WarpOp op, unsigned mask, T value, Site at)
{
    static_assert(std::is_integral<T>::value && sizeof(T) == 4, "__reduce_*_sync takes int or unsigned");
    return (T)mlsys_warp(op, mask, widened(value), 0, 32, std::is_signed<T>::value, at);
}

}  // namespace mlsys

template <class T> inline T __shfl_sync(unsigned mask, T value, int lane, int width = 32, mlsys::Site at = mlsys::here())
{
    return mlsys::exchange(mlsys::WarpOp::index, mask, value, lane, width, at);
}
template <class T> inline T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32, mlsys::Site at = mlsys::here())
{
    return mlsys::exchange(mlsys::WarpOp::up, mask, value, (int)by, width, at);
}
template <class T> inline T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32, mlsys::Site at = mlsys::here())
{
    return mlsys::exchange(mlsys::WarpOp::down, mask, value, (int)by, width, at);
}
template <class T> inline T __shfl_xor_sync(unsigned mask, T value, int with, int width = 32, mlsys::Site at = mlsys::here())
{
    return mlsys::exchange(mlsys::WarpOp::exclusive, mask, value, with, width, at);
}
template <class T> inline unsigned __match_any_sync(unsigned mask, T value, mlsys::Site at = mlsys::here())
{
    return (unsigned)mlsys_warp(mlsys::WarpOp::match_any, mask, mlsys::widened(value), 0, 32, false, at);
}
template <class T> inline unsigned __match_all_sync(unsigned mask, T value, int *all, mlsys::Site at = mlsys::here())
{
    unsigned found = (unsigned)mlsys_warp(mlsys::WarpOp::match_all, mask, mlsys::widened(value), 0, 32, false, at);
    *all = found != 0;
    return found;
}
template <class T> inline T __reduce_add_sync(unsigned mask, T value, mlsys::Site at = mlsys::here())
{
    return mlsys::reduced(mlsys::WarpOp::add, mask, value, at);
}
template <class T> inline T __reduce_min_sync(unsigned mask, T value, mlsys::Site at = mlsys::here())
{
    return mlsys::reduced(mlsys::WarpOp::smallest, mask, value, at);
}
template <class T> inline T __reduce_max_sync(unsigned mask, T value, mlsys::Site at = mlsys::here())
{
    return mlsys::reduced(mlsys::WarpOp::largest, mask, value, at);
}
inline unsigned __reduce_and_sync(unsigned mask, unsigned value, mlsys::Site at = mlsys::here())
{
    return mlsys::reduced(mlsys::WarpOp::bits_and, mask, value, at);
}
inline unsigned __reduce_or_sync(unsigned mask, unsigned value, mlsys::Site at = mlsys::here())
{
    return mlsys::reduced(mlsys::WarpOp::bits_or, mask, value, at);
}
inline unsigned __reduce_xor_sync(unsigned mask, unsigned value, mlsys::Site at = mlsys::here())
{
    return mlsys::reduced(mlsys::WarpOp::bits_xor, mask, value, at);
}

inline long long clock64() { return mlsys_clock(); }
inline unsigned long long __clock64() { return (unsigned long long)mlsys_clock(); }
inline void __nanosleep(unsigned) { mlsys_pause(); }
inline void __trap(mlsys::Site at = mlsys::here()) { mlsys_trap("__trap()", at); }
