// Runs count_bytes and launch_histogram on what arrives on the standard input, and reports what it finds in memory afterwards.
//
// A request is a line and binary data:
//   kernel N OFFSET BLOCKS THREADS   N bytes: the kernel in a launch of this shape, with zeros in the bins
//   launch N OFFSET 0 0              N bytes: launch_histogram on a stream of its own, with something else in the bins
//   stream N OFFSET 0 0              the same, captured into a graph, which is launched afterwards
//   huge N K VALUE 0                 K pairs of a 64-bit index and a 64-bit number, the only bytes that are not VALUE
// The data begins OFFSET bytes behind an aligned address. The answer is a line
//   LAUNCH FINISH GUARDS INPUTS KERNELS
// and then, when LAUNCH and FINISH are both cudaSuccess, 256 numbers of 32 bits: what starting returned, what waiting
// returned, how many guard bytes around the arrays were changed, how many bytes of x, and how many kernels were captured.
// With the arguments `time N` it serves timed calls instead.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <cuda_runtime.h>

#include "timing.cuh"

__global__ void count_bytes(const unsigned char *x, size_t n, unsigned *bins);
cudaError_t launch_histogram(const unsigned char *x, size_t n, unsigned *bins, cudaStream_t stream);

namespace {

#ifdef MLSYS_PATH_EMULATED
constexpr size_t guard = 0;  // the emulation knows where each array ends
#else
constexpr size_t guard = 4096;  // bytes before and behind
#endif
constexpr size_t bins_bytes = 256 * sizeof(unsigned);
constexpr unsigned char fill = 0x7F;  // every byte that nobody has written

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

// Some bytes on the device between two guards, and what they should be apart from what a kernel writes.
class Array {
  public:
    explicit Array(size_t bytes) : size(bytes), image(bytes + 2 * guard, fill)
    {
        must(cudaMalloc(&base, image.size()), "cudaMalloc");
    }
    ~Array() { cudaFree(base); }
    unsigned char *host() { return image.data() + guard; }
    unsigned char *device() { return base + guard; }
    void upload()
    {
        must(cudaMemcpy(base, image.data(), image.size(), cudaMemcpyHostToDevice), "copy to the device");
        // the copy of pageable memory may still be on its way, and a non-blocking stream does not wait for it
        must(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    }

    // What lies on the device now: the number of changed bytes inside and around.
    void compare(std::vector<unsigned char> &now, size_t &inside, size_t &around)
    {
        now.resize(image.size());
        must(cudaMemcpy(now.data(), base, now.size(), cudaMemcpyDeviceToHost), "copy from the device");
        for (size_t i = 0; i < now.size(); i++)
            if (now[i] != image[i])
                ++(i >= guard && i < guard + size ? inside : around);
        now.assign(now.begin() + (ptrdiff_t)guard, now.begin() + (ptrdiff_t)(guard + size));
    }

  private:
    size_t size;
    std::vector<unsigned char> image;
    unsigned char *base = nullptr;
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
cudaError_t capture(const unsigned char *x, size_t n, unsigned *bins, cudaStream_t stream, size_t &kernels)
{
    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    cudaError_t launched = launch_histogram(x, n, bins, stream);
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

void histogram(const char *mode, size_t n, size_t offset, unsigned blocks, unsigned threads)
{
    bool only_kernel = strcmp(mode, "kernel") == 0;
    Array data(offset + n), counts(bins_bytes);
    read_all(data.host() + offset, n);
    if (only_kernel)
        memset(counts.host(), 0, bins_bytes);
    data.upload();
    counts.upload();
    const unsigned char *x = data.device() + offset;
    unsigned *bins = (unsigned *)counts.device();
    cudaStream_t stream;
    must(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");

    cudaError_t launched;
    size_t kernels = 0;
    if (only_kernel) {
        count_bytes<<<blocks, threads, 0, stream>>>(x, n, bins);
        launched = cudaGetLastError();
    } else if (strcmp(mode, "launch") == 0) {
        launched = launch_histogram(x, n, bins, stream);
    } else {
        // a first launch may have to load the kernel, which cannot be captured
        must(launch_histogram(x, n, bins, stream), "launch_histogram");
        must(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
        counts.upload();
        launched = capture(x, n, bins, stream, kernels);
    }
    // of this stream only: what was put into another one is not waited for
    cudaError_t finished = cudaStreamSynchronize(stream);
    if (finished != cudaSuccess || launched != cudaSuccess)
        answer(launched, finished, 0, 0, kernels);

    std::vector<unsigned char> read, result;
    size_t inputs = 0, guards = 0, written = 0;
    data.compare(read, inputs, guards);
    counts.compare(result, written, guards);
    answer(launched, finished, guards, inputs, kernels);
    fwrite(result.data(), 1, bins_bytes, stdout);
    must(cudaStreamDestroy(stream), "cudaStreamDestroy");
}

void huge(size_t n, size_t count, int value)
{
    std::vector<uint64_t> pairs(2 * count);
    read_all(pairs.data(), pairs.size() * sizeof(uint64_t));
    Array counts(bins_bytes);
    counts.upload();
    unsigned char *x = nullptr;
    if (cudaMalloc(&x, n) != cudaSuccess) {
        printf("%s %s 0 0 0\n", cudaGetErrorName(cudaErrorMemoryAllocation), cudaGetErrorName(cudaSuccess));
        fflush(stdout);
        _Exit(0);
    }
    must(cudaMemset(x, value, n), "cudaMemset");
    for (size_t k = 0; k < count; k++) {
        unsigned char byte = (unsigned char)pairs[2 * k + 1];
        must(cudaMemcpy(x + pairs[2 * k], &byte, 1, cudaMemcpyHostToDevice), "copy to the device");
    }
    must(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    cudaStream_t stream;
    must(cudaStreamCreate(&stream), "cudaStreamCreate");
    cudaError_t launched = launch_histogram(x, n, (unsigned *)counts.device(), stream);
    cudaError_t finished = cudaStreamSynchronize(stream);
    std::vector<unsigned char> result;
    size_t written = 0, guards = 0;
    if (launched == cudaSuccess && finished == cudaSuccess)
        counts.compare(result, written, guards);
    answer(launched, finished, guards, 0, 0);
    fwrite(result.data(), 1, bins_bytes, stdout);
    cudaFree(x);
}

}  // namespace

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "time") == 0)
        return timing::serve(argc, argv, [](timing::Call &call) {
            return launch_histogram(
                call.in<unsigned char>(0), (size_t)call.arg(2), call.out<unsigned>(0), call.stream);
        });
    char line[128], mode[16];
    while (fgets(line, sizeof line, stdin)) {
        size_t n, second;
        unsigned third, fourth;
        if (sscanf(line, "%15s %zu %zu %u %u", mode, &n, &second, &third, &fourth) != 5)
            exit(5);
        if (strcmp(mode, "huge") == 0)
            huge(n, second, (int)third);
        else
            histogram(mode, n, second, third, fourth);
    }
    fflush(stdout);
    return 0;
}
