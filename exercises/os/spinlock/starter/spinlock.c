// Three spin locks from C11 atomics. spinlock.h has the structures and what each function promises.
//
// Use the functions that name their memory order, such as
//   atomic_exchange_explicit(&lock->held, true, memory_order_...)
//   atomic_load_explicit(...), atomic_store_explicit(...), atomic_fetch_add_explicit(...),
//   atomic_compare_exchange_strong_explicit(...)
// The order is the exercise: which one makes what the last holder wrote visible to the next one?
#include <sched.h>

#include "spinlock.h"

void tas_lock(spinlock *lock) {
    // Set `held`; if it was set already, somebody else has the lock: wait a turn and try again.
    (void)lock;
}

void ttas_lock(spinlock *lock) {
    // As tas_lock, but wait by reading `held` and write only when it looks free.
    (void)lock;
}

bool spin_try_lock(spinlock *lock) {
    (void)lock;
    return false;
}

void spin_unlock(spinlock *lock) {
    (void)lock;
}

void ticket_lock(ticketlock *lock) {
    // Draw a number from `next`, wait until `serving` shows it.
    (void)lock;
}

bool ticket_try_lock(ticketlock *lock) {
    // A number once drawn cannot be put back: draw it only if it is being served at this moment.
    (void)lock;
    return false;
}

void ticket_unlock(ticketlock *lock) {
    (void)lock;
}
