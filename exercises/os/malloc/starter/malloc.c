// A heap over one arena. heap.h says what each function promises; the lesson says how a block may look.
#include <stdint.h>
#include <string.h>

#include "heap.h"

// One way to begin: every block starts with a head, and the heap is a row of blocks from its start to its end.
typedef struct block {
    size_t head;  // the block's whole size, a multiple of 16; the four lowest bits are free for flags
} block;

static block *first;  // the first block of the heap

void heap_init(void *start, size_t size) {
    // Make the heap one free block. `start` may be any address and `size` any number: the payload that follows a
    // head must lie at a multiple of 16, so where must the first head lie?
    (void)start;
    (void)size;
    first = NULL;
}

void *my_malloc(size_t size) {
    // Find a free block that is large enough, split off what is not needed, return the address after its head.
    (void)size;
    return first;
}

void my_free(void *p) {
    // Mark the block free and merge it with its neighbours when they are free too.
    (void)p;
}

void *my_calloc(size_t n, size_t size) {
    // Beware of n * size: it may not fit into a size_t.
    (void)n;
    (void)size;
    return NULL;
}

void *my_realloc(void *p, size_t size) {
    // When it does not fit, `p` stays as it is.
    (void)p;
    (void)size;
    return NULL;
}
