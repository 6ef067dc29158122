// Prefix sums on the GPU, a kernel for each distance.

#include <cstddef>
#include <cuda_runtime.h>

constexpr unsigned threads = 256;

// to[i] = from[i] + from[i - distance]
__global__ void add_at_distance(const unsigned *from, unsigned *to, size_t n, size_t distance)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        to[i] = from[i] + (i >= distance ? from[i - distance] : 0);
}

// to[i] = from[i - 1]
__global__ void shift(const unsigned *from, unsigned *to, size_t n, bool exclusive)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        to[i] = !exclusive ? from[i] : i > 0 ? from[i - 1] : 0;
}

// Bytes of scratch memory that launch_scan needs for n elements.
size_t scan_scratch(size_t n)
{
    return 2 * n * sizeof(unsigned);
}

// Starts what puts the sums of x[0..i] into y[i], or of x[0..i) when `exclusive`, for each i < n, modulo 2^32, and does not
// wait. y may be x. scratch has scan_scratch(n) bytes, and nothing is known of what they contain. Pointers are the
// device's and aligned to 16 bytes.
cudaError_t launch_scan(const unsigned *x, unsigned *y, size_t n, bool exclusive, void *scratch, cudaStream_t stream)
{
    if (n == 0)
        return cudaSuccess;
    unsigned blocks = (unsigned)((n + threads - 1) / threads);
    unsigned *to = (unsigned *)scratch, *other = to + n;
    const unsigned *from = x;
    for (size_t distance = 1; distance < n; distance *= 2) {
        add_at_distance<<<blocks, threads, 0, stream>>>(from, to, n, distance);
        from = to, to = other, other = (unsigned *)from;
    }
    shift<<<blocks, threads, 0, stream>>>(from, y, n, exclusive);
    return cudaGetLastError();
}
