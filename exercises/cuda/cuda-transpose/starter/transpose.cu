// y = x transposed on the GPU.

#include <cstddef>
#include <cuda_runtime.h>

// Floats a side of the tile that a block moves; 32 is a good first choice, one row for each warp.
constexpr unsigned tile = 32;

// y[c * rows + r] = x[r * cols + c]. Each block moves one tile of x, which is a tile of y.
__global__ void transpose(const float *x, float *y, size_t rows, size_t cols)
{
    __shared__ float square[tile][tile];
    // TODO: 1. which tile is this block's, and where does it begin in x?
    //       2. read it row by row: neighbouring threads, neighbouring addresses
    //       3. wait until all of it is there
    //       4. write it row by row *of y*, reading columns of `square`
    // Tiles at the edges are not full.
}

// Starts transpose on `stream` and does not wait for it; x (rows x cols) and y (cols x rows) are on the device.
cudaError_t launch_transpose(const float *x, float *y, size_t rows, size_t cols, cudaStream_t stream)
{
    // TODO: choose the grid and the block, transpose<<<blocks, threads, 0, stream>>>(x, y, rows, cols),
    // and return what cudaGetLastError() says; rows or cols may be 0
    return cudaErrorNotYetImplemented;
}
