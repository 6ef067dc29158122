// CUDA's runtime interface, as far as it can be emulated on a CPU.
#pragma once

#include <cstddef>

#include "mlsys/errors.h"
#include "mlsys/launch.h"
#include "mlsys/site.h"
#include "mlsys/properties.h"
#include "mlsys/vectors.h"

struct CUevent_st;
struct CUgraph_st;
struct CUgraphExec_st;
struct CUgraphNode_st;
using cudaEvent_t = CUevent_st *;
using cudaGraph_t = CUgraph_st *;
using cudaGraphExec_t = CUgraphExec_st *;
using cudaGraphNode_t = CUgraphNode_st *;
using cudaHostFn_t = void (*)(void *);
using cudaStreamCallback_t = void (*)(cudaStream_t, cudaError_t, void *);

enum cudaMemcpyKind {
    cudaMemcpyHostToHost,
    cudaMemcpyHostToDevice,
    cudaMemcpyDeviceToHost,
    cudaMemcpyDeviceToDevice,
    cudaMemcpyDefault,
};
enum cudaStreamCaptureMode { cudaStreamCaptureModeGlobal, cudaStreamCaptureModeThreadLocal, cudaStreamCaptureModeRelaxed };
enum cudaStreamCaptureStatus { cudaStreamCaptureStatusNone, cudaStreamCaptureStatusActive, cudaStreamCaptureStatusInvalidated };
enum cudaGraphNodeType {
    cudaGraphNodeTypeKernel,
    cudaGraphNodeTypeMemcpy,
    cudaGraphNodeTypeMemset,
    cudaGraphNodeTypeHost,
    cudaGraphNodeTypeGraph,
    cudaGraphNodeTypeEmpty,
    cudaGraphNodeTypeWaitEvent,
    cudaGraphNodeTypeEventRecord,
};

constexpr unsigned cudaStreamDefault = 0, cudaStreamNonBlocking = 1;
constexpr unsigned cudaEventDefault = 0, cudaEventBlockingSync = 1, cudaEventDisableTiming = 2;
constexpr unsigned cudaHostAllocDefault = 0, cudaHostAllocPortable = 1, cudaHostAllocMapped = 2, cudaHostAllocWriteCombined = 4;
constexpr unsigned cudaMemAttachGlobal = 1, cudaMemAttachHost = 2;
constexpr int cudaCpuDeviceId = -1;
#define cudaStreamLegacy (reinterpret_cast<cudaStream_t>(0x1))
#define cudaStreamPerThread (reinterpret_cast<cudaStream_t>(0x2))

#define MLSYS_AT mlsys::Site at = mlsys::here()

// errors
cudaError_t cudaGetLastError();
cudaError_t cudaPeekAtLastError();
const char *cudaGetErrorName(cudaError_t);
const char *cudaGetErrorString(cudaError_t);

// the device
cudaError_t cudaGetDeviceCount(int *count);
cudaError_t cudaGetDevice(int *device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaDeviceSynchronize(MLSYS_AT);
cudaError_t cudaDeviceReset();
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device);
cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int device);
cudaError_t cudaMemGetInfo(size_t *available, size_t *total);
cudaError_t cudaDriverGetVersion(int *version);
cudaError_t cudaRuntimeGetVersion(int *version);

// memory
cudaError_t cudaMalloc(void **pointer, size_t size, MLSYS_AT);
cudaError_t cudaMallocAsync(void **pointer, size_t size, cudaStream_t stream, MLSYS_AT);
cudaError_t cudaMallocManaged(void **pointer, size_t size, unsigned flags = cudaMemAttachGlobal, MLSYS_AT);
cudaError_t cudaMallocHost(void **pointer, size_t size, unsigned flags = 0, MLSYS_AT);
cudaError_t cudaMallocPitch(void **pointer, size_t *pitch, size_t width, size_t height, MLSYS_AT);
cudaError_t cudaFree(void *pointer, MLSYS_AT);
cudaError_t cudaFreeAsync(void *pointer, cudaStream_t stream, MLSYS_AT);
cudaError_t cudaFreeHost(void *pointer, MLSYS_AT);
cudaError_t cudaHostRegister(void *pointer, size_t size, unsigned flags);
cudaError_t cudaHostUnregister(void *pointer);
cudaError_t cudaHostGetDevicePointer(void **device, void *host, unsigned flags);
cudaError_t cudaMemcpy(void *to, const void *from, size_t size, cudaMemcpyKind kind, MLSYS_AT);
cudaError_t cudaMemcpyAsync(
    void *to, const void *from, size_t size, cudaMemcpyKind kind, cudaStream_t stream = nullptr, MLSYS_AT);
cudaError_t cudaMemcpy2D(
    void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t width, size_t height, cudaMemcpyKind kind, MLSYS_AT);
cudaError_t cudaMemset(void *at_device, int value, size_t size, MLSYS_AT);
cudaError_t cudaMemsetAsync(void *at_device, int value, size_t size, cudaStream_t stream = nullptr, MLSYS_AT);
cudaError_t cudaMemPrefetchAsync(const void *pointer, size_t size, int device, cudaStream_t stream = nullptr);
inline cudaError_t cudaHostAlloc(void **pointer, size_t size, unsigned flags, MLSYS_AT)
{
    return cudaMallocHost(pointer, size, flags, at);
}

// streams and events
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags);
cudaError_t cudaStreamCreateWithPriority(cudaStream_t *stream, unsigned flags, int priority);
cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *greatest);
inline cudaError_t cudaStreamCreate(cudaStream_t *stream) { return cudaStreamCreateWithFlags(stream, cudaStreamDefault); }
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream, MLSYS_AT);
cudaError_t cudaStreamQuery(cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags = 0);
cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void *data, MLSYS_AT);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags);
inline cudaError_t cudaEventCreate(cudaEvent_t *event, unsigned flags = 0) { return cudaEventCreateWithFlags(event, flags); }
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream = nullptr, MLSYS_AT);
cudaError_t cudaEventSynchronize(cudaEvent_t event, MLSYS_AT);
cudaError_t cudaEventQuery(cudaEvent_t event);
cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start, cudaEvent_t end);

// graphs: what a stream captures
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph);
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus *status);
cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *count);
cudaError_t cudaGraphGetEdges(cudaGraph_t graph, cudaGraphNode_t *from, cudaGraphNode_t *to, size_t *count);
struct cudaGraphEdgeData;
inline cudaError_t cudaGraphGetEdges(
    cudaGraph_t graph, cudaGraphNode_t *from, cudaGraphNode_t *to, cudaGraphEdgeData *, size_t *count)
{
    return cudaGraphGetEdges(graph, from, to, count);  // as CUDA 13 has it
}
cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, cudaGraphNodeType *type);
cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *executable, cudaGraph_t graph, unsigned long long flags = 0);
inline cudaError_t cudaGraphInstantiate(cudaGraphExec_t *executable, cudaGraph_t graph, unsigned long long flags = 0)
{
    return cudaGraphInstantiateWithFlags(executable, graph, flags);
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream, MLSYS_AT);
cudaError_t cudaGraphUpload(cudaGraphExec_t executable, cudaStream_t stream);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);

// attributes of kernels
enum cudaFuncAttribute {
    cudaFuncAttributeMaxDynamicSharedMemorySize = 8,
    cudaFuncAttributePreferredSharedMemoryCarveout = 9,
};
enum cudaFuncCache { cudaFuncCachePreferNone, cudaFuncCachePreferShared, cudaFuncCachePreferL1, cudaFuncCachePreferEqual };
constexpr int cudaSharedmemCarveoutDefault = -1, cudaSharedmemCarveoutMaxShared = 100, cudaSharedmemCarveoutMaxL1 = 0;

namespace mlsys {
cudaError_t set_attribute(const void *kernel, cudaFuncAttribute attribute, int value);
cudaError_t active_blocks(int *blocks, const void *kernel, int threads, size_t shared);
void copy_symbol(const void *symbol, size_t extent, void *data, size_t size, size_t offset, bool to_symbol, cudaStream_t, Site);
void *symbol_address(const void *symbol, size_t size);
}  // namespace mlsys

template <class K> inline cudaError_t cudaFuncSetAttribute(K kernel, cudaFuncAttribute attribute, int value)
{
    return mlsys::set_attribute(mlsys::address(kernel), attribute, value);
}
template <class K> inline cudaError_t cudaFuncSetCacheConfig(K, cudaFuncCache) { return cudaSuccess; }
template <class K>
inline cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, K kernel, int threads, size_t shared)
{
    return mlsys::active_blocks(blocks, mlsys::address(kernel), threads, shared);
}
template <class K>
inline cudaError_t cudaOccupancyMaxPotentialBlockSize(int *grid, int *block, K, size_t = 0, int limit = 0)
{
    *block = limit > 0 && limit < 1024 ? limit : 1024;
    *grid = 132 * (2048 / *block);
    return cudaSuccess;
}

// typed forms
template <class T> inline cudaError_t cudaMalloc(T **pointer, size_t size, MLSYS_AT)
{
    return cudaMalloc(reinterpret_cast<void **>(pointer), size, at);
}
template <class T> inline cudaError_t cudaMallocAsync(T **pointer, size_t size, cudaStream_t stream, MLSYS_AT)
{
    return cudaMallocAsync(reinterpret_cast<void **>(pointer), size, stream, at);
}
template <class T> inline cudaError_t cudaMallocManaged(T **pointer, size_t size, unsigned flags = cudaMemAttachGlobal, MLSYS_AT)
{
    return cudaMallocManaged(reinterpret_cast<void **>(pointer), size, flags, at);
}
template <class T> inline cudaError_t cudaMallocHost(T **pointer, size_t size, unsigned flags = 0, MLSYS_AT)
{
    return cudaMallocHost(reinterpret_cast<void **>(pointer), size, flags, at);
}
template <class T> inline cudaError_t cudaHostAlloc(T **pointer, size_t size, unsigned flags, MLSYS_AT)
{
    return cudaMallocHost(reinterpret_cast<void **>(pointer), size, flags, at);
}
template <class T> inline cudaError_t cudaMallocPitch(T **pointer, size_t *pitch, size_t width, size_t height, MLSYS_AT)
{
    return cudaMallocPitch(reinterpret_cast<void **>(pointer), pitch, width, height, at);
}
template <class T> inline cudaError_t cudaHostGetDevicePointer(T **device, void *host, unsigned flags)
{
    return cudaHostGetDevicePointer(reinterpret_cast<void **>(device), host, flags);
}

// variables of `__device__` and `__constant__`
template <class T>
inline cudaError_t cudaMemcpyToSymbol(
    const T &symbol, const void *from, size_t size, size_t offset = 0, cudaMemcpyKind = cudaMemcpyHostToDevice, MLSYS_AT)
{
    mlsys::copy_symbol(&symbol, sizeof symbol, const_cast<void *>(from), size, offset, true, nullptr, at);
    return cudaSuccess;
}
template <class T>
inline cudaError_t cudaMemcpyToSymbolAsync(const T &symbol, const void *from, size_t size, size_t offset, cudaMemcpyKind,
    cudaStream_t stream = nullptr, MLSYS_AT)
{
    mlsys::copy_symbol(&symbol, sizeof symbol, const_cast<void *>(from), size, offset, true, stream, at);
    return cudaSuccess;
}
template <class T>
inline cudaError_t cudaMemcpyFromSymbol(
    void *to, const T &symbol, size_t size, size_t offset = 0, cudaMemcpyKind = cudaMemcpyDeviceToHost, MLSYS_AT)
{
    mlsys::copy_symbol(&symbol, sizeof symbol, to, size, offset, false, nullptr, at);
    return cudaSuccess;
}
template <class T> inline cudaError_t cudaGetSymbolAddress(void **pointer, const T &symbol)
{
    *pointer = mlsys::symbol_address(&symbol, sizeof symbol);
    return cudaSuccess;
}
template <class T> inline cudaError_t cudaGetSymbolSize(size_t *size, const T &)
{
    *size = sizeof(T);
    return cudaSuccess;
}
#undef MLSYS_AT
