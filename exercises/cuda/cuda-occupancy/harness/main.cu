// Launches the kernels of kernels.cu on what arrives on the standard input, and reports what lies in memory afterwards.
//
// The first line of output is what normalise_block() says. Then, for each request, a line and binary data:
//   normalise ROWS 0 0 0         ROWS · 4,096 floats: a block for each row
//   scale N BLOCKS THREADS A     N floats: a launch of this shape
// the answer is a line
//   LAUNCH FINISH GUARDS INPUTS
// and then, when LAUNCH and FINISH are both cudaSuccess, as many floats: what starting returned, what waiting returned,
// how many guard elements around the arrays were changed, and how many elements of x.
// With the arguments `time normalise|scale N FEW` it serves timed calls instead: FEW is 1 for one block on each
// multiprocessor, by dynamic shared memory that leaves no room for a second one, else 0.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <cuda_runtime.h>

#include "timing.cuh"

struct Block {
    int threads, registers, shared;
};
Block normalise_block();
__global__ void normalise(const float *x, float *y);
__global__ void scale(const float *x, float *y, size_t n, float a);

namespace {

constexpr size_t width = 4096;
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

void answer(cudaError_t launched, cudaError_t finished, size_t guards, size_t inputs)
{
    printf("%s %s %zu %zu\n", cudaGetErrorName(launched), cudaGetErrorName(finished), guards, inputs);
    if (launched == cudaSuccess && finished == cudaSuccess)
        return;
    fflush(stdout);
    _Exit(0);  // an error may have taken the whole context with it
}

void request(bool rows, size_t n, unsigned blocks, unsigned threads, float a)
{
    Array x(n), y(n);
    if (fread(x.host(), sizeof(float), n, stdin) != n)
        exit(5);
    x.upload();
    y.upload();
    if (rows)
        normalise<<<(unsigned)(n / width), normalise_block().threads>>>(x.device(), y.device());
    else
        scale<<<blocks, threads>>>(x.device(), y.device(), n, a);
    cudaError_t launched = cudaGetLastError(), finished = cudaDeviceSynchronize();
    if (launched != cudaSuccess || finished != cudaSuccess)
        answer(launched, finished, 0, 0);
    std::vector<float> now, result;
    size_t guards = 0, inputs = 0, written = 0;
    x.compare(now, inputs, guards);
    y.compare(result, written, guards);
    answer(launched, finished, guards, inputs);
    fwrite(result.data(), sizeof(float), n, stdout);
}

#ifdef MLSYS_PATH_EMULATED

// there is nothing to time on a CPU
int time_calls(int, char **) { return 3; }

#else

// Dynamic shared memory with which one block of the kernel fills a multiprocessor.
template <class Kernel> size_t ballast(Kernel kernel)
{
    int most;
    cudaFuncAttributes attributes;
    must(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0), "cudaDeviceGetAttribute");
    must(cudaFuncGetAttributes(&attributes, kernel), "cudaFuncGetAttributes");
    most -= (int)attributes.sharedSizeBytes;
    must(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, most), "cudaFuncSetAttribute");
    return (size_t)most;
}

int time_calls(int argc, char **argv)
{
    static bool rows = argc > 2 && strcmp(argv[2], "normalise") == 0;
    static bool few = argc > 4 && atoi(argv[4]) != 0;
    static size_t shared = !few ? 0 : rows ? ballast(normalise) : ballast(scale);
    static int processors = 0, threads = normalise_block().threads;
    must(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, 0), "cudaDeviceGetAttribute");
    return timing::serve(argc, argv, [](timing::Call &call) {
        size_t n = (size_t)call.arg(3);
        if (rows)
            normalise<<<(unsigned)(n / width), threads, shared, call.stream>>>(call.in<float>(0), call.out<float>(0));
        else
            scale<<<few ? processors : 8 * processors, 256, shared, call.stream>>>(
                call.in<float>(0), call.out<float>(0), n, 1.5f);
        return cudaGetLastError();
    });
}

#endif

}  // namespace

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "time") == 0)
        return time_calls(argc, argv);
    Block block = normalise_block();
    printf("%d %d %d\n", block.threads, block.registers, block.shared);
    char line[128], mode[16];
    while (fgets(line, sizeof line, stdin)) {
        size_t n;
        unsigned blocks, threads;
        float a;
        if (sscanf(line, "%15s %zu %u %u %f", mode, &n, &blocks, &threads, &a) != 5)
            exit(5);
        bool rows = strcmp(mode, "normalise") == 0;
        request(rows, rows ? n * width : n, blocks, threads, a);
    }
    fflush(stdout);
    return 0;
}
