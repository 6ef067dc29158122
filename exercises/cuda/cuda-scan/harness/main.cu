// Runs launch_scan on what arrives on the standard input, and reports what it finds in memory afterwards.
//
// A request is a line and binary data:
//   clean N EXCLUSIVE IN_PLACE 0   N numbers of 32 bits: launch_scan on a stream of its own, with zeros in its scratch
//   dirty N EXCLUSIVE IN_PLACE 0   the same with some bytes in its scratch that are no zeros
//   again N EXCLUSIVE IN_PLACE 0   2 N numbers: the first N, and then the others, with what the first left in the scratch
//   stream N EXCLUSIVE IN_PLACE 0  as dirty, captured into a graph, which is launched afterwards
//   huge N EXCLUSIVE K P           K pairs of a 64-bit index and a 64-bit number, the only elements that are not 0; then
//                                  P indices of elements that are wanted; scanned in place
// The answer is a line
//   LAUNCH FINISH GUARDS INPUTS KERNELS
// and then, when LAUNCH and FINISH are both cudaSuccess, the numbers of y: what starting returned, what waiting returned,
// how many guard bytes around the arrays were changed, how many bytes of x, and how many kernels were captured.
// With the arguments `time N` it serves timed calls instead.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <cuda_runtime.h>

#include "timing.cuh"

size_t scan_scratch(size_t n);
cudaError_t launch_scan(const unsigned *x, unsigned *y, size_t n, bool exclusive, void *scratch, cudaStream_t stream);

namespace {

#ifdef MLSYS_PATH_EMULATED
constexpr size_t guard = 0;  // the emulation knows where each array ends
#else
constexpr size_t guard = 4096;  // bytes before and behind
#endif
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
    unsigned *device() { return (unsigned *)(base + guard); }
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
cudaError_t capture(
    const unsigned *x, unsigned *y, size_t n, bool exclusive, void *scratch, cudaStream_t stream, size_t &kernels)
{
    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    cudaError_t launched = launch_scan(x, y, n, exclusive, scratch, stream);
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

void scan(const char *mode, size_t n, bool exclusive, bool in_place)
{
    bool again = strcmp(mode, "again") == 0, captured = strcmp(mode, "stream") == 0;
    size_t bytes = n * sizeof(unsigned);
    std::vector<unsigned char> earlier(again ? bytes : 0);
    read_all(earlier.data(), earlier.size());
    Array x(bytes), out(in_place ? 0 : bytes), scratch(scan_scratch(n));
    Array &y = in_place ? x : out;
    if (strcmp(mode, "clean") == 0)
        memset(scratch.host(), 0, scan_scratch(n));
    cudaStream_t stream;
    must(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
    scratch.upload();
    if (again || captured) {
        // a first launch may also have to load the kernel, which cannot be captured
        memcpy(x.host(), earlier.data(), earlier.size());
        x.upload();
        out.upload();
        cudaError_t launched = launch_scan(x.device(), y.device(), n, exclusive, scratch.device(), stream);
        cudaError_t finished = cudaDeviceSynchronize();
        if (launched != cudaSuccess || finished != cudaSuccess)
            answer(launched, finished, 0, 0, 0);
    }
    read_all(x.host(), bytes);
    x.upload();
    out.upload();

    size_t kernels = 0;
    cudaError_t launched =
        captured ? capture(x.device(), y.device(), n, exclusive, scratch.device(), stream, kernels)
                 : launch_scan(x.device(), y.device(), n, exclusive, scratch.device(), stream);
    // of this stream only: what was put into another one is not waited for
    cudaError_t finished = cudaStreamSynchronize(stream);
    if (finished != cudaSuccess || launched != cudaSuccess)
        answer(launched, finished, 0, 0, kernels);

    std::vector<unsigned char> read, written, result;
    size_t inputs = 0, guards = 0, changed = 0;
    x.compare(read, inputs, guards);
    out.compare(written, changed, guards);
    scratch.compare(result, changed, guards);
    answer(launched, finished, guards, in_place ? 0 : inputs, kernels);
    fwrite((in_place ? read : written).data(), 1, bytes, stdout);
    must(cudaStreamDestroy(stream), "cudaStreamDestroy");
}

void huge(size_t n, bool exclusive, size_t count, size_t wanted)
{
    std::vector<uint64_t> pairs(2 * count), places(wanted);
    read_all(pairs.data(), pairs.size() * sizeof(uint64_t));
    read_all(places.data(), places.size() * sizeof(uint64_t));
    unsigned *x = nullptr;
    void *scratch = nullptr;
    if (cudaMalloc(&x, n * sizeof(unsigned)) != cudaSuccess || cudaMalloc(&scratch, scan_scratch(n)) != cudaSuccess) {
        printf("%s %s 0 0 0\n", cudaGetErrorName(cudaErrorMemoryAllocation), cudaGetErrorName(cudaSuccess));
        fflush(stdout);
        _Exit(0);
    }
    must(cudaMemset(x, 0, n * sizeof(unsigned)), "cudaMemset");
    must(cudaMemset(scratch, fill, scan_scratch(n)), "cudaMemset");
    for (size_t k = 0; k < count; k++) {
        unsigned value = (unsigned)pairs[2 * k + 1];
        must(cudaMemcpy(x + pairs[2 * k], &value, sizeof value, cudaMemcpyHostToDevice), "copy to the device");
    }
    must(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    cudaStream_t stream;
    must(cudaStreamCreate(&stream), "cudaStreamCreate");
    cudaError_t launched = launch_scan(x, x, n, exclusive, scratch, stream);
    cudaError_t finished = cudaStreamSynchronize(stream);
    answer(launched, finished, 0, 0, 0);
    for (uint64_t place : places) {
        unsigned value;
        must(cudaMemcpy(&value, x + place, sizeof value, cudaMemcpyDeviceToHost), "copy from the device");
        fwrite(&value, sizeof value, 1, stdout);
    }
    cudaFree(x);
    cudaFree(scratch);
}

}  // namespace

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "time") == 0) {
        static void *scratch;
        must(cudaMalloc(&scratch, scan_scratch((size_t)atoll(argv[2]))), "cudaMalloc");
        return timing::serve(argc, argv, [](timing::Call &call) {
            return launch_scan(
                call.in<unsigned>(0), call.out<unsigned>(0), (size_t)call.arg(2), false, scratch, call.stream);
        });
    }
    char line[128], mode[16];
    while (fgets(line, sizeof line, stdin)) {
        size_t n, third, fourth;
        int exclusive;
        if (sscanf(line, "%15s %zu %d %zu %zu", mode, &n, &exclusive, &third, &fourth) != 5)
            exit(5);
        if (strcmp(mode, "huge") == 0)
            huge(n, exclusive != 0, third, fourth);
        else
            scan(mode, n, exclusive != 0, third != 0);
    }
    fflush(stdout);
    return 0;
}
