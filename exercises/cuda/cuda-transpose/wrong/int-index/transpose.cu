// y = x transposed on the GPU.

#include <cstddef>
#include <cuda_runtime.h>

constexpr unsigned tile = 32;
constexpr unsigned height = 8;

// y[c * rows + r] = x[r * cols + c]. Each block moves one tile; the tiles of x are numbered row by row.
__global__ void transpose(const float *x, float *y, size_t rows, size_t cols)
{
    __shared__ float square[tile][tile + 1];
    int height_of_x = (int)rows, width = (int)cols, across = (width + 31) / 32;
    int top = (int)blockIdx.x / across * 32, left = (int)blockIdx.x % across * 32;
    for (int i = (int)threadIdx.y; i < 32; i += 8)
        if (top + i < height_of_x && left + (int)threadIdx.x < width)
            square[i][threadIdx.x] = x[(top + i) * width + left + (int)threadIdx.x];
    __syncthreads();
    for (int i = (int)threadIdx.y; i < 32; i += 8)
        if (left + i < width && top + (int)threadIdx.x < height_of_x)
            y[(left + i) * height_of_x + top + (int)threadIdx.x] = square[threadIdx.x][i];
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
