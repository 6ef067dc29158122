// CUDA's qualifiers. `__shared__`, variables of `__device__` and `__constant__`, `__noinline__` and <<<…>>> are rewritten
// before the compiler sees them.
#pragma once

#define __CUDACC__ 1
#define __NVCC__ 1
#define MLSYS_PATH_EMULATED 1  // for harnesses, which may leave out what only a GPU can do
#define __CUDACC_VER_MAJOR__ 12
#define __CUDACC_VER_MINOR__ 0
#define CUDART_VERSION 12000
#define CUDA_VERSION 12000
#define __CUDA_ARCH_LIST__ 900

// a kernel keeps its name and every one of its accesses: nothing of it is inlined, cloned or judged to be without effect
#define __global__ __attribute__((noipa))
#define __device__
#define __host__
#define __managed__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __maxnreg__(...)
#define __cluster_dims__(...) static_assert(false, "thread block clusters cannot be emulated on a CPU");
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))
#define __builtin_align__(n) __attribute__((aligned(n)))
#define __device_builtin__
#define __cudart_builtin__
#define __inline_hint__
#define CUDARTAPI
#define CUDART_CB
#ifndef __restrict__
#define __restrict__ __restrict
#endif

// every variable of these lies between two symbols of the linker, so that an access tells what it is
#define MLSYS_DEVICE_VARIABLE __attribute__((section("mlsys_device"), used))
#define MLSYS_CONSTANT_VARIABLE __attribute__((section("mlsys_constant"), used))
#define MLSYS_MANAGED_VARIABLE __attribute__((section("mlsys_managed"), used))
// where shared arrays that are declared outside of functions are found
#define MLSYS_REFERENCE __attribute__((section("mlsys_references")))
