// Runs vector_add on what arrives on the standard input, and reports what it finds in memory afterwards.
//
// A request is a line and binary data:
//   kernel N OFFSET BLOCKS THREADS   N floats of a, N of b: the kernel in a launch of this shape
//   launch N OFFSET 0 0              the same by launch_vector_add, on a stream of its own
//   stream N OFFSET 0 0              the same, captured into a graph, which is launched afterwards
//   huge N K 0 0                     K pairs of a 64-bit index and a float: the only elements that are looked at
// The data begins OFFSET floats behind an aligned address, between guards. The answer is a line
//   LAUNCH FINISH GUARDS INPUTS KERNELS
// and then, when LAUNCH and FINISH are both cudaSuccess, the floats of c: what starting returned, what waiting
// returned, how many guard elements around a, b and c were changed, how many elements of a and b, and how many kernels
// were captured.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <cuda_runtime.h>

__global__ void vector_add(const float *a, const float *b, float *c, size_t n);
cudaError_t launch_vector_add(const float *a, const float *b, float *c, size_t n, cudaStream_t stream);

namespace {

#ifdef MLSYS_PATH_EMULATED
constexpr size_t guard = 0;  // the emulation knows where each array ends
#else
constexpr size_t guard = 1024;  // floats before and behind
#endif
constexpr unsigned char fill = 0xA5;  // every byte that nobody has written: about -2.87e-16 as a float

void must(cudaError_t error, const char *what)
{
    if (error == cudaSuccess)
        return;
    fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
    exit(4);
}

void read_all(void *to, size_t size)
{
    if (fread(to, 1, size, stdin) != size)
        exit(5);
}

// n floats on the device between two guards, and what they should be apart from what the kernel writes.
class Array {
  public:
    Array(size_t n, size_t offset) : n(n), before(guard + offset), image(n + offset + 2 * guard)
    {
        memset(image.data(), fill, bytes());
        must(cudaMalloc(&base, bytes()), "cudaMalloc");
    }
    ~Array() { cudaFree(base); }
    float *host() { return image.data() + before; }
    float *device() { return base + before; }
    void upload()
    {
        must(cudaMemcpy(base, image.data(), bytes(), cudaMemcpyHostToDevice), "copy to the device");
        // the copy of pageable memory may still be on its way, and a non-blocking stream does not wait for it
        must(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    }

    // What lies on the device now: the number of changed elements in and around the n floats.
    void compare(std::vector<float> &now, size_t &inside, size_t &around)
    {
        now.resize(image.size());
        must(cudaMemcpy(now.data(), base, bytes(), cudaMemcpyDeviceToHost), "copy from the device");
        for (size_t i = 0; i < now.size(); i++)
            if (memcmp(&now[i], &image[i], sizeof(float)) != 0)
                ++(i >= before && i < before + n ? inside : around);
        now.assign(now.begin() + (ptrdiff_t)before, now.begin() + (ptrdiff_t)(before + n));
    }

  private:
    size_t n, before;
    std::vector<float> image;
    float *base = nullptr;
    size_t bytes() const { return image.size() * sizeof(float); }
};

void answer(cudaError_t launched, cudaError_t finished, size_t guards, size_t inputs, size_t kernels)
{
    printf("%s %s %zu %zu %zu\n", cudaGetErrorName(launched), cudaGetErrorName(finished), guards, inputs, kernels);
    if (launched == cudaSuccess && finished == cudaSuccess)
        return;
    fflush(stdout);
    _Exit(0);  // an error may have taken the whole context with it
}

size_t kernels_of(cudaGraph_t graph)
{
    size_t count = 0, kernels = 0;
    must(cudaGraphGetNodes(graph, nullptr, &count), "cudaGraphGetNodes");
    std::vector<cudaGraphNode_t> nodes(count);
    if (count)
        must(cudaGraphGetNodes(graph, nodes.data(), &count), "cudaGraphGetNodes");
    for (cudaGraphNode_t node : nodes) {
        cudaGraphNodeType type;
        must(cudaGraphNodeGetType(node, &type), "cudaGraphNodeGetType");
        kernels += type == cudaGraphNodeTypeKernel;
    }
    return kernels;
}

// A launch that waits, or that goes to another stream, is not captured. Launches the graph when there is one.
cudaError_t capture(const float *a, const float *b, float *c, size_t n, cudaStream_t stream, size_t &kernels)
{
    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    cudaError_t launched = launch_vector_add(a, b, c, n, stream);
    cudaGraph_t graph = nullptr;
    cudaError_t captured = cudaStreamEndCapture(stream, &graph);
    if (launched != cudaSuccess || captured != cudaSuccess)
        return launched != cudaSuccess ? launched : captured;
    kernels = kernels_of(graph);
    cudaGraphExec_t executable;
    must(cudaGraphInstantiateWithFlags(&executable, graph, 0), "cudaGraphInstantiate");
    must(cudaGraphLaunch(executable, stream), "cudaGraphLaunch");
    must(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    must(cudaGraphExecDestroy(executable), "cudaGraphExecDestroy");
    must(cudaGraphDestroy(graph), "cudaGraphDestroy");
    return cudaSuccess;
}

void add(const char *mode, size_t n, size_t offset, unsigned blocks, unsigned threads)
{
    Array a(n, offset), b(n, offset), c(n, offset);
    read_all(a.host(), n * sizeof(float));
    read_all(b.host(), n * sizeof(float));
    for (Array *array : {&a, &b, &c})
        array->upload();
    cudaStream_t stream;
    must(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");

    cudaError_t launched;
    size_t kernels = 0;
    if (strcmp(mode, "kernel") == 0) {
        vector_add<<<blocks, threads, 0, stream>>>(a.device(), b.device(), c.device(), n);
        launched = cudaGetLastError();
    } else if (strcmp(mode, "launch") == 0) {
        launched = launch_vector_add(a.device(), b.device(), c.device(), n, stream);
    } else {
        // a first launch may have to load the kernel, which cannot be captured
        must(launch_vector_add(a.device(), b.device(), c.device(), n, stream), "launch_vector_add");
        must(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
        c.upload();
        launched = capture(a.device(), b.device(), c.device(), n, stream, kernels);
    }
    // of this stream only: what was put into another one is not waited for
    cudaError_t finished = cudaStreamSynchronize(stream);
    if (finished != cudaSuccess || launched != cudaSuccess)
        answer(launched, finished, 0, 0, kernels);

    std::vector<float> now, result;
    size_t inputs = 0, guards = 0, written = 0;
    a.compare(now, inputs, guards);
    b.compare(now, inputs, guards);
    c.compare(result, written, guards);
    answer(launched, finished, guards, inputs, kernels);
    fwrite(result.data(), sizeof(float), n, stdout);
    must(cudaStreamDestroy(stream), "cudaStreamDestroy");
}

void huge(size_t n, size_t count)
{
    std::vector<uint64_t> index(count);
    std::vector<float> value(count);
    for (size_t k = 0; k < count; k++) {
        read_all(&index[k], sizeof index[k]);
        read_all(&value[k], sizeof value[k]);
    }
    float *a = nullptr, *c = nullptr;
    if (cudaMalloc(&a, n * sizeof(float)) != cudaSuccess || cudaMalloc(&c, n * sizeof(float)) != cudaSuccess) {
        printf("%s %s 0 0 0\n", cudaGetErrorName(cudaErrorMemoryAllocation), cudaGetErrorName(cudaSuccess));
        fflush(stdout);
        _Exit(0);
    }
    must(cudaMemset(a, 0, n * sizeof(float)), "cudaMemset");
    must(cudaMemset(c, fill, n * sizeof(float)), "cudaMemset");
    for (size_t k = 0; k < count; k++)
        must(cudaMemcpy(a + index[k], &value[k], sizeof(float), cudaMemcpyHostToDevice), "copy to the device");
    cudaStream_t stream;
    must(cudaStreamCreate(&stream), "cudaStreamCreate");
    cudaError_t launched = launch_vector_add(a, a, c, n, stream);
    cudaError_t finished = cudaStreamSynchronize(stream);
    answer(launched, finished, 0, 0, 0);
    for (size_t k = 0; k < count; k++)
        must(cudaMemcpy(&value[k], c + index[k], sizeof(float), cudaMemcpyDeviceToHost), "copy from the device");
    fwrite(value.data(), sizeof(float), count, stdout);
    cudaFree(a);
    cudaFree(c);
}

}  // namespace

int main()
{
    char line[128], mode[16];
    while (fgets(line, sizeof line, stdin)) {
        size_t n, second;
        unsigned blocks, threads;
        if (sscanf(line, "%15s %zu %zu %u %u", mode, &n, &second, &blocks, &threads) != 5)
            exit(5);
        if (strcmp(mode, "huge") == 0)
            huge(n, second);
        else
            add(mode, n, second, blocks, threads);
    }
    fflush(stdout);
    return 0;
}
