// C = A B in float32 on the GPU: through tiles in shared memory, and then through tiles in registers.

#include <cstddef>
#include <cuda_runtime.h>

// ---- Step 1: a tile in shared memory, one element of C for each thread -------------------------------------

constexpr unsigned side = 32;  // of the tile of C that a block computes, and the length of a step along K

// A is m x k, B is k x n, C is m x n, all by rows. Tiles of C are numbered row by row, one for each block.
__global__ void tiled_matmul(const float *__restrict__ a, const float *__restrict__ b, float *__restrict__ c,
                             size_t m, size_t n, size_t k)
{
    size_t across = (n + side - 1) / side;
    size_t row = blockIdx.x / across * side + threadIdx.y, column = blockIdx.x % across * side + threadIdx.x;
    if (row >= m || column >= n)
        return;
    float sum = 0;
    for (size_t i = 0; i < k; i++)
        sum += a[row * k + i] * b[i * n + column];
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

constexpr unsigned tile = 128;         // side of the tile of C that a block computes
constexpr unsigned depth = 8;          // length of a step along K
constexpr unsigned threads = 256;      // eight warps, each with 32 rows and 64 columns of the tile
constexpr unsigned padded = tile + 4;  // words between rows of the tile of A: float4s stay aligned, banks differ

// How many of the four elements from `at` on lie before `end`.
__device__ unsigned count(size_t at, size_t end) { return at >= end ? 0 : end - at < 4 ? (unsigned)(end - at) : 4; }

// Four neighbours of which `there` exist, zeros for the others. Aligned rows have all four or none.
__device__ float4 four(const float *from, unsigned there, bool aligned)
{
    if (aligned && there)
        return *reinterpret_cast<const float4 *>(from);
    return make_float4(there > 0 ? from[0] : 0.0f, there > 1 ? from[1] : 0.0f, there > 2 ? from[2] : 0.0f,
                       there > 3 ? from[3] : 0.0f);
}

// The same for writing.
__device__ void put(float *to, const float *value, unsigned there, bool aligned)
{
    if (aligned && there)
        *reinterpret_cast<float4 *>(to) = make_float4(value[0], value[1], value[2], value[3]);
    else
#pragma unroll
        for (unsigned j = 0; j < 4; j++)
            if (j < there)
                to[j] = value[j];
}

// As tiled_matmul. Each thread computes 8 x 8 elements of C: 16 numbers from shared memory for 64 multiply-adds.
__global__ void __launch_bounds__(threads, 2)
    register_matmul(const float *__restrict__ a, const float *__restrict__ b, float *__restrict__ c, size_t m,
                    size_t n, size_t k)
{
    // A lies transposed, so that what a thread needs of one column of A are neighbours. Two of each: while one step
    // is computed, the next is brought, and one barrier a step is enough.
    __shared__ __align__(16) float a_tile[2][depth][padded], b_tile[2][depth][tile];
    size_t across = (n + tile - 1) / tile;
    size_t top = blockIdx.x / across * tile, left = blockIdx.x % across * tile;
    bool aligned = k % 4 == 0 && n % 4 == 0;  // or a row begins anywhere, and is read float by float

    // what this thread brings for a step: a float4 of a row of A, two threads a row, and one of B, a warp a row
    unsigned a_row = threadIdx.x / 2, a_part = threadIdx.x % 2 * 4;
    unsigned b_row = threadIdx.x / 32, b_column = threadIdx.x % 32 * 4;
    const float *a_at = a + (top + a_row) * k + a_part, *b_at = b + b_row * n + left + b_column;
    size_t a_end = top + a_row < m ? k : 0;
    unsigned b_there = count(left + b_column, n);
    float4 next_a, next_b;
    auto load = [&](size_t done) {
        next_a = four(a_at, count(done + a_part, a_end), aligned);
        next_b = four(b_at, done + b_row < k ? b_there : 0, aligned);
        a_at += depth;
        b_at += depth * n;
    };
    auto keep = [&](unsigned half) {
        a_tile[half][a_part + 0][a_row] = next_a.x;
        a_tile[half][a_part + 1][a_row] = next_a.y;
        a_tile[half][a_part + 2][a_row] = next_a.z;
        a_tile[half][a_part + 3][a_row] = next_a.w;
        *reinterpret_cast<float4 *>(&b_tile[half][b_row][b_column]) = next_b;
    };

    // what this thread computes: rows and columns in groups of four, 16 and 32 apart, so that the eight lanes that a
    // bank serves together read eight neighbouring float4s of B and one of A
    unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    unsigned first_row = warp / 2 * 32 + lane / 8 * 4, first_column = warp % 2 * 64 + lane % 8 * 4;
    float sums[8][8] = {};

    load(0);
    keep(0);
    __syncthreads();
    for (size_t done = 0; done < k; done += depth) {
        unsigned half = done / depth % 2;
        bool more = done + depth < k;
        if (more)
            load(done + depth);
#pragma unroll
        for (unsigned i = 0; i < depth; i++) {
            float x[8], y[8];
            *reinterpret_cast<float4 *>(x) = *reinterpret_cast<const float4 *>(&a_tile[half][i][first_row]);
            *reinterpret_cast<float4 *>(x + 4) = *reinterpret_cast<const float4 *>(&a_tile[half][i][first_row + 16]);
            *reinterpret_cast<float4 *>(y) = *reinterpret_cast<const float4 *>(&b_tile[half][i][first_column]);
            *reinterpret_cast<float4 *>(y + 4) = *reinterpret_cast<const float4 *>(&b_tile[half][i][first_column + 32]);
#pragma unroll
            for (unsigned r = 0; r < 8; r++)
#pragma unroll
                for (unsigned j = 0; j < 8; j++)
                    sums[r][j] += x[r] * y[j];
        }
        if (more)
            keep(1 - half);  // nobody reads this half: all have passed the barrier behind the step before
        __syncthreads();
    }

#pragma unroll
    for (unsigned r = 0; r < 8; r++) {
        size_t row = top + first_row + r / 4 * 16 + r % 4;
        if (row >= m)
            continue;
        float *to = c + row * n + left + first_column;
        put(to, &sums[r][0], count(left + first_column, n), aligned);
        put(to + 32, &sums[r][4], count(left + first_column + 32, n), aligned);
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
