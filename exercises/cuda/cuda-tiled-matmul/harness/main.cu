// Runs launch_tiled and launch_matmul on what arrives on the standard input, and reports what it finds in memory afterwards.
//
// A request is a line and binary data:
//   tiled M N K 0       M x K and K x N floats: launch_tiled, on a stream of its own
//   launch M N K 0      the same with launch_matmul
//   stream M N K 0      launch_matmul captured into a graph, which is launched afterwards
//   huge M N K COUNT    K x N floats, and COUNT triples of a row, a column and a float: what A has there; it is zero
//                       elsewhere. The rows of C with these numbers are the answer, COUNT x N floats
// The answer is a line
//   LAUNCH FINISH GUARDS INPUTS KERNELS
// and then, when LAUNCH and FINISH are both cudaSuccess, the floats of C: what starting returned, what waiting
// returned, how many guard elements around the three matrices were changed, how many elements of A and B, and how many
// kernels were captured. With the arguments `time M N K` it serves timed calls of launch_matmul instead.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <cuda_runtime.h>

#include "timing.cuh"

cudaError_t launch_tiled(const float *a, const float *b, float *c, size_t m, size_t n, size_t k, cudaStream_t stream);
cudaError_t launch_matmul(const float *a, const float *b, float *c, size_t m, size_t n, size_t k, cudaStream_t stream);

namespace {

#ifdef MLSYS_PATH_EMULATED
constexpr size_t guard = 0;  // the emulation knows where each array ends
#else
constexpr size_t guard = 1024;  // floats before and behind
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

// n floats on the device between two guards, and what they should be apart from what the kernel writes.
class Array {
  public:
    explicit Array(size_t n) : n(n), image(n + 2 * guard)
    {
        memset(image.data(), fill, bytes());
        must(cudaMalloc(&base, bytes()), "cudaMalloc");
    }
    ~Array() { cudaFree(base); }
    float *host() { return image.data() + guard; }
    float *device() { return base + guard; }
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
                ++(i >= guard && i < guard + n ? inside : around);
        now.assign(now.begin() + (ptrdiff_t)guard, now.begin() + (ptrdiff_t)(guard + n));
    }

  private:
    size_t n;
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

struct Shape {
    size_t m, n, k;
};

// A launch that waits, or that goes to another stream, is not captured. Launches the graph when there is one.
cudaError_t capture(const float *a, const float *b, float *c, Shape s, cudaStream_t stream, size_t &kernels)
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
    Array a(s.m * s.k), b(s.k * s.n), c(s.m * s.n);
    read_all(a.host(), s.m * s.k * sizeof(float));
    read_all(b.host(), s.k * s.n * sizeof(float));
    for (Array *array : {&a, &b, &c})
        array->upload();
    cudaStream_t stream;
    must(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");

    cudaError_t launched;
    size_t kernels = 0;
    if (strcmp(mode, "tiled") == 0) {
        launched = launch_tiled(a.device(), b.device(), c.device(), s.m, s.n, s.k, stream);
    } else if (strcmp(mode, "launch") == 0) {
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

    std::vector<float> now, result;
    size_t inputs = 0, guards = 0, written = 0;
    a.compare(now, inputs, guards);
    b.compare(now, inputs, guards);
    c.compare(result, written, guards);
    answer(launched, finished, guards, inputs, kernels);
    fwrite(result.data(), sizeof(float), result.size(), stdout);
    must(cudaStreamDestroy(stream), "cudaStreamDestroy");
}

void huge(Shape s, size_t count)
{
    std::vector<float> b_values(s.k * s.n), result(s.n);
    read_all(b_values.data(), b_values.size() * sizeof(float));
    std::vector<uint64_t> row(count), column(count);
    std::vector<float> value(count);
    for (size_t i = 0; i < count; i++) {
        read_all(&row[i], sizeof row[i]);
        read_all(&column[i], sizeof column[i]);
        read_all(&value[i], sizeof value[i]);
    }
    float *a = nullptr, *b = nullptr, *c = nullptr;
    size_t a_bytes = s.m * s.k * sizeof(float), b_bytes = s.k * s.n * sizeof(float), c_bytes = s.m * s.n * sizeof(float);
    if (cudaMalloc(&a, a_bytes) != cudaSuccess || cudaMalloc(&b, b_bytes) != cudaSuccess ||
        cudaMalloc(&c, c_bytes) != cudaSuccess) {
        printf("%s %s 0 0 0\n", cudaGetErrorName(cudaErrorMemoryAllocation), cudaGetErrorName(cudaSuccess));
        fflush(stdout);
        _Exit(0);
    }
    must(cudaMemset(a, 0, a_bytes), "cudaMemset");
    must(cudaMemset(c, fill, c_bytes), "cudaMemset");
    must(cudaMemcpy(b, b_values.data(), b_bytes, cudaMemcpyHostToDevice), "copy to the device");
    for (size_t i = 0; i < count; i++)
        must(cudaMemcpy(a + row[i] * s.k + column[i], &value[i], sizeof(float), cudaMemcpyHostToDevice),
             "copy to the device");
    must(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    cudaStream_t stream;
    must(cudaStreamCreate(&stream), "cudaStreamCreate");
    cudaError_t launched = launch_matmul(a, b, c, s.m, s.n, s.k, stream);
    cudaError_t finished = cudaStreamSynchronize(stream);
    answer(launched, finished, 0, 0, 0);
    for (size_t i = 0; i < count; i++) {
        must(cudaMemcpy(result.data(), c + row[i] * s.n, s.n * sizeof(float), cudaMemcpyDeviceToHost),
             "copy from the device");
        fwrite(result.data(), sizeof(float), s.n, stdout);
    }
    cudaFree(a);
    cudaFree(b);
    cudaFree(c);
}

}  // namespace

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "time") == 0)
        return timing::serve(argc, argv, [](timing::Call &call) {
            return launch_matmul(call.in<float>(0), call.in<float>(1), call.out<float>(0), (size_t)call.arg(2),
                                 (size_t)call.arg(3), (size_t)call.arg(4), call.stream);
        });
    char line[128], mode[16];
    while (fgets(line, sizeof line, stdin)) {
        Shape s;
        size_t count;
        if (sscanf(line, "%15s %zu %zu %zu %zu", mode, &s.m, &s.n, &s.k, &count) != 5)
            exit(5);
        if (strcmp(mode, "huge") == 0)
            huge(s, count);
        else
            multiply(mode, s);
    }
    fflush(stdout);
    return 0;
}
