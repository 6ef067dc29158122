// Read, modify, write in one step; and what the compiler makes of C++'s own atomics.
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "access.h"

namespace mlsys {

namespace {

template <class T> T combined(Atomic op, T old, T value, T expected)
{
    switch (op) {
    case Atomic::add:
        return (T)(old + value);
    case Atomic::subtract:
        return (T)(old - value);
    case Atomic::smallest:
        return std::min(old, value);
    case Atomic::largest:
        return std::max(old, value);
    case Atomic::swap:
        return old == expected ? value : old;
    case Atomic::exchange:
        return value;
    default:
        break;
    }
    if constexpr (std::is_integral<T>::value)
        switch (op) {
        case Atomic::bits_and:
            return old & value;
        case Atomic::bits_or:
            return old | value;
        case Atomic::bits_xor:
            return old ^ value;
        case Atomic::increment:
            return old >= value ? 0 : (T)(old + 1);
        case Atomic::decrement:
            return old == 0 || old > value ? value : (T)(old - 1);
        default:
            break;
        }
    return old;
}

template <class T> T atomic(void *at, Atomic op, T value, T expected, uint32_t pc)
{
    access((uintptr_t)at, sizeof(T), Access::atomic, pc);
    T old;
    memcpy(&old, at, sizeof old);
    T made = combined(op, old, value, expected);
    bool changes = memcmp(&made, &old, sizeof old) != 0;
    if (Thread *t = now) {
        take_knowledge(*t, (uintptr_t)at);
        if (changes || op == Atomic::add)
            give_knowledge(*t, (uintptr_t)at);
        if (changes) {
            running->progress++;
            t->polled = 0;
        } else if (op == Atomic::swap || op == Atomic::exchange || op == Atomic::bits_or || op == Atomic::add) {
            uint64_t bits = 0;
            memcpy(&bits, &old, sizeof old);
            t->polled_pc = pc;
            poll(*t, (uintptr_t)at, bits);
            // it may have waited
            memcpy(&old, at, sizeof old);
            T again = combined(op, old, value, expected);
            if (memcmp(&again, &old, sizeof old) != 0) {
                take_knowledge(*t, (uintptr_t)at);
                give_knowledge(*t, (uintptr_t)at);
                running->progress++;
                t->polled = 0;
            }
            made = again;
        }
    }
    memcpy(at, &made, sizeof made);
    return old;
}

}  // namespace

}  // namespace mlsys

using namespace mlsys;

extern "C" {

#define MLSYS_DEFINE(NAME, T, MADE)                                                                                       \
    T NAME(void *at, Atomic op, T value, T expected)                                                                      \
    {                                                                                                                     \
        return (T)mlsys::atomic<MADE>(at, op, (MADE)value, (MADE)expected, MLSYS_PC());                                   \
    }
MLSYS_DEFINE(mlsys_atomic_i32, uint32_t, int32_t)
MLSYS_DEFINE(mlsys_atomic_u32, uint32_t, uint32_t)
MLSYS_DEFINE(mlsys_atomic_i64, uint64_t, int64_t)
MLSYS_DEFINE(mlsys_atomic_u64, uint64_t, uint64_t)
MLSYS_DEFINE(mlsys_atomic_u16, uint16_t, uint16_t)

float mlsys_atomic_f32(void *at, Atomic op, float value) { return mlsys::atomic<float>(at, op, value, 0, MLSYS_PC()); }
double mlsys_atomic_f64(void *at, Atomic op, double value) { return mlsys::atomic<double>(at, op, value, 0, MLSYS_PC()); }

// -- std::atomic and __atomic_*: sequentially consistent, whatever was asked for

#define MLSYS_STANDARD(BITS, T)                                                                                           \
    T __tsan_atomic##BITS##_load(const volatile T *at, int)                                                               \
    {                                                                                                                     \
        access((uintptr_t)at, sizeof(T), Access::volatile_read, MLSYS_PC());                                              \
        if (Thread *t = now)                                                                                              \
            take_knowledge(*t, (uintptr_t)at), poll(*t, (uintptr_t)at, (uint64_t)*at);                                    \
        return __atomic_load_n(at, __ATOMIC_SEQ_CST);                                                                     \
    }                                                                                                                     \
    void __tsan_atomic##BITS##_store(volatile T *at, T value, int)                                                        \
    {                                                                                                                     \
        access((uintptr_t)at, sizeof(T), Access::volatile_write, MLSYS_PC());                                             \
        if (Thread *t = now)                                                                                              \
            give_knowledge(*t, (uintptr_t)at);                                                                            \
        __atomic_store_n(at, value, __ATOMIC_SEQ_CST);                                                                    \
    }                                                                                                                     \
    T __tsan_atomic##BITS##_exchange(volatile T *at, T value, int)                                                        \
    {                                                                                                                     \
        access((uintptr_t)at, sizeof(T), Access::atomic, MLSYS_PC());                                                     \
        return __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);                                                          \
    }                                                                                                                     \
    int __tsan_atomic##BITS##_compare_exchange_strong(volatile T *at, T *expected, T value, int, int)                     \
    {                                                                                                                     \
        access((uintptr_t)at, sizeof(T), Access::atomic, MLSYS_PC());                                                     \
        return __atomic_compare_exchange_n(at, expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);               \
    }                                                                                                                     \
    int __tsan_atomic##BITS##_compare_exchange_weak(volatile T *at, T *expected, T value, int, int)                       \
    {                                                                                                                     \
        access((uintptr_t)at, sizeof(T), Access::atomic, MLSYS_PC());                                                     \
        return __atomic_compare_exchange_n(at, expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);               \
    }                                                                                                                     \
    T __tsan_atomic##BITS##_compare_exchange_val(volatile T *at, T expected, T value, int, int)                           \
    {                                                                                                                     \
        access((uintptr_t)at, sizeof(T), Access::atomic, MLSYS_PC());                                                     \
        __atomic_compare_exchange_n(at, &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                     \
        return expected;                                                                                                  \
    }
#define MLSYS_STANDARD_FETCH(BITS, T, NAME)                                                                               \
    T __tsan_atomic##BITS##_fetch_##NAME(volatile T *at, T value, int)                                                    \
    {                                                                                                                     \
        access((uintptr_t)at, sizeof(T), Access::atomic, MLSYS_PC());                                                     \
        return __atomic_fetch_##NAME(at, value, __ATOMIC_SEQ_CST);                                                        \
    }
#define MLSYS_STANDARD_ALL(BITS, T)                                                                                       \
    MLSYS_STANDARD(BITS, T)                                                                                               \
    MLSYS_STANDARD_FETCH(BITS, T, add)                                                                                    \
    MLSYS_STANDARD_FETCH(BITS, T, sub)                                                                                    \
    MLSYS_STANDARD_FETCH(BITS, T, and)                                                                                    \
    MLSYS_STANDARD_FETCH(BITS, T, or)                                                                                     \
    MLSYS_STANDARD_FETCH(BITS, T, xor)                                                                                    \
    MLSYS_STANDARD_FETCH(BITS, T, nand)
MLSYS_STANDARD_ALL(8, uint8_t)
MLSYS_STANDARD_ALL(16, uint16_t)
MLSYS_STANDARD_ALL(32, uint32_t)
MLSYS_STANDARD_ALL(64, uint64_t)

void __tsan_atomic_thread_fence(int) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
void __tsan_atomic_signal_fence(int) {}
}
