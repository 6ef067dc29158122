#pragma once

#include <stdatomic.h>
#include <stdbool.h>

// A lock that is free when zeroed. Two ways to wait for it: tas_lock tries to grab it again and again, ttas_lock
// reads until it looks free and only then tries.
typedef struct {
    atomic_bool held;
} spinlock;

void tas_lock(spinlock *lock);
void ttas_lock(spinlock *lock);
bool spin_try_lock(spinlock *lock);  // takes it and returns true, or returns false at once
void spin_unlock(spinlock *lock);

// A lock that serves in the order of arrival: each comer draws the number `next` and waits until `serving` reaches
// it. Free when both are equal, whatever they are: they wrap around.
typedef struct {
    atomic_uint next, serving;
} ticketlock;

void ticket_lock(ticketlock *lock);
bool ticket_try_lock(ticketlock *lock);  // must not draw a number that it would have to wait for
void ticket_unlock(ticketlock *lock);
