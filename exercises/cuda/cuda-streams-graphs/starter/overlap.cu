// A job larger than its room on the device. This version is right, and does one thing after the other: make it overlap.

#include <cstdlib>

#include "overlap.cuh"

#define TRY(call)                         \
    if (cudaError_t error = (call))       \
        return error

struct Overlap {
    // TODO: streams beside the caller's, and events
};

// TODO: the copy engines can only reach memory that the system cannot move
void *host_memory(size_t bytes) { return malloc(bytes); }

void host_release(void *memory) { free(memory); }

Overlap *create()
{
    return new Overlap;  // TODO: cudaStreamCreateWithFlags, cudaEventCreateWithFlags
}

void destroy(Overlap *overlap) { delete overlap; }

cudaError_t enqueue(Overlap &o, const Room &room, const Job &job, cudaStream_t stream)
{
    // TODO: let the copy of chunk t + 1 to the device, the kernel of chunk t and the copy of chunk t - 1 to the host go on at
    // once: each kind in a stream of its own, with a cudaEventRecord and a cudaStreamWaitEvent wherever one needs another.
    // Each chunk has the slot t % slots; it must not be filled again before it is empty
    size_t chunks = (job.n + room.chunk - 1) / room.chunk;
    TRY(cudaMemsetAsync(room.carry, 0, (chunks + 1) * sizeof(uint32_t), stream));
    for (size_t t = 0; t < chunks; t++) {
        size_t from = t * room.chunk, count = job.n - from < room.chunk ? job.n - from : room.chunk;
        size_t bytes = count * sizeof(uint32_t);
        int s = (int)(t % slots);
        TRY(cudaMemcpyAsync(room.in[s], job.x + from, bytes, cudaMemcpyHostToDevice, stream));
        TRY(launch_work(room.in[s], room.out[s], count, job.rounds, room.carry + t, room.carry + t + 1, stream));
        TRY(cudaMemcpyAsync(job.y + from, room.out[s], bytes, cudaMemcpyDeviceToHost, stream));
    }
    return cudaMemcpyAsync(job.digest, room.carry + chunks, sizeof(uint32_t), cudaMemcpyDeviceToHost, stream);
}

cudaError_t record(Overlap &o, const Room &room, const Job &job, cudaStream_t stream, cudaGraphExec_t *executable)
{
    // TODO: cudaStreamBeginCapture, enqueue, cudaStreamEndCapture, cudaGraphInstantiate
    return cudaErrorNotYetImplemented;
}
