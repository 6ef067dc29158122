// The runtime interface's memory and copies.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "errors.h"
#include "memory.h"
#include "streams.h"

namespace mlsys {

namespace {

enum class Where { host, pinned, device, managed, wrong };
std::vector<Range> exposed;  // variables whose addresses the host has asked for

bool is_exposed(uintptr_t a)
{
    for (const Range &range : exposed)
        if (a >= range.from && a < range.to)
            return true;
    return false;
}

Where where(const void *pointer)
{
    uintptr_t a = (uintptr_t)pointer;
    if (in_arena(a)) {
        Allocation *found = allocation_at((uint32_t)(a - (uintptr_t)device.base));
        return found && found->kind == Allocation::managed ? Where::managed : Where::device;
    }
    if (Section *section = section_of(a))
        return section->managed ? Where::managed : is_exposed(a) ? Where::device : Where::wrong;
    if (in_block_memory(a) || a < 4096)
        return Where::wrong;
    return pinned_at(a) ? Where::pinned : Where::host;
}

bool on_device(Where w) { return w == Where::device || w == Where::managed; }
bool on_host(Where w) { return w != Where::device && w != Where::wrong; }

// Whether `size` bytes of the device lie within one allocation that is there.
void demand_range(const char *what, const char *which, const void *pointer, size_t size, Site at)
{
    uint32_t offset;
    if (!in_arena((uintptr_t)pointer) || !size)
        return;
    offset = (uint32_t)((const char *)pointer - device.base);
    Allocation *found = allocation_at(offset);
    if (found && found->live && offset >= found->offset && offset + size <= found->offset + found->size)
        return;
    Json json;
    json.put("call", what).put("which", which).put("at", at).put("bytes", (unsigned long long)size);
    describe_place(json, (uintptr_t)pointer, size);
    fail(found && !found->live && offset >= found->offset && offset < found->offset + found->size ? "copy-after-free" : "copy-out-of-bounds",
        json);
}

const char *kind_name(cudaMemcpyKind kind)
{
    static const char *const names[] = {"cudaMemcpyHostToHost", "cudaMemcpyHostToDevice", "cudaMemcpyDeviceToHost",
        "cudaMemcpyDeviceToDevice", "cudaMemcpyDefault"};
    return (unsigned)kind < 5 ? names[kind] : "?";
}

void demand_direction(const char *what, Where to, Where from, cudaMemcpyKind kind, Site at)
{
    bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    const char *which = nullptr;
    if (kind != cudaMemcpyDefault) {
        if (to_device ? !on_device(to) : !on_host(to))
            which = "destination";
        else if (from_device ? !on_device(from) : !on_host(from))
            which = "source";
    }
    if (to == Where::wrong || from == Where::wrong)
        which = to == Where::wrong ? "destination" : "source";
    if (!which)
        return;
    static const char *const words[] = {"host", "host", "device", "managed", "none"};
    Json json;
    json.put("call", what).put("at", at).put("direction", kind_name(kind)).put("which", which);
    fail("copy-direction", json.put("to", words[(int)to]).put("from", words[(int)from]));
}

void move(void *to, const void *from, size_t size, Site at)
{
    uint32_t source, target;
    bool source_known = device_offset((uintptr_t)from, source), target_known = device_offset((uintptr_t)to, target);
    memmove(to, from, size);
    if (target_known && source_known)
        memmove(device.states + target, device.states + source, size);
    else if (target_known)
        memset(device.states + target, accessible | written, size);
    else if (source_known) {
        size_t missing = 0, first = 0;
        for (size_t i = size; i-- > 0;)
            if (!(device.states[source + i] & written))
                missing++, first = i;
        if (missing)
            note("unwritten-copied",
                Json().put("at", at).put("bytes", (unsigned long long)missing).put("first", (unsigned long long)first));
    }
}

cudaError_t copy(const char *what, void *to, const void *from, size_t size, cudaMemcpyKind kind, cudaStream_t stream, bool wait, Site at)
{
    if (!size)
        return cudaSuccess;
    Where target = where(to), source = where(from);
    demand_direction(what, target, source, kind, at);
    demand_range(what, "destination", to, size, at);
    demand_range(what, "source", from, size, at);
    if (wait)
        if (cudaError_t error = unsafe_while_capturing())
            return error;
    Task task;
    task.shape.work = Work::copy, task.shape.at = at, task.shape.bytes = size;
    static const char *const sides[] = {"host", "host", "device", "device", "?"};
    task.shape.name = std::string(sides[(int)source]) + " to " + sides[(int)target];
    // pageable memory is read before the call returns
    if (source != Where::host)
        task.shape.ranges.push_back({(uintptr_t)from, (uintptr_t)from + size, false});
    if (target != Where::host)
        task.shape.ranges.push_back({(uintptr_t)to, (uintptr_t)to + size, true});
    task.act = [=](const Operation &) { move(to, from, size, at); };
    bool pageable = !wait && (target == Where::host || source == Where::host);
    if (pageable)
        note("pageable-copy", Json().put("at", at).put("bytes", (unsigned long long)size).put("name", task.shape.name));
    CUstream_st *in = stream_of(stream);
    bool captured = in && in->capture;
    cudaError_t error = submit(stream, task);
    if (!error && !captured && (wait || (pageable && target == Where::host)))
        host_waits_for(in->clock);
    return error;
}

cudaError_t set(const char *what, void *to, int value, size_t size, cudaStream_t stream, Site at)
{
    if (!size)
        return cudaSuccess;
    Where target = where(to);
    if (!on_device(target) && target != Where::pinned)
        fail("set-on-host", Json().put("call", what).put("at", at));
    demand_range(what, "destination", to, size, at);
    Task task;
    task.shape.work = Work::set, task.shape.at = at, task.shape.bytes = size, task.shape.name = "memset";
    task.shape.ranges.push_back({(uintptr_t)to, (uintptr_t)to + size, true});
    task.act = [=](const Operation &) {
        memset(to, value, size);
        mark_written((uintptr_t)to, size);
    };
    return submit(stream, task);
}

}  // namespace

void copy_symbol(const void *symbol, size_t extent, void *data, size_t size, size_t offset, bool to_symbol, cudaStream_t stream, Site at)
{
    const char *what = to_symbol ? "cudaMemcpyToSymbol" : "cudaMemcpyFromSymbol";
    if (!section_of((uintptr_t)symbol))
        fail("not-a-symbol", Json().put("call", what).put("at", at));
    if (offset + size > extent)
        fail("symbol-out-of-bounds", Json().put("call", what).put("at", at).put("bytes", (unsigned long long)size)
                                         .put("offset", (unsigned long long)offset).put("extent", (unsigned long long)extent));
    char *there = (char *)symbol + offset;
    Task task;
    task.shape.work = Work::copy, task.shape.at = at, task.shape.bytes = size, task.shape.name = what;
    task.shape.ranges.push_back({(uintptr_t)there, (uintptr_t)there + size, to_symbol});
    task.act = [=](const Operation &) { to_symbol ? move(there, data, size, at) : move(data, there, size, at); };
    if (submit(stream, task) == cudaSuccess && stream == nullptr)
        host_waits_for(stream_of(nullptr)->clock);
}

void *symbol_address(const void *symbol, size_t size)
{
    exposed.push_back({(uintptr_t)symbol, (uintptr_t)symbol + size, false});
    return const_cast<void *>(symbol);
}

}  // namespace mlsys

using namespace mlsys;

cudaError_t cudaMalloc(void **pointer, size_t size, Site at)
{
    *pointer = nullptr;
    if (cudaError_t error = unsafe_while_capturing())
        return error;
    if (!size)
        return cudaSuccess;
    *pointer = allocate(size, Allocation::device, at);
    return *pointer ? cudaSuccess : set_error(cudaErrorMemoryAllocation);
}
cudaError_t cudaMallocAsync(void **pointer, size_t size, cudaStream_t, Site at) { return cudaMalloc(pointer, size, at); }
cudaError_t cudaMallocManaged(void **pointer, size_t size, unsigned, Site at)
{
    *pointer = size ? allocate(size, Allocation::managed, at) : nullptr;
    return *pointer || !size ? cudaSuccess : set_error(cudaErrorMemoryAllocation);
}
cudaError_t cudaMallocPitch(void **pointer, size_t *pitch, size_t width, size_t height, Site at)
{
    *pitch = (width + 511) / 512 * 512;
    return cudaMalloc(pointer, *pitch * height, at);
}
cudaError_t cudaFree(void *pointer, Site at)
{
    if (!pointer)
        return cudaSuccess;
    if (cudaError_t error = unsafe_while_capturing())
        return error;
    host_waits_for_all();
    if (!release(pointer, at)) {
        Json json;
        json.put("call", "cudaFree").put("at", at);
        describe_place(json, (uintptr_t)pointer, 1);
        fail("bad-free", json);
    }
    return cudaSuccess;
}
cudaError_t cudaFreeAsync(void *pointer, cudaStream_t, Site at) { return cudaFree(pointer, at); }

cudaError_t cudaMallocHost(void **pointer, size_t size, unsigned, Site)
{
    *pointer = size ? allocate_pinned(size) : nullptr;
    return *pointer || !size ? cudaSuccess : set_error(cudaErrorMemoryAllocation);
}
cudaError_t cudaFreeHost(void *pointer, Site at)
{
    if (!pointer)
        return cudaSuccess;
    host_waits_for_all();
    if (!release_pinned(pointer))
        fail("bad-free", Json().put("call", "cudaFreeHost").put("at", at));
    return cudaSuccess;
}
cudaError_t cudaHostRegister(void *pointer, size_t size, unsigned)
{
    note_pinned(pointer, size, true);
    return cudaSuccess;
}
cudaError_t cudaHostUnregister(void *pointer) { return release_pinned(pointer) ? cudaSuccess : set_error(cudaErrorInvalidValue); }
cudaError_t cudaHostGetDevicePointer(void **device_pointer, void *host, unsigned)
{
    *device_pointer = host;
    return pinned_at((uintptr_t)host) ? cudaSuccess : set_error(cudaErrorInvalidValue);
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t size, cudaMemcpyKind kind, Site at)
{
    return copy("cudaMemcpy", to, from, size, kind, nullptr, true, at);
}
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t size, cudaMemcpyKind kind, cudaStream_t stream, Site at)
{
    return copy("cudaMemcpyAsync", to, from, size, kind, stream, false, at);
}
cudaError_t cudaMemcpy2D(
    void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t width, size_t height, cudaMemcpyKind kind, Site at)
{
    if (width > to_pitch || width > from_pitch)
        return set_error(cudaErrorInvalidPitchValue);
    for (size_t row = 0; row < height; row++)
        if (cudaError_t error = copy("cudaMemcpy2D", (char *)to + row * to_pitch, (const char *)from + row * from_pitch, width,
                kind, nullptr, true, at))
            return error;
    return cudaSuccess;
}
cudaError_t cudaMemset(void *to, int value, size_t size, Site at) { return set("cudaMemset", to, value, size, nullptr, at); }
cudaError_t cudaMemsetAsync(void *to, int value, size_t size, cudaStream_t stream, Site at)
{
    return set("cudaMemsetAsync", to, value, size, stream, at);
}
cudaError_t cudaMemPrefetchAsync(const void *, size_t, int, cudaStream_t) { return cudaSuccess; }
