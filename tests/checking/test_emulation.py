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
