// A heap with boundary tags and segregated free lists.
//
//   used block   | head | payload ...                    |     head: the whole block's size, and two flags
//   free block   | head | next | prev | ...       | size |     size again at the end: the neighbour finds the start
//                ^ 8 mod 16
//                       ^ what the caller gets: 0 mod 16
//
// Blocks lie side by side and tile the heap. Two free blocks never touch: my_free merges them at once. A used block
// needs no copy of its size at the end, since PREV_USED in the next head says that nobody will look for it.
#include <stdint.h>
#include <string.h>

#include "heap.h"

enum { USED = 1, PREV_USED = 2, ALIGN = 16, HEAD = sizeof(size_t), SMALLEST = 32 };

typedef struct block {
    size_t head;                // size | USED | PREV_USED
    struct block *next, *prev;  // in a free block only: they lie where the payload was
} block;

static block *bins[64];  // bins[k]: the free blocks of 2^k up to 2^(k+1) - 1 bytes

static size_t size_of(const block *b) { return b->head & ~(size_t)(ALIGN - 1); }
static block *after(block *b) { return (block *)((char *)b + size_of(b)); }
static block *block_of(void *p) { return (block *)((char *)p - HEAD); }
static int bin_of(size_t size) { return 63 - __builtin_clzll(size); }

// Bytes of the block that holds `size` bytes of payload, or 0 when there can be none.
static size_t block_size(size_t size) {
    if (size == 0 || size > SIZE_MAX / 2) return 0;
    size_t need = (size + HEAD + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    return need < SMALLEST ? SMALLEST : need;
}

static void take(block *b) {
    if (b->prev)
        b->prev->next = b->next;
    else
        bins[bin_of(size_of(b))] = b->next;
    if (b->next) b->next->prev = b->prev;
}

// Turn `size` bytes at `b`, whose left neighbour is used, into a free block, merged with a free right neighbour.
static void put(block *b, size_t size) {
    block *right = (block *)((char *)b + size);
    if (!(right->head & USED)) {
        take(right);
        size += size_of(right);
    }
    b->head = size | PREV_USED;
    ((size_t *)after(b))[-1] = size;
    after(b)->head &= ~(size_t)PREV_USED;
    block **bin = &bins[bin_of(size)];
    b->prev = NULL;
    b->next = *bin;
    if (*bin) (*bin)->prev = b;
    *bin = b;
}

// Use the first `need` of the `size` bytes at `b`, which is in no bin; what is left over becomes a free block.
static void *use(block *b, size_t size, size_t need) {
    size_t rest = size - need >= SMALLEST ? size - need : 0;
    b->head = (size - rest) | USED | (b->head & PREV_USED);
    after(b)->head |= PREV_USED;
    if (rest) put(after(b), rest);
    return (char *)b + HEAD;
}

void heap_init(void *start, size_t size) {
    memset(bins, 0, sizeof bins);
    size_t skip = -((uintptr_t)start + HEAD) % ALIGN;  // puts the first head at 8 mod 16
    if (size < skip + SMALLEST + HEAD) return;
    size_t bytes = (size - skip - HEAD) & ~(size_t)(ALIGN - 1);
    block *first = (block *)((char *)start + skip);
    ((block *)((char *)first + bytes))->head = USED;  // a sentinel of size 0: nobody merges past the end
    put(first, bytes);
}

void *my_malloc(size_t size) {
    size_t need = block_size(size);
    if (need == 0) return NULL;
    for (int k = bin_of(need); k < 64; k++) {
        for (block *b = bins[k]; b; b = b->next) {
            if (size_of(b) < need) continue;  // only in the first bin: all blocks of the later ones are large enough
            take(b);
            return use(b, size_of(b), need);
        }
    }
    return NULL;
}

void my_free(void *p) {
    if (!p) return;
    put(block_of(p), size_of(block_of(p)));
}

void *my_calloc(size_t n, size_t size) {
    if (size && n > SIZE_MAX / size) return NULL;
    void *p = my_malloc(n * size);
    return p ? memset(p, 0, n * size) : NULL;
}

void *my_realloc(void *p, size_t size) {
    if (!p) return my_malloc(size);
    size_t need = block_size(size);
    if (need == 0) return NULL;
    block *b = block_of(p), *right = after(b);
    size_t have = size_of(b);
    if (have < need && !(right->head & USED) && have + size_of(right) >= need) {
        take(right);
        have += size_of(right);
    }
    if (have >= need) return use(b, have, need);  // shrinks, or grows into its right neighbour
    void *moved = my_malloc(size);
    if (moved) {
        memcpy(moved, p, have - HEAD);
        my_free(p);
    }
    return moved;
}
