// How often each byte occurs, on the GPU.

#include <cstddef>
#include <cstdint>
#include <cuda_runtime.h>

constexpr unsigned bins_count = 256;
constexpr unsigned lanes = 32;  // threads of a warp

// A count for each byte and lane. Lane l of every warp adds to column l, and all of column l lies in bank l: no two lanes
// of a warp want the same word or the same bank, whatever the bytes are.
struct Counts {
    unsigned of[bins_count][lanes];
};

__device__ void add(Counts &counts, unsigned byte)
{
    atomicAdd(&counts.of[byte][threadIdx.x % lanes], 1);
}

__device__ void add_four(Counts &counts, unsigned word)
{
    add(counts, word & 255);
    add(counts, word >> 8 & 255);
    add(counts, word >> 16 & 255);
    add(counts, word >> 24);
}

// Adds to bins[v], for each v, how often it occurs in x[0..n); together the blocks read each byte once.
__global__ void count_bytes(const unsigned char *__restrict__ x, size_t n, unsigned *bins)
{
    __shared__ Counts counts;
    for (unsigned i = threadIdx.x; i < bins_count * lanes; i += blockDim.x)
        counts.of[i / lanes][i % lanes] = 0;
    __syncthreads();

    // vectors of 16 bytes begin where the address is a multiple of 16
    size_t threads = (size_t)gridDim.x * blockDim.x, me = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    size_t head = -(uintptr_t)x % sizeof(uint4);
    head = head < n ? head : n;
    size_t vectors = (n - head) / sizeof(uint4), tail = head + vectors * sizeof(uint4);
    const uint4 *body = (const uint4 *)(x + head);
    for (size_t i = me; i < vectors; i += threads) {
        uint4 v = body[i];
        add_four(counts, v.x);
        add_four(counts, v.y);
        add_four(counts, v.z);
        add_four(counts, v.w);
    }
    for (size_t i = me; i < head; i += threads)
        add(counts, x[i]);
    for (size_t i = tail + me; i < n; i += threads)
        add(counts, x[i]);
    __syncthreads();

    for (unsigned byte = threadIdx.x; byte < bins_count; byte += blockDim.x) {
        unsigned sum = 0;
        for (unsigned k = 0; k < lanes; k++)
            sum += counts.of[byte][(byte + k) % lanes];  // neighbours begin in neighbouring banks
        if (sum > 0)
            atomicAdd(bins + byte, sum);
    }
}

// Starts what puts into bins[v], for each of the 256 v, how often it occurs in x[0..n), on `stream`, and does not wait. All
// pointers are the device's; x is aligned to nothing, n is below 2^32, and nothing is known of what bins contain.
cudaError_t launch_histogram(const unsigned char *x, size_t n, unsigned *bins, cudaStream_t stream)
{
    constexpr unsigned threads = 256;
    constexpr size_t worth_a_block = 16384;  // bytes: a block also has to clear and to sum up as many counts
    if (n == 0)
        return cudaSuccess;
    int device, processors, resident;
    if (cudaError_t error = cudaGetDevice(&device))
        return error;
    if (cudaError_t error = cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device))
        return error;
    if (cudaError_t error = cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, count_bytes, threads, 0))
        return error;
    size_t blocks = (n + worth_a_block - 1) / worth_a_block, full = (size_t)resident * processors;
    count_bytes<<<(unsigned)(blocks < full ? blocks : full), threads, 0, stream>>>(x, n, bins);
    return cudaGetLastError();
}
