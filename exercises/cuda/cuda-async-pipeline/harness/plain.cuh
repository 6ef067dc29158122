// The product without a pipeline, against which the gain of one is measured: load a tile, multiply it, load the next.
#pragma once

#include "tile.cuh"

namespace plain {

__device__ __forceinline__ void put(half *to, const half *from, bool inside)
{
    *reinterpret_cast<uint4 *>(to) = inside ? *reinterpret_cast<const uint4 *>(from) : uint4{};
}

__global__ void __launch_bounds__(tile::threads) matmul_plain(
    const half *__restrict__ a, const half *__restrict__ b, float *__restrict__ c, int m, int n, int k)
{
    __shared__ tile::Stage stage;
    int top = blockIdx.y * tile::rows, left = blockIdx.x * tile::cols;
    tile::Sums sums;
    for (int from = 0; from < k; from += tile::depth) {
#pragma unroll
        for (int i = 0; i < 2; i++) {
            int piece = i * tile::threads + threadIdx.x;
            int row = piece / 4, col = piece % 4 * 8;
            put(&stage.a[row][col], a + (size_t)(top + row) * k + from + col, top + row < m && from + col < k);
        }
#pragma unroll
        for (int i = 0; i < 4; i++) {
            int piece = i * tile::threads + threadIdx.x;
            int row = piece / 32, col = piece % 32 * 8;
            put(&stage.b[row][col], b + (size_t)(from + row) * n + left + col, from + row < k && left + col < n);
        }
        __syncthreads();
        sums.add(stage);
        __syncthreads();
    }
    sums.store(c, m, n, top, left);
}

inline cudaError_t launch(const half *a, const half *b, float *c, int m, int n, int k, cudaStream_t stream)
{
    dim3 grid((n + tile::cols - 1) / tile::cols, (m + tile::rows - 1) / tile::rows);
    matmul_plain<<<grid, tile::threads, 0, stream>>>(a, b, c, m, n, k);
    return cudaGetLastError();
}

}  // namespace plain
