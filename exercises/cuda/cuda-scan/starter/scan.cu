// Prefix sums on the GPU.

#include <cstddef>
#include <cuda_runtime.h>

// The sum of the lanes up to this one, itself included. All lanes have to call it.
__device__ unsigned warp_scan(unsigned value)
{
    // TODO: __shfl_up_sync(0xffffffff, value, d) is the value of the lane d further down, for d = 1, 2, 4, 8, 16; which
    // lanes have one? The others get their own value back
    return value;
}

// The same over the block, and the sum of all of it.
__device__ unsigned block_scan(unsigned value, unsigned &total)
{
    // TODO: 1. scan each warp; 2. its last lane puts the sum into shared memory; 3. a barrier; 4. the first warp scans
    //       the sums of the warps; 5. a barrier; 6. each thread adds the sum of the warps before its own
    total = value;
    return value;
}

// TODO: the kernels. In three: the sum of each tile, the scan of these sums, the scan of each tile from its sum on.
// In one: a tile publishes its sum, and looks back at what those before it have published.

// Bytes of scratch memory that launch_scan needs for n elements.
size_t scan_scratch(size_t n)
{
    return 0;
}

// Starts what puts the sums of x[0..i] into y[i], or of x[0..i) when `exclusive`, for each i < n, modulo 2^32, and does not
// wait. y may be x. scratch has scan_scratch(n) bytes, and nothing is known of what they contain. Pointers are the
// device's and aligned to 16 bytes.
cudaError_t launch_scan(const unsigned *x, unsigned *y, size_t n, bool exclusive, void *scratch, cudaStream_t stream)
{
    // TODO: n may be 0; a kernel with no blocks is an error
    return cudaErrorNotYetImplemented;
}
