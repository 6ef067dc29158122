// Graphs: what a stream captures instead of doing it, and their launches.
#include <algorithm>

#include "streams.h"

using namespace mlsys;

namespace {

// Nodes that follow one another share a lane; those that may run beside one another do not.
void assign_lanes(CUgraph_st &graph)
{
    std::vector<CUgraphNode_st *> continued;
    graph.lanes = 0;
    for (auto &node : graph.nodes) {
        auto first = std::find_if(node->after.begin(), node->after.end(), [&](CUgraphNode_st *before) {
            return std::find(continued.begin(), continued.end(), before) == continued.end();
        });
        if (first == node->after.end()) {
            node->lane = graph.lanes++;
        } else {
            node->lane = (*first)->lane;
            continued.push_back(*first);
        }
    }
}

// Whether everything that other streams have put into the capture leads back to its origin.
bool joined(const Capture &capture)
{
    std::vector<CUgraphNode_st *> reached = capture.origin->frontier;
    for (size_t i = 0; i < reached.size(); i++)
        for (CUgraphNode_st *before : reached[i]->after)
            if (std::find(reached.begin(), reached.end(), before) == reached.end())
                reached.push_back(before);
    for (cudaStream_t stream : capture.streams)
        for (CUgraphNode_st *node : stream->frontier)
            if (std::find(reached.begin(), reached.end(), node) == reached.end())
                return false;
    return true;
}

}  // namespace

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode)
{
    CUstream_st *stream = stream_of(handle);
    if (!stream || stream == stream_of(nullptr))
        return set_error(stream ? cudaErrorStreamCaptureUnsupported : cudaErrorInvalidResourceHandle);
    if (stream->capture)
        return set_error(cudaErrorIllegalState);
    stream->capture = new Capture;
    stream->capture->origin = stream;
    stream->capture->mode = mode;
    stream->capture->streams.push_back(stream);
    stream->frontier.clear();
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t *graph)
{
    *graph = nullptr;
    CUstream_st *stream = stream_of(handle);
    if (!stream || !stream->capture)
        return set_error(stream ? cudaErrorIllegalState : cudaErrorInvalidResourceHandle);
    Capture *capture = stream->capture;
    cudaError_t error = capture->error;
    if (!error && capture->origin != stream)
        error = cudaErrorStreamCaptureUnmatched;
    if (!error && !joined(*capture))
        error = cudaErrorStreamCaptureUnjoined;
    for (cudaStream_t each : capture->streams)
        each->capture = nullptr, each->frontier.clear();
    if (!error) {
        assign_lanes(*capture->graph);
        *graph = capture->graph.release();
    }
    capture->ended = true;
    return set_error(error);
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus *status)
{
    CUstream_st *stream = stream_of(handle);
    *status = !stream || !stream->capture  ? cudaStreamCaptureStatusNone
              : stream->capture->error     ? cudaStreamCaptureStatusInvalidated
                                           : cudaStreamCaptureStatusActive;
    return stream ? cudaSuccess : set_error(cudaErrorInvalidResourceHandle);
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *count)
{
    if (!graph || !count)
        return set_error(cudaErrorInvalidValue);
    if (nodes)
        for (size_t i = 0; i < std::min(*count, graph->nodes.size()); i++)
            nodes[i] = graph->nodes[i].get();
    *count = graph->nodes.size();
    return cudaSuccess;
}

cudaError_t cudaGraphGetEdges(cudaGraph_t graph, cudaGraphNode_t *from, cudaGraphNode_t *to, size_t *count)
{
    if (!graph || !count)
        return set_error(cudaErrorInvalidValue);
    size_t found = 0, room = *count;
    for (auto &node : graph->nodes)
        for (CUgraphNode_st *before : node->after) {
            if (from && to && found < room)
                from[found] = before, to[found] = node.get();
            found++;
        }
    *count = found;
    return cudaSuccess;
}

cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, cudaGraphNodeType *type)
{
    if (!node)
        return set_error(cudaErrorInvalidValue);
    *type = node->type;
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *executable, cudaGraph_t graph, unsigned long long)
{
    if (!graph)
        return set_error(cudaErrorInvalidValue);
    CUgraphExec_st *made = new CUgraphExec_st{*graph, {}};
    for (unsigned lane = 0; lane < graph->lanes; lane++) {
        cudaStream_t stream;
        cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
        made->streams.push_back(stream->index);
    }
    *executable = made;
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t handle, Site)
{
    CUstream_st *stream = stream_of(handle);
    if (!executable || !stream)
        return set_error(executable ? cudaErrorInvalidResourceHandle : cudaErrorInvalidValue);
    if (stream->capture)
        return set_error(cudaErrorNotSupported);
    std::vector<Clock> ends(executable->graph.nodes.size());
    Clock all = stream->clock;
    auto &nodes = executable->graph.nodes;
    for (size_t i = 0; i < nodes.size(); i++) {
        CUstream_st *lane = all_streams()[executable->streams[nodes[i]->lane] - 1];
        join(lane->clock, stream->clock);
        for (CUgraphNode_st *before : nodes[i]->after)
            for (size_t j = 0; j < i; j++)
                if (nodes[j].get() == before)
                    join(lane->clock, ends[j]);
        submit(lane, *nodes[i]->task);
        ends[i] = lane->clock;
        join(all, lane->clock);
    }
    stream->clock = all;
    return cudaSuccess;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) { return cudaSuccess; }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable)
{
    delete executable;
    return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    delete graph;
    return cudaSuccess;
}
