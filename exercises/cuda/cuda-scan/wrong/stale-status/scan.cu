// Prefix sums on the GPU, in one pass: decoupled look-back.

#include <cstddef>
#include <cuda_runtime.h>

constexpr unsigned lanes = 32, everybody = 0xffffffff;
constexpr unsigned threads = 256, warps = threads / lanes;  // of a block
constexpr unsigned rows = 4;                                // vectors of four elements that a thread takes
constexpr unsigned of_row = 4 * lanes, of_warp = rows * of_row, of_tile = warps * of_warp;  // elements

// What a tile tells those behind it: the state in the upper half of a word, a sum in the lower one. Both are written at
// once and read at once, so nobody sees a new state with an old sum, and no fence is needed.
using Word = unsigned long long;
constexpr unsigned own = 1;    // the sum of this tile
constexpr unsigned whole = 2;  // the sum of everything up to the end of this tile; 0: nothing yet

__device__ void publish(volatile Word *word, unsigned state, unsigned sum)
{
    *word = (Word)state << 32 | sum;
}

// The sum of the lanes up to this one, itself included. All lanes have to call it.
__device__ unsigned warp_scan(unsigned value)
{
    unsigned lane = threadIdx.x % lanes;
#pragma unroll
    for (unsigned distance = 1; distance < lanes; distance *= 2) {
        unsigned below = __shfl_up_sync(everybody, value, distance);
        if (lane >= distance)
            value += below;
    }
    return value;
}

// The sum of all tiles before this one, which is not the first. A whole warp has to call it.
__device__ unsigned look_back(const volatile Word *status, size_t tile)
{
    unsigned lane = threadIdx.x % lanes, before = 0;
    for (size_t end = tile;; end -= lanes) {
        // lane 0 looks at the nearest tile; before the first one there is nothing, and the sum up to there is known
        Word word = (Word)whole << 32;
        if (lane < end)
            do
                word = status[end - 1 - lane];
            while (word >> 32 == 0);
        unsigned known = __ballot_sync(everybody, word >> 32 == whole);
        unsigned nearest = known ? __ffs((int)known) - 1 : lanes - 1;
        before += __reduce_add_sync(everybody, lane <= nearest ? (unsigned)word : 0u);
        if (known)
            return before;
    }
}

// The elements x[at] to x[at + 3]; 0 for those from n on.
__device__ uint4 load_some(const unsigned *x, size_t at, size_t n)
{
    return {at < n ? x[at] : 0, at + 1 < n ? x[at + 1] : 0, at + 2 < n ? x[at + 2] : 0, at + 3 < n ? x[at + 3] : 0};
}

__device__ void store_some(unsigned *y, size_t at, size_t n, uint4 value)
{
    if (at < n)
        y[at] = value.x;
    if (at + 1 < n)
        y[at + 1] = value.y;
    if (at + 2 < n)
        y[at + 2] = value.z;
    if (at + 3 < n)
        y[at + 3] = value.w;
}

// Each block scans one tile. y may be x: a block has read its tile before it writes, and no other block needs it.
__global__ void __launch_bounds__(threads)
    scan_tiles(const unsigned *x, unsigned *y, size_t n, bool exclusive, unsigned *next, volatile Word *status)
{
    __shared__ unsigned number, before_warp[warps];
    unsigned lane = threadIdx.x % lanes, warp = threadIdx.x / lanes;
    // blocks may start in any order, and one that waits takes the place of another: a block takes the number of its
    // tile when it has started, so that those it will wait for have started too
    if (threadIdx.x == 0)
        number = atomicAdd(next, 1);
    __syncthreads();
    size_t tile = number, first = tile * of_tile + warp * of_warp + 4 * lane;
    bool full = (tile + 1) * of_tile <= n;

    uint4 values[rows];
    if (full)
#pragma unroll
        for (unsigned r = 0; r < rows; r++)
            values[r] = *(const uint4 *)(x + first + r * of_row);
    else
#pragma unroll
        for (unsigned r = 0; r < rows; r++)
            values[r] = load_some(x, first + r * of_row, n);

    unsigned sum = 0, start[rows];  // of the rows so far; of all that comes before a vector in this warp
#pragma unroll
    for (unsigned r = 0; r < rows; r++) {
        uint4 &v = values[r];
        v.y += v.x, v.z += v.y, v.w += v.z;
        unsigned through = warp_scan(v.w);
        start[r] = sum + through - v.w;
        sum += __shfl_sync(everybody, through, lanes - 1);
    }

    if (lane == 0)
        before_warp[warp] = sum;
    __syncthreads();
    if (warp == 0) {
        unsigned mine = lane < warps ? before_warp[lane] : 0, through = warp_scan(mine), before = 0;
        unsigned total = __shfl_sync(everybody, through, lanes - 1);
        if (tile > 0) {
            if (lane == 0)
                publish(status + tile, own, total);
            before = look_back(status, tile);
        }
        if (lane == 0)
            publish(status + tile, whole, before + total);
        if (lane < warps)
            before_warp[lane] = before + through - mine;
    }
    __syncthreads();

    unsigned before = before_warp[warp];
#pragma unroll
    for (unsigned r = 0; r < rows; r++) {
        unsigned s = before + start[r];
        uint4 v = values[r];
        v = exclusive ? uint4{s, s + v.x, s + v.y, s + v.z} : uint4{s + v.x, s + v.y, s + v.z, s + v.w};
        if (full)
            *(uint4 *)(y + first + r * of_row) = v;
        else
            store_some(y, first + r * of_row, n, v);
    }
}

// Bytes of scratch memory that launch_scan needs for n elements.
size_t scan_scratch(size_t n)
{
    return (1 + (n + of_tile - 1) / of_tile) * sizeof(Word);
}

// Starts what puts the sums of x[0..i] into y[i], or of x[0..i) when `exclusive`, for each i < n, modulo 2^32, and does not
// wait. y may be x. scratch has scan_scratch(n) bytes, and nothing is known of what they contain. Pointers are the
// device's and aligned to 16 bytes.
cudaError_t launch_scan(const unsigned *x, unsigned *y, size_t n, bool exclusive, void *scratch, cudaStream_t stream)
{
    if (n == 0)
        return cudaSuccess;
    Word *words = (Word *)scratch;
    size_t tiles = (n + of_tile - 1) / of_tile;
    scan_tiles<<<(unsigned)tiles, threads, 0, stream>>>(x, y, n, exclusive, (unsigned *)words, words + 1);
    return cudaGetLastError();
}
