#include "streams.h"

#include <algorithm>

#include "errors.h"
#include "memory.h"

namespace mlsys {

bool copies_are_unordered, host_must_be_watched;

namespace {

constexpr size_t most_open = 4096, most_reported = 4000;

CUstream_st legacy, per_thread;
std::vector<CUstream_st *> streams;
Clock host;
std::vector<Operation> open, reported;  // those whose end the host does not know of; all
const Operation *present;               // the kernel that runs, as an operation
std::vector<const Operation *> unordered_copies;
uint32_t operation_count = 0;
cudaError_t last_error = cudaSuccess;

bool ordered(const Operation &before, const Clock &after) { return includes(after, before.stream, before.tick); }

std::string described(const Operation &operation)
{
    static const char *const words[] = {"kernel", "copy", "set", "host", "event"};
    Json json;
    json.put("work", words[(int)operation.work]).put("name", operation.name).put("at", operation.at);
    json.put("stream", operation.stream).put("number", operation.number);
    return json.text();
}

void watch()
{
    host_must_be_watched = false;
    for (const Operation &operation : open)
        host_must_be_watched = host_must_be_watched || !operation.ranges.empty() || operation.work == Work::kernel;
}

void forget_finished()
{
    open.erase(std::remove_if(open.begin(), open.end(), [](const Operation &o) { return ordered(o, host); }), open.end());
    watch();
}

bool overlap(const Range &a, uintptr_t from, uintptr_t to) { return a.from < to && from < a.to; }

// A copy against the copies and kernels that it may run beside.
void check_copy(const Operation &operation)
{
    std::vector<const Operation *> kernels;
    for (const Operation &other : open) {
        if (ordered(other, operation.clock))
            continue;
        if (other.work == Work::kernel)
            kernels.push_back(&other);
        for (const Range &theirs : other.ranges)
            for (const Range &mine : operation.ranges)
                if ((theirs.written || mine.written) && overlap(theirs, mine.from, mine.to)) {
                    Json json;
                    json.raw("operation", described(operation)).raw("other", described(other));
                    describe_place(json, std::max(theirs.from, mine.from), 1);
                    fail("stream-race", json);
                }
    }
    if (kernels.empty())
        return;
    for (const Range &mine : operation.ranges) {
        uint32_t from;
        if (!device_offset(mine.from, from))
            continue;
        for (uint32_t offset = from; offset < from + (mine.to - mine.from); offset++) {
            const Cell &word = device.words[offset >> 2];
            const Cell &cell = word.in_parts ? device.bytes[offset] : word;
            for (const Operation *kernel : kernels)
                if (cell.write_op == kernel->number || (mine.written && cell.read_op == kernel->number)) {
                    Json json;
                    json.raw("operation", described(operation)).raw("other", described(*kernel));
                    json.put("other_pc", cell.write_op == kernel->number ? cell.write.pc : cell.first.pc);
                    describe_place(json, mine.from + (offset - from), 1);
                    fail("stream-race", json);
                }
        }
    }
}

// Do it now, as work of a stream that knows what `known` tells.
void act(Task &task, unsigned stream, Clock &known)
{
    Operation operation = task.shape;
    operation.number = next_operation();
    join(known, host);
    if (known.size() <= stream)
        known.resize(stream + 1);
    operation.stream = stream;
    operation.tick = ++known[stream];
    operation.clock = known;
    if (!operation.ranges.empty())
        check_copy(operation);
    if (reported.size() < most_reported && operation.work != Work::event) {
        Operation kept = operation;
        kept.ranges.clear();
        reported.push_back(kept);
    }
    present = &operation;
    task.act(operation);
    present = nullptr;
    if (operation.work == Work::event)
        return;
    if (open.size() >= most_open)
        open.erase(open.begin(), open.begin() + most_open / 4);
    open.push_back(operation);
    watch();
}

}  // namespace

void join_implicitly(CUstream_st &stream)
{
    if (&stream == &legacy) {
        for (CUstream_st *other : streams)
            if (other->blocking)
                join(legacy.clock, other->clock);
    } else if (stream.blocking) {
        join(stream.clock, legacy.clock);
    }
}

void join(Clock &mine, const Clock &other)
{
    if (mine.size() < other.size())
        mine.resize(other.size());
    for (size_t i = 0; i < other.size(); i++)
        mine[i] = std::max(mine[i], other[i]);
}

Clock &host_clock() { return host; }
uint32_t next_operation() { return ++operation_count; }
const std::vector<Operation> &operations() { return reported; }
std::vector<CUstream_st *> &all_streams() { return streams; }

cudaError_t set_error(cudaError_t error)
{
    if (error != cudaSuccess)
        last_error = error;
    return error;
}

CUstream_st *stream_of(cudaStream_t handle)
{
    if (handle == nullptr || handle == cudaStreamLegacy)
        return &legacy;
    if (handle == cudaStreamPerThread) {
        if (!per_thread.index) {
            per_thread.index = (unsigned)streams.size() + 1;
            streams.push_back(&per_thread);
        }
        return &per_thread;
    }
    for (CUstream_st *stream : streams)
        if (stream == handle && stream->live)
            return stream;
    return nullptr;
}

cudaError_t unsafe_while_capturing()
{
    bool capturing = false;
    for (CUstream_st *stream : streams)
        if (stream->capture && stream->capture->mode != cudaStreamCaptureModeRelaxed) {
            stream->capture->error = cudaErrorStreamCaptureInvalidated;
            capturing = true;
        }
    return capturing ? set_error(cudaErrorStreamCaptureUnsupported) : cudaSuccess;
}

void host_waits_for(const Clock &clock)
{
    join(host, clock);
    forget_finished();
}

void host_waits_for_all()
{
    join(host, legacy.clock);
    for (CUstream_st *stream : streams)
        join(host, stream->clock);
    for (const Operation &operation : open)  // of graphs too
        join(host, operation.clock);
    forget_finished();
}

cudaError_t submit(cudaStream_t handle, Task task)
{
    CUstream_st *stream = stream_of(handle);
    if (!stream)
        return set_error(cudaErrorInvalidResourceHandle);
    if (stream->capture) {
        auto node = std::make_shared<CUgraphNode_st>();
        static const cudaGraphNodeType types[] = {cudaGraphNodeTypeKernel, cudaGraphNodeTypeMemcpy, cudaGraphNodeTypeMemset,
            cudaGraphNodeTypeHost, cudaGraphNodeTypeEmpty};
        node->type = types[(int)task.shape.work];
        node->task = std::make_shared<Task>(std::move(task));
        node->after = stream->frontier;
        stream->frontier = {node.get()};
        stream->capture->graph->nodes.push_back(node);
        return cudaSuccess;
    }
    if (stream == &legacy)
        for (CUstream_st *other : streams)
            if (other->capture && other->blocking) {
                other->capture->error = cudaErrorStreamCaptureInvalidated;
                return set_error(cudaErrorStreamCaptureImplicit);
            }
    join_implicitly(*stream);
    act(task, stream->index, stream->clock);
    return cudaSuccess;
}

void begin_ordered(Running &launch, const Operation &operation)
{
    launch.op = operation.number;
    launch.ordered_floor = operation.number;
    unordered_copies.clear();
    for (const Operation &other : open)
        if (!ordered(other, operation.clock)) {
            if (other.work == Work::kernel)
                launch.ordered_floor = std::min(launch.ordered_floor, other.number);
            else if (!other.ranges.empty())
                unordered_copies.push_back(&other);
        }
    copies_are_unordered = !unordered_copies.empty();
}

void check_copies(Thread &t, uintptr_t address, unsigned size, bool write, uint32_t pc)
{
    for (const Operation *copy : unordered_copies)
        for (const Range &range : copy->ranges)
            if ((write || range.written) && overlap(range, address, address + size)) {
                Json json;
                describe(json, t);
                json.put("access", write ? "write" : "read").put("pc", pc).put("size", size);
                describe_place(json, address, size);
                json.raw("operation", described(*present)).raw("other", described(*copy));
                fail("stream-race", json);
            }
}

void check_order(Thread &t, uint32_t op, uint32_t op_pc, bool was_write, uintptr_t address, unsigned size, Access access, uint32_t pc)
{
    if (op == running->op || (!was_write && !writes(access)))
        return;
    for (const Operation &other : open)
        if (other.number == op && !ordered(other, present->clock)) {
            Json json;
            describe(json, t);
            json.put("access", access_word(access)).put("pc", pc).put("size", size);
            describe_place(json, address, size);
            json.raw("operation", described(*present)).raw("other", described(other)).put("other_pc", op_pc);
            fail("stream-race", json);
        }
}

void host_touches(uintptr_t address, size_t size, bool write, uint32_t pc)
{
    uint32_t offset = 0;
    bool managed = device_offset(address, offset);
    if (!managed && !pinned_at(address))
        return;
    for (const Operation &other : open) {
        bool touched = false;
        for (const Range &range : other.ranges)
            touched = touched || ((write || range.written) && overlap(range, address, address + size));
        if (managed && other.work == Work::kernel) {
            const Cell &word = device.words[offset >> 2];
            const Cell &cell = word.in_parts ? device.bytes[offset] : word;
            touched = touched || cell.write_op == other.number || (write && cell.read_op == other.number);
        }
        if (touched) {
            Json json;
            json.put("access", write ? "write" : "read").put("pc", pc).put("size", (unsigned long long)size);
            describe_place(json, address, size);
            json.raw("other", described(other));
            fail("host-race", json);
        }
    }
}

}  // namespace mlsys

using namespace mlsys;

cudaError_t cudaGetLastError()
{
    cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}
cudaError_t cudaPeekAtLastError() { return last_error; }

