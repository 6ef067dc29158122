"""Asynchronous copies on the CPU: what of them the report counts. The mistakes are in test_emulation_errors.py."""

from __future__ import annotations

import shutil

import pytest

from mlsys_path.levels import Outcome

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")

RING = """
#include <cstdlib>
#include <cuda_pipeline.h>
#include <cuda_runtime.h>
__global__ void ring(const float *in, float *out, int tiles, int buffers)
{
    extern __shared__ __align__(16) float s[];
    float sum = 0;
    for (int t = 0; t < buffers - 1; t++) {
        if (t < tiles)
            __pipeline_memcpy_async(&s[t * 64 + threadIdx.x], in + t * 64 + threadIdx.x, 4);
        __pipeline_commit();
    }
    for (int t = 0; t < tiles; t++) {
        if (buffers == 2) __pipeline_wait_prior(0); else __pipeline_wait_prior(1);
        __syncthreads();
        int next = t + buffers - 1;
        if (next < tiles)
            __pipeline_memcpy_async(&s[next % buffers * 64 + threadIdx.x], in + next * 64 + threadIdx.x, 4);
        __pipeline_commit();
        sum += s[t % buffers * 64 + 63 - threadIdx.x];
    }
    out[threadIdx.x] = sum;
}
int main(int, char **argv)
{
    int tiles = atoi(argv[1]), buffers = atoi(argv[2]);
    float *in, *out;
    cudaMalloc(&in, 256 * tiles);
    cudaMalloc(&out, 256);
    cudaMemset(in, 0, 256 * tiles);
    ring<<<1, 64, 256 * buffers>>>(in, out, tiles, buffers);
    return cudaDeviceSynchronize();
}
"""


def test_bytes_under_way(judge):
    checks = """
    def test_it(learner):
        program = learner.emulate("it.cu")
        for buffers, under_way in ((2, 9), (3, 9 + 8)):
            kernel = program.run(10, buffers).report.kernel("ring")
            assert_equal(kernel.async_copies.copies, 640)
            assert_equal(kernel.async_copies.bytes, 2560)
            assert_equal(kernel.global_loads.bytes, 2560)
            assert_equal(kernel.async_copies.under_way, 256 * under_way / 10)
    """
    verdict = judge(checks, {"it.cu": RING}, language="cuda")
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure.message
