// Hands out the heap from left to right and never looks back.
#include <stdint.h>
#include <string.h>

#include "heap.h"

static char *next, *end;

void heap_init(void *start, size_t size) {
    next = start;
    end = next + size;
}

void *my_malloc(size_t size) {
    if (size == 0 || size > SIZE_MAX / 2) return NULL;
    char *p = next + (-((uintptr_t)next + sizeof(size_t)) & 15) + sizeof(size_t);
    if (p > end || size > (size_t)(end - p)) return NULL;
    ((size_t *)p)[-1] = size;
    next = p + size;
    return p;
}

void my_free(void *p) { (void)p; }

void *my_calloc(size_t n, size_t size) {
    if (size && n > SIZE_MAX / size) return NULL;
    void *p = my_malloc(n * size);
    return p ? memset(p, 0, n * size) : NULL;
}

void *my_realloc(void *p, size_t size) {
    if (!p) return my_malloc(size);
    size_t had = ((size_t *)p)[-1];
    void *moved = my_malloc(size);
    return moved ? memcpy(moved, p, had < size ? had : size) : NULL;
}
