// A job larger than its room on the device: while one chunk is worked on, the next comes and the one before leaves.

#include "overlap.cuh"

#define TRY(call)                         \
    if (cudaError_t error = (call))       \
        return error

struct Overlap {
    cudaStream_t up, down;  // the kernels go into the stream of the caller
    cudaEvent_t begun, ended;
    cudaEvent_t arrived[slots], worked[slots], left[slots];  // of the chunk that was last in this slot
};

void *host_memory(size_t bytes)
{
    void *memory = nullptr;
    return cudaMallocHost(&memory, bytes) == cudaSuccess ? memory : nullptr;
}

void host_release(void *memory) { cudaFreeHost(memory); }

Overlap *create()
{
    Overlap *made = new Overlap;
    // non-blocking: nothing of ours waits for the legacy default stream, nor that for us
    for (cudaStream_t *stream : {&made->up, &made->down})
        cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking);
    for (cudaEvent_t *event : {&made->begun, &made->ended})
        cudaEventCreateWithFlags(event, cudaEventDisableTiming);
    for (int s = 0; s < slots; s++)
        for (cudaEvent_t *event : {&made->arrived[s], &made->worked[s], &made->left[s]})
            cudaEventCreateWithFlags(event, cudaEventDisableTiming);
    return made;
}

void destroy(Overlap *overlap)
{
    for (cudaStream_t stream : {overlap->up, overlap->down})
        cudaStreamDestroy(stream);
    for (cudaEvent_t event : {overlap->begun, overlap->ended})
        cudaEventDestroy(event);
    for (int s = 0; s < slots; s++)
        for (cudaEvent_t event : {overlap->arrived[s], overlap->worked[s], overlap->left[s]})
            cudaEventDestroy(event);
    delete overlap;
}

// `later` goes on when `earlier` has come to where it is now.
static cudaError_t follow(cudaStream_t later, cudaStream_t earlier, cudaEvent_t event)
{
    TRY(cudaEventRecord(event, earlier));
    return cudaStreamWaitEvent(later, event, 0);
}

cudaError_t enqueue(Overlap &o, const Room &room, const Job &job, cudaStream_t stream)
{
    size_t chunks = (job.n + room.chunk - 1) / room.chunk;
    TRY(cudaMemsetAsync(room.carry, 0, (chunks + 1) * sizeof(uint32_t), stream));
    if (chunks > 0)
        TRY(follow(o.up, stream, o.begun));
    for (size_t t = 0; t < chunks; t++) {
        size_t from = t * room.chunk, count = job.n - from < room.chunk ? job.n - from : room.chunk;
        size_t bytes = count * sizeof(uint32_t);
        int s = (int)(t % slots);
        // only within this job: an event of an earlier one is past, and must not get into a graph
        bool used = t >= slots;

        if (used)
            TRY(cudaStreamWaitEvent(o.up, o.worked[s], 0));  // in[s] has been read
        TRY(follow(stream, o.up, o.arrived[s]));
        TRY(cudaMemcpyAsync(room.in[s], job.x + from, bytes, cudaMemcpyHostToDevice, o.up));
        if (used)
            TRY(cudaStreamWaitEvent(stream, o.left[s], 0));  // out[s] has been copied
        // the kernels of all chunks are in one stream, so each finds what the one before carries over
        TRY(launch_work(room.in[s], room.out[s], count, job.rounds, room.carry + t, room.carry + t + 1, stream));

        TRY(follow(o.down, stream, o.worked[s]));
        TRY(cudaMemcpyAsync(job.y + from, room.out[s], bytes, cudaMemcpyDeviceToHost, o.down));
        TRY(cudaEventRecord(o.left[s], o.down));
    }
    TRY(cudaMemcpyAsync(job.digest, room.carry + chunks, sizeof(uint32_t), cudaMemcpyDeviceToHost, stream));
    // what is put into `stream` next finds all of y; the copies up are behind the kernels already
    return chunks > 0 ? follow(stream, o.down, o.ended) : cudaSuccess;
}

cudaError_t record(Overlap &o, const Room &room, const Job &job, cudaStream_t stream, cudaGraphExec_t *executable)
{
    TRY(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    cudaError_t queued = enqueue(o, room, job, stream);
    cudaGraph_t graph = nullptr;
    cudaError_t ended = cudaStreamEndCapture(stream, &graph);  // a capture that failed has to be ended too
    if (queued || ended)
        return queued ? queued : ended;
    cudaError_t made = cudaGraphInstantiate(executable, graph, 0);
    cudaGraphDestroy(graph);
    return made;
}
