// What the compiler's instrumentation calls before each access to memory: our own definitions, and no other library's.
#include <cstring>

#include "access.h"

using namespace mlsys;

#define MLSYS_HOOK(SIZE)                                                                                                  \
    void __tsan_read##SIZE(void *at) { access((uintptr_t)at, SIZE, Access::read, MLSYS_PC()); }                           \
    void __tsan_write##SIZE(void *at) { access((uintptr_t)at, SIZE, Access::write, MLSYS_PC()); }                         \
    void __tsan_unaligned_read##SIZE(void *at) { access_range((uintptr_t)at, SIZE, Access::read, MLSYS_PC()); }           \
    void __tsan_unaligned_write##SIZE(void *at) { access_range((uintptr_t)at, SIZE, Access::write, MLSYS_PC()); }         \
    void __tsan_volatile_read##SIZE(void *at) { look((uintptr_t)at, SIZE, MLSYS_PC()); }                                  \
    void __tsan_volatile_write##SIZE(void *at) { tell((uintptr_t)at, SIZE, MLSYS_PC()); }                                 \
    void __tsan_unaligned_volatile_read##SIZE(void *at)                                                                   \
    {                                                                                                                     \
        access_range((uintptr_t)at, SIZE, Access::volatile_read, MLSYS_PC());                                             \
    }                                                                                                                     \
    void __tsan_unaligned_volatile_write##SIZE(void *at)                                                                  \
    {                                                                                                                     \
        access_range((uintptr_t)at, SIZE, Access::volatile_write, MLSYS_PC());                                            \
    }

namespace {

void look(uintptr_t at, unsigned size, uint32_t pc)
{
    access(at, size, Access::volatile_read, pc);
    Thread *t = now;
    if (!t || (!in_arena(at) && !in_block_memory(at) && !section_of(at)))
        return;
    uint64_t value = 0;
    memcpy(&value, (void *)at, size < 8 ? size : 8);
    t->polled_pc = pc;
    poll(*t, at, value);
    take_knowledge(*t, at);
}

void tell(uintptr_t at, unsigned size, uint32_t pc)
{
    access(at, size, Access::volatile_write, pc);
    if (Thread *t = now)
        give_knowledge(*t, at);
}

}  // namespace

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void *) {}
void __tsan_func_exit() {}

MLSYS_HOOK(1)
MLSYS_HOOK(2)
MLSYS_HOOK(4)
MLSYS_HOOK(8)
MLSYS_HOOK(16)

void __tsan_read_range(void *at, size_t size) { access_range((uintptr_t)at, size, Access::read, MLSYS_PC()); }
void __tsan_write_range(void *at, size_t size) { access_range((uintptr_t)at, size, Access::write, MLSYS_PC()); }
void __tsan_vptr_update(void **at, void *) { access((uintptr_t)at, sizeof(void *), Access::write, MLSYS_PC()); }
void __tsan_vptr_read(void **at) { access((uintptr_t)at, sizeof(void *), Access::read, MLSYS_PC()); }

// the linker sends calls of these functions here (--wrap)
void *__real_memcpy(void *, const void *, size_t);
void *__real_memmove(void *, const void *, size_t);
void *__real_memset(void *, int, size_t);

void *__wrap_memcpy(void *to, const void *from, size_t size)
{
    access_range((uintptr_t)from, size, Access::read, MLSYS_PC());
    access_range((uintptr_t)to, size, Access::write, MLSYS_PC());
    return __real_memcpy(to, from, size);
}

void *__wrap_memmove(void *to, const void *from, size_t size)
{
    access_range((uintptr_t)from, size, Access::read, MLSYS_PC());
    access_range((uintptr_t)to, size, Access::write, MLSYS_PC());
    return __real_memmove(to, from, size);
}

void *__wrap_memset(void *to, int value, size_t size)
{
    access_range((uintptr_t)to, size, Access::write, MLSYS_PC());
    return __real_memset(to, value, size);
}

// an index beyond what its array's type says
struct MlsysSource {
    const char *file;
    uint32_t line, column;
};
struct MlsysType {
    uint16_t kind, info;
    char name[1];
};
struct MlsysOutOfBounds {
    MlsysSource at;
    const MlsysType *array, *index;
};

void __ubsan_handle_out_of_bounds(MlsysOutOfBounds *found, uintptr_t index)
{
    Json json;
    if (now)
        describe(json, *now);
    // (index type's info >> 1) is the binary logarithm of its width, its lowest bit says whether it is signed
    unsigned bits = 1u << (found->index->info >> 1);
    long long shown = (long long)index;
    if (bits <= 32 && found->index->info & 1)
        shown = (int32_t)(uint32_t)index;
    json.put("at", Site{found->at.file, found->at.line}).put("type", found->array->name).put("index", shown);
    fail("index-out-of-bounds", json);
}
void __ubsan_handle_out_of_bounds_abort(MlsysOutOfBounds *found, uintptr_t index) { __ubsan_handle_out_of_bounds(found, index); }
}
