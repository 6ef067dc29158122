// How often each byte occurs, on the GPU.

#include <cstddef>
#include <cstdint>
#include <cuda_runtime.h>

// Adds to bins[v], for each v, how often it occurs in x[0..n); together the blocks read each byte once.
__global__ void count_bytes(const unsigned char *x, size_t n, unsigned *bins)
{
    // TODO: 1. counts of your own in shared memory, set to 0 by all threads of the block, however many there are
    //       2. a barrier; 3. a grid-stride loop that counts in them; 4. a barrier
    //       5. each count that is not 0 is added to bins by one atomic addition
}

// Starts what puts into bins[v], for each of the 256 v, how often it occurs in x[0..n), on `stream`, and does not wait. All
// pointers are the device's; x is aligned to nothing, n is below 2^32, and nothing is known of what bins contain.
cudaError_t launch_histogram(const unsigned char *x, size_t n, unsigned *bins, cudaStream_t stream)
{
    // TODO: bins have to be 0 before anybody adds to them. How many blocks are worth 256 atomic additions each?
    return cudaErrorNotYetImplemented;
}
