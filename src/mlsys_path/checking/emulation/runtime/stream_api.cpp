// Streams and events as the runtime interface has them.
#include <algorithm>
#include <chrono>

#include "streams.h"

using namespace mlsys;

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
    CUstream_st *made = new CUstream_st;
    made->index = (unsigned)all_streams().size() + 1;
    made->blocking = !(flags & cudaStreamNonBlocking);
    // it was made by a host that knows what it knows
    made->clock = host_clock();
    all_streams().push_back(made);
    *stream = made;
    return cudaSuccess;
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t *stream, unsigned flags, int) { return cudaStreamCreateWithFlags(stream, flags); }
cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *greatest)
{
    *least = 0, *greatest = -5;
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t handle)
{
    CUstream_st *stream = stream_of(handle);
    if (!stream || handle == nullptr || handle == cudaStreamLegacy || handle == cudaStreamPerThread)
        return set_error(cudaErrorInvalidResourceHandle);
    stream->live = false;  // its place in the clocks stays
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle, Site)
{
    CUstream_st *stream = stream_of(handle);
    if (!stream)
        return set_error(cudaErrorInvalidResourceHandle);
    if (stream->capture) {
        stream->capture->error = cudaErrorStreamCaptureInvalidated;
        return set_error(cudaErrorStreamCaptureUnsupported);
    }
    join_implicitly(*stream);
    host_waits_for(stream->clock);
    return cudaSuccess;
}
cudaError_t cudaStreamQuery(cudaStream_t stream) { return cudaStreamSynchronize(stream); }

cudaError_t cudaDeviceSynchronize(Site)
{
    if (cudaError_t error = unsafe_while_capturing())
        return error;
    host_waits_for_all();
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags)
{
    *event = new CUevent_st;
    (*event)->timing = !(flags & cudaEventDisableTiming);
    return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    delete event;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle, Site at)
{
    CUstream_st *stream = stream_of(handle);
    if (!stream || !event)
        return set_error(cudaErrorInvalidResourceHandle);
    event->capture = stream->capture;
    event->recorded = true;
    if (stream->capture) {
        event->frontier = stream->frontier;
        return cudaSuccess;
    }
    Task task;
    task.shape.work = Work::event, task.shape.at = at;
    task.act = [event](const Operation &operation) { event->clock = operation.clock; };
    cudaError_t error = submit(handle, task);
    event->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    return error;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned)
{
    CUstream_st *stream = stream_of(handle);
    if (!stream || !event)
        return set_error(cudaErrorInvalidResourceHandle);
    if (!event->recorded)
        return cudaSuccess;
    if (event->capture && event->capture->ended)
        return set_error(cudaErrorCapturedEvent);
    if (event->capture) {
        if (stream->capture && stream->capture != event->capture)
            return set_error(cudaErrorStreamCaptureMerge);
        if (!stream->capture) {
            stream->capture = event->capture;
            stream->frontier.clear();
            event->capture->streams.push_back(stream);
        }
        for (CUgraphNode_st *node : event->frontier)
            if (std::find(stream->frontier.begin(), stream->frontier.end(), node) == stream->frontier.end())
                stream->frontier.push_back(node);
        return cudaSuccess;
    }
    if (stream->capture) {
        stream->capture->error = cudaErrorStreamCaptureInvalidated;
        return set_error(cudaErrorStreamCaptureIsolation);
    }
    join(stream->clock, event->clock);
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event, Site)
{
    if (!event)
        return set_error(cudaErrorInvalidResourceHandle);
    if (event->capture)
        return set_error(event->capture->ended ? cudaErrorCapturedEvent : cudaErrorStreamCaptureUnsupported);
    host_waits_for(event->clock);
    return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) { return cudaEventSynchronize(event); }

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start, cudaEvent_t end)
{
    if (!start || !end || !start->recorded || !end->recorded || !start->timing || !end->timing)
        return set_error(cudaErrorInvalidResourceHandle);
    for (cudaEvent_t event : {start, end})
        for (size_t i = 0; i < event->clock.size(); i++)
            if (event->clock[i] && !includes(host_clock(), (unsigned)i, event->clock[i]))
                return set_error(cudaErrorNotReady);
    *milliseconds = (float)std::max(1e-3, 1e3 * (end->seconds - start->seconds));
    return cudaSuccess;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void *data, Site at)
{
    Task task;
    task.shape.work = Work::host, task.shape.at = at;
    task.act = [=](const Operation &operation) {
        // it runs on the host, and knows what its stream knows
        Clock before = host_clock();
        join(host_clock(), operation.clock);
        function(data);
        host_clock() = before;
    };
    return submit(stream, task);
}
