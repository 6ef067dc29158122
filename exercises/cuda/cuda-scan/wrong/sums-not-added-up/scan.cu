// Prefix sums on the GPU, in two kernels.

#include <cstddef>
#include <cuda_runtime.h>

constexpr unsigned lanes = 32, everybody = 0xffffffff;
constexpr unsigned threads = 256, of_thread = 4, of_tile = threads * of_thread;

// The sum of the lanes up to this one, itself included. All lanes have to call it.
__device__ unsigned warp_scan(unsigned value)
{
    unsigned lane = threadIdx.x % lanes;
    for (unsigned distance = 1; distance < lanes; distance *= 2) {
        unsigned below = __shfl_up_sync(everybody, value, distance);
        if (lane >= distance)
            value += below;
    }
    return value;
}

// The same over the block, and the sum of all of it.
__device__ unsigned block_scan(unsigned value, unsigned &total)
{
    __shared__ unsigned of_warp[lanes];
    unsigned lane = threadIdx.x % lanes, warp = threadIdx.x / lanes, warps = blockDim.x / lanes;
    value = warp_scan(value);
    if (lane == lanes - 1)
        of_warp[warp] = value;
    __syncthreads();
    if (warp == 0) {
        unsigned through = warp_scan(lane < warps ? of_warp[lane] : 0);
        if (lane < warps)
            of_warp[lane] = through;
    }
    __syncthreads();
    total = of_warp[warps - 1];
    if (warp > 0)
        value += of_warp[warp - 1];
    return value;
}

// The four elements of this thread; 0 from n on.
__device__ uint4 load(const unsigned *x, size_t n)
{
    size_t at = (size_t)blockIdx.x * of_tile + threadIdx.x * of_thread;
    if (at + 4 <= n)
        return *(const uint4 *)(x + at);
    return {at < n ? x[at] : 0, at + 1 < n ? x[at + 1] : 0, at + 2 < n ? x[at + 2] : 0, 0};
}

// sums[b] = the sum of tile b.
__global__ void sum_tiles(const unsigned *x, unsigned *sums, size_t n)
{
    uint4 v = load(x, n);
    unsigned total;
    block_scan(v.x + v.y + v.z + v.w, total);
    if (threadIdx.x == 0)
        sums[blockIdx.x] = total;
}

// Scans each tile, from the sum before it.
__global__ void scan_tiles(const unsigned *x, unsigned *y, const unsigned *before, size_t n, bool exclusive)
{
    uint4 v = load(x, n);
    unsigned sum = v.x + v.y + v.z + v.w, total, s = block_scan(sum, total) - sum;
    if (blockIdx.x > 0)
        s += before[blockIdx.x - 1];
    v.y += v.x, v.z += v.y, v.w += v.z;
    v = exclusive ? uint4{s, s + v.x, s + v.y, s + v.z} : uint4{s + v.x, s + v.y, s + v.z, s + v.w};
    size_t at = (size_t)blockIdx.x * of_tile + threadIdx.x * of_thread;
    if (at + 4 <= n)
        *(uint4 *)(y + at) = v;
    else {
        if (at < n)
            y[at] = v.x;
        if (at + 1 < n)
            y[at + 1] = v.y;
        if (at + 2 < n)
            y[at + 2] = v.z;
    }
}

// Bytes of scratch memory that launch_scan needs for n elements.
size_t scan_scratch(size_t n)
{
    return (n + of_tile - 1) / of_tile * sizeof(unsigned);
}

// Starts what puts the sums of x[0..i] into y[i], or of x[0..i) when `exclusive`, for each i < n, modulo 2^32, and does not
// wait. y may be x. scratch has scan_scratch(n) bytes, and nothing is known of what they contain. Pointers are the
// device's and aligned to 16 bytes.
cudaError_t launch_scan(const unsigned *x, unsigned *y, size_t n, bool exclusive, void *scratch, cudaStream_t stream)
{
    if (n == 0)
        return cudaSuccess;
    size_t tiles = (n + of_tile - 1) / of_tile;
    unsigned *sums = (unsigned *)scratch;
    sum_tiles<<<(unsigned)tiles, threads, 0, stream>>>(x, sums, n);
    scan_tiles<<<(unsigned)tiles, threads, 0, stream>>>(x, y, sums, n, exclusive);
    return cudaGetLastError();
}
