// Runs sum_blocks and launch_sum on what arrives on the standard input, and reports what it finds in memory afterwards.
//
// A request is a line and binary data:
//   kernel N OFFSET BLOCKS THREADS   N floats: the kernel in a launch of this shape; BLOCKS floats are the answer
//   launch N OFFSET ROOM 0           N floats: launch_sum with ROOM floats of scratch, on a stream of its own; 1 float
//   stream N OFFSET ROOM 0           the same, captured into a graph, which is launched afterwards
//   huge N K ROOM 0                  K pairs of a 64-bit index and a float, the only elements that are not 0
// The data begins OFFSET floats behind an aligned address. The answer is a line
//   LAUNCH FINISH GUARDS INPUTS KERNELS
// and then, when LAUNCH and FINISH are both cudaSuccess, the floats: what starting returned, what waiting returned, how
// many guard elements around the arrays were changed, how many elements of x, and how many kernels were captured.
// With the arguments `time N` it serves timed calls instead.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <cuda_runtime.h>

#include "timing.cuh"

__global__ void sum_blocks(const float *x, float *partial, size_t n);
cudaError_t launch_sum(const float *x, size_t n, float *scratch, unsigned room, float *out, cudaStream_t stream);

namespace {

#ifdef MLSYS_PATH_EMULATED
constexpr size_t guard = 0;  // the emulation knows where each array ends
#else
constexpr size_t guard = 1024;  // floats before and behind
#endif
constexpr unsigned char fill = 0x7F;  // every byte that nobody has written: 3.4e38 as a float

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
    explicit Array(size_t n, size_t offset = 0) : n(n), before(guard + offset), image(n + offset + 2 * guard)
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
cudaError_t capture(const float *x, size_t n, float *scratch, unsigned room, float *out, cudaStream_t stream, size_t &kernels)
{
    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    cudaError_t launched = launch_sum(x, n, scratch, room, out, stream);
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

void sum(const char *mode, size_t n, size_t offset, unsigned size, unsigned threads)
{
    bool only_kernel = strcmp(mode, "kernel") == 0;
    Array x(n, offset), scratch(size), out(1);
    read_all(x.host(), n * sizeof(float));
    for (Array *array : {&x, &scratch, &out})
        array->upload();
    cudaStream_t stream;
    must(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");

    cudaError_t launched;
    size_t kernels = 0;
    if (only_kernel) {
        sum_blocks<<<size, threads, 0, stream>>>(x.device(), scratch.device(), n);
        launched = cudaGetLastError();
    } else if (strcmp(mode, "launch") == 0) {
        launched = launch_sum(x.device(), n, scratch.device(), size, out.device(), stream);
    } else {
        // a first launch may have to load the kernel, which cannot be captured
        must(launch_sum(x.device(), n, scratch.device(), size, out.device(), stream), "launch_sum");
        must(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
        scratch.upload();
        out.upload();
        launched = capture(x.device(), n, scratch.device(), size, out.device(), stream, kernels);
    }
    // of this stream only: what was put into another one is not waited for
    cudaError_t finished = cudaStreamSynchronize(stream);
    if (finished != cudaSuccess || launched != cudaSuccess)
        answer(launched, finished, 0, 0, kernels);

    std::vector<float> now, partial, total;
    size_t inputs = 0, guards = 0, written = 0;
    x.compare(now, inputs, guards);
    scratch.compare(partial, written, guards);
    out.compare(total, written, guards);
    answer(launched, finished, guards, inputs, kernels);
    const std::vector<float> &result = only_kernel ? partial : total;
    fwrite(result.data(), sizeof(float), result.size(), stdout);
    must(cudaStreamDestroy(stream), "cudaStreamDestroy");
}

void huge(size_t n, size_t count, unsigned room)
{
    Array scratch(room), out(1);
    scratch.upload();
    out.upload();
    float *x = nullptr;
    if (cudaMalloc(&x, n * sizeof(float)) != cudaSuccess) {
        printf("%s %s 0 0 0\n", cudaGetErrorName(cudaErrorMemoryAllocation), cudaGetErrorName(cudaSuccess));
        fflush(stdout);
        _Exit(0);
    }
    must(cudaMemset(x, 0, n * sizeof(float)), "cudaMemset");
    for (size_t k = 0; k < count; k++) {
        uint64_t index;
        float value;
        read_all(&index, sizeof index);
        read_all(&value, sizeof value);
        must(cudaMemcpy(x + index, &value, sizeof value, cudaMemcpyHostToDevice), "copy to the device");
    }
    must(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    cudaStream_t stream;
    must(cudaStreamCreate(&stream), "cudaStreamCreate");
    cudaError_t launched = launch_sum(x, n, scratch.device(), room, out.device(), stream);
    cudaError_t finished = cudaStreamSynchronize(stream);
    std::vector<float> total;
    size_t guards = 0, written = 0;
    if (launched == cudaSuccess && finished == cudaSuccess)
        out.compare(total, written, guards);
    answer(launched, finished, guards, 0, 0);
    fwrite(total.data(), sizeof(float), 1, stdout);
    cudaFree(x);
}

}  // namespace

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "time") == 0) {
        constexpr unsigned room = 4096;
        static float *scratch;
        must(cudaMalloc(&scratch, room * sizeof(float)), "cudaMalloc");
        return timing::serve(argc, argv, [](timing::Call &call) {
            return launch_sum(
                call.in<float>(0), (size_t)call.arg(2), scratch, room, call.out<float>(0), call.stream);
        });
    }
    char line[128], mode[16];
    while (fgets(line, sizeof line, stdin)) {
        size_t n, second;
        unsigned size, threads;
        if (sscanf(line, "%15s %zu %zu %u %u", mode, &n, &second, &size, &threads) != 5)
            exit(5);
        if (strcmp(mode, "huge") == 0)
            huge(n, second, size);
        else
            sum(mode, n, second, size, threads);
    }
    fflush(stdout);
    return 0;
}
