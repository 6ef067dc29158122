// How often each byte occurs, on the GPU.

#include <cstddef>
#include <cuda_runtime.h>

constexpr unsigned bins_count = 256;

// Adds to bins[v], for each v, how often it occurs in x[0..n); together the blocks read each byte once.
__global__ void count_bytes(const unsigned char *x, size_t n, unsigned *bins)
{
    size_t threads = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += threads)
        atomicAdd(&bins[x[i]], 1);
}

// Starts what puts into bins[v], for each of the 256 v, how often it occurs in x[0..n), on `stream`, and does not wait. All
// pointers are the device's; x is aligned to nothing, n is below 2^32, and nothing is known of what bins contain.
cudaError_t launch_histogram(const unsigned char *x, size_t n, unsigned *bins, cudaStream_t stream)
{
    constexpr unsigned threads = 256;
    constexpr size_t worth_a_block = 16384;  // bytes: a block also has to clear and to sum up as many counts
    if (cudaError_t error = cudaMemsetAsync(bins, 0, bins_count * sizeof(unsigned), stream))
        return error;
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
