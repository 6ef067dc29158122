// The emulated device: the numbers of an H100 (SXM, compute capability 9.0).
#pragma once

#include <cstddef>

struct cudaDeviceProp {
    char name[256];
    size_t totalGlobalMem, sharedMemPerBlock;
    int regsPerBlock, warpSize;
    size_t memPitch;
    int maxThreadsPerBlock, maxThreadsDim[3], maxGridSize[3];
    int clockRate;
    size_t totalConstMem;
    int major, minor;
    int multiProcessorCount;
    int integrated, canMapHostMemory, unifiedAddressing, managedMemory, concurrentKernels, asyncEngineCount, ECCEnabled;
    int memoryClockRate, memoryBusWidth, l2CacheSize;
    int maxThreadsPerMultiProcessor, maxBlocksPerMultiProcessor, regsPerMultiprocessor;
    size_t sharedMemPerMultiprocessor, sharedMemPerBlockOptin, reservedSharedMemPerBlock;
    int cooperativeLaunch, pageableMemoryAccess, concurrentManagedAccess;
    int pciBusID, pciDeviceID, pciDomainID;
};

// attribute, its number in CUDA, its value
#define MLSYS_ATTRIBUTES(X)                                                                                               \
    X(cudaDevAttrMaxThreadsPerBlock, 1, 1024)                                                                             \
    X(cudaDevAttrMaxBlockDimX, 2, 1024)                                                                                   \
    X(cudaDevAttrMaxBlockDimY, 3, 1024)                                                                                   \
    X(cudaDevAttrMaxBlockDimZ, 4, 64)                                                                                     \
    X(cudaDevAttrMaxGridDimX, 5, 2147483647)                                                                              \
    X(cudaDevAttrMaxGridDimY, 6, 65535)                                                                                   \
    X(cudaDevAttrMaxGridDimZ, 7, 65535)                                                                                   \
    X(cudaDevAttrMaxSharedMemoryPerBlock, 8, 49152)                                                                       \
    X(cudaDevAttrTotalConstantMemory, 9, 65536)                                                                           \
    X(cudaDevAttrWarpSize, 10, 32)                                                                                        \
    X(cudaDevAttrMaxPitch, 11, 2147483647)                                                                                \
    X(cudaDevAttrMaxRegistersPerBlock, 12, 65536)                                                                         \
    X(cudaDevAttrClockRate, 13, 1980000)                                                                                  \
    X(cudaDevAttrMultiProcessorCount, 16, 132)                                                                            \
    X(cudaDevAttrIntegrated, 18, 0)                                                                                       \
    X(cudaDevAttrCanMapHostMemory, 19, 1)                                                                                 \
    X(cudaDevAttrConcurrentKernels, 31, 1)                                                                                \
    X(cudaDevAttrMemoryClockRate, 36, 2619000)                                                                            \
    X(cudaDevAttrGlobalMemoryBusWidth, 37, 5120)                                                                          \
    X(cudaDevAttrL2CacheSize, 38, 52428800)                                                                               \
    X(cudaDevAttrMaxThreadsPerMultiProcessor, 39, 2048)                                                                   \
    X(cudaDevAttrAsyncEngineCount, 40, 3)                                                                                 \
    X(cudaDevAttrUnifiedAddressing, 41, 1)                                                                                \
    X(cudaDevAttrComputeCapabilityMajor, 75, 9)                                                                           \
    X(cudaDevAttrComputeCapabilityMinor, 76, 0)                                                                           \
    X(cudaDevAttrMaxSharedMemoryPerMultiprocessor, 81, 233472)                                                            \
    X(cudaDevAttrMaxRegistersPerMultiprocessor, 82, 65536)                                                                \
    X(cudaDevAttrManagedMemory, 83, 1)                                                                                    \
    X(cudaDevAttrCooperativeLaunch, 95, 0)                                                                                \
    X(cudaDevAttrMaxSharedMemoryPerBlockOptin, 97, 232448)                                                                \
    X(cudaDevAttrMaxBlocksPerMultiprocessor, 106, 32)                                                                     \
    X(cudaDevAttrReservedSharedMemoryPerBlock, 111, 1024)

#define MLSYS_ATTRIBUTE(NAME, NUMBER, VALUE) NAME = NUMBER,
enum cudaDeviceAttr { MLSYS_ATTRIBUTES(MLSYS_ATTRIBUTE) };
#undef MLSYS_ATTRIBUTE
