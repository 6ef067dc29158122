"""CUDA C++ on the CPU: what kernels and hosts may do comes out as on a GPU, and is no error."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mlsys_path.levels import Outcome

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")

PRELUDE = """
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>
#include <cuda_pipeline.h>
#include <cuda_runtime.h>
#include <cuda_fp16.h>
#include <cuda_bf16.h>
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
namespace cg = cooperative_groups;
template <class T> T *up(const std::vector<T> &h) { T *d; cudaMalloc(&d, h.size() * sizeof(T)); cudaMemcpy(d, h.data(), h.size() * sizeof(T), cudaMemcpyHostToDevice); return d; }
template <class T> std::vector<T> down(const T *d, size_t n) { std::vector<T> h(n); cudaMemcpy(h.data(), d, n * sizeof(T), cudaMemcpyDeviceToHost); return h; }
template <class T> T *zeros(size_t n) { return up(std::vector<T>(n)); }
#define EXPECT(x) do { if (!(x)) { fprintf(stderr, "line %d: %s\\n", __LINE__, #x); exit(1); } } while (0)
"""

# a name, kernels, and what the host demands
CASES = {
    "warp-operations": (
        """
        __global__ void lanes(int *out) {
            int lane = threadIdx.x, *o = out + lane * 20;
            o[0] = __shfl_sync(~0u, lane * 10, 3); o[1] = __shfl_up_sync(~0u, lane, 2); o[2] = __shfl_down_sync(~0u, lane, 2);
            o[3] = __shfl_xor_sync(~0u, lane, 5); o[4] = __shfl_sync(~0u, lane, 1, 8); o[5] = __shfl_down_sync(~0u, lane, 3, 4);
            o[6] = __ballot_sync(~0u, lane % 3 == 0); o[7] = __any_sync(~0u, lane == 5); o[8] = __all_sync(~0u, lane < 31);
            o[9] = __match_any_sync(~0u, lane / 10); o[10] = __reduce_add_sync(~0u, lane); o[11] = __reduce_min_sync(~0u, -lane);
            int all; o[12] = __match_all_sync(~0u, 7, &all); o[13] = all;
            if (lane < 8) o[14] = __shfl_xor_sync(0xff, lane, 1); else o[14] = __activemask();
            double wide = __shfl_down_sync(~0u, lane * 0.5, 1); o[15] = (int)(wide * 2);
            o[16] = (int)__half2float(__shfl_sync(~0u, __float2half(lane), 4)) + (int)__shfl_xor_sync(~0u, (unsigned long long)lane << 40, 1) + (int)(__shfl_up_sync(~0ull, (long long)lane << 33, 1) >> 33);
        }
        """,
        """
        int *d = zeros<int>(640); lanes<<<1, 32>>>(d); auto h = down(d, 640);
        for (int l = 0; l < 32; l++) { int *o = &h[l * 20];
            EXPECT(o[0] == 30); EXPECT(o[1] == (l < 2 ? l : l - 2)); EXPECT(o[2] == (l > 29 ? l : l + 2)); EXPECT(o[3] == (l ^ 5));
            EXPECT(o[4] == l / 8 * 8 + 1); EXPECT(o[5] == (l % 4 < 1 ? l + 3 : l)); EXPECT((unsigned)o[6] == 0x49249249); EXPECT(o[7] == 1); EXPECT(o[8] == 0);
            unsigned same = 0; for (int m = 0; m < 32; m++) same |= (m / 10 == l / 10) ? 1u << m : 0; EXPECT((unsigned)o[9] == same);
            EXPECT(o[10] == 496); EXPECT(o[11] == -31); EXPECT((unsigned)o[12] == ~0u); EXPECT(o[13] == 1);
            EXPECT((unsigned)o[14] == (l < 8 ? (unsigned)(l ^ 1) : 0xffffff00u)); EXPECT(o[15] == (l < 31 ? l + 1 : l)); EXPECT(o[16] == 4 + (l ? l - 1 : 0)); }
        """,
    ),
    "barriers-that-count": (
        "__global__ void counts(int *out) { int n = __syncthreads_count(threadIdx.x < 40), a = __syncthreads_and(threadIdx.x < 99), o = __syncthreads_or(threadIdx.x == 70); out[threadIdx.x] = n * 100 + a * 10 + o; }",
        "int *d = zeros<int>(96); counts<<<1, 96>>>(d); for (int v : down(d, 96)) EXPECT(v == 4011);",
    ),
    "atomics": (
        """
        __global__ void many(int *i, unsigned *u, unsigned long long *l, float *f, double *d) {
            __shared__ int s[2]; if (threadIdx.x < 2) s[threadIdx.x] = 0; __syncthreads();
            atomicAdd(&s[threadIdx.x & 1], 1); __syncthreads();
            if (threadIdx.x < 2) atomicAdd(&i[threadIdx.x], s[threadIdx.x]);
            atomicMax(&i[2], (int)threadIdx.x - 500); atomicMin(&i[3], -(int)threadIdx.x); atomicSub(&i[4], 2);
            atomicOr(&u[0], 1u << threadIdx.x % 32); atomicXor(&u[1], 1u); atomicInc(&u[2], 6); atomicExch(&u[3], 9u);
            atomicAdd(l, 1ull << 33); atomicAdd(f, 0.5f); atomicAdd(d, 0.25);
            int old = i[5], assumed; do { assumed = old; old = atomicCAS(&i[5], assumed, assumed + 3); } while (old != assumed);
        }
        """,
        """
        std::vector<int> start(8); start[2] = -1000; int *i = up(start); unsigned *u = zeros<unsigned>(4); auto *l = zeros<unsigned long long>(1); float *f = zeros<float>(1); double *d = zeros<double>(1);
        many<<<3, 64>>>(i, u, l, f, d); auto h = down(i, 8); auto g = down(u, 4);
        EXPECT(h[0] == 96 && h[1] == 96 && h[2] == -437 && h[3] == -63 && h[4] == -384 && h[5] == 576);
        EXPECT(g[0] == ~0u && g[1] == 0 && g[2] == 192 % 7 && g[3] == 9); EXPECT(down(l, 1)[0] == 192ull << 33); EXPECT(down(f, 1)[0] == 96 && down(d, 1)[0] == 48);
        """,
    ),
    "last-block-sums": (
        """
        __device__ unsigned arrived; 
        template <int BLOCK> __global__ void __launch_bounds__(BLOCK) sum(const float *in, float *part, float *out, int n) {
            __shared__ float s[BLOCK]; __shared__ bool last;
            float v = 0; for (int i = blockIdx.x * BLOCK + threadIdx.x; i < n; i += BLOCK * gridDim.x) v += in[i];
            s[threadIdx.x] = v; __syncthreads();
            for (int o = BLOCK / 2; o > 0; o /= 2) { if (threadIdx.x < o) s[threadIdx.x] += s[threadIdx.x + o]; __syncthreads(); }
            if (threadIdx.x == 0) { part[blockIdx.x] = s[0]; __threadfence(); last = atomicAdd(&arrived, 1u) == gridDim.x - 1; }
            __syncthreads();
            if (last) { v = 0; for (int i = threadIdx.x; i < gridDim.x; i += BLOCK) v += part[i]; s[threadIdx.x] = v; __syncthreads();
                for (int o = BLOCK / 2; o > 0; o /= 2) { if (threadIdx.x < o) s[threadIdx.x] += s[threadIdx.x + o]; __syncthreads(); }
                if (threadIdx.x == 0) { *out = s[0]; arrived = 0; } }
        }
        """,
        "std::vector<float> h(5000, 1); float *in = up(h), *part = zeros<float>(20), *out = zeros<float>(1); for (int k = 0; k < 2; k++) { sum<64><<<20, 64>>>(in, part, out, 5000); EXPECT(down(out, 1)[0] == 5000); }",
    ),
    "decoupled-look-back": (
        """
        __device__ unsigned ticket; __device__ volatile int state[64]; __device__ int total[64];
        __global__ void scan(const int *in, int *out, int n) {
            __shared__ int s[32], before, tile; if (threadIdx.x == 0) tile = atomicAdd(&ticket, 1u); __syncthreads();
            int i = tile * 32 + threadIdx.x, v = i < n ? in[i] : 0;
            for (int o = 1; o < 32; o *= 2) { int w = __shfl_up_sync(~0u, v, o); if (threadIdx.x >= o) v += w; }
            if (threadIdx.x == 31) { int sum = 0; if (tile) { while (state[tile - 1] == 0) {} __threadfence(); sum = total[tile - 1]; }
                before = sum; total[tile] = sum + v; __threadfence(); state[tile] = 1; }
            __syncthreads();
            if (i < n) out[i] = v + before;
        }
        """,
        "std::vector<int> h(2000); for (int i = 0; i < 2000; i++) h[i] = i % 7; int *in = up(h), *out = zeros<int>(2000); scan<<<63, 32>>>(in, out, 2000); auto g = down(out, 2000); int s = 0; for (int i = 0; i < 2000; i++) EXPECT(g[i] == (s += h[i]));",
    ),
    "a-lock-between-blocks": (
        """
        __device__ int lock; __global__ void guarded(int *count) {
            if (threadIdx.x == 0) { while (atomicCAS(&lock, 0, 1) != 0) {} __threadfence(); *(volatile int *)count = *(volatile int *)count + 1; __threadfence(); atomicExch(&lock, 0); }
        }
        """,
        "int *c = zeros<int>(1); guarded<<<50, 32>>>(c); EXPECT(down(c, 1)[0] == 50);",
    ),
    "blocks-that-wait-for-one-another": (
        "__global__ void meet(int *here) { if (threadIdx.x == 0) { atomicAdd(here, 1); while (*(volatile int *)here < gridDim.x) {} } __syncthreads(); }",
        "int *c = zeros<int>(1); meet<<<100, 64>>>(c); EXPECT(down(c, 1)[0] == 100);",
    ),
    "shared-of-every-kind": (
        """
        extern __shared__ int outer[];
        template <class T, int N> __device__ T turned(T v) { __shared__ T t[N]; t[threadIdx.x] = v; __syncthreads(); T r = t[N - 1 - threadIdx.x]; __syncthreads(); return r; }
        __global__ void kinds(float *f, int *i) {
            extern __shared__ __align__(16) unsigned char raw[]; double *d = (double *)raw;
            __shared__ struct { float4 v; int n; } one; __shared__ int a, b[2];
            d[threadIdx.x] = threadIdx.x; if (threadIdx.x == 0) { one.v = make_float4(1, 2, 3, 4); one.n = 5; a = 6; b[0] = 7; b[1] = 8; } __syncthreads();
            f[threadIdx.x] = turned<float, 32>(threadIdx.x) + (float)d[31 - threadIdx.x] + one.v.w; i[threadIdx.x] = turned<int, 32>(threadIdx.x) + one.n + a + b[0] + b[1];
            __syncthreads(); outer[threadIdx.x] = 3; __syncthreads(); i[threadIdx.x] += outer[31 - threadIdx.x];
        }
        """,
        "float *f = zeros<float>(32); int *i = zeros<int>(32); kinds<<<1, 32, 256>>>(f, i); auto a = down(f, 32); auto b = down(i, 32); for (int t = 0; t < 32; t++) { EXPECT(a[t] == 2 * (31 - t) + 4); EXPECT(b[t] == 31 - t + 29); }",
    ),
    "more-shared-by-asking": (
        "__global__ void large(int *out) { extern __shared__ int s[]; for (int i = threadIdx.x; i < 25000; i += blockDim.x) s[i] = i; __syncthreads(); out[threadIdx.x] = s[24999 - threadIdx.x]; }",
        "int *d = zeros<int>(64); EXPECT(cudaFuncSetAttribute(large, cudaFuncAttributeMaxDynamicSharedMemorySize, 100000) == cudaSuccess); large<<<1, 64, 100000>>>(d); EXPECT(down(d, 64)[3] == 24996); EXPECT(cudaFuncSetAttribute(large, cudaFuncAttributeMaxDynamicSharedMemorySize, 300000) == cudaErrorInvalidValue); EXPECT(cudaGetLastError() == cudaErrorInvalidValue);",
    ),
    "symbols": (
        "__constant__ float coef[3]; __device__ int seen; __device__ const int fixed[2] = {4, 5}; __device__ constexpr int more = 6; __managed__ int both; __global__ void uses(float *out) { out[threadIdx.x] = coef[0] + coef[1] * coef[2] + fixed[threadIdx.x & 1] + more; if (threadIdx.x == 0) { seen = 11; both++; } }",
        "float c[3] = {1, 2, 3}; cudaMemcpyToSymbol(coef, c, sizeof c); float *d = zeros<float>(32); both = 1; uses<<<1, 32>>>(d); cudaDeviceSynchronize(); EXPECT(down(d, 32)[0] == 17 && down(d, 32)[1] == 18); int s; cudaMemcpyFromSymbol(&s, seen, sizeof s); EXPECT(s == 11 && both == 2); void *p; cudaGetSymbolAddress(&p, seen); cudaMemset(p, 0, 4); cudaMemcpyFromSymbol(&s, seen, sizeof s); EXPECT(s == 0);",
    ),
    "narrow-floats": (
        "__global__ void narrow(half *h, __nv_bfloat16 *b, half2 *p) { int i = threadIdx.x; h[i] = __float2half(1.0f + i) * h[i]; b[i] = __float2bfloat16(i + 0.5f); p[i] = __hfma2(__floats2half2_rn(i, 1), __float2half2_rn(2), p[i]); }",
        "std::vector<half> ones(8, half(0.5f)); half *h = up(ones); auto *b = up(std::vector<__nv_bfloat16>(8, __nv_bfloat16(0.f))); auto *p = up(std::vector<half2>(8, __float2half2_rn(1))); narrow<<<1, 8>>>(h, b, p); for (int i = 0; i < 8; i++) { EXPECT((float)down(h, 8)[i] == 0.5f * (1 + i)); EXPECT((float)down(b, 8)[i] == i + 0.5f); EXPECT(__half22float2(down(p, 8)[i]).x == 2 * i + 1); } for (int i = 0; i < 65536; i++) { half x = __ushort_as_half(i); if (!isnan((float)x)) EXPECT(__half_as_ushort(half((float)x)) == i); } EXPECT(__half_as_ushort(half(65520.f)) == 0x7c00 && __half_as_ushort(half(65519.f)) == 0x7bff && __half_as_ushort(half(1e-8f)) == 0 && __half_as_ushort(half(3e-8f)) == 1);",
    ),
    "groups": (
        """
        __global__ void grouped(int *out) {
            auto block = cg::this_thread_block(); auto tile = cg::tiled_partition<16>(block); int r = block.thread_rank();
            int sum = cg::reduce(tile, r, cg::plus<int>()); block.sync();
            out[r] = sum * 1000 + tile.meta_group_rank() * 10 + (tile.thread_rank() == 0); tile.sync();
            if (r % 2) { auto active = cg::coalesced_threads(); out[r] += active.size() * 100000; }
        }
        """,
        "int *d = zeros<int>(64); grouped<<<1, dim3(8, 8)>>>(d); auto h = down(d, 64); for (int r = 0; r < 64; r++) { int g = r / 16, s = 16 * (16 * g) + 120; EXPECT(h[r] == s * 1000 + g * 10 + (r % 16 == 0) + (r % 2 ? 1600000 : 0)); }",
    ),
    "graphs-and-streams": (
        "__global__ void plus_one(int *x) { x[threadIdx.x]++; } __global__ void doubled(const int *x, int *y) { y[threadIdx.x] = 2 * x[threadIdx.x]; }",
        """
        int *x = zeros<int>(32), *y = zeros<int>(32); cudaStream_t s, t; cudaStreamCreate(&s); cudaStreamCreateWithFlags(&t, cudaStreamNonBlocking); cudaEvent_t e, f; cudaEventCreate(&e); cudaEventCreate(&f);
        plus_one<<<1, 32, 0, s>>>(x); cudaEventRecord(e, s); cudaStreamWaitEvent(t, e); doubled<<<1, 32, 0, t>>>(x, y); cudaEventRecord(f, t); float ms; EXPECT(cudaEventElapsedTime(&ms, e, f) == cudaErrorNotReady); cudaStreamSynchronize(t); EXPECT(down(y, 32)[5] == 2); EXPECT(cudaEventElapsedTime(&ms, e, f) == cudaSuccess && ms > 0);
        cudaGraph_t g; cudaGraphExec_t x1; cudaGetLastError(); EXPECT(cudaStreamBeginCapture(t, cudaStreamCaptureModeGlobal) == cudaSuccess);
        plus_one<<<1, 32, 0, t>>>(x); cudaEventRecord(e, t); cudaStreamWaitEvent(s, e); doubled<<<1, 32, 0, s>>>(x, y); cudaEventRecord(f, s); cudaStreamWaitEvent(t, f); cudaMemsetAsync(x, 0, 4, t);
        EXPECT(cudaStreamSynchronize(t) == cudaErrorStreamCaptureUnsupported); EXPECT(cudaStreamEndCapture(t, &g) == cudaErrorStreamCaptureInvalidated && !g);
        EXPECT(cudaStreamBeginCapture(t, cudaStreamCaptureModeGlobal) == cudaSuccess); plus_one<<<1, 32, 0, t>>>(x); cudaEventRecord(e, t); cudaStreamWaitEvent(s, e); doubled<<<1, 32, 0, s>>>(x, y); EXPECT(cudaStreamEndCapture(t, &g) == cudaErrorStreamCaptureUnjoined);
        cudaStreamBeginCapture(t, cudaStreamCaptureModeGlobal); plus_one<<<1, 32, 0, t>>>(x); cudaEventRecord(e, t); cudaStreamWaitEvent(s, e); doubled<<<1, 32, 0, s>>>(x, y); cudaEventRecord(f, s); cudaStreamWaitEvent(t, f); plus_one<<<1, 32, 0, t>>>(x); EXPECT(cudaStreamEndCapture(t, &g) == cudaSuccess);
        size_t nodes = 0, edges = 0; cudaGraphGetNodes(g, nullptr, &nodes); cudaGraphGetEdges(g, nullptr, nullptr, nullptr, &edges); EXPECT(nodes == 3 && edges == 3); EXPECT(down(x, 32)[0] == 1);
        EXPECT(cudaGraphInstantiate(&x1, g) == cudaSuccess); for (int k = 0; k < 3; k++) cudaGraphLaunch(x1, t); cudaStreamSynchronize(t); EXPECT(down(x, 32)[9] == 7 && down(y, 32)[9] == 12);
        EXPECT(cudaStreamWaitEvent(t, f) == cudaErrorCapturedEvent && cudaEventSynchronize(f) == cudaErrorCapturedEvent); cudaEventRecord(f, s); EXPECT(cudaStreamWaitEvent(t, f) == cudaSuccess);
        """,
    ),
    "managed-and-pinned": (
        "__global__ void scales(float *x, int n) { int i = threadIdx.x; if (i < n) x[i] *= 3; }",
        "float *m, *p; cudaMallocManaged(&m, 64); cudaMallocHost(&p, 64); for (int i = 0; i < 16; i++) m[i] = p[i] = i; scales<<<1, 32>>>(m, 16); scales<<<1, 32>>>(p, 16); cudaDeviceSynchronize(); EXPECT(m[5] == 15 && p[5] == 15); cudaFree(m); cudaFreeHost(p);",
    ),
    "a-block-writes-where-it-read": (
        "__global__ void reversed(float *x, int n) { __shared__ float s[256]; int i = threadIdx.x; s[i] = x[i]; __syncthreads(); x[i] = s[n - 1 - i]; }",
        "std::vector<float> h(256); for (int i = 0; i < 256; i++) h[i] = i; float *d = up(h); reversed<<<1, 256>>>(d, 256); EXPECT(down(d, 256)[3] == 252);",
    ),
    "warps-on-their-own": (
        """
        __global__ void by_warp(float *x) { __shared__ float s[4][32]; int w = threadIdx.x / 32, l = threadIdx.x % 32; s[w][l] = x[threadIdx.x]; __syncwarp();
            for (int o = 16; o > 0; o /= 2) { float v = l < o ? s[w][l + o] : 0; __syncwarp(); if (l < o) s[w][l] += v; __syncwarp(); } if (l == 0) x[threadIdx.x] = s[w][0]; }
        """,
        "float *d = up(std::vector<float>(128, 2)); by_warp<<<1, 128>>>(d); EXPECT(down(d, 128)[96] == 64);",
    ),
    "all-write-the-same": (
        "__global__ void found(const int *x, int *flag, int wanted) { if (x[blockIdx.x * blockDim.x + threadIdx.x] == wanted) *flag = 1; }",
        "int *x = up(std::vector<int>(256, 7)), *f = zeros<int>(1); found<<<4, 64>>>(x, f, 7); EXPECT(down(f, 1)[0] == 1);",
    ),
    "printing": (
        '__global__ void prints() { if (threadIdx.x == 3) printf("thread %d of %d: %.2f\\n", threadIdx.x, blockDim.x, 1.5f); }',
        "prints<<<1, 8>>>(); cudaDeviceSynchronize();",
    ),
    "asynchronous-copies": (
        """__global__ void ring(const float *in, float *out, int tiles) { __shared__ __align__(16) float s[3][128]; float sum = 0;
        auto fetch = [&](int t) { if (t < tiles && threadIdx.x < 32) { bool there = t != 2; __pipeline_memcpy_async(&s[t % 3][threadIdx.x * 4], in + t * 128 + threadIdx.x * 4, 16, there ? 0 : 16); } __pipeline_commit(); };
        fetch(0), fetch(1);
        for (int t = 0; t < tiles; t++) { __pipeline_wait_prior(1); __syncthreads(); fetch(t + 2); sum += s[t % 3][127 - threadIdx.x]; }
        out[threadIdx.x] = sum; }""",
        "std::vector<float> x(128 * 5); for (int i = 0; i < 640; i++) x[i] = i; float *in = up(x), *out = zeros<float>(128); ring<<<1, 128>>>(in, out, 5); auto y = down(out, 128); for (int i = 0; i < 128; i++) EXPECT(y[i] == (0 + 1 + 3 + 4) * 128 + 4 * (127 - i));",
    ),
    "launches-that-fail": (
        "__global__ void anything(int *x) { *x = 1; }",
        "int *x = zeros<int>(1); anything<<<0, 32>>>(x); EXPECT(cudaPeekAtLastError() == cudaErrorInvalidConfiguration && cudaGetLastError() == cudaErrorInvalidConfiguration && cudaGetLastError() == cudaSuccess); anything<<<1, 2000>>>(x); EXPECT(cudaGetLastError() != cudaSuccess); EXPECT(down(x, 1)[0] == 0); EXPECT(!strcmp(cudaGetErrorName(cudaErrorInvalidConfiguration), \"cudaErrorInvalidConfiguration\"));",
    ),
    "the-device": (
        "",
        "cudaDeviceProp p; int v; EXPECT(cudaGetDeviceProperties(&p, 0) == cudaSuccess && p.major == 9 && p.multiProcessorCount == 132 && strstr(p.name, \"emulated\")); cudaDeviceGetAttribute(&v, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0); EXPECT(v == 232448); void *big; EXPECT(cudaMalloc(&big, 1ull << 40) == cudaErrorMemoryAllocation && !big); cudaGetLastError();",
    ),
    "names-of-launches": (
        "namespace inner { template <class T, class Op> __global__ void apply(T *x, Op op) { x[threadIdx.x] = op(x[threadIdx.x]); } struct Twice { __device__ float operator()(float v) const { return 2 * v; } }; } __global__ void plain1(float *x) { x[threadIdx.x] += 1; } template <class T> void start(T kernel, float *x) { kernel<<<1, 4>>>(x); }",
        "float *x = up(std::vector<float>(4, 3)); inner::apply<float><<<1, 4>>>(x, inner::Twice{}); inner::apply<<<1, 4>>>(x, inner::Twice()); void (*pointer)(float *) = plain1; pointer<<<dim3(1), dim3(4)>>>(x); start(plain1, x); EXPECT(down(x, 4)[2] == 14);",
    ),
    "library-functions": (
        "__global__ void libraries(float *x) { float local[4] = {4, 3, 2, 1}, other[4]; memcpy(other, local, sizeof local); float4 v = {1, 2, 3, 4}; ((float4 *)x)[threadIdx.x] = v; x[threadIdx.x * 4] = other[1] + min(2, 3) + max(1.0f, 2.0f) + max(1, 2u) - max(1, 2u) + rsqrtf(4.0f) + __expf(0) + __fdividef(1, 2) + fminf(1, 2) + __popc(7u) + __clz(1) + __ffs(8) + __float_as_int(0.0f) + __ldg(&x[threadIdx.x * 4 + 1]); }",
        "float *x = zeros<float>(16); libraries<<<1, 4>>>(x); EXPECT(down(x, 16)[4] == 3 + 2 + 2 + .5f + 1 + .5f + 1 + 3 + 31 + 4 + 0 + 2); EXPECT(down(x, 16)[7] == 4);",
    ),
}  # fmt: skip


def source() -> str:
    """One program of all cases, told apart by its first argument."""
    kernels = "\n".join(k for k, _host in CASES.values())
    hosts = "\n".join(f'    if (!strcmp(argv[1], "{n}")) {{ {host} }}' for n, (_k, host) in CASES.items())
    return f"{PRELUDE}\n{kernels}\nint main(int, char **argv)\n{{\n{hosts}\n    return 0;\n}}\n"


def test_right_programs_pass(judge):
    checks = f"""
    def test_it(learner):
        program = learner.emulate("it.cu")
        bad = []
        for name in {list(CASES)!r}:
            done = program.run(name, check=False, launch_errors=True)
            if done.error or done.returncode:
                bad.append(f"{{name}}: {{done.returncode}} {{done.error}} {{done.stderr.decode()}}")
        assert not bad, "\\n".join(bad)
    def test_output(learner):
        assert_equal(learner.emulate("it.cu").run("printing").stdout, b"thread 3 of 8: 1.50\\n")
    def test_names(learner):
        launches = learner.emulate("it.cu").run("names-of-launches").report.launches
        assert_equal({{name: len(these) for name, these in launches.items()}}, {{"apply": 2, "pointer": 1, "kernel": 1}})
    """
    verdict = judge(checks, {"it.cu": source()}, language="cuda")
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure.message


def test_kernels_as_people_write_them_are_no_error(judge):
    source = Path(__file__).with_name("honest_kernels.cu").read_text()
    checks = 'def test_it(learner):\n    assert_equal(learner.emulate("it.cu").run().stdout, b"fine\\n")\n'
    verdict = judge(checks, {"it.cu": source}, language="cuda")
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure.message


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc")
def test_what_the_emulation_takes_nvcc_takes(tmp_path):
    (tmp_path / "cases.cu").write_text(source())
    for file in (tmp_path / "cases.cu", Path(__file__).with_name("honest_kernels.cu")):
        argv = ["nvcc", "-std=c++17", "-arch=sm_90", "-c", file, "-o", tmp_path / "out.o"]
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[:3000]
