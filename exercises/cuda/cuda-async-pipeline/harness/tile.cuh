// What one block computes, given: a tile of c, 128 x 256, as a sum of products of tiles of a (128 x 32) and b (32 x 256)
// that lie in shared memory. On a GPU tensor cores do the products; on a CPU, which has none, loops over the same tiles.
#pragma once

#include <cstddef>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#ifndef MLSYS_PATH_EMULATED
#define TENSOR_CORES <mma.h>
#include TENSOR_CORES
#endif

namespace tile {

constexpr int rows = 128, cols = 256, depth = 32;
constexpr int threads = 256;  // of a block: 8 warps, two one below the other and four side by side

// One tile of a and one of b. Eight more halves in each row spread the rows over the banks of shared memory; each row
// begins at a multiple of 16 bytes.
struct __align__(128) Stage {
    half a[rows][depth + 8];
    half b[depth][cols + 8];
};

#ifndef MLSYS_PATH_EMULATED

// The tile of c, in the registers of the block: each warp holds 64 rows of 64 columns.
class Sums {
  public:
    __device__ __forceinline__ Sums()
    {
#pragma unroll
        for (int i = 0; i < 4; i++)
#pragma unroll
            for (int j = 0; j < 4; j++)
                nvcuda::wmma::fill_fragment(sum[i][j], 0.0f);
    }

    // += a * b. All threads of the block have to come here.
    __device__ __forceinline__ void add(const Stage &stage)
    {
        using namespace nvcuda::wmma;
#pragma unroll
        for (int k = 0; k < depth; k += 16) {
            fragment<matrix_a, 16, 16, 16, half, row_major> a[4];
            fragment<matrix_b, 16, 16, 16, half, row_major> b[4];
#pragma unroll
            for (int i = 0; i < 4; i++)
                load_matrix_sync(a[i], &stage.a[top() + 16 * i][k], depth + 8);
#pragma unroll
            for (int j = 0; j < 4; j++)
                load_matrix_sync(b[j], &stage.b[k][left() + 16 * j], cols + 8);
#pragma unroll
            for (int i = 0; i < 4; i++)
#pragma unroll
                for (int j = 0; j < 4; j++)
                    mma_sync(sum[i][j], a[i], b[j], sum[i][j]);
        }
    }

    // To c, which has m rows of n; the tile begins at (row, col). What lies outside is left out.
    __device__ __forceinline__ void store(float *c, int m, int n, int row, int col) const
    {
#pragma unroll
        for (int i = 0; i < 4; i++)
#pragma unroll
            for (int j = 0; j < 4; j++) {
                int r = row + top() + 16 * i, s = col + left() + 16 * j;
                if (r < m && s < n)
                    nvcuda::wmma::store_matrix_sync(c + (size_t)r * n + s, sum[i][j], n, nvcuda::wmma::mem_row_major);
            }
    }

  private:
    nvcuda::wmma::fragment<nvcuda::wmma::accumulator, 16, 16, 16, float> sum[4][4];
    __device__ __forceinline__ static int top() { return threadIdx.x / 32 / 4 * 64; }
    __device__ __forceinline__ static int left() { return threadIdx.x / 32 % 4 * 64; }
};

#else

// Eight elements side by side, read at once.
struct Eight {
    float of[8];
    explicit Eight(const half *from)
    {
        uint4 bits = *reinterpret_cast<const uint4 *>(from);
        for (int i = 0; i < 8; i++) {
            unsigned word = i < 2 ? bits.x : i < 4 ? bits.y : i < 6 ? bits.z : bits.w;
            of[i] = __half2float(__ushort_as_half((unsigned short)(word >> 16 * (i % 2))));
        }
    }
};

// The same tile: each thread holds 16 columns of 8 rows that lie 16 apart.
class Sums {
  public:
    void add(const Stage &stage)
    {
        for (int k = 0; k < depth; k += 8) {
            float a[8][8];
            for (int i = 0; i < 8; i++) {
                Eight row(&stage.a[top() + 16 * i][k]);
                for (int d = 0; d < 8; d++)
                    a[i][d] = row.of[d];
            }
            for (int d = 0; d < 8; d++)
                for (int half_of = 0; half_of < 2; half_of++) {
                    Eight b(&stage.b[k + d][left() + 8 * half_of]);
                    for (int i = 0; i < 8; i++)
                        for (int j = 0; j < 8; j++)
                            sum[i][8 * half_of + j] += a[i][d] * b.of[j];
                }
        }
    }

    void store(float *c, int m, int n, int row, int col) const
    {
        for (int i = 0; i < 8; i++)
            for (int j = 0; j < 16; j++)
                if (row + top() + 16 * i < m && col + left() + j < n)
                    c[(size_t)(row + top() + 16 * i) * n + col + left() + j] = sum[i][j];
    }

  private:
    float sum[8][16] = {};
    static int top() { return threadIdx.x / 16; }
    static int left() { return threadIdx.x % 16 * 16; }
};

#endif

}  // namespace tile
