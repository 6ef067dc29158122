#pragma once

// Put before the learner's code with -include: every atomic function first gives way to another thread now and then,
// so that the unlucky interleavings that a test sees once in a million runs are seen at once; and it is counted.
#include <stdatomic.h>

#define FUZZED

enum { FUZZ_READ, FUZZ_WRITE };

void fuzz_point(int kind);

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_exchange
#undef atomic_exchange_explicit
#undef atomic_fetch_add
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_or
#undef atomic_fetch_or_explicit
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_weak_explicit

#define atomic_load_explicit(p, order) (fuzz_point(FUZZ_READ), __atomic_load_n(p, order))
#define atomic_store_explicit(p, v, order) (fuzz_point(FUZZ_WRITE), __atomic_store_n(p, v, order))
#define atomic_exchange_explicit(p, v, order) (fuzz_point(FUZZ_WRITE), __atomic_exchange_n(p, v, order))
#define atomic_fetch_add_explicit(p, v, order) (fuzz_point(FUZZ_WRITE), __atomic_fetch_add(p, v, order))
#define atomic_fetch_sub_explicit(p, v, order) (fuzz_point(FUZZ_WRITE), __atomic_fetch_sub(p, v, order))
#define atomic_fetch_or_explicit(p, v, order) (fuzz_point(FUZZ_WRITE), __atomic_fetch_or(p, v, order))
#define atomic_compare_exchange_strong_explicit(p, e, v, yes, no) \
    (fuzz_point(FUZZ_WRITE), __atomic_compare_exchange_n(p, e, v, 0, yes, no))
#define atomic_compare_exchange_weak_explicit(p, e, v, yes, no) \
    (fuzz_point(FUZZ_WRITE), __atomic_compare_exchange_n(p, e, v, 1, yes, no))

#define atomic_load(p) atomic_load_explicit(p, memory_order_seq_cst)
#define atomic_store(p, v) atomic_store_explicit(p, v, memory_order_seq_cst)
#define atomic_exchange(p, v) atomic_exchange_explicit(p, v, memory_order_seq_cst)
#define atomic_fetch_add(p, v) atomic_fetch_add_explicit(p, v, memory_order_seq_cst)
#define atomic_fetch_sub(p, v) atomic_fetch_sub_explicit(p, v, memory_order_seq_cst)
#define atomic_fetch_or(p, v) atomic_fetch_or_explicit(p, v, memory_order_seq_cst)
#define atomic_compare_exchange_strong(p, e, v) \
    atomic_compare_exchange_strong_explicit(p, e, v, memory_order_seq_cst, memory_order_seq_cst)
#define atomic_compare_exchange_weak(p, e, v) \
    atomic_compare_exchange_weak_explicit(p, e, v, memory_order_seq_cst, memory_order_seq_cst)
