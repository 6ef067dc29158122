// C = A Bt on tensor cores: A is m x k, Bt the transpose of B, which is n x k, as the weights of a linear layer are.

#include <cstddef>
#include <cstdint>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "fragments.cuh"
#include "instructions.cuh"  // given: copies that run ahead, ldmatrix, mma.sync. Its head says what they do

__global__ void matmul_kernel(const half *a, const half *b, half *c, int m, int n, int k)
{
    // TODO: a tile of C for each block, a part of it for each warp. Along K, 64 halves at a time:
    // 1. copies.start of the 16-byte pieces of a tile of A and one of B, at their swizzled places; zeros beyond the matrices
    // 2. commit, wait, a barrier
    // 3. for each 16 along K: load_matrices at a_row and b_row, then multiply
    // 4. a barrier, before anybody overwrites what others still read
    // and at the end the sums to c, at c_place
}

// Starts what puts A Bt into c on `stream`, and does not wait for it. A is m x k, B is n x k, C is m x n, all by rows that
// follow each other; n and k are multiples of 8, and the matrices begin at multiples of 16 bytes. Any of m, n, k may be 0.
cudaError_t launch_matmul(const half *a, const half *b, half *c, int m, int n, int k, cudaStream_t stream)
{
    // TODO: matmul_kernel<<<blocks, threads, bytes of shared memory, stream>>>(a, b, c, m, n, k);
    return cudaErrorNotYetImplemented;
}
