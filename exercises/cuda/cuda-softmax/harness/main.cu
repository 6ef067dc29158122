// Runs launch_softmax on what arrives on the standard input, and reports what it finds in memory afterwards.
//
// A request is a line and binary data:
//   launch ROWS COLS 0     ROWS x COLS floats: launch_softmax, on a stream of its own
//   stream ROWS COLS 0     the same, captured into a graph, which is launched afterwards
//   huge ROWS COLS COUNT   COUNT times a 64-bit number of a row and its COLS floats; all other rows of x are zero. These
//                          rows of y are the answer, COUNT x COLS floats
// The answer is a line
//   LAUNCH FINISH GUARDS INPUTS KERNELS
// and then, when LAUNCH and FINISH are both cudaSuccess, the floats of y: what starting returned, what waiting
// returned, how many guard elements around x and y were changed, how many elements of x, and how many kernels were
// captured. With the arguments `time ROWS COLS` it serves timed calls instead.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <cuda_runtime.h>

#include "timing.cuh"

cudaError_t launch_softmax(const float *x, float *y, size_t rows, size_t cols, cudaStream_t stream);

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

// A launch that waits, or that goes to another stream, is not captured. Launches the graph when there is one.
cudaError_t capture(const float *x, float *y, size_t rows, size_t cols, cudaStream_t stream, size_t &kernels)
{
    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    cudaError_t launched = launch_softmax(x, y, rows, cols, stream);
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

void softmax_once(bool captured, size_t rows, size_t cols)
{
    Array x(rows * cols), y(rows * cols);
    read_all(x.host(), rows * cols * sizeof(float));
    x.upload();
    y.upload();
    cudaStream_t stream;
    must(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");

    cudaError_t launched;
    size_t kernels = 0;
    if (captured) {
        // a first launch may have to load the kernel, which cannot be captured
        must(launch_softmax(x.device(), y.device(), rows, cols, stream), "launch_softmax");
        must(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
        y.upload();
        launched = capture(x.device(), y.device(), rows, cols, stream, kernels);
    } else {
        launched = launch_softmax(x.device(), y.device(), rows, cols, stream);
    }
    // of this stream only: what was put into another one is not waited for
    cudaError_t finished = cudaStreamSynchronize(stream);
    if (finished != cudaSuccess || launched != cudaSuccess)
        answer(launched, finished, 0, 0, kernels);

    std::vector<float> now, result;
    size_t inputs = 0, guards = 0, written = 0;
    x.compare(now, inputs, guards);
    y.compare(result, written, guards);
    answer(launched, finished, guards, inputs, kernels);
    fwrite(result.data(), sizeof(float), result.size(), stdout);
    must(cudaStreamDestroy(stream), "cudaStreamDestroy");
}

void huge(size_t rows, size_t cols, size_t count)
{
    std::vector<uint64_t> number(count);
    std::vector<float> values(count * cols);
    for (size_t i = 0; i < count; i++) {
        read_all(&number[i], sizeof number[i]);
        read_all(&values[i * cols], cols * sizeof(float));
    }
    size_t bytes = rows * cols * sizeof(float), row_bytes = cols * sizeof(float);
    float *x = nullptr, *y = nullptr;
    if (cudaMalloc(&x, bytes) != cudaSuccess || cudaMalloc(&y, bytes) != cudaSuccess) {
        printf("%s %s 0 0 0\n", cudaGetErrorName(cudaErrorMemoryAllocation), cudaGetErrorName(cudaSuccess));
        fflush(stdout);
        _Exit(0);
    }
    must(cudaMemset(x, 0, bytes), "cudaMemset");
    must(cudaMemset(y, fill, bytes), "cudaMemset");
    for (size_t i = 0; i < count; i++)
        must(cudaMemcpy(x + number[i] * cols, &values[i * cols], row_bytes, cudaMemcpyHostToDevice), "copy to the device");
    must(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    cudaStream_t stream;
    must(cudaStreamCreate(&stream), "cudaStreamCreate");
    cudaError_t launched = launch_softmax(x, y, rows, cols, stream);
    cudaError_t finished = cudaStreamSynchronize(stream);
    answer(launched, finished, 0, 0, 0);
    for (size_t i = 0; i < count; i++)
        must(cudaMemcpy(&values[i * cols], y + number[i] * cols, row_bytes, cudaMemcpyDeviceToHost), "copy from the device");
    fwrite(values.data(), sizeof(float), values.size(), stdout);
    cudaFree(x);
    cudaFree(y);
}

}  // namespace

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "time") == 0)
        return timing::serve(argc, argv, [](timing::Call &call) {
            return launch_softmax(
                call.in<float>(0), call.out<float>(0), (size_t)call.arg(2), (size_t)call.arg(3), call.stream);
        });
    char line[128], mode[16];
    while (fgets(line, sizeof line, stdin)) {
        size_t rows, cols, count;
        if (sscanf(line, "%15s %zu %zu %zu", mode, &rows, &cols, &count) != 4)
            exit(5);
        if (strcmp(mode, "huge") == 0)
            huge(rows, cols, count);
        else
            softmax_once(strcmp(mode, "stream") == 0, rows, cols);
    }
    fflush(stdout);
    return 0;
}
