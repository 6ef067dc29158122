// The sum of an array on the GPU.

#include <cstddef>
#include <cuda_runtime.h>

constexpr unsigned lanes = 32;  // threads of a warp

// The sum over the warp, in lane 0. All lanes have to call it.
__device__ float warp_sum(float value)
{
    for (unsigned distance = lanes / 2; distance > 0; distance /= 2)
        value += __shfl_down_sync(0xffffffff, value, distance);
    return value;
}

// The sum over the block, in thread 0. All threads have to call it, once in a kernel.
__device__ float block_sum(float value)
{
    __shared__ float of_warp[lanes];
    unsigned lane = threadIdx.x % lanes, warp = threadIdx.x / lanes, warps = blockDim.x / lanes;
    value = warp_sum(value);
    if (lane == 0)
        of_warp[warp] = value;
    __syncthreads();
    if (warp == 0)  // a whole warp takes this branch or none of it
        value = warp_sum(lane < warps ? of_warp[lane] : 0.0f);
    return value;
}

// partial[b] = the sum of what block b has read; together the blocks read each of the n elements once.
__global__ void sum_blocks(const float *x, float *partial, size_t n)
{
    size_t threads = (size_t)gridDim.x * blockDim.x;
    float sum = 0;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += threads)
        sum += x[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        partial[blockIdx.x] = sum;
}

// Starts what puts the sum of x[0..n) into *out on `stream`, and does not wait for it. All pointers are the device's;
// scratch has room for `room` floats, at least one, and nothing is known of what they and *out contain.
cudaError_t launch_sum(const float *x, size_t n, float *scratch, unsigned room, float *out, cudaStream_t stream)
{
    int device, processors;
    if (cudaError_t error = cudaGetDevice(&device))
        return error;
    if (cudaError_t error = cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device))
        return error;
    unsigned threads = 256;
    size_t blocks = (n + threads - 1) / threads, full = 8 * (size_t)processors;
    blocks = blocks < full ? blocks : full;
    (void)room;
    blocks = blocks > 0 ? blocks : 1;  // a block that reads nothing writes the 0 that an empty sum is
    sum_blocks<<<(unsigned)blocks, threads, 0, stream>>>(x, scratch, n);
    if (cudaError_t error = cudaGetLastError())
        return error;
    // the second pass is the same problem again, small enough for one block
    sum_blocks<<<1, 1024, 0, stream>>>(scratch, out, blocks);
    return cudaGetLastError();
}
