// C = A Bt on tensor cores: A is m x k, Bt the transpose of B, which is n x k, as the weights of a linear layer are.

#include <cstddef>
#include <cstdint>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "fragments.cuh"
#include "instructions.cuh"

namespace {

constexpr int tile_m = 128, tile_n = 128, tile_k = 64;  // of C that a block computes, and the length of a step along K
constexpr int warp_m = 64, warp_n = 64;                 // of C that a warp computes: 128 sums for each lane
constexpr int threads = tile_m / warp_m * (tile_n / warp_n) * 32;
constexpr int stages = 3;                            // steps whose operands are in shared memory or on their way
constexpr int pieces = tile_k / 8;                   // of 16 bytes in a row of a tile
constexpr int stage_bytes = (tile_m + tile_n) * tile_k * 2;
constexpr int group = 8;                             // rows of tiles that are computed column by column
constexpr int parts_m = warp_m / 16, parts_n = warp_n / 8;

// A thread's part in copying a tile of `rows` rows, step by step: one piece of every (threads / pieces)-th row.
template <int rows> struct Tile {
    static constexpr int apart = threads / pieces, turns = rows / apart;
    const half *matrix, *from;
    size_t step;  // elements of `apart` rows
    int left, piece;
    int to;  // bytes

    __device__ Tile(const half *matrix, size_t first, size_t count, int k) : matrix(matrix)
    {
        int row = threadIdx.x / pieces;
        piece = threadIdx.x % pieces;
        from = matrix + (first + row) * k + piece * 8;
        step = (size_t)apart * k;
        // how many of this thread's rows the matrix has
        size_t behind = first + row;
        left = behind < count ? (int)((count - behind - 1) / apart < turns ? (count - behind - 1) / apart + 1 : turns) : 0;
        to = (row * pieces + swizzled(row, piece)) * 16;  // `apart` is a multiple of 8: all its rows are swizzled alike
    }

    __device__ void start(Copies &copies, Shared tile, int done, int k)
    {
        bool in_k = done + piece * 8 < k;
#pragma unroll
        for (int i = 0; i < turns; i++) {
            bool exists = in_k && i < left;
            copies.start(tile + to + i * apart * pieces * 16, exists ? from + i * step + done : matrix, exists);
        }
    }
};

}  // namespace

__global__ void __launch_bounds__(threads, 2)
    matmul_kernel(const half *__restrict__ a, const half *__restrict__ b, half *__restrict__ c, int m, int n, int k)
{
    extern __shared__ __align__(128) unsigned char shared[];
    // blocks with neighbouring numbers share rows of A and of B: down a group of tiles, then on to the next column
    unsigned tiles_m = (m + tile_m - 1) / tile_m, tiles_n = (n + tile_n - 1) / tile_n;
    unsigned first = blockIdx.x / (group * tiles_n) * group, within = blockIdx.x % (group * tiles_n);
    unsigned height = min(group, tiles_m - first);
    size_t top = (size_t)(first + within % height) * tile_m, left = (size_t)(within / height) * tile_n;

    Tile<tile_m> a_tile(a, top, m, k);
    Tile<tile_n> b_tile(b, left, n, k);
    Shared base = shared_address(shared);
    Copies copies;
    int steps = (k + tile_k - 1) / tile_k;
    auto start = [&](int step) {
        if (step < steps) {
            Shared stage = base + step % stages * stage_bytes;
            a_tile.start(copies, stage, step * tile_k, k);
            b_tile.start(copies, stage + tile_m * tile_k * 2, step * tile_k, k);
        }
        copies.commit();  // an empty one too: then the group of step s is always the (s + 1)-th
    };

    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int warp_row = warp / (tile_n / warp_n) * warp_m, warp_column = warp % (tile_n / warp_n) * warp_n;
    Place in_a = a_row(lane), in_b = b_row(lane);
    int a_lane = (warp_row + in_a.row) * pieces * 16, b_lane = (tile_m + warp_column + in_b.row) * pieces * 16;
    float sums[parts_m][parts_n][4] = {};
    uint32_t fa[2][parts_m][4], fb[2][parts_n / 2][4];
    auto load = [&](Shared stage, int part) {  // the fragments of 16 columns of the tiles
        int a_piece = swizzled(in_a.row, 2 * part + in_a.column) * 16;
        int b_piece = swizzled(in_b.row, 2 * part + in_b.column) * 16;
#pragma unroll
        for (int i = 0; i < parts_m; i++)
            load_matrices(fa[part % 2][i], stage + a_lane + i * 16 * pieces * 16 + a_piece);
#pragma unroll
        for (int j = 0; j < parts_n / 2; j++)
            load_matrices(fb[part % 2][j], stage + b_lane + j * 16 * pieces * 16 + b_piece);
    };

    for (int step = 0; step < stages - 1; step++)
        start(step);
    for (int step = 0; step < steps; step++) {
        copies.wait<stages - 2>();  // this thread's part of this step is there,
        __syncthreads();            // everybody's is, and nobody reads the step before any more
        start(step + stages - 1);   // into its place
        Shared stage = base + step % stages * stage_bytes;
        load(stage, 0);
#pragma unroll
        for (int part = 0; part < tile_k / 16; part++) {
            if (part + 1 < tile_k / 16)
                load(stage, part + 1);  // while the tensor cores are busy with this part
#pragma unroll
            for (int i = 0; i < parts_m; i++)
#pragma unroll
                for (int j = 0; j < parts_n; j++)
                    multiply(sums[i][j], fa[part % 2][i], fb[part % 2][j / 2][j % 2 * 2], fb[part % 2][j / 2][j % 2 * 2 + 1]);
        }
    }

    // two floats of a lane are neighbours in C; n is even, so that both exist or none
#pragma unroll
    for (int i = 0; i < parts_m; i++)
#pragma unroll
        for (int pair = 0; pair < 2; pair++) {
            Place at = c_place(lane, 2 * pair);
            size_t row = top + warp_row + i * 16 + at.row;
            if (row >= m)
                continue;
#pragma unroll
            for (int j = 0; j < parts_n; j++) {
                size_t column = left + warp_column + j * 8 + at.column;
                if (column < n)
                    *reinterpret_cast<half2 *>(c + row * n + column) =
                        __floats2half2_rn(sums[i][j][2 * pair], sums[i][j][2 * pair + 1]);
            }
        }
}

// Starts what puts A Bt into c on `stream`, and does not wait for it. A is m x k, B is n x k, C is m x n, all by rows that
// follow each other; n and k are multiples of 8, and the matrices begin at multiples of 16 bytes. Any of m, n, k may be 0.
cudaError_t launch_matmul(const half *a, const half *b, half *c, int m, int n, int k, cudaStream_t stream)
{
    constexpr int bytes = stages * stage_bytes;
    // more than 48 KB have to be asked for, by every process and device
    if (cudaError_t error = cudaFuncSetAttribute(matmul_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes))
        return error;
    size_t blocks = ((size_t)m + tile_m - 1) / tile_m * (((size_t)n + tile_n - 1) / tile_n);
    matmul_kernel<<<(unsigned)blocks, threads, bytes, stream>>>(a, b, c, m, n, k);
    return cudaGetLastError();
}
