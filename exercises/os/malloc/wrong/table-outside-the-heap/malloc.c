// Keeps a table of all blocks in static memory, sorted by address: the heap's own bytes are all payload.
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "heap.h"

enum { BLOCKS = 4096 };

static struct {
    char *start;
    size_t size;
    bool used;
} table[BLOCKS];
static int blocks;

static void insert(int at, char *start, size_t size) {
    memmove(&table[at + 1], &table[at], (size_t)(blocks++ - at) * sizeof table[0]);
    table[at].start = start;
    table[at].size = size;
    table[at].used = false;
}

static void merge_with_next(int at) {
    if (at < 0 || at + 1 >= blocks || table[at].used || table[at + 1].used) return;
    table[at].size += table[at + 1].size;
    memmove(&table[at + 1], &table[at + 2], (size_t)(--blocks - at - 1) * sizeof table[0]);
}

static int find(const void *p) {
    int at = 0;
    while (table[at].start != p) at++;
    return at;
}

void heap_init(void *start, size_t size) {
    size_t skip = -(uintptr_t)start % 16;
    blocks = 0;
    if (size > skip) insert(0, (char *)start + skip, (size - skip) & ~(size_t)15);
}

void *my_malloc(size_t size) {
    if (size == 0 || size > SIZE_MAX / 2) return NULL;
    size = (size + 15) & ~(size_t)15;
    for (int at = 0; at < blocks; at++) {
        if (table[at].used || table[at].size < size) continue;
        if (table[at].size > size && blocks < BLOCKS) {
            insert(at + 1, table[at].start + size, table[at].size - size);
            table[at].size = size;
        }
        table[at].used = true;
        return table[at].start;
    }
    return NULL;
}

void my_free(void *p) {
    if (!p) return;
    int at = find(p);
    table[at].used = false;
    merge_with_next(at);
    merge_with_next(at - 1);
}

void *my_calloc(size_t n, size_t size) {
    if (size && n > SIZE_MAX / size) return NULL;
    void *p = my_malloc(n * size);
    return p ? memset(p, 0, n * size) : NULL;
}

void *my_realloc(void *p, size_t size) {
    if (!p) return my_malloc(size);
    size_t had = table[find(p)].size;
    void *moved = my_malloc(size);
    if (moved) {
        memcpy(moved, p, had < size ? had : size);
        my_free(p);
    }
    return moved;
}
