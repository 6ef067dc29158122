// Drives the learner's locks and reports what it saw. It judges nothing.
//
//   script KIND START           steps from stdin, one thread: lock | try | unlock -> "ok" or try's answer, one a line
//   count KIND THREADS ROUNDS TRIES SEED
//                               every thread adds ROUNDS times to one plain counter; of 100 acquisitions TRIES go
//                               through try_lock                                        -> "counted COUNTER"
//   order START NAME...         threads arrive one by one at a held ticket lock -> their names as they get it
//   waits KIND                  one thread waits for a held lock          -> "waited READS WRITES", its accesses meanwhile
//   crowd KIND THREADS ROUNDS SECONDS
//                               count on one core, the holder loses it while it holds the lock -> "counted COUNTER SECONDS"
//
// Two threads inside at once end a run with "inside HOW_MANY COUNTER"; one that does not come to its end says "stuck".
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "spinlock.h"

enum { MOST_THREADS = 16, WATCHED_STEPS = 200 };

static spinlock spin;
static ticketlock ticket;
static const char *kind;

static void lock(void) {
    if (!strcmp(kind, "tas")) tas_lock(&spin);
    if (!strcmp(kind, "ttas")) ttas_lock(&spin);
    if (!strcmp(kind, "ticket")) ticket_lock(&ticket);
}

static bool try_lock(void) { return strcmp(kind, "ticket") ? spin_try_lock(&spin) : ticket_try_lock(&ticket); }

static void unlock(void) {
    if (strcmp(kind, "ticket"))
        spin_unlock(&spin);
    else
        ticket_unlock(&ticket);
}

static void stuck(int signal) {
    (void)signal;
    if (write(STDOUT_FILENO, "stuck\n", 6) < 0) _exit(3);
    _exit(0);
}

static void stay_on_one_core(void) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    if (sched_setaffinity(0, sizeof one, &one)) _exit(4);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// ---- what fuzz.h calls before each of the learner's atomic functions

static _Thread_local uint32_t fuzz_state;  // 0: leave this thread alone
static _Thread_local bool watched;
static long seen[2];  // reads and writes of the watched thread

static uint32_t draw(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

void fuzz_point(int what) {
    if (watched) __atomic_fetch_add(&seen[what], 1, __ATOMIC_RELAXED);
    if (fuzz_state && draw(&fuzz_state) % 4 == 0) sched_yield();
}

// ---- count and crowd: many threads, one plain counter

static struct {
    int rounds, tries;
    uint32_t seed;
    double deadline;
    bool yield_inside;
} job;
static pthread_barrier_t begin;
static long counter;           // plain: only the lock protects it
static int inside;               // relaxed: it orders nothing, so that the lock alone does

static void *work(void *arg) {
    uint32_t state = job.seed + 2654435761u * (uint32_t)(intptr_t)arg;
    state += state == 0;
    fuzz_state = state;
    pthread_barrier_wait(&begin);
    for (int round = 0; round < job.rounds && (!job.deadline || now() < job.deadline); round++) {
        if ((int)(draw(&state) % 100) < job.tries)
            while (!try_lock()) sched_yield();
        else
            lock();
        int here = __atomic_add_fetch(&inside, 1, __ATOMIC_RELAXED);
        if (here > 1) {
            printf("inside %d %ld\n", here, counter);
            fflush(stdout);
            _exit(0);
        }
        long before = counter;
        if (job.yield_inside || draw(&state) % 2) sched_yield();
        counter = before + 1;
        __atomic_sub_fetch(&inside, 1, __ATOMIC_RELAXED);
        unlock();
    }
    return NULL;
}

static void work_together(int threads) {
    pthread_t thread[MOST_THREADS];
    pthread_barrier_init(&begin, NULL, (unsigned)threads);
    for (int t = 0; t < threads; t++) pthread_create(&thread[t], NULL, work, (void *)(intptr_t)(t + 1));
    for (int t = 0; t < threads; t++) pthread_join(thread[t], NULL);
}

// ---- order

static const char *served[MOST_THREADS];
static int served_count;

static void *arrive(void *name) {
    ticket_lock(&ticket);
    served[served_count++] = name;
    ticket_unlock(&ticket);
    return NULL;
}

static void order(int names, char **name) {
    pthread_t thread[MOST_THREADS];
    ticket_lock(&ticket);
    for (int i = 0; i < names; i++) {
        unsigned drawn = __atomic_load_n(&ticket.next, __ATOMIC_RELAXED);
        pthread_create(&thread[i], NULL, arrive, name[i]);
        while (__atomic_load_n(&ticket.next, __ATOMIC_RELAXED) == drawn) sched_yield();  // until it has its number
    }
    ticket_unlock(&ticket);
    for (int i = 0; i < names; i++) pthread_join(thread[i], NULL);
    for (int i = 0; i < served_count; i++) printf("%s ", served[i]);
    printf("\n");
}

// ---- waits

static void *wait_for_it(void *arg) {
    watched = true;
    lock();
    watched = false;
    unlock();
    return arg;
}

static void waits(void) {
    pthread_t thread;
    lock();
    pthread_create(&thread, NULL, wait_for_it, NULL);
    double deadline = now() + 1.0;
    long reads, writes;
    do {
        sched_yield();
        reads = __atomic_load_n(&seen[0], __ATOMIC_RELAXED);
        writes = __atomic_load_n(&seen[1], __ATOMIC_RELAXED);
    } while (reads + writes < WATCHED_STEPS && now() < deadline);
    unlock();
    pthread_join(thread, NULL);
    printf("waited %ld %ld\n", reads, writes);
}

static void script(void) {
    char step[16];
    while (scanf("%15s", step) == 1) {
        if (!strcmp(step, "lock")) lock();
        if (!strcmp(step, "unlock")) unlock();
        puts(strcmp(step, "try") ? "ok" : try_lock() ? "true" : "false");
        fflush(stdout);
    }
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    const char *mode = argv[1];
    signal(SIGALRM, stuck);
    alarm(!strcmp(mode, "script") ? 2 : !strcmp(mode, "crowd") ? 8 : 4);
#ifdef FUZZED
    stay_on_one_core();  // where giving way is sure to let another thread in
#endif
    kind = argv[2];
    unsigned start = !strcmp(mode, "script") && argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
    if (!strcmp(mode, "order")) start = (unsigned)strtoul(argv[2], NULL, 10);
    ticket.next = ticket.serving = start;
    if (!strcmp(mode, "script")) {
        script();
    } else if (!strcmp(mode, "count") && argc == 7 && atoi(argv[3]) <= MOST_THREADS) {
        job.rounds = atoi(argv[4]);
        job.tries = atoi(argv[5]);
        job.seed = (uint32_t)strtoul(argv[6], NULL, 10);
        work_together(atoi(argv[3]));
        printf("counted %ld\n", counter);
    } else if (!strcmp(mode, "order") && argc - 3 <= MOST_THREADS) {
        order(argc - 3, argv + 3);
    } else if (!strcmp(mode, "waits")) {
        waits();
    } else if (!strcmp(mode, "crowd") && argc == 6 && atoi(argv[3]) <= MOST_THREADS) {
        stay_on_one_core();
        job.rounds = atoi(argv[4]);
        job.yield_inside = true;
        double began = now();
        job.deadline = began + atof(argv[5]);
        work_together(atoi(argv[3]));
        printf("counted %ld %.6f\n", counter, now() - began);
    } else {
        return 2;
    }
    return 0;
}
