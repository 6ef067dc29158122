// c = a * b on the GPU: while one tile is multiplied, the copies of the next ones are under way.

#include <cstddef>
#include <cuda_fp16.h>
#include <cuda_pipeline.h>
#include <cuda_runtime.h>

#include "tile.cuh"

constexpr int stages = 4;  // tiles in shared memory: one that is multiplied, three on their way

// Begins the copies of a tile: the rows of a from `top` on and the columns of b from `left` on, from k = `from` on. Each
// copy is 16 bytes of one thread, neighbours in a row are neighbouring threads. What lies outside becomes zero.
__device__ __forceinline__ void fetch(
    tile::Stage &to, const half *a, const half *b, int m, int n, int k, int top, int left, int from)
{
    constexpr int wide = 16 / sizeof(half), of_a = tile::depth / wide, of_b = tile::cols / wide;  // pieces of a row
#pragma unroll
    for (int i = 0; i < tile::rows * of_a / tile::threads; i++) {
        int piece = i * tile::threads + threadIdx.x;
        int row = piece / of_a, col = piece % of_a * wide;
        bool inside = top + row < m && from + col < k;
        const half *source = inside ? a + (size_t)(top + row) * k + from + col : a;
        __pipeline_memcpy_async(&to.a[row][col], source, 16, inside ? 0 : 16);
    }
#pragma unroll
    for (int i = 0; i < tile::depth * of_b / tile::threads; i++) {
        int piece = i * tile::threads + threadIdx.x;
        int row = piece / of_b, col = piece % of_b * wide;
        bool inside = from + row < k && left + col < n;
        const half *source = inside ? b + (size_t)(from + row) * n + left + col : b;
        __pipeline_memcpy_async(&to.b[row][col], source, 16, inside ? 0 : 16);
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

    // group t of this thread is tile t, and an empty one where there is no such tile: so the count of groups always says
    // which tiles are there
    for (int t = 0; t < stages - 1; t++) {
        if (t < tiles)
            fetch(stage[t], a, b, m, n, k, top, left, t * tile::depth);
        __pipeline_commit();
    }
    for (int t = 0; t < tiles; t++) {
        __pipeline_wait_prior(stages - 2);  // my part of tile t has come
        __syncthreads();                    // everybody's has, and everybody is done with tile t - 1
        int next = t + stages - 1;          // so its place is free
        if (next < tiles)
            fetch(stage[next % stages], a, b, m, n, k, top, left, next * tile::depth);
        __pipeline_commit();
        sums.add(stage[t % stages]);
    }
    sums.store(c, m, n, top, left);
}

// Starts matmul on `stream` and does not wait for it; all pointers are the device's.
cudaError_t launch_matmul(const half *a, const half *b, float *c, int m, int n, int k, cudaStream_t stream)
{
    if (m == 0 || n == 0)
        return cudaSuccess;  // a grid without blocks is an error
    constexpr int bytes = stages * sizeof(tile::Stage);
    // beyond 48 KB a kernel has to ask
    if (cudaError_t error = cudaFuncSetAttribute(matmul, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes))
        return error;
    dim3 grid((n + tile::cols - 1) / tile::cols, (m + tile::rows - 1) / tile::rows);
    matmul<<<grid, tile::threads, bytes>>>(a, b, c, m, n, k);
    return cudaGetLastError();
}
