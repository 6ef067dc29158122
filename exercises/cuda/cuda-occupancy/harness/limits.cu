// What the CUDA runtime says of this device and of kernels that nobody launches: no code of a learner's is in here.
//
// First a line: the limits of the device. Then a line for each of a number of blocks:
//   THREADS REGISTERS SHARED BLOCKS    where BLOCKS is the answer of the runtime's occupancy calculator
#include <cstdio>
#include <cstdlib>

#include <cuda_runtime.h>

namespace {

constexpr int values = 112;

void must(cudaError_t error, const char *what)
{
    if (error == cudaSuccess)
        return;
    fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
    exit(4);
}

// More values than the registers that most of the bounds allow, so that the kernels differ in registers.
template <int THREADS, int BLOCKS> __global__ void __launch_bounds__(THREADS, BLOCKS) kernel(const float *x, float *y)
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

__global__ void small(float *y) { y[threadIdx.x] = 1; }

template <class Kernel> void ask(Kernel kernel, int most_shared)
{
    cudaFuncAttributes attributes;
    must(cudaFuncGetAttributes(&attributes, kernel), "cudaFuncGetAttributes");
    must(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, most_shared), "cudaFuncSetAttribute");
    for (int threads = 1; threads <= attributes.maxThreadsPerBlock; threads += 1 + threads / 3)
        for (int shared = 0; shared <= most_shared; shared += 1 + shared / 3) {
            int blocks;
            must(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, threads, (size_t)shared), "occupancy");
            printf("%d %d %d %d\n", threads, attributes.numRegs, (int)attributes.sharedSizeBytes + shared, blocks);
        }
}

}  // namespace

int main()
{
    cudaDeviceProp p;
    must(cudaGetDeviceProperties(&p, 0), "cudaGetDeviceProperties");
    printf("%d %d %d %d %d %d %d %d\n", p.major, p.multiProcessorCount, p.maxThreadsPerMultiProcessor / p.warpSize,
           p.maxBlocksPerMultiProcessor, p.regsPerMultiprocessor, (int)p.sharedMemPerMultiprocessor,
           (int)p.reservedSharedMemPerBlock, (int)p.sharedMemPerBlockOptin);
    int most = (int)p.sharedMemPerBlockOptin;
    ask(small, most);
    ask(kernel<128, 1>, most);
    ask(kernel<1024, 1>, most);
    ask(kernel<384, 3>, most);
    ask(kernel<256, 5>, most);
    ask(kernel<256, 6>, most);
    return 0;
}
