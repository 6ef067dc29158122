// Two kernels: one lives on resident warps, the other on few of them.

#include <cstddef>
#include <cuda_runtime.h>

// The program that launches your kernels has the same structure: leave it as it is.
struct Block {
    int threads;
    int registers;  // of a thread, at most
    int shared;     // bytes of static shared memory
};

constexpr int width = 4096;  // floats of a row
constexpr int threads = 128, warps = threads / 32, quads = width / 4 / threads;

// The block of `normalise`: its threads, the registers that you allow a thread, and its shared memory.
Block normalise_block()
{
    // 16 blocks of 128 threads are all 2,048 that fit: 65,536 / 2,048 = 32 registers each
    return {threads, 32, warps * (int)sizeof(float)};
}

// Row b of y = row b of x / sqrt(mean of its squares + 1e-5). Launched with a block for each row of `width` floats;
// x and y are aligned to 16 bytes. The row stays in registers, 16 floats a thread, between its one read and its one write.
__global__ void normalise(const float *x, float *y)
{
    __shared__ float of_warp[warps];
    size_t row = (size_t)blockIdx.x * (width / 4);
    const float4 *from = reinterpret_cast<const float4 *>(x) + row;
    float4 *to = reinterpret_cast<float4 *>(y) + row;

    float4 values[quads];
#pragma unroll
    for (int i = 0; i < quads; i++)
        values[i] = from[i * threads + threadIdx.x];
    float sum = 0;
#pragma unroll
    for (int i = 0; i < quads; i++)
        sum += values[i].x * values[i].x + values[i].y * values[i].y + values[i].z * values[i].z +
               values[i].w * values[i].w;

    for (int distance = 16; distance > 0; distance /= 2)
        sum += __shfl_xor_sync(0xffffffff, sum, distance);
    if (threadIdx.x % 32 == 0)
        of_warp[threadIdx.x / 32] = sum;
    __syncthreads();
    sum = 0;
    for (int i = 0; i < warps; i++)
        sum += of_warp[i];

    float factor = rsqrtf(sum / width + 1e-5f);
#pragma unroll
    for (int i = 0; i < quads; i++) {
        float4 v = values[i];
        to[i * threads + threadIdx.x] = make_float4(v.x * factor, v.y * factor, v.z * factor, v.w * factor);
    }
}

// y[i] = a x[i] for i < n, for any number of blocks of up to 256 threads; x and y are aligned to 16 bytes and do not
// overlap. A thread begins 8 loads of 16 bytes before it needs the first: 128 bytes under way, in 32 registers. Without
// the bounds ptxas makes do with 32 registers in all, so that every warp fits, and moves loads behind stores for it.
__global__ void __launch_bounds__(256, 1) scale(const float *__restrict__ x, float *__restrict__ y, size_t n, float a)
{
    constexpr int loads = 8;
    size_t all = (size_t)gridDim.x * blockDim.x, quads = n / 4;
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    const float4 *from = reinterpret_cast<const float4 *>(x);
    float4 *to = reinterpret_cast<float4 *>(y);

    size_t q = i;
    for (; q + (loads - 1) * all < quads; q += loads * all) {
        float4 v[loads];
#pragma unroll
        for (int k = 0; k < loads; k++)
            v[k] = from[q + k * all];
#pragma unroll
        for (int k = 0; k < loads; k++)
            to[q + k * all] = make_float4(a * v[k].x, a * v[k].y, a * v[k].z, a * v[k].w);
    }
    for (; q < quads; q += all) {
        float4 v = from[q];
        to[q] = make_float4(a * v.x, a * v.y, a * v.z, a * v.w);
    }
    for (size_t rest = 4 * quads + i; rest < n; rest += all)  // at most three floats
        y[rest] = a * x[rest];
}
