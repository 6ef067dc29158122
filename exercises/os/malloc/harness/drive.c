// Replays a trace from stdin on the allocator and reports what came back, one line a step. It judges nothing.
//
//   init OFFSET SIZE         heap_init on that part of the arena                   -> "init"
//   malloc ID SIZE SEED      then fill the block with bytes made from SEED         -> ADDRESS
//   calloc ID N SIZE SEED    as malloc; CRC is that of the block as it came        -> ADDRESS CRC
//   realloc ID SIZE SEED     KEPT is the CRC of the first min(old, new) bytes      -> ADDRESS KEPT
//   look ID                  CRC of the block                                      -> CRC
//   free ID                  CRC of the block just before it is freed              -> CRC
//
// ADDRESS is the distance from the arena's start (which is a multiple of 64), or "null". A block that does not lie
// inside the heap is reported and never touched.
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "heap.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

enum { DRIVE_ARENA = 1 << 20, DRIVE_BLOCKS = 8192 };

static _Alignas(64) unsigned char drive_arena[DRIVE_ARENA];
static unsigned char *drive_start, *drive_end;
static unsigned char *drive_block[DRIVE_BLOCKS];
static size_t drive_size[DRIVE_BLOCKS];

static int inside(const unsigned char *p, size_t size) {
    uintptr_t at = (uintptr_t)p, start = (uintptr_t)drive_start, end = (uintptr_t)drive_end;
    return p && at >= start && at <= end && size <= end - at;
}

static uint32_t crc32(const unsigned char *p, size_t size) {
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static uint32_t content(size_t id, size_t size) {
    return inside(drive_block[id], size) ? crc32(drive_block[id], size) : 0;
}

static void report(const unsigned char *p) {
    if (p)
        printf("%" PRIdPTR, (intptr_t)((uintptr_t)p - (uintptr_t)drive_arena));
    else
        printf("null");
    fflush(stdout);  // before the block is touched: the address is known even if what follows crashes
}

static void keep(size_t id, unsigned char *p, size_t size, uint32_t seed) {
    drive_block[id] = p;
    drive_size[id] = p ? size : 0;
    if (!inside(p, size)) return;
    for (size_t i = 0; i < size; i++) p[i] = (unsigned char)((seed + (uint32_t)i) * 2654435761u >> 24);
}

static void init(size_t offset, size_t size) {
    ASAN_UNPOISON_MEMORY_REGION(drive_arena, DRIVE_ARENA);
    memset(drive_arena, 0xA5, DRIVE_ARENA);
    drive_start = drive_arena + offset;
    drive_end = drive_start + size;
    ASAN_POISON_MEMORY_REGION(drive_arena, offset);
    ASAN_POISON_MEMORY_REGION(drive_end, DRIVE_ARENA - offset - size);
    memset(drive_block, 0, sizeof drive_block);
    heap_init(drive_start, size);
    printf("init\n");
}

int main(void) {
    char step[16];
    size_t id, n, size;
    uint32_t seed;
    while (scanf("%15s", step) == 1) {
        if (!strcmp(step, "init") && scanf("%zu %zu", &n, &size) == 2 && n <= DRIVE_ARENA && size <= DRIVE_ARENA - n) {
            init(n, size);
            continue;
        }
        if (scanf("%zu", &id) != 1 || id >= DRIVE_BLOCKS) return 2;
        if (!strcmp(step, "malloc") && scanf("%zu %" SCNu32, &size, &seed) == 2) {
            unsigned char *p = my_malloc(size);
            report(p);
            keep(id, p, size, seed);
        } else if (!strcmp(step, "calloc") && scanf("%zu %zu %" SCNu32, &n, &size, &seed) == 3) {
            unsigned char *p = my_calloc(n, size);
            report(p);
            drive_block[id] = p;
            printf(" %" PRIu32, content(id, n * size));
            keep(id, p, n * size, seed);
        } else if (!strcmp(step, "realloc") && scanf("%zu %" SCNu32, &size, &seed) == 2) {
            size_t before = drive_size[id];
            unsigned char *p = my_realloc(drive_block[id], size);
            report(p);
            if (p) drive_block[id] = p;
            printf(" %" PRIu32, content(id, p && size < before ? size : before));
            if (p) keep(id, p, size, seed);
        } else if (!strcmp(step, "look")) {
            printf("%" PRIu32, content(id, drive_size[id]));
        } else if (!strcmp(step, "free")) {
            printf("%" PRIu32, content(id, drive_size[id]));
            fflush(stdout);
            my_free(drive_block[id]);
            drive_block[id] = NULL;
            drive_size[id] = 0;
        } else {
            return 2;
        }
        printf("\n");
    }
    return 0;
}
