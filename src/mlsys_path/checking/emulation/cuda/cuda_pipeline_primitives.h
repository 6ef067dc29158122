// Copies from device to shared memory that go on while the thread does (cp.async): the primitives of cuda_pipeline.h.
#pragma once

#include <cstddef>

#include "mlsys/qualifiers.h"
#include "mlsys/runtime.h"

__forceinline__ void __pipeline_memcpy_async(
    void *to_shared, const void *from_global, size_t size, size_t zfill = 0, mlsys::Site at = mlsys::here())
{
    mlsys_async_copy(to_shared, from_global, size, zfill, at);
}
__forceinline__ void __pipeline_commit(mlsys::Site at = mlsys::here()) { mlsys_async_commit(at); }
__forceinline__ void __pipeline_wait_prior(size_t prior, mlsys::Site at = mlsys::here()) { mlsys_async_wait(prior, at); }
