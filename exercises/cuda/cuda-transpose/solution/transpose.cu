// y = x transposed on the GPU.

#include <cstddef>
#include <cuda_runtime.h>

constexpr unsigned tile = 64;               // floats a side: a row of a tile is 256 bytes, eight whole sectors
constexpr unsigned height = 4;              // rows that a block of tile x height threads moves at once
constexpr unsigned rounds = tile / height;  // elements of a thread

// y[c * rows + r] = x[r * cols + c]. Each block moves one tile; the tiles of x are numbered row by row.
__global__ void transpose(const float *__restrict__ x, float *__restrict__ y, size_t rows, size_t cols)
{
    // a step down a column is tile + 1 words, so that 32 neighbours in a column lie in 32 banks
    __shared__ float square[tile][tile + 1];
    unsigned across = (unsigned)((cols + tile - 1) / tile);
    size_t top = (size_t)(blockIdx.x / across) * tile, left = (size_t)(blockIdx.x % across) * tile;

    // all loads are under way before the first is waited for
    float mine[rounds];
#pragma unroll
    for (unsigned k = 0; k < rounds; k++) {
        size_t row = top + k * height + threadIdx.y, column = left + threadIdx.x;
        mine[k] = row < rows && column < cols ? x[row * cols + column] : 0.0f;
    }
#pragma unroll
    for (unsigned k = 0; k < rounds; k++)
        square[k * height + threadIdx.y][threadIdx.x] = mine[k];
    __syncthreads();
    // row i of the tile of y is column i of the tile of x: neighbouring threads go on writing neighbours
#pragma unroll
    for (unsigned k = 0; k < rounds; k++) {
        unsigned i = k * height + threadIdx.y;
        size_t row = left + i, column = top + threadIdx.x;
        if (row < cols && column < rows)
            y[row * rows + column] = square[threadIdx.x][i];
    }
}

// Starts transpose on `stream` and does not wait for it; x (rows x cols) and y (cols x rows) are on the device.
cudaError_t launch_transpose(const float *x, float *y, size_t rows, size_t cols, cudaStream_t stream)
{
    if (rows == 0 || cols == 0)
        return cudaSuccess;  // a grid without blocks is an error
    // one dimension: a grid's y ends at 65,535 blocks, its x at 2^31 - 1
    size_t tiles = ((rows + tile - 1) / tile) * ((cols + tile - 1) / tile);
    transpose<<<(unsigned)tiles, dim3(tile, height), 0, stream>>>(x, y, rows, cols);
    return cudaGetLastError();
}
