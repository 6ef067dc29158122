// c = a + b on the GPU.

#include <cstddef>
#include <cuda_runtime.h>

// Computes all n sums, however many threads are launched: thread t takes a piece of its own.
__global__ void vector_add(const float *a, const float *b, float *c, size_t n)
{
    size_t threads = (size_t)gridDim.x * blockDim.x;
    size_t piece = (n + threads - 1) / threads;
    size_t first = ((size_t)blockIdx.x * blockDim.x + threadIdx.x) * piece;
    for (size_t i = first; i < first + piece && i < n; i++)
        c[i] = a[i] + b[i];
}

// Starts vector_add on `stream` and does not wait for it; a, b and c point to the device's memory.
cudaError_t launch_vector_add(const float *a, const float *b, float *c, size_t n, cudaStream_t stream)
{
    if (n == 0)
        return cudaSuccess;  // a grid without blocks is an error
    int device, processors;
    if (cudaError_t error = cudaGetDevice(&device))
        return error;
    if (cudaError_t error = cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device))
        return error;
    unsigned block = 256;
    size_t needed = (n + block - 1) / block;
    size_t full = 8 * (size_t)processors;  // 8 blocks of 256 threads fill a multiprocessor
    vector_add<<<(unsigned)(needed < full ? needed : full), block, 0, stream>>>(a, b, c, n);
    return cudaGetLastError();
}
