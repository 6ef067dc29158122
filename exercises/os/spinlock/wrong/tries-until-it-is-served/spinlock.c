// Three spin locks. What makes them locks and not just flags is the pair acquire/release: all that was written before
// the unlock (release) is seen after the lock (acquire) that reads from it.
#include <sched.h>

#include "spinlock.h"

enum { SPINS_BEFORE_YIELD = 100 };

// One turn of waiting: for a short while tell the core that this is a spin loop (it saves power and leaves the other
// hyperthread its units), then give the core away: the holder may be waiting for it.
static void wait_a_turn(int *turns) {
    if (++*turns % SPINS_BEFORE_YIELD == 0) {
        sched_yield();
        return;
    }
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void tas_lock(spinlock *lock) {
    int turns = 0;
    while (atomic_exchange_explicit(&lock->held, true, memory_order_acquire)) wait_a_turn(&turns);
}

void ttas_lock(spinlock *lock) {
    int turns = 0;
    do {
        while (atomic_load_explicit(&lock->held, memory_order_relaxed)) wait_a_turn(&turns);  // in our own cache
    } while (atomic_exchange_explicit(&lock->held, true, memory_order_acquire));
}

bool spin_try_lock(spinlock *lock) {
    return !atomic_load_explicit(&lock->held, memory_order_relaxed) &&
           !atomic_exchange_explicit(&lock->held, true, memory_order_acquire);
}

void spin_unlock(spinlock *lock) { atomic_store_explicit(&lock->held, false, memory_order_release); }

void ticket_lock(ticketlock *lock) {
    int turns = 0;
    while (!ticket_try_lock(lock)) wait_a_turn(&turns);
}

bool ticket_try_lock(ticketlock *lock) {
    unsigned serving = atomic_load_explicit(&lock->serving, memory_order_acquire);
    // draw the number only if it is the one being served; from here on nobody else can have it
    return atomic_compare_exchange_strong_explicit(&lock->next, &serving, serving + 1, memory_order_relaxed,
                                                   memory_order_relaxed);
}

void ticket_unlock(ticketlock *lock) {
    // only the holder writes `serving`: no read-modify-write is needed
    unsigned mine = atomic_load_explicit(&lock->serving, memory_order_relaxed);
    atomic_store_explicit(&lock->serving, mine + 1, memory_order_release);
}
