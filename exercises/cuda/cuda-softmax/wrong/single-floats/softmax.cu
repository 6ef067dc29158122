// y = softmax of each row of x on the GPU.

#include <cmath>
#include <cstddef>
#include <cuda_runtime.h>

constexpr unsigned lanes = 32;           // threads of a warp
constexpr unsigned held = 32;            // elements of a row that a thread keeps in registers
constexpr unsigned most_threads = 1024;  // so that 32,768 elements of a row need to be read only once
constexpr unsigned narrow_rows = 4;      // rows of a block, where one warp is enough for a row

// What is known of some elements: the largest, and the sum of exp(x - largest). Of no elements: minus infinity and 0.
struct Partial {
    float largest, sum;
};

__device__ Partial merge(Partial a, Partial b)
{
    float largest = fmaxf(a.largest, b.largest);
    if (largest == -INFINITY)
        return {largest, 0.0f};  // the differences below would be infinity less infinity
    return {largest, a.sum * __expf(a.largest - largest) + b.sum * __expf(b.largest - largest)};
}

// Of all lanes, in all lanes.
__device__ Partial warp_merge(Partial mine)
{
#pragma unroll
    for (unsigned distance = lanes / 2; distance > 0; distance /= 2)
        mine = merge(mine, {__shfl_xor_sync(0xffffffff, mine.largest, distance),
                            __shfl_xor_sync(0xffffffff, mine.sum, distance)});
    return mine;
}

// Of the threads with this threadIdx.y, in all of them; to be called once.
__device__ Partial row_merge(Partial mine)
{
    __shared__ Partial of_warp[lanes];
    unsigned lane = threadIdx.x % lanes, warp = threadIdx.x / lanes, warps = blockDim.x / lanes;
    mine = warp_merge(mine);
    if (warps == 1)
        return mine;
    if (lane == 0)
        of_warp[warp] = mine;
    __syncthreads();
    // each warp merges all of them for itself: nobody has to hand the result round
    return warp_merge(lane < warps ? of_warp[lane] : Partial{-INFINITY, 0.0f});
}

// This thread's elements of `left` that lie at `from`: float4s a block apart, or floats; minus infinity beyond the row.
__device__ void load(const float *from, unsigned left, bool aligned, float (&values)[held])
{
    if (aligned) {
#pragma unroll
        for (unsigned i = 0; i < held; i += 4) {
            unsigned at = i * blockDim.x + 4 * threadIdx.x;
            float4 four = make_float4(-INFINITY, -INFINITY, -INFINITY, -INFINITY);
            if (at < left)
                four = *reinterpret_cast<const float4 *>(from + at);
            values[i] = four.x, values[i + 1] = four.y, values[i + 2] = four.z, values[i + 3] = four.w;
        }
    } else {
#pragma unroll
        for (unsigned i = 0; i < held; i++) {
            unsigned at = i * blockDim.x + threadIdx.x;
            values[i] = at < left ? from[at] : -INFINITY;
        }
    }
}

// The same elements, times `scale`.
__device__ void store(float *to, unsigned left, bool aligned, const float (&values)[held], float scale)
{
    if (aligned) {
#pragma unroll
        for (unsigned i = 0; i < held; i += 4) {
            unsigned at = i * blockDim.x + 4 * threadIdx.x;
            if (at < left)
                *reinterpret_cast<float4 *>(to + at) = make_float4(
                    values[i] * scale, values[i + 1] * scale, values[i + 2] * scale, values[i + 3] * scale);
        }
    } else {
#pragma unroll
        for (unsigned i = 0; i < held; i++) {
            unsigned at = i * blockDim.x + threadIdx.x;
            if (at < left)
                to[at] = values[i] * scale;
        }
    }
}

// Replaces each x by exp(x - base), and returns their sum.
__device__ float exponentials(float (&values)[held], float base)
{
    float sum = 0;
#pragma unroll
    for (unsigned i = 0; i < held; i++)
        sum += values[i] = __expf(values[i] - base);
    return sum;
}

// x and y have `rows` rows of `cols` floats. blockDim.x threads for a row; blockDim.y rows where that is one warp.
__global__ void __launch_bounds__(most_threads)
    softmax(const float *__restrict__ x, float *__restrict__ y, size_t rows, size_t cols)
{
    size_t row = (size_t)blockIdx.x * blockDim.y + threadIdx.y;
    if (row >= rows)
        return;  // a whole warp, of a block whose warps do not wait for one another
    x += row * cols, y += row * cols;
    bool aligned = false;
    unsigned part = held * blockDim.x, rest = (unsigned)((cols - 1) % part) + 1;
    size_t last = cols - rest;

    // one pass, part by part. Of the last the exponentials stay in registers; rarely is there another
    float values[held];
    Partial mine = {-INFINITY, 0.0f}, of_part;
    for (size_t first = 0; first <= last; first += part) {
        load(x + first, first < last ? part : rest, aligned, values);
        of_part.largest = -INFINITY;
#pragma unroll
        for (unsigned i = 0; i < held; i++)
            of_part.largest = fmaxf(of_part.largest, values[i]);
        of_part.sum = exponentials(values, of_part.largest == -INFINITY ? 0.0f : of_part.largest);
        mine = merge(mine, of_part);
    }
    Partial all = row_merge(mine);

    // a row of nothing but minus infinity becomes zeros
    float base = all.sum > 0 ? all.largest : 0.0f, scale = all.sum > 0 ? 1 / all.sum : 0.0f;
    store(y + last, rest, aligned, values, scale * __expf(of_part.largest - base));
    for (size_t first = 0; first < last; first += part) {
        load(x + first, part, aligned, values);
        exponentials(values, base);
        store(y + first, part, aligned, values, scale);
    }
}

// Starts softmax on `stream` and does not wait for it. x and y begin at multiples of 16 bytes.
cudaError_t launch_softmax(const float *x, float *y, size_t rows, size_t cols, cudaStream_t stream)
{
    if (rows == 0 || cols == 0)
        return cudaSuccess;  // a grid without blocks is an error
    size_t threads = (cols + held * lanes - 1) / (held * lanes) * lanes;  // whole warps that hold a row, if they may
    threads = threads < most_threads ? threads : most_threads;
    unsigned together = threads == lanes ? narrow_rows : 1;
    size_t blocks = (rows + together - 1) / together;
    softmax<<<(unsigned)blocks, dim3((unsigned)threads, together), 0, stream>>>(x, y, rows, cols);
    return cudaGetLastError();
}
