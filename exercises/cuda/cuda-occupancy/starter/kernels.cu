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
constexpr int threads = 256;

// The block of `normalise`: its threads, the registers that you allow a thread, and its shared memory.
Block normalise_block()
{
    return {threads, 40, 3 * width * (int)sizeof(float)};
}

// Row b of y = row b of x / sqrt(mean of its squares + 1e-5). Launched with a block for each row of `width` floats;
// x and y are aligned to 16 bytes.
// TODO: right, but 48 KB a block leave most of a multiprocessor empty: change it until all 2,048 threads fit
__global__ void normalise(const float *x, float *y)
{
    __shared__ float row[width], squares[width], result[width];
    const float *from = x + (size_t)blockIdx.x * width;
    float *to = y + (size_t)blockIdx.x * width;
    for (int i = threadIdx.x; i < width; i += threads) {
        row[i] = from[i];
        squares[i] = row[i] * row[i];
    }
    for (int half = width / 2; half > 0; half /= 2) {
        __syncthreads();
        for (int i = threadIdx.x; i < half; i += threads)
            squares[i] += squares[i + half];
    }
    __syncthreads();
    for (int i = threadIdx.x; i < width; i += threads)
        result[i] = row[i] * rsqrtf(squares[0] / width + 1e-5f);
    for (int i = threadIdx.x; i < width; i += threads)
        to[i] = result[i];
}

// y[i] = a x[i] for i < n, for any number of blocks of up to 256 threads; x and y are aligned to 16 bytes and do not
// overlap.
__global__ void scale(const float *x, float *y, size_t n, float a)
{
    // TODO: a loop over the grid, first one float at a time; then 16 bytes a load, and eight loads under way
}
