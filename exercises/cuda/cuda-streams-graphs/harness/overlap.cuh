// What is given: a job that is larger than its room on the device, the kernel that works on a chunk of it, and the functions
// of overlap.cu.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cuda_runtime.h>

constexpr int slots = 3;

// Room on the device. Chunk t has its inputs in in[t % slots] and its results in out[t % slots].
struct Room {
    uint32_t *in[slots], *out[slots];  // `chunk` numbers each
    uint32_t *carry;                   // one number more than a job has chunks; what it holds before a job is unknown
    size_t chunk;
};

// x and y come from host_memory(), and so does digest, one number. The last chunk may be shorter; n may be 0.
struct Job {
    const uint32_t *x;
    uint32_t *y, *digest;
    size_t n;
    unsigned rounds;  // how long the kernel works on each number
};

// y[i] = mix(x[i] + *before) for the n numbers of a chunk, and *after += the sum of them.
static __global__ void work(
    const uint32_t *x, uint32_t *y, size_t n, unsigned rounds, const uint32_t *before, uint32_t *after)
{
    uint32_t state = *before, sum = 0;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (size_t)gridDim.x * blockDim.x) {
        uint32_t v = x[i] + state;
        for (unsigned r = 0; r < rounds; r++)
            v = v * 1664525u + 1013904223u;
        y[i] = v;
        sum += v;
    }
    for (int distance = 16; distance > 0; distance /= 2)
        sum += __shfl_down_sync(0xffffffff, sum, distance);
    if (threadIdx.x % 32 == 0)
        atomicAdd(after, sum);
}

// Starts it in a stream; n > 0.
inline cudaError_t launch_work(
    const uint32_t *x, uint32_t *y, size_t n, unsigned rounds, const uint32_t *before, uint32_t *after, cudaStream_t stream)
{
    size_t blocks = (n + 255) / 256;
    work<<<(unsigned)(blocks < 1056 ? blocks : 1056), 256, 0, stream>>>(x, y, n, rounds, before, after);
    return cudaGetLastError();
}

// Memory of the host that the GPU's copy engines can reach while the host does something else.
void *host_memory(size_t bytes);
void host_release(void *memory);

// Streams and events of yours, made once and used by many jobs.
struct Overlap;
Overlap *create();
void destroy(Overlap *overlap);

// Puts a job into `stream`: it begins when all is done that was put there before, and what is put there afterwards begins when
// the whole job is done. Does not wait for anything itself.
cudaError_t enqueue(Overlap &overlap, const Room &room, const Job &job, cudaStream_t stream);

// Makes a graph of what enqueue puts into `stream`, and does none of it.
cudaError_t record(
    Overlap &overlap, const Room &room, const Job &job, cudaStream_t stream, cudaGraphExec_t *executable);
