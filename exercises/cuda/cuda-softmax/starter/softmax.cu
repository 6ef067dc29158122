// y = softmax of each row of x on the GPU.

#include <cmath>
#include <cstddef>
#include <cuda_runtime.h>

// What is known of some elements: the largest, and the sum of exp(x - largest).
struct Partial {
    float largest, sum;
};

// What is known of both together. Either may be of no elements at all, or of nothing but minus infinity.
__device__ Partial merge(Partial a, Partial b)
{
    // TODO: the sums belong to different maxima, so one of them has to be scaled
    return a;
}

// x and y have `rows` rows of `cols` floats. The shape of the launch is your own.
__global__ void softmax(const float *x, float *y, size_t rows, size_t cols)
{
    // TODO: 1. each thread reads its elements of the row, keeps them in registers, and makes a Partial of them
    //       2. the lanes of a warp merge by shuffles, the warps of a block through shared memory; all need the result
    //       3. each thread writes exp(x - largest) / sum for the elements that it still has
    // Then wide rows, which no registers hold; then float4s.
}

// Starts softmax on `stream` and does not wait for it. x and y begin at multiples of 16 bytes.
cudaError_t launch_softmax(const float *x, float *y, size_t rows, size_t cols, cudaStream_t stream)
{
    // TODO: one block for each row is a good beginning; rows or cols may be 0
    return cudaErrorNotYetImplemented;
}
