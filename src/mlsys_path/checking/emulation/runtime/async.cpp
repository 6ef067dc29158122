// Copies into shared memory that a thread begins and waits for later: cp.async, its groups, and the waiting.
//
// Such a copy writes at some time between its beginning and the wait of its thread. So it counts as a write at both ends: at
// the beginning nobody else may still be reading there, and whoever reads it needs a barrier that comes after the wait. In
// between the bytes belong to nobody: they are poisoned, and each access of them is told.
#include <cstring>

#include "access.h"

namespace mlsys {

namespace {

Thread &caller(const char *what, Site at)
{
    if (!now)
        fail("device-function-on-host", Json().put("what", what).put("at", at));
    return *now;
}

void demand_copy(Thread &t, uintptr_t to, uintptr_t from, size_t size, size_t zeros, Site at)
{
    const char *kind = nullptr;
    if ((size != 4 && size != 8 && size != 16) || zeros > size)
        kind = "async-size";
    else if (!in_block_memory(to) || (zeros < size && in_block_memory(from)))
        kind = "async-direction";
    if (!kind)
        return;
    Json json;
    describe(json, t);
    fail(kind, json.put("at", at).put("bytes", (unsigned long long)size).put("zeros", (unsigned long long)zeros));
}

void arrive(Thread &t, const AsyncCopy &copy, uint32_t pc)
{
    uint32_t offset = (uint32_t)(copy.to - (uintptr_t)block_memory.base);
    memcpy((void *)copy.to, copy.data, copy.size);
    memset(block_memory.states + offset, accessible | written, copy.size);
    if (running->races)
        check_races(t, block_memory, offset, copy.size, Access::write, pc, copy.to);
    t.bytes_under_way -= copy.size;
}

}  // namespace

}  // namespace mlsys

using namespace mlsys;

extern "C" void mlsys_async_copy(void *to, const void *from, size_t size, size_t zeros, Site at)
{
    Thread &t = caller("__pipeline_memcpy_async()", at);
    demand_copy(t, (uintptr_t)to, (uintptr_t)from, size, zeros, at);
    AsyncCopy copy{(uintptr_t)to, (uint32_t)size, t.groups, {}};
    if (zeros < size) {
        // the address has to be a multiple of the whole size, whatever is read
        access((uintptr_t)from, (unsigned)size, Access::read, MLSYS_PC());
        memcpy(copy.data, from, size - zeros);
    }
    access(copy.to, copy.size, Access::write, MLSYS_PC());
    memset(to, 0xff, size);
    memset(block_memory.states + (copy.to - (uintptr_t)block_memory.base), accessible | under_way, size);
    t.copies.push_back(copy);
    t.bytes_under_way += copy.size;
    running->kernel->async_copies++;
    running->kernel->async_bytes += size - zeros;
}

extern "C" void mlsys_async_commit(Site at) { caller("__pipeline_commit()", at).groups++; }

extern "C" void mlsys_async_wait(size_t prior, Site at)
{
    Thread &t = caller("__pipeline_wait_prior()", at);
    if (t.pending.kind != Pending::none)
        settle(t, 0, false);
    size_t done = 0;  // copies that were not committed are in no group, and nobody waits for them
    while (done < t.copies.size() && t.copies[done].group + prior < t.groups)
        arrive(t, t.copies[done++], MLSYS_PC());
    t.copies.erase(t.copies.begin(), t.copies.begin() + (ptrdiff_t)done);
}
