// Kernels that want far more registers than their bounds allow: what ptxas gives them is the most that fits.

constexpr int values = 112;

__device__ __forceinline__ void hungry(const float *x, float *y)
{
    float v[values];
#pragma unroll
    for (int i = 0; i < values; i++)
        v[i] = x[i * 1024 + threadIdx.x];
#pragma unroll
    for (int i = 0; i < values; i++)
        v[i] = v[i] * v[(i * 7 + 3) % values] + v[(i * 5 + 11) % values];
#pragma unroll
    for (int i = 0; i < values; i++)
        y[i * 1024 + threadIdx.x] = v[i];
}

#define HUNGRY(THREADS, BLOCKS)                                                                                       \
    __global__ void __launch_bounds__(THREADS, BLOCKS) hungry_##THREADS##_##BLOCKS(const float *x, float *y)         \
    {                                                                                                                 \
        hungry(x, y);                                                                                                 \
    }

HUNGRY(1024, 1)
HUNGRY(256, 3)
HUNGRY(256, 5)
HUNGRY(256, 7)
HUNGRY(160, 5)
HUNGRY(96, 7)
HUNGRY(384, 3)
HUNGRY(64, 20)
