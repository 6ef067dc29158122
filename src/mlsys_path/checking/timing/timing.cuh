// Timed calls of a CUDA C++ harness, for the checker: `measure.program` speaks to `timing::serve` in main.cu.
//
//     #include "timing.cuh"
//     int main(int argc, char **argv)
//     {
//         return timing::serve(argc, argv, [](timing::Call &call) {
//             return launch_transpose(call.in<float>(0), call.out<float>(0), call.arg(1), call.arg(2), call.stream);
//         });
//     }
//
// Inputs are made on the device from a seed that comes with the request for a call; the checker makes the same ones.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>
#include <cuda_runtime.h>

namespace timing {

struct Array {
    std::string dtype;
    size_t count = 0, size = 0;  // elements, bytes of one
    double low = 0, high = 1;
    char *room = nullptr, *data = nullptr, *copy = nullptr;
    size_t bytes() const { return count * size; }
};

struct Call {
    std::vector<Array> inputs, outputs;
    int argc = 0;
    char **argv = nullptr;
    cudaStream_t stream = 0;
    template <class T> const T *in(int i) const { return (const T *)inputs[i].data; }
    template <class T> T *out(int i) const { return (T *)outputs[i].data; }
    long long arg(int i) const { return i < argc ? std::atoll(argv[i]) : 0; }
};

#if defined(__NVCC__) && !defined(MLSYS_PATH_EMULATED)

inline void demand(cudaError_t code, const char *what)
{
    if (code == cudaSuccess)
        return;
    std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(code));
    std::exit(3);
}

// splitmix64 of a counter: the checker computes the same numbers
__device__ inline uint32_t number(uint64_t seed, uint64_t i)
{
    uint64_t z = seed + (i + 1) * 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return (uint32_t)((z ^ (z >> 31)) >> 32);
}

enum Kind { real16, brain16, real32, real64, signed32, signed64, unsigned8 };

inline uint16_t __host__ __device__ half_bits(float value)
{
    // round to nearest even, for numbers whose magnitude is below 65504
    uint32_t bits, sign;
    memcpy(&bits, &value, 4);
    sign = bits >> 16 & 0x8000, bits &= 0x7fffffff;
    if (bits < 0x38800000) {  // below 2^-14: a multiple of 2^-24
        float magnitude;
        memcpy(&magnitude, &bits, 4);
        float scaled = magnitude * 16777216.0f;
        uint32_t whole = (uint32_t)scaled;
        float rest = scaled - (float)whole;
        whole += rest > 0.5f || (rest == 0.5f && (whole & 1));
        return (uint16_t)(sign | whole);
    }
    uint32_t rounded = bits + 0xfff + (bits >> 13 & 1);
    return (uint16_t)(sign | ((rounded - 0x38000000) >> 13));
}

inline uint16_t __host__ __device__ brain_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static __global__ void fill(char *data, size_t count, int kind, double low, double high, uint64_t seed)
{
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += (size_t)gridDim.x * blockDim.x) {
        uint32_t drawn = number(seed, i);
        // no contraction into a fused multiply-add: the checker's product is rounded
        double value = __dadd_rn(__dmul_rn((double)(drawn >> 8) * 0x1p-24, high - low), low);
        int64_t whole = (int64_t)low + (int64_t)(drawn % (uint32_t)((int64_t)high - (int64_t)low > 0 ? (int64_t)high - (int64_t)low : 1));
        switch (kind) {
        case real16: ((uint16_t *)data)[i] = half_bits((float)value); break;
        case brain16: ((uint16_t *)data)[i] = brain_bits((float)value); break;
        case real32: ((float *)data)[i] = (float)value; break;
        case real64: ((double *)data)[i] = value; break;
        case signed32: ((int32_t *)data)[i] = (int32_t)whole; break;
        case signed64: ((int64_t *)data)[i] = whole; break;
        case unsigned8: ((uint8_t *)data)[i] = (uint8_t)whole; break;
        }
    }
}

inline int kind_of(const std::string &dtype, size_t &size)
{
    const struct { const char *name; int kind; size_t size; } kinds[] = {
        {"float16", real16, 2}, {"bfloat16", brain16, 2}, {"float32", real32, 4}, {"float64", real64, 8},
        {"int32", signed32, 4}, {"int64", signed64, 8}, {"uint8", unsigned8, 1}, {"int8", unsigned8, 1}};
    for (auto &known : kinds)
        if (dtype == known.name)
            return size = known.size, known.kind;
    std::fprintf(stderr, "timing.cuh knows no dtype %s\n", dtype.c_str());
    std::exit(3);
}

constexpr size_t shift = 1 << 20;  // arrays begin somewhere in the first megabyte of their room
constexpr int slots = 2;           // and in turn in one half of it or the other

inline void allocate(Array &array)
{
    demand(cudaMalloc(&array.room, slots * (array.bytes() + shift)), "cudaMalloc");
}

inline void place(Array &array, int turn, uint64_t seed)
{
    array.data = array.room + (turn % slots) * ((array.bytes() + shift) / 512 * 512) + seed % (shift / 1024) * 512;
}

inline double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class Function> int serve(int argc, char **argv, Function function)
{
    Call call;
    call.argc = argc, call.argv = argv;
    char *cold = nullptr;
    size_t cold_bytes = 0;
    int cold_times = 1;  // a flush that takes a while hides what the host does for the call
    cudaEvent_t before, start, end;
    for (cudaEvent_t *event : {&before, &start, &end})
        demand(cudaEventCreate(event), "cudaEventCreate");
    char line[4096];
    std::vector<char> octets;
    for (int turn = 0; std::fgets(line, sizeof line, stdin);) {
        char word[64], dtype[32];
        if (std::sscanf(line, "%63s", word) != 1)
            continue;
        std::string what = word;
        if (what == "flush") {
            std::sscanf(line, "%*s %zu %d", &cold_bytes, &cold_times);
            demand(cudaMalloc(&cold, cold_bytes), "cudaMalloc");
            cudaDeviceProp properties;
            demand(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
            for (int i = 0; i < 16; i++)
                std::printf("%02x", (unsigned char)properties.uuid.bytes[i]);
            std::printf("\n");
        } else if (what == "input" || what == "output") {
            Array array;
            if (std::sscanf(line, "%*s %31s %zu %lf %lf", dtype, &array.count, &array.low, &array.high) != 4)
                return 3;
            array.dtype = dtype;
            kind_of(array.dtype, array.size);
            allocate(array);
            if (what == "output")
                demand(cudaMalloc(&array.copy, array.bytes() + 1), "cudaMalloc");
            (what == "input" ? call.inputs : call.outputs).push_back(array);
            std::printf("ok\n");
        } else if (what == "heat") {
            for (double until = now() + 0.02; now() < until;) {
                for (int i = 0; i < 16; i++)
                    demand(cudaMemsetAsync(cold, 0, cold_bytes, call.stream), "cudaMemset");
                demand(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
            }
            std::printf("ok\n");
        } else if (what == "go") {
            unsigned long long seed;
            int in_order, quiet;
            std::sscanf(line, "%*s %llu %d %d", &seed, &in_order, &quiet);
            turn++;
            uint64_t stream_seed = seed;
            for (Array &array : call.outputs) {
                place(array, turn, stream_seed);
                demand(cudaMemsetAsync(array.data, 0xa5, array.bytes(), call.stream), "cudaMemset");
            }
            for (Array &array : call.inputs) {
                size_t size;
                int kind = kind_of(array.dtype, size);
                stream_seed += 0xD1B54A32D192ED03ull;
                place(array, turn, stream_seed);
                if (array.count)
                    fill<<<2048, 256, 0, call.stream>>>(array.data, array.count, kind, array.low, array.high, stream_seed);
            }
            demand(cudaDeviceSynchronize(), "drawing the inputs");
            demand(cudaEventRecord(before, call.stream), "cudaEventRecord");
            for (int i = 0; i < cold_times; i++)
                demand(cudaMemsetAsync(cold, 0, cold_bytes, call.stream), "cudaMemset");
            demand(cudaEventRecord(start, call.stream), "cudaEventRecord");
            if (!quiet)
                demand((cudaError_t)function(call), "the timed call");
            demand(cudaEventRecord(end, call.stream), "cudaEventRecord");
            if (!in_order)
                demand(cudaEventSynchronize(end), "the timed call");
            double waiting = now();
            if (!in_order)
                demand(cudaDeviceSynchronize(), "the timed call");
            double tail = now() - waiting;
            for (Array &array : call.outputs)
                demand(cudaMemcpyAsync(array.copy, array.data, array.bytes(), cudaMemcpyDeviceToDevice, call.stream), "cudaMemcpy");
            if (in_order) {
                demand(cudaStreamSynchronize(call.stream), "the timed call");
                waiting = now();
                demand(cudaDeviceSynchronize(), "the timed call");
                tail = now() - waiting;
            }
            demand(cudaDeviceSynchronize(), "the timed call");
            float seconds, flush;
            demand(cudaEventElapsedTime(&seconds, start, end), "cudaEventElapsedTime");
            demand(cudaEventElapsedTime(&flush, before, start), "cudaEventElapsedTime");
            std::printf("%.9g %.9g %.9g\n", seconds / 1e3, flush / 1e3, tail);
        } else if (what == "peek" || what == "fetch") {
            size_t i, offset, count;
            std::sscanf(line, "%*s %zu %zu %zu", &i, &offset, &count);
            octets.resize(count);
            demand(cudaMemcpy(octets.data(), call.outputs[i].copy + offset, count, cudaMemcpyDeviceToHost), "cudaMemcpy");
            std::fwrite(octets.data(), 1, count, stdout);
        }
        std::fflush(stdout);
    }
    return 0;
}

#else

// there is nothing to time on a CPU
template <class Function> int serve(int, char **, Function)
{
    return 3;
}

#endif

}  // namespace timing
