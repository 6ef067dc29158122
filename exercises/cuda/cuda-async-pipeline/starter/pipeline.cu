// c = a * b on the GPU. This version is right, and waits: load a tile, multiply it, load the next. Make it a pipeline.

#include <cstddef>
#include <cuda_fp16.h>
#include <cuda_pipeline.h>
#include <cuda_runtime.h>

#include "tile.cuh"

constexpr int stages = 1;  // TODO: tiles in shared memory: one that is multiplied, the others on their way

// TODO: make of each load and store one __pipeline_memcpy_async(to, from, 16, zeros): it begins a copy of 16 bytes from
// device to shared memory and does not wait; the last `zeros` of the 16 bytes are not read but become zero
//
// Fetches a tile: the rows of a from `top` on and the columns of b from `left` on, from k = `from` on. Each
// thread moves 16 bytes at a time, neighbours in a row are neighbouring threads. What lies outside becomes zero.
__device__ __forceinline__ void fetch(
    tile::Stage &to, const half *a, const half *b, int m, int n, int k, int top, int left, int from)
{
    constexpr int wide = 16 / sizeof(half), of_a = tile::depth / wide, of_b = tile::cols / wide;  // pieces of a row
#pragma unroll
    for (int i = 0; i < tile::rows * of_a / tile::threads; i++) {
        int piece = i * tile::threads + threadIdx.x;
        int row = piece / of_a, col = piece % of_a * wide;
        bool inside = top + row < m && from + col < k;
        const half *source = a + (size_t)(top + row) * k + from + col;
        *reinterpret_cast<uint4 *>(&to.a[row][col]) = inside ? *reinterpret_cast<const uint4 *>(source) : uint4{};
    }
#pragma unroll
    for (int i = 0; i < tile::depth * of_b / tile::threads; i++) {
        int piece = i * tile::threads + threadIdx.x;
        int row = piece / of_b, col = piece % of_b * wide;
        bool inside = from + row < k && left + col < n;
        const half *source = b + (size_t)(from + row) * n + left + col;
        *reinterpret_cast<uint4 *>(&to.b[row][col]) = inside ? *reinterpret_cast<const uint4 *>(source) : uint4{};
    }
}

// c (m x n) = a (m x k) * b (k x n). Block (x, y) computes the tile of c in row y and column x of tiles.
__global__ void __launch_bounds__(tile::threads)
    matmul(const half *__restrict__ a, const half *__restrict__ b, float *__restrict__ c, int m, int n, int k)
{
    extern __shared__ __align__(128) unsigned char memory[];
    tile::Stage *stage = reinterpret_cast<tile::Stage *>(memory);
    int top = blockIdx.y * tile::rows, left = blockIdx.x * tile::cols;
    int tiles = (k + tile::depth - 1) / tile::depth;
    tile::Sums sums;

    // TODO: 1. before the loop begin the copies of the first stages - 1 tiles, each with a __pipeline_commit();
    //       2. in the loop wait until tile t is there (__pipeline_wait_prior) for all threads, begin the copies of a tile
    //          further on into a place that nobody reads any more, and multiply tile t meanwhile
    for (int t = 0; t < tiles; t++) {
        fetch(stage[0], a, b, m, n, k, top, left, t * tile::depth);
        __syncthreads();  // all of the tile is there
        sums.add(stage[0]);
        __syncthreads();  // nobody reads it any more
    }
    sums.store(c, m, n, top, left);
}

// Starts matmul on `stream` and does not wait for it; all pointers are the device's.
cudaError_t launch_matmul(const half *a, const half *b, float *c, int m, int n, int k, cudaStream_t stream)
{
    if (m == 0 || n == 0)
        return cudaSuccess;  // a grid without blocks is an error
    constexpr int bytes = stages * sizeof(tile::Stage);
    // TODO: beyond 48 KB a kernel has to ask for dynamic shared memory
    dim3 grid((n + tile::cols - 1) / tile::cols, (m + tile::rows - 1) / tile::rows);
    matmul<<<grid, tile::threads, bytes, stream>>>(a, b, c, m, n, k);
    return cudaGetLastError();
}
