// C = A B in float32 on the GPU: through tiles in shared memory, and then through tiles in registers.

#include <cstddef>
#include <cuda_runtime.h>

// ---- Step 1: a tile in shared memory, one element of C for each thread -------------------------------------

constexpr unsigned side = 32;  // of the tile of C that a block computes, and the length of a step along K

// A is m x k, B is k x n, C is m x n, all by rows. Tiles of C are numbered row by row, one for each block.
__global__ void tiled_matmul(const float *__restrict__ a, const float *__restrict__ b, float *__restrict__ c,
                             size_t m, size_t n, size_t k)
{
    __shared__ float a_tile[side][side], b_tile[side][side];
    size_t across = (n + side - 1) / side;
    size_t row = blockIdx.x / across * side + threadIdx.y, column = blockIdx.x % across * side + threadIdx.x;
    float sum = 0;
    for (size_t done = 0; done < k; done += side) {
        // beyond the matrices there are zeros, and no thread leaves: all of them load, all of them wait
        size_t a_column = done + threadIdx.x, b_row = done + threadIdx.y;
        a_tile[threadIdx.y][threadIdx.x] = row < m && a_column < k ? a[row * k + a_column] : 0.0f;
        b_tile[threadIdx.y][threadIdx.x] = b_row < k && column < n ? b[b_row * n + column] : 0.0f;
        __syncthreads();
#pragma unroll
        for (unsigned i = 0; i < side; i++)
            sum += a_tile[threadIdx.y][i] * b_tile[i][threadIdx.x];
        __syncthreads();  // the next step overwrites what others may still be reading
    }
    if (row < m && column < n)
        c[row * n + column] = sum;
}

// Starts tiled_matmul on `stream` and does not wait for it.
cudaError_t launch_tiled(const float *a, const float *b, float *c, size_t m, size_t n, size_t k, cudaStream_t stream)
{
    if (m == 0 || n == 0)
        return cudaSuccess;  // a grid without blocks is an error
    size_t blocks = ((m + side - 1) / side) * ((n + side - 1) / side);
    tiled_matmul<<<(unsigned)blocks, dim3(side, side), 0, stream>>>(a, b, c, m, n, k);
    return cudaGetLastError();
}

// ---- Step 2: a tile of the tile in the registers of each thread --------------------------------------------

constexpr unsigned tile = 64, depth = 8;
constexpr unsigned rows = 8, columns = 1;  // of C for each thread
constexpr unsigned wide = tile / columns, high = tile / rows, threads = wide * high;

// As tiled_matmul; what belongs to a thread lies `high` rows and `wide` columns apart.
__global__ void register_matmul(const float *__restrict__ a, const float *__restrict__ b, float *__restrict__ c,
                                size_t m, size_t n, size_t k)
{
    __shared__ float a_tile[tile][depth + 1], b_tile[depth][tile];
    size_t across = (n + tile - 1) / tile;
    size_t top = blockIdx.x / across * tile, left = blockIdx.x % across * tile;
    unsigned tx = threadIdx.x % wide, ty = threadIdx.x / wide;
    float sums[rows][columns] = {};
    for (size_t done = 0; done < k; done += depth) {
        for (unsigned at = threadIdx.x; at < tile * depth; at += threads) {
            size_t row = top + at / depth, column = done + at % depth;
            a_tile[at / depth][at % depth] = row < m && column < k ? a[row * k + column] : 0.0f;
            row = done + at / tile, column = left + at % tile;
            b_tile[at / tile][at % tile] = row < k && column < n ? b[row * n + column] : 0.0f;
        }
        __syncthreads();
        for (unsigned i = 0; i < depth; i++) {
            float x[rows], y[columns];
#pragma unroll
            for (unsigned r = 0; r < rows; r++)
                x[r] = a_tile[ty + r * high][i];
#pragma unroll
            for (unsigned j = 0; j < columns; j++)
                y[j] = b_tile[i][tx + j * wide];
#pragma unroll
            for (unsigned r = 0; r < rows; r++)
#pragma unroll
                for (unsigned j = 0; j < columns; j++)
                    sums[r][j] += x[r] * y[j];
        }
        __syncthreads();
    }
#pragma unroll
    for (unsigned r = 0; r < rows; r++)
#pragma unroll
        for (unsigned j = 0; j < columns; j++) {
            size_t row = top + ty + r * high, column = left + tx + j * wide;
            if (row < m && column < n)
                c[row * n + column] = sums[r][j];
        }
}

// Starts register_matmul on `stream` and does not wait for it. The matrices begin at multiples of 16 bytes.
cudaError_t launch_matmul(const float *a, const float *b, float *c, size_t m, size_t n, size_t k, cudaStream_t stream)
{
    if (m == 0 || n == 0)
        return cudaSuccess;
    size_t blocks = ((m + tile - 1) / tile) * ((n + tile - 1) / tile);
    register_matmul<<<(unsigned)blocks, threads, 0, stream>>>(a, b, c, m, n, k);
    return cudaGetLastError();
}
