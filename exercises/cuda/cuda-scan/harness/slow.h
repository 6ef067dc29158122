// Makes some blocks slow, in the emulation: it runs a block until all of its threads wait, and so a block that has begun
// would mostly have ended before another one begins. Included before the learner's source; SALT says which blocks.
#pragma once

#include <cuda_runtime.h>

__device__ inline void stand_still()
{
    if (threadIdx.x == 0 && ((blockIdx.x + SALT) * 2654435761u >> 16) % 3 == 0)
        for (unsigned round = 0; round < 12; round++)
            __nanosleep(100);  // in each of them another block may begin
}

#define __syncthreads() (stand_still(), __syncthreads())
