// c = a + b on the GPU.

#include <cstddef>
#include <cuda_runtime.h>

// Computes all n sums, however many threads are launched: thread t takes the elements t, t + threads, t + 2 threads, ...
__global__ void vector_add(const float *a, const float *b, float *c, size_t n)
{
    // TODO: blockIdx.x, blockDim.x and threadIdx.x say which thread this is; gridDim.x how many blocks there are
}

// Starts vector_add on `stream` and does not wait for it; a, b and c point to the device's memory.
cudaError_t launch_vector_add(const float *a, const float *b, float *c, size_t n, cudaStream_t stream)
{
    // TODO: choose the number of blocks and threads, vector_add<<<blocks, threads, 0, stream>>>(a, b, c, n),
    // and return what cudaGetLastError() says; n may be 0
    return cudaErrorNotYetImplemented;
}
