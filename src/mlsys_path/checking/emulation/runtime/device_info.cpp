// What the runtime interface says of the device and of errors.
#include <cstring>

#include "streams.h"

using namespace mlsys;

const char *cudaGetErrorName(cudaError_t error)
{
    switch (error) {
#define MLSYS_NAME(NAME, CODE, WORDS)                                                                                     \
    case NAME:                                                                                                            \
        return #NAME;
        MLSYS_ERRORS(MLSYS_NAME)
    }
    return "unrecognized error code";
}
const char *cudaGetErrorString(cudaError_t error)
{
    switch (error) {
#define MLSYS_WORDS(NAME, CODE, WORDS)                                                                                    \
    case NAME:                                                                                                            \
        return WORDS;
        MLSYS_ERRORS(MLSYS_WORDS)
    }
    return "unrecognized error code";
}

cudaError_t cudaGetDeviceCount(int *count)
{
    *count = 1;
    return cudaSuccess;
}
cudaError_t cudaGetDevice(int *number)
{
    *number = 0;
    return cudaSuccess;
}
cudaError_t cudaSetDevice(int number) { return number == 0 ? cudaSuccess : set_error(cudaErrorInvalidDevice); }
cudaError_t cudaDeviceReset() { return cudaSuccess; }
cudaError_t cudaDriverGetVersion(int *version)
{
    *version = 12000;
    return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int *version) { return cudaDriverGetVersion(version); }
cudaError_t cudaMemGetInfo(size_t *available, size_t *total)
{
    *available = *total = 1ull << 30;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int number)
{
    if (number != 0)
        return set_error(cudaErrorInvalidDevice);
    switch (attribute) {
#define MLSYS_VALUE(NAME, NUMBER, VALUE)                                                                                  \
    case NAME:                                                                                                            \
        *value = VALUE;                                                                                                   \
        return cudaSuccess;
        MLSYS_ATTRIBUTES(MLSYS_VALUE)
    }
    return set_error(cudaErrorInvalidValue);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *p, int number)
{
    if (number != 0)
        return set_error(cudaErrorInvalidDevice);
    memset(p, 0, sizeof *p);
    strcpy(p->name, "emulated sm_90");
    p->totalGlobalMem = 1ull << 30;
    p->sharedMemPerBlock = 49152, p->regsPerBlock = 65536, p->warpSize = 32, p->memPitch = 2147483647;
    p->maxThreadsPerBlock = 1024;
    p->maxThreadsDim[0] = p->maxThreadsDim[1] = 1024, p->maxThreadsDim[2] = 64;
    p->maxGridSize[0] = 2147483647, p->maxGridSize[1] = p->maxGridSize[2] = 65535;
    p->clockRate = 1980000, p->totalConstMem = 65536, p->major = 9, p->minor = 0, p->multiProcessorCount = 132;
    p->canMapHostMemory = p->unifiedAddressing = p->managedMemory = p->concurrentKernels = p->concurrentManagedAccess = 1;
    p->asyncEngineCount = 3, p->ECCEnabled = 1;
    p->memoryClockRate = 2619000, p->memoryBusWidth = 5120, p->l2CacheSize = 52428800;
    p->maxThreadsPerMultiProcessor = 2048, p->maxBlocksPerMultiProcessor = 32, p->regsPerMultiprocessor = 65536;
    p->sharedMemPerMultiprocessor = 233472, p->sharedMemPerBlockOptin = 232448, p->reservedSharedMemPerBlock = 1024;
    return cudaSuccess;
}
