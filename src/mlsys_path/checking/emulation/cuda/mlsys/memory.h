// Memory that kernels share: shared arrays, atomics, loads through the caches.
#pragma once

#include <cstdint>
#include <type_traits>

#include "runtime.h"

namespace mlsys {

template <class T> inline T &shared(Slot &slot, const char *name, unsigned line)
{
    return *static_cast<T *>(mlsys_shared(&slot, sizeof(T), sizeof(std::remove_all_extents_t<T>), name, line));
}

template <class T> inline T atomic(T *at, Atomic op, T value, T expected = {})
{
    if constexpr (sizeof(T) == 8)
        return (T)(std::is_signed<T>::value ? mlsys_atomic_i64(at, op, (uint64_t)value, (uint64_t)expected)
                                            : mlsys_atomic_u64(at, op, (uint64_t)value, (uint64_t)expected));
    else if constexpr (sizeof(T) == 2)
        return (T)mlsys_atomic_u16(at, op, (uint16_t)value, (uint16_t)expected);
    else
        return (T)(std::is_signed<T>::value ? mlsys_atomic_i32(at, op, (uint32_t)value, (uint32_t)expected)
                                            : mlsys_atomic_u32(at, op, (uint32_t)value, (uint32_t)expected));
}

}  // namespace mlsys

#define MLSYS_ATOMIC(NAME, OP, T)                                                                                         \
    __forceinline__ T NAME(T *at, T value) { return mlsys::atomic<T>(at, mlsys::Atomic::OP, value); }                     \
    __forceinline__ T NAME##_block(T *at, T value) { return mlsys::atomic<T>(at, mlsys::Atomic::OP, value); }             \
    __forceinline__ T NAME##_system(T *at, T value) { return mlsys::atomic<T>(at, mlsys::Atomic::OP, value); }
#define MLSYS_ATOMIC_WORDS(NAME, OP) MLSYS_ATOMIC(NAME, OP, int) MLSYS_ATOMIC(NAME, OP, unsigned)
#define MLSYS_ATOMIC_INTEGERS(NAME, OP) MLSYS_ATOMIC_WORDS(NAME, OP) MLSYS_ATOMIC(NAME, OP, unsigned long long)
#define MLSYS_ATOMIC_FLOATS(NAME, OP)                                                                                     \
    __forceinline__ float NAME(float *at, float value) { return mlsys_atomic_f32(at, mlsys::Atomic::OP, value); }         \
    __forceinline__ double NAME(double *at, double value) { return mlsys_atomic_f64(at, mlsys::Atomic::OP, value); }      \
    __forceinline__ float NAME##_block(float *at, float value) { return mlsys_atomic_f32(at, mlsys::Atomic::OP, value); } \
    __forceinline__ double NAME##_block(double *at, double value) { return mlsys_atomic_f64(at, mlsys::Atomic::OP, value); }

MLSYS_ATOMIC_INTEGERS(atomicAdd, add)
MLSYS_ATOMIC_FLOATS(atomicAdd, add)
MLSYS_ATOMIC_WORDS(atomicSub, subtract)
MLSYS_ATOMIC_INTEGERS(atomicExch, exchange)
__forceinline__ float atomicExch(float *at, float value) { return mlsys_atomic_f32(at, mlsys::Atomic::exchange, value); }
MLSYS_ATOMIC_INTEGERS(atomicMin, smallest)
MLSYS_ATOMIC(atomicMin, smallest, long long)
MLSYS_ATOMIC_INTEGERS(atomicMax, largest)
MLSYS_ATOMIC(atomicMax, largest, long long)
MLSYS_ATOMIC_INTEGERS(atomicAnd, bits_and)
MLSYS_ATOMIC_INTEGERS(atomicOr, bits_or)
MLSYS_ATOMIC_INTEGERS(atomicXor, bits_xor)
MLSYS_ATOMIC(atomicInc, increment, unsigned)
MLSYS_ATOMIC(atomicDec, decrement, unsigned)

#define MLSYS_ATOMIC_SWAP(T)                                                                                              \
    __forceinline__ T atomicCAS(T *at, T expected, T value)                                                               \
    {                                                                                                                     \
        return mlsys::atomic<T>(at, mlsys::Atomic::swap, value, expected);                                                \
    }                                                                                                                     \
    __forceinline__ T atomicCAS_block(T *at, T expected, T value) { return atomicCAS(at, expected, value); }              \
    __forceinline__ T atomicCAS_system(T *at, T expected, T value) { return atomicCAS(at, expected, value); }
MLSYS_ATOMIC_SWAP(int)
MLSYS_ATOMIC_SWAP(unsigned)
MLSYS_ATOMIC_SWAP(unsigned long long)
MLSYS_ATOMIC_SWAP(unsigned short)

// which cache a load goes through makes no difference to what is loaded
#define MLSYS_LOAD(NAME)                                                                                                  \
    template <class T> __forceinline__ T NAME(const T *at) { return *at; }
MLSYS_LOAD(__ldg)
MLSYS_LOAD(__ldca)
MLSYS_LOAD(__ldcs)
MLSYS_LOAD(__ldlu)
#define MLSYS_LOAD_FRESH(NAME)                                                                                            \
    template <class T> __forceinline__ T NAME(const T *at)                                                                \
    {                                                                                                                     \
        if constexpr (std::is_scalar<T>::value)                                                                           \
            return *const_cast<const volatile T *>(at);                                                                   \
        else                                                                                                              \
            return *at;                                                                                                   \
    }
MLSYS_LOAD_FRESH(__ldcg)
MLSYS_LOAD_FRESH(__ldcv)
#define MLSYS_STORE(NAME)                                                                                                 \
    template <class T> __forceinline__ void NAME(T *at, T value) { *at = value; }
MLSYS_STORE(__stwb)
MLSYS_STORE(__stcg)
MLSYS_STORE(__stcs)
MLSYS_STORE(__stwt)
#undef MLSYS_STORE
#undef MLSYS_LOAD_FRESH
#undef MLSYS_LOAD
#undef MLSYS_ATOMIC_SWAP
#undef MLSYS_ATOMIC_FLOATS
#undef MLSYS_ATOMIC_INTEGERS
#undef MLSYS_ATOMIC_WORDS
#undef MLSYS_ATOMIC
