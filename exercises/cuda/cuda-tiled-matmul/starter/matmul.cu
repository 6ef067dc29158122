// C = A B in float32 on the GPU: through tiles in shared memory, and then through tiles in registers.

#include <cstddef>
#include <cuda_runtime.h>

// ---- Step 1: a tile in shared memory, one element of C for each thread -------------------------------------

constexpr unsigned side = 32;  // of the tile of C that a block computes, and the length of a step along K

// A is m x k, B is k x n, C is m x n, all by rows. Tiles of C are numbered row by row, one for each block.
__global__ void tiled_matmul(const float *a, const float *b, float *c, size_t m, size_t n, size_t k)
{
    __shared__ float a_tile[side][side], b_tile[side][side];
    // TODO: 1. which element of C is this thread's? It may lie outside, and the thread still has to help
    //       2. along K, `side` at a time: each thread brings one element of A and one of B, zero beyond the matrices
    //       3. two barriers a step. What for?
    //       4. write the sum, if there is such an element
}

// Starts tiled_matmul on `stream` and does not wait for it.
cudaError_t launch_tiled(const float *a, const float *b, float *c, size_t m, size_t n, size_t k, cudaStream_t stream)
{
    // TODO: a block of dim3(side, side) for each tile; m, n and k may be 0
    return cudaErrorNotYetImplemented;
}

// ---- Step 2: a tile of the tile in the registers of each thread --------------------------------------------

// As tiled_matmul, for a tile of C of at least 64 x 64, of which each thread computes at least 4 x 4 elements.
__global__ void register_matmul(const float *a, const float *b, float *c, size_t m, size_t n, size_t k)
{
    // TODO: sums[8][8] in registers; for each i of a step: 8 numbers of A, 8 of B, 64 multiply-adds.
    // First make it right with single floats, then read float4s: where is the tile of A to be transposed?
}

// Starts register_matmul on `stream` and does not wait for it. The matrices begin at multiples of 16 bytes.
cudaError_t launch_matmul(const float *a, const float *b, float *c, size_t m, size_t n, size_t k, cudaStream_t stream)
{
    // TODO
    return cudaErrorNotYetImplemented;
}
