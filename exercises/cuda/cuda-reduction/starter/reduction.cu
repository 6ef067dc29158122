// The sum of an array on the GPU.

#include <cstddef>
#include <cuda_runtime.h>

// The sum over the warp, in lane 0. All lanes have to call it.
__device__ float warp_sum(float value)
{
    // TODO: __shfl_down_sync(0xffffffff, value, d) is the value of the lane d further up; five steps are enough
    return value;
}

// The sum over the block, in thread 0. All threads have to call it, once in a kernel.
__device__ float block_sum(float value)
{
    // TODO: 1. the sum of each warp; 2. lane 0 of each puts it into shared memory; 3. a barrier;
    //       4. the first warp sums them; a block may have fewer than 32 warps
    return value;
}

// partial[b] = the sum of what block b has read; together the blocks read each of the n elements once.
__global__ void sum_blocks(const float *x, float *partial, size_t n)
{
    // TODO: a grid-stride loop, the sum of the block, and one thread that writes it
}

// Starts what puts the sum of x[0..n) into *out on `stream`, and does not wait for it. All pointers are the device's;
// scratch has room for `room` floats, at least one, and nothing is known of what they and *out contain.
cudaError_t launch_sum(const float *x, size_t n, float *scratch, unsigned room, float *out, cudaStream_t stream)
{
    // TODO: choose the number of blocks, at most `room`; sum_blocks<<<…, stream>>>(x, scratch, n);
    // the sums of the blocks are an array of floats too. n may be 0, and the sum is 0 then
    return cudaErrorNotYetImplemented;
}
