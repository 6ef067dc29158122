"""CUDA C++ on the CPU: right kernels pass with the numbers that they should have."""

from __future__ import annotations

import shutil

import pytest

from mlsys_path.levels import Outcome

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")

TRANSPOSE = """
#include <cuda_runtime.h>
constexpr int T = 32;
__global__ void transpose(const float *in, float *out, int n)
{
    __shared__ float tile[T][T + PAD];
    int x = blockIdx.x * T + threadIdx.x, y = blockIdx.y * T + threadIdx.y;
    for (int j = 0; j < T; j += 8)
        tile[threadIdx.y + j][threadIdx.x] = in[(y + j) * n + x];
    __syncthreads();
    x = blockIdx.y * T + threadIdx.x, y = blockIdx.x * T + threadIdx.y;
    for (int j = 0; j < T; j += 8)
        out[(y + j) * n + x] = tile[threadIdx.x][threadIdx.y + j];
}
void launch_transpose(const float *in, float *out, int n) { transpose<<<dim3(n / T, n / T), dim3(T, 8)>>>(in, out, n); }
"""
MAIN = """
#include <cstdio>
#include <cstdlib>
#include <vector>
#include <cuda_runtime.h>
void launch_transpose(const float *in, float *out, int n);
int main(int, char **argv)
{
    int n = atoi(argv[1]);
    std::vector<float> host(n * n), back(n * n);
    fread(host.data(), sizeof(float), n * n, stdin);
    float *in, *out;
    cudaMalloc(&in, n * n * sizeof(float));
    cudaMalloc(&out, n * n * sizeof(float));
    cudaMemcpy(in, host.data(), n * n * sizeof(float), cudaMemcpyHostToDevice);
    launch_transpose(in, out, n);
    cudaMemcpy(back.data(), out, n * n * sizeof(float), cudaMemcpyDeviceToHost);
    fwrite(back.data(), sizeof(float), n * n, stdout);
    cudaFree(in);
    cudaFree(out);
}
"""


def test_a_transpose_with_and_without_padding(judge):
    checks = """
    def test_it(learner, rng):
        for pad, ways in ((1, 1), (0, 32)):
            program = learner.emulate("it.cu", "main.cu", flags=[f"-DPAD={pad}"])
            x = rng.normal(size=(64, 64)).astype(np.float32)
            done = program.run(64, stdin=x.tobytes())
            assert_close(np.frombuffer(done.stdout, np.float32).reshape(64, 64), x.T.copy())
            kernel = done.report.kernel("transpose")
            assert_equal([(l.grid, l.block, l.shared_bytes) for l in done.report.launches["transpose"]], [((2, 2, 1), (32, 8, 1), 0)])
            assert_equal(kernel.global_loads.requests, 128)
            assert_equal(kernel.global_loads.sectors_per_request, 4.0)
            assert_equal(kernel.global_stores.efficiency, 1.0)
            assert_equal(kernel.shared_stores.conflict_ways_max, 1)
            assert_equal(kernel.shared_loads.conflict_ways_max, ways)
            assert_equal(kernel.shared_loads.wavefronts, 128 * ways)
            assert_equal(kernel.barriers, 4)
            assert_equal(kernel.static_shared, 32 * (32 + pad) * 4)
            assert_equal(bool(kernel.shared_loads.where()), ways > 1)
            if ways > 1:
                assert "it.cu:13: out[" in kernel.shared_loads.where(), kernel.shared_loads.where()
    """
    verdict = judge(checks, {"it.cu": TRANSPOSE}, language="cuda", harness={"main.cu": MAIN})
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure


PATTERNS = """
#include <cstdio>
#include <cstring>
#include <vector>
#include <cuda_runtime.h>
constexpr int N = 4096;  // bytes, of which each lane touches some
template <class T> __global__ void loads(const T *data, const int *at, T *out) { int i = at[threadIdx.x]; if (i >= 0) out[threadIdx.x] = data[i]; }
template <class T> __global__ void stores(T *data, const int *at) { int i = at[threadIdx.x]; T v; memset(&v, 1, sizeof v); if (i >= 0) data[i] = v; }
template <class T> __global__ void banks(const int *at, T *out) {
    __shared__ T s[N / sizeof(T)];
    T v; memset(&v, 1, sizeof v);
    for (int i = threadIdx.x; i < N / sizeof(T); i += 32) s[i] = v;
    __syncthreads();
    int i = at[threadIdx.x]; if (i >= 0) out[threadIdx.x] = s[i]; }
__global__ void hits(const int *at, int *out) {
    __shared__ int s[N / 4];
    for (int i = threadIdx.x; i < N / 4; i += 32) s[i] = 0;
    __syncthreads();
    int i = at[threadIdx.x]; if (i >= 0) atomicAdd(&s[i], 1);
    __syncthreads();
    out[threadIdx.x] = s[threadIdx.x]; }
template <class T> void each(const std::vector<int> &patterns) {
    T *data, *out; int *at;
    cudaMalloc(&data, N); cudaMalloc(&out, 32 * sizeof(T)); cudaMalloc(&at, 128); cudaMemset(data, 0, N);
    for (size_t p = 0; p + 32 <= patterns.size(); p += 32) {
        cudaMemcpy(at, &patterns[p], 128, cudaMemcpyHostToDevice);
        loads<<<1, 32>>>(data, at, out); stores<<<1, 32>>>(data, at); banks<<<1, 32>>>(at, out);
        if constexpr (sizeof(T) == 4) hits<<<1, 32>>>(at, (int *)out);
    } }
int main(int, char **argv) {
    std::vector<int> patterns; int i;
    while (fread(&i, 4, 1, stdin) == 1) patterns.push_back(i);
    switch (argv[1][0]) { case '1': if (argv[1][1]) each<float4>(patterns); else each<char>(patterns); break; case '2': each<short>(patterns); break; case '4': each<float>(patterns); break; case '8': each<double>(patterns); } }
"""

MODEL = """
def sectors(pattern, size):
    return len({b // 32 for i in pattern if i >= 0 for b in range(i * size, (i + 1) * size)})

def ways(pattern, size, atomic=False):
    # wavefronts of each group of lanes that are served together
    together = 32 if size <= 4 else 128 // size
    out = []
    for first in range(0, 32, together):
        words = [w for i in pattern[first : first + together] if i >= 0 for w in range(i * size // 4, ((i + 1) * size - 1) // 4 + 1)]
        if words:
            per_bank = {}
            for w in words if atomic else set(words):
                per_bank[w % 32] = per_bank.get(w % 32, 0) + 1
            out.append(max(per_bank.values()))
    return out
"""


def test_the_counters_agree_with_a_model(judge):
    checks = (
        MODEL
        + """
def draw(rng, size):
    n = 4096 // size
    match rng.integers(6):
        case 0:
            pattern = (np.arange(32) * rng.integers(1, 40) + rng.integers(0, 50)) % n
        case 1:
            pattern = rng.integers(0, n, 32)
        case 2:
            pattern = np.full(32, rng.integers(0, n))
        case 3:
            pattern = rng.permutation(32) + rng.integers(0, n - 32)
        case 4:
            pattern = (np.arange(32) ^ rng.integers(0, 32)) % n
        case _:
            pattern = rng.integers(0, 4, 32) * 32 % n
    if rng.integers(2):
        pattern = np.where(rng.random(32) < 0.3, -1, pattern)
    return [int(i) for i in pattern]

def test_it(learner, rng):
    program = learner.emulate("it.cu")
    for size in (1, 2, 4, 8, 16):
        for count in (1, 1, 1, 12):
            patterns = [draw(rng, size) for _ in range(count)]
            report = program.run(size, stdin=np.array(patterns, np.int32).tobytes()).report
            touched = [p for p in patterns if max(p) >= 0]
            lanes = sum(i >= 0 for p in patterns for i in p)
            what = f"{size} bytes a lane, {patterns}"
            loads = report.kernel("loads").global_loads
            expected = sum(sectors(p, size) for p in touched)
            # the pattern itself is 32 neighbouring ints
            assert_equal(loads.sectors, expected + 4 * count, f"sectors loaded, {what}")
            stores = report.kernel("stores").global_stores
            assert_equal((stores.requests, stores.lanes, stores.sectors), (len(touched), lanes, expected), f"stores, {what}")
            used = sum(size * len({i for i in p if i >= 0}) for p in patterns)
            if touched:
                assert_close(stores.efficiency, used / (32 * expected))
            banks = report.kernel("banks").shared_loads
            each = [w for p in touched for w in ways(p, size)]
            assert_equal((banks.requests, banks.wavefronts, banks.conflict_ways_max), (len(touched), sum(each), max(each, default=0)), f"banks, {what}")
            assert_equal(banks.conflicts, sum(each) - len(each))
            if size == 4:
                hits = report.kernel("hits").shared_atomics
                each = [w for p in touched for w in ways(p, 4, atomic=True)]
                assert_equal((hits.operations, hits.sectors, hits.same_address_max), (lanes, sum(each), max(each, default=0)), f"atomics, {what}")
"""
    )
    verdict = judge(checks, {"it.cu": PATTERNS}, language="cuda")
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure


STREAMS = """
#include <vector>
#include <cuda_runtime.h>
__global__ void fill(float *x) { x[threadIdx.x] = 1; }
__global__ void other(float *y) { y[threadIdx.x] = 2; }
int main(int argc, char **)
{
    float *x, *y, *h; std::vector<float> pageable(64);
    cudaMalloc(&x, 256); cudaMalloc(&y, 256); cudaMallocHost(&h, 256);
    cudaStream_t s, t; cudaStreamCreate(&s); cudaStreamCreate(&t);
    cudaEvent_t e; cudaEventCreate(&e);
    fill<<<1, 64, 0, s>>>(x);
    other<<<1, 64, 0, t>>>(y);
    cudaEventRecord(e, s);
    cudaStreamWaitEvent(t, e);
    cudaMemcpyAsync(argc > 1 ? pageable.data() : h, x, 256, cudaMemcpyDeviceToHost, t);
    cudaDeviceSynchronize();
    return 0;
}
"""


def test_what_was_put_into_streams_is_told(judge):
    checks = """
    def test_it(learner):
        program = learner.emulate("it.cu")
        report = program.run().report
        fill, other, copy = report.operations
        assert_equal([(o.kind, o.name, o.stream) for o in report.operations], [("kernel", "fill", 1), ("kernel", "other", 2), ("copy", "device to host", 2)])
        assert_equal((copy.bytes, copy.line), (256, 16))
        assert report.ordered(fill, copy) and report.ordered(other, copy)
        assert not report.ordered(fill, other) and not report.ordered(other, fill)
        assert_equal(report.noted("pageable-copy"), [])
        (note,) = program.run("pageable").report.noted("pageable-copy")
        assert_equal(note["bytes"], 256)
    """
    verdict = judge(checks, {"it.cu": STREAMS}, language="cuda")
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure
