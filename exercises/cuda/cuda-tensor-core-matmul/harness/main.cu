// Runs launch_matmul on what arrives on the standard input, and reports what it finds in memory afterwards.
//
// A request is a line and binary data:
//   launch M N K    M x K and N x K halves: launch_matmul, on a stream of its own
//   stream M N K    the same, captured into a graph, which is launched afterwards
// The answer is a line
//   LAUNCH FINISH GUARDS INPUTS KERNELS
// and then, when LAUNCH and FINISH are both cudaSuccess, the halves of C: what starting returned, what waiting
// returned, how many guard elements around the three matrices were changed, how many elements of A and B, and how many
// kernels were captured. With the arguments `time M N K` it serves timed calls instead.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <cuda_fp16.h>
#include <cuda_runtime.h>

// both, as the emulation takes to its folder what is named like this
#ifdef MLSYS_PATH_EMULATED
#include "instructions_emulated.cuh"
#endif

#include "timing.cuh"

cudaError_t launch_matmul(const half *a, const half *b, half *c, int m, int n, int k, cudaStream_t stream);

namespace {

#ifdef MLSYS_PATH_EMULATED
constexpr size_t guard = 0;  // the emulation knows where each array ends
#else
constexpr size_t guard = 1024;  // halves before and behind
#endif
constexpr unsigned char fill = 0xA5;  // every byte that nobody has written

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

// n halves on the device between two guards, and what they should be apart from what the kernel writes.
class Array {
  public:
    explicit Array(size_t n) : n(n), image(n + 2 * guard)
    {
        memset(image.data(), fill, bytes());
        must(cudaMalloc(&base, bytes()), "cudaMalloc");
    }
    ~Array() { cudaFree(base); }
    uint16_t *host() { return image.data() + guard; }
    half *device() { return (half *)(base + guard); }
    void upload()
    {
        must(cudaMemcpy(base, image.data(), bytes(), cudaMemcpyHostToDevice), "copy to the device");
        // the copy of pageable memory may still be on its way, and a non-blocking stream does not wait for it
        must(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    }

    // What lies on the device now: the number of changed elements in and around the n floats.
    void compare(std::vector<uint16_t> &now, size_t &inside, size_t &around)
    {
        now.resize(image.size());
        must(cudaMemcpy(now.data(), base, bytes(), cudaMemcpyDeviceToHost), "copy from the device");
        for (size_t i = 0; i < now.size(); i++)
            if (memcmp(&now[i], &image[i], sizeof(uint16_t)) != 0)
                ++(i >= guard && i < guard + n ? inside : around);
        now.assign(now.begin() + (ptrdiff_t)guard, now.begin() + (ptrdiff_t)(guard + n));
    }

  private:
    size_t n;
    std::vector<uint16_t> image;
    uint16_t *base = nullptr;
    size_t bytes() const { return image.size() * sizeof(uint16_t); }
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

struct Shape {
    int m, n, k;
};

// A launch that waits, or that goes to another stream, is not captured. Launches the graph when there is one.
cudaError_t capture(const half *a, const half *b, half *c, Shape s, cudaStream_t stream, size_t &kernels)
{
    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    cudaError_t launched = launch_matmul(a, b, c, s.m, s.n, s.k, stream);
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

void multiply(const char *mode, Shape s)
{
    Array a((size_t)s.m * s.k), b((size_t)s.n * s.k), c((size_t)s.m * s.n);
    read_all(a.host(), (size_t)s.m * s.k * sizeof(uint16_t));
    read_all(b.host(), (size_t)s.n * s.k * sizeof(uint16_t));
    for (Array *array : {&a, &b, &c})
        array->upload();
    cudaStream_t stream;
    must(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");

    cudaError_t launched;
    size_t kernels = 0;
    if (strcmp(mode, "launch") == 0) {
        launched = launch_matmul(a.device(), b.device(), c.device(), s.m, s.n, s.k, stream);
    } else {
        // a first launch may have to load the kernel, which cannot be captured
        must(launch_matmul(a.device(), b.device(), c.device(), s.m, s.n, s.k, stream), "launch_matmul");
        must(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
        c.upload();
        launched = capture(a.device(), b.device(), c.device(), s, stream, kernels);
    }
    // of this stream only: what was put into another one is not waited for
    cudaError_t finished = cudaStreamSynchronize(stream);
    if (finished != cudaSuccess || launched != cudaSuccess)
        answer(launched, finished, 0, 0, kernels);

    std::vector<uint16_t> now, result;
    size_t inputs = 0, guards = 0, written = 0;
    a.compare(now, inputs, guards);
    b.compare(now, inputs, guards);
    c.compare(result, written, guards);
    answer(launched, finished, guards, inputs, kernels);
    fwrite(result.data(), sizeof(uint16_t), result.size(), stdout);
    must(cudaStreamDestroy(stream), "cudaStreamDestroy");
}

}  // namespace

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "time") == 0)
        return timing::serve(argc, argv, [](timing::Call &call) {
            return launch_matmul(call.in<half>(0), call.in<half>(1), call.out<half>(0), (int)call.arg(2), (int)call.arg(3),
                                 (int)call.arg(4), call.stream);
        });
    char line[128], mode[16];
    while (fgets(line, sizeof line, stdin)) {
        Shape s;
        if (sscanf(line, "%15s %d %d %d", mode, &s.m, &s.n, &s.k) != 4)
            exit(5);
        multiply(mode, s);
    }
    fflush(stdout);
    return 0;
}
