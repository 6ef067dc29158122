// Runs launch_matmul on what arrives on the standard input, and reports what it finds in memory afterwards.
//
// A request is a line and binary data:
//   launch M N K    M x K and K x N halves: launch_matmul, on a stream of its own
//   stream M N K    the same, captured into a graph, which is launched afterwards
// The answer is a line
//   LAUNCH FINISH GUARDS INPUTS KERNELS
// and then, when LAUNCH and FINISH are both cudaSuccess, the M x N floats of c: what starting returned, what waiting
// returned, how many guard bytes around the arrays were changed, how many bytes of a and b, and how many kernels were
// captured. With the arguments `time N` it serves timed calls of launch_matmul instead, with `plain N` those of plain.cuh.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "plain.cuh"
#include "timing.cuh"

cudaError_t launch_matmul(const half *a, const half *b, float *c, int m, int n, int k, cudaStream_t stream);

namespace {

#ifdef MLSYS_PATH_EMULATED
constexpr size_t guard = 0;  // the emulation knows where each array ends
#else
constexpr size_t guard = 4096;  // bytes before and behind
#endif
constexpr unsigned char fill = 0xA5;  // every byte that nobody has written

void must(cudaError_t error, const char *what)
{
    if (error == cudaSuccess)
        return;
    fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
    exit(4);
}

// n elements on the device between two guards, and what they should be apart from what the kernel writes.
template <class T> class Array {
  public:
    explicit Array(size_t n) : n(n), image(n * sizeof(T) + 2 * guard)
    {
        memset(image.data(), fill, image.size());
        must(cudaMalloc(&base, image.size()), "cudaMalloc");
    }
    ~Array() { cudaFree(base); }
    T *device() { return reinterpret_cast<T *>(base + guard); }
    void read()
    {
        if (fread(image.data() + guard, sizeof(T), n, stdin) != n)
            exit(5);
    }
    void upload()
    {
        must(cudaMemcpy(base, image.data(), image.size(), cudaMemcpyHostToDevice), "copy to the device");
        // the copy of pageable memory may still be on its way, and a non-blocking stream does not wait for it
        must(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    }

    // What lies on the device now: the number of changed bytes in and around the elements.
    std::vector<char> compare(size_t &inside, size_t &around)
    {
        std::vector<char> now(image.size());
        must(cudaMemcpy(now.data(), base, now.size(), cudaMemcpyDeviceToHost), "copy from the device");
        for (size_t i = 0; i < now.size(); i++)
            if (now[i] != image[i])
                ++(i >= guard && i < guard + n * sizeof(T) ? inside : around);
        return std::vector<char>(now.begin() + (ptrdiff_t)guard, now.end() - (ptrdiff_t)guard);
    }

  private:
    size_t n;
    std::vector<char> image;
    char *base = nullptr;
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

struct Product {
    Array<half> a, b;
    Array<float> c;
    int m, n, k;
    Product(int m, int n, int k) : a((size_t)m * k), b((size_t)k * n), c((size_t)m * n), m(m), n(n), k(k) {}
    cudaError_t launch(cudaStream_t stream) { return launch_matmul(a.device(), b.device(), c.device(), m, n, k, stream); }
};

// A launch that waits, or that goes to another stream, is not captured. Launches the graph when there is one.
cudaError_t capture(Product &product, cudaStream_t stream, size_t &kernels)
{
    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    cudaError_t launched = product.launch(stream);
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

void multiply(bool captured, int m, int n, int k)
{
    Product product(m, n, k);
    product.a.read();
    product.b.read();
    product.a.upload();
    product.b.upload();
    product.c.upload();
    cudaStream_t stream;
    must(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");

    cudaError_t launched;
    size_t kernels = 0;
    if (captured) {
        // a first launch may have to load the kernel, which cannot be captured
        must(product.launch(stream), "launch_matmul");
        must(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
        product.c.upload();
        launched = capture(product, stream, kernels);
    } else {
        launched = product.launch(stream);
    }
    // of this stream only: what was put into another one is not waited for
    cudaError_t finished = cudaStreamSynchronize(stream);
    if (finished != cudaSuccess || launched != cudaSuccess)
        answer(launched, finished, 0, 0, kernels);

    size_t inputs = 0, guards = 0, written = 0;
    product.a.compare(inputs, guards);
    product.b.compare(inputs, guards);
    std::vector<char> result = product.c.compare(written, guards);
    answer(launched, finished, guards, inputs, kernels);
    fwrite(result.data(), 1, result.size(), stdout);
    must(cudaStreamDestroy(stream), "cudaStreamDestroy");
}

}  // namespace

int main(int argc, char **argv)
{
    if (argc > 2) {
        auto launch = strcmp(argv[1], "plain") == 0 ? plain::launch : launch_matmul;
        return timing::serve(argc, argv, [launch](timing::Call &call) {
            int n = (int)call.arg(2);
            return launch(call.in<half>(0), call.in<half>(1), call.out<float>(0), n, n, n, call.stream);
        });
    }
    char line[128], mode[16];
    while (fgets(line, sizeof line, stdin)) {
        int m, n, k;
        if (sscanf(line, "%15s %d %d %d", mode, &m, &n, &k) != 4)
            exit(5);
        multiply(strcmp(mode, "stream") == 0, m, n, k);
    }
    fflush(stdout);
    return 0;
}
