#pragma once

#include <stddef.h>

// Take over the `size` bytes at `start`: the whole heap. Both may be any number; a later call starts all over.
void heap_init(void *start, size_t size);

// A block of at least `size` bytes, its address a multiple of 16, or NULL when none fits or size is 0.
void *my_malloc(size_t size);

// Give a block back. NULL is allowed and does nothing.
void my_free(void *p);

// A block of n * size bytes, all zero, or NULL when none fits or n * size does not fit into a size_t.
void *my_calloc(size_t n, size_t size);

// The block `p`, now `size` > 0 bytes long, perhaps elsewhere; the first min(old, new) bytes stay as they were.
// NULL when it does not fit: then `p` is untouched and still in use. my_realloc(NULL, size) is my_malloc(size).
void *my_realloc(void *p, size_t size);
