// What the host has put into streams, what comes before what, and graphs of it. Work is done at once and in the order in
// which it was put; the clocks tell whether a GPU would have had to do so too.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../cuda/cuda_runtime_api.h"
#include "machine.h"

namespace mlsys {

// How far each stream has come, as far as somebody knows.
using Clock = std::vector<uint32_t>;
void join(Clock &mine, const Clock &other);
inline bool includes(const Clock &clock, unsigned stream, uint32_t tick) { return stream < clock.size() && clock[stream] >= tick; }

struct Range {
    uintptr_t from, to;
    bool written;
};

enum class Work : uint8_t { kernel, copy, set, host, event };

struct Operation {
    uint32_t number = 0;
    Work work = Work::kernel;
    std::string name;
    Site at{};
    unsigned stream = 0;
    uint32_t tick = 0;
    Clock clock;
    uint64_t bytes = 0;
    std::vector<Range> ranges;  // of copies and settings; what kernels touch is in the cells of the memory
};

// Something that can be done now, or each time that a graph is launched.
struct Task {
    Operation shape;
    std::function<void(const Operation &)> act;
};

}  // namespace mlsys

struct CUgraphNode_st {
    cudaGraphNodeType type;
    std::shared_ptr<mlsys::Task> task;
    std::vector<CUgraphNode_st *> after;
    unsigned lane = 0;  // of the graph: nodes of a lane follow one another
};
struct CUgraph_st {
    std::vector<std::shared_ptr<CUgraphNode_st>> nodes;
    unsigned lanes = 0;
};
struct CUgraphExec_st {
    CUgraph_st graph;
    std::vector<unsigned> streams;  // one for each lane
};

namespace mlsys {

struct Capture {
    std::unique_ptr<CUgraph_st> graph = std::make_unique<CUgraph_st>();
    cudaStream_t origin = nullptr;
    cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
    std::vector<cudaStream_t> streams;
    cudaError_t error = cudaSuccess;
    bool ended = false;  // kept all the same: events may still name it
};

}  // namespace mlsys

struct CUstream_st {
    unsigned index = 0;
    bool blocking = true, live = true;
    mlsys::Clock clock;
    mlsys::Capture *capture = nullptr;
    std::vector<CUgraphNode_st *> frontier;  // of what is being captured
};
struct CUevent_st {
    bool recorded = false, timing = true;
    mlsys::Clock clock;
    double seconds = 0;
    mlsys::Capture *capture = nullptr;
    std::vector<CUgraphNode_st *> frontier;
};

namespace mlsys {

CUstream_st *stream_of(cudaStream_t handle);  // the legacy stream for null; null for what is none
cudaError_t submit(cudaStream_t stream, Task task);
void join_implicitly(CUstream_st &stream);  // what the legacy stream waits for, and who waits for it
void host_waits_for(const Clock &clock);
void host_waits_for_all();
Clock &host_clock();
uint32_t next_operation();
const std::vector<Operation> &operations();  // those that the report tells of
cudaError_t set_error(cudaError_t error);
cudaError_t unsafe_while_capturing();  // an error while any stream captures: the call would break the capture
std::vector<CUstream_st *> &all_streams();

// -- between streams, and between the device and the host

extern bool copies_are_unordered;
inline bool has_unordered_copies() { return copies_are_unordered; }
void check_copies(Thread &t, uintptr_t address, unsigned size, bool write, uint32_t pc);
void check_order(Thread &t, uint32_t op, uint32_t op_pc, bool was_write, uintptr_t address, unsigned size, Access access, uint32_t pc);
extern bool host_must_be_watched;
inline bool work_is_pending() { return host_must_be_watched; }
void host_touches(uintptr_t address, size_t size, bool write, uint32_t pc);
void begin_ordered(Running &launch, const Operation &operation);

}  // namespace mlsys
