// y = x transposed on the GPU.

#include <cstddef>
#include <cuda_runtime.h>

constexpr unsigned tile = 32;
constexpr unsigned height = 8;

// y[c * rows + r] = x[r * cols + c]. Each block moves one tile; the tiles of x are numbered row by row.
__global__ void transpose(const float *x, float *y, size_t rows, size_t cols)
{
    __shared__ float square[tile][tile + 1];
    size_t across = (cols + tile - 1) / tile;
    size_t top = blockIdx.x / across * tile, left = blockIdx.x % across * tile;
    if (left + threadIdx.x >= cols)
        return;
    for (unsigned i = threadIdx.y; i < tile; i += height)
        if (top + i < rows)
            square[i][threadIdx.x] = x[(top + i) * cols + left + threadIdx.x];
    __syncthreads();
    for (unsigned i = threadIdx.y; i < tile; i += height)
        if (left + i < cols && top + threadIdx.x < rows)
            y[(left + i) * rows + top + threadIdx.x] = square[threadIdx.x][i];
}

// Starts transpose on `stream` and does not wait for it; x (rows x cols) and y (cols x rows) are on the device.
cudaError_t launch_transpose(const float *x, float *y, size_t rows, size_t cols, cudaStream_t stream)
{
    if (rows == 0 || cols == 0)
        return cudaSuccess;
    size_t tiles = ((rows + tile - 1) / tile) * ((cols + tile - 1) / tile);
    transpose<<<(unsigned)tiles, dim3(tile, height), 0, stream>>>(x, y, rows, cols);
    return cudaGetLastError();
}
