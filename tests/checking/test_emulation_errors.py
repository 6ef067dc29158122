"""CUDA C++ on the CPU: each mistake is found, and told with the place and the line."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import pytest

from mlsys_path.levels import Outcome

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")


@dataclass(frozen=True)
class Case:
    """A kernel, what the host does with it, and what must be in the message; "" for one that is right."""

    kernel: str
    host: str
    words: tuple[str, ...] = ()


ARRAYS = "float *a, *b; cudaMalloc(&a, 4 * 64); cudaMalloc(&b, 4 * 64); cudaMemset(a, 0, 4 * 64); cudaMemset(b, 0, 4 * 64);"

CASES = {
    "reads-one-too-many": Case(
        "__global__ void over(const float *in, float *out) { out[threadIdx.x] = in[threadIdx.x + 1]; } // reads",
        f"{ARRAYS} over<<<1, 64>>>(a, b);",
        ("over, block 0, thread 63", "reads `in[64]`, but its length is 64", "// reads"),
    ),
    "writes-one-before": Case(
        "__global__ void under(float *out) { out[(int)threadIdx.x - 1] = 1; }",
        f"{ARRAYS} under<<<1, 64>>>(a);",
        ("under, block 0, thread 0", "writes `out[-1]`"),
    ),
    "two-dimensions": Case(
        "__global__ void flat(float *out, int n) { out[(blockIdx.y * blockDim.y + threadIdx.y) * n + threadIdx.x] = 1; }",
        f"{ARRAYS} flat<<<dim3(1, 2), dim3(8, 8)>>>(a, 8);",
        ("flat, block (0, 1), thread (0, ", ", but its length is 64"),
    ),
    "after-free": Case(
        "__global__ void late(float *out) { out[threadIdx.x] = 1; }",
        f"{ARRAYS} cudaFree(a); late<<<1, 64>>>(a);",
        ("late, block 0", "freed by cudaFree"),
    ),
    "global-never-written": Case(
        "__global__ void fresh(const float *in, float *out) { out[threadIdx.x] = in[threadIdx.x]; }",
        f"{ARRAYS} float *c; cudaMalloc(&c, 256); fresh<<<1, 64>>>(c, b);",
        ("`, which nobody has written"),
    ),
    "shared-never-written": Case(
        "__global__ void unset(float *out) { __shared__ float s[64]; if (threadIdx.x > 3) s[threadIdx.x] = 1; __syncthreads(); out[threadIdx.x] = s[threadIdx.x]; }",
        f"{ARRAYS} unset<<<1, 64>>>(a);",
        ("reads `s[0]`, which nobody has written", "out[threadIdx.x] = s[threadIdx.x]"),
    ),
    "shared-of-the-block-before": Case(
        "__global__ void stale(float *out) { __shared__ float s[64]; if (blockIdx.x == 0) s[threadIdx.x] = 1; __syncthreads(); out[blockIdx.x * 32 + threadIdx.x] = s[threadIdx.x]; }",
        f"{ARRAYS} stale<<<2, 32>>>(a);",
        ("reads `s[", "which nobody has written"),
    ),
    "shared-out-of-bounds": Case(
        "__global__ void beyond(float *out) { __shared__ float s[64], t[64]; float *p = s; t[threadIdx.x] = 1; p[threadIdx.x + 1] = 1; __syncthreads(); out[threadIdx.x] = s[threadIdx.x] + t[threadIdx.x]; }",
        f"{ARRAYS} beyond<<<1, 64>>>(a);",
        ("thread 63", "writes `s[64]`, but its length is 64"),
    ),
    "dynamic-shared-out-of-bounds": Case(
        "__global__ void asked(float *out) { extern __shared__ float d[]; d[threadIdx.x] = 1; __syncthreads(); out[threadIdx.x] = d[threadIdx.x]; }",
        f"{ARRAYS} asked<<<1, 64, 63 * sizeof(float)>>>(a);",
        ("byte 252 of the dynamic shared memory", "the launch asked for 252 bytes"),
    ),
    "row-overrun": Case(
        "__global__ void row(float *out) { __shared__ float t[8][8]; t[threadIdx.x / 8][threadIdx.x % 8 + 1] = 1; __syncthreads(); out[threadIdx.x] = t[0][threadIdx.x % 8]; }",
        f"{ARRAYS} row<<<1, 64>>>(a);",
        ("the index 8 lies outside of an array of type 'float [8]'"),
    ),
    "no-barrier": Case(
        "__global__ void hasty(float *out) { __shared__ float s[64]; s[threadIdx.x] = threadIdx.x; out[threadIdx.x] = s[63 - threadIdx.x]; }",
        f"{ARRAYS} hasty<<<1, 64>>>(a);",
        (),
    ),
    "no-barrier-neighbour": Case(
        """__global__ void neighbour(float *out) { __shared__ float s[64];
        s[threadIdx.x] = threadIdx.x;
        if (threadIdx.x < 63) __syncwarp();
        out[threadIdx.x] = s[threadIdx.x ^ 32]; }""",
        f"{ARRAYS} neighbour<<<1, 64>>>(a);",
        (),
    ),
    "race-after-first-round": Case(
        """__global__ void rounds(float *out) { __shared__ float s[128];
        s[threadIdx.x] = 1;
        s[threadIdx.x + 64] = 1;
        __syncthreads();
        for (int stride = 1; stride < 64; stride *= 2) {
            float v = s[threadIdx.x] + s[threadIdx.x + stride];
            s[threadIdx.x] = v;
            __syncthreads();
        }
        out[threadIdx.x] = s[threadIdx.x]; }""",
        f"{ARRAYS} rounds<<<1, 64>>>(a);",
        ("of the same block", "s[threadIdx.x] + s[threadIdx.x + stride]", "s[threadIdx.x] = v;"),
    ),
    "warp-synchronous": Case(
        """__global__ void implicit(float *out) { volatile __shared__ float s[32]; s[threadIdx.x] = 1; __syncwarp();
        if (threadIdx.x < 16) { s[threadIdx.x] += s[threadIdx.x + 16];
        s[threadIdx.x] += s[threadIdx.x + 8]; }
        out[threadIdx.x] = s[0]; }""",
        f"{ARRAYS} implicit<<<1, 32>>>(a);",
        ("no __syncwarp() or __syncthreads()"),
    ),
    "race-across-blocks": Case(
        "__global__ void across(float *out) { out[threadIdx.x] = blockIdx.x; }",
        f"{ARRAYS} across<<<2, 64>>>(a);",
        ("of block", "in the same launch", "nothing says which comes first"),
    ),
    "sum-without-atomic": Case(
        "__global__ void lost(float *out) { out[0] += 1; }",
        f"{ARRAYS} lost<<<1, 64>>>(a);",
        ("`out[0]`", "of the same block"),
    ),
    "reads-counts-too-early": Case(
        "__global__ void early(int *out) { __shared__ int bins[8]; if (threadIdx.x < 8) bins[threadIdx.x] = 0; __syncthreads(); atomicAdd(&bins[threadIdx.x % 8], 1); if (threadIdx.x < 8) out[threadIdx.x] = bins[threadIdx.x]; }",
        f"{ARRAYS} early<<<1, 64>>>((int *)a);",
        ("`bins[", "with no", "atomicAdd"),
    ),
    "barrier-in-a-branch": Case(
        """__global__ void branch(float *out) { if (threadIdx.x < 32) {
        out[threadIdx.x] = 1; __syncthreads(); // first
        } else {
        out[threadIdx.x] = 2; __syncthreads(); // second
        } }""",
        f"{ARRAYS} branch<<<1, 64>>>(a);",
        ("not all threads of the block come to", "// first", "// second"),
    ),
    "return-before-barrier": Case(
        "__global__ void leaves(float *out, int n) { if (threadIdx.x >= n) return; out[threadIdx.x] = 1; __syncthreads(); }",
        f"{ARRAYS} leaves<<<1, 64>>>(a, 60);",
        ("4 of the block's 64 threads have returned before it, such as thread 60"),
    ),
    "shuffle-after-return": Case(
        "__global__ void gone(float *out, int n) { if (threadIdx.x >= n) return; float v = 1; v += __shfl_down_sync(0xffffffff, v, 16); out[threadIdx.x] = v; }",
        f"{ARRAYS} gone<<<1, 32>>>(a, 20);",
        ("__shfl_down_sync reads from lane 20 of its warp, which has returned"),
    ),
    "shuffle-in-a-branch": Case(
        """__global__ void half_warp(float *out) { float v = threadIdx.x; if (threadIdx.x < 16)
        v += __shfl_xor_sync(0xffffffff, v, 8);
        __syncthreads();
        out[threadIdx.x] = v; }""",
        f"{ARRAYS} half_warp<<<1, 32>>>(a);",
        ("__shfl_xor_sync with mask 0xffffffff waits for lane 16", "__syncthreads", "v += __shfl_xor_sync"),
    ),
    "shuffle-in-a-small-block": Case(
        "__global__ void small(float *out) { float v = 1; v += __shfl_down_sync(0xffffffff, v, 16); out[threadIdx.x] = v; }",
        f"{ARRAYS} small<<<1, 20>>>(a);",
        ("which does not exist: the block has 20 threads"),
    ),
    "mask-without-itself": Case(
        "__global__ void outside(float *out) { out[threadIdx.x] = __any_sync(0xffff, 1); }",
        f"{ARRAYS} outside<<<1, 32>>>(a);",
        ("__any_sync is called by lane 16, which its mask 0x0000ffff leaves out"),
    ),
    "too-many-threads": Case(
        "__global__ void wide(float *out) { out[0] = 1; }",
        f"{ARRAYS} wide<<<1, 1025>>>(a);",
        ("wide<<<(1, 1, 1), (1025, 1, 1)>>> fails: a block has"),
    ),
    "no-blocks": Case(
        "__global__ void empty(float *out) { out[0] = 1; }",
        f"{ARRAYS} empty<<<0, 32>>>(a);",
        ("a grid has at least one block"),
    ),
    "too-much-dynamic-shared": Case(
        "__global__ void greedy(float *out) { out[0] = 1; }",
        f"{ARRAYS} greedy<<<1, 32, 50000>>>(a);",
        ("50000 bytes of shared memory are more than the 49152"),
    ),
    "too-much-static-shared": Case(
        "__global__ void fat(float *out) { __shared__ float s[13000]; s[threadIdx.x] = 1; out[threadIdx.x] = s[threadIdx.x]; }",
        f"{ARRAYS} fat<<<1, 32>>>(a);",
        ("its 52000 bytes of shared memory"),
    ),
    "host-reads-device": Case(
        "__global__ void one(float *out) { out[0] = 1; }",
        f"{ARRAYS} one<<<1, 1>>>(a); printf(\"%f\", a[0]);",
        ("The host reads device memory", "a[0]"),
    ),
    "memcpy-instead": Case(
        "__global__ void two(float *out) { out[0] = 1; }",
        f"{ARRAYS} two<<<1, 1>>>(a); float back[64]; memcpy(back, a, atoi(argv[2]));",
        ("The host reads device memory",),
    ),
    "kernel-reads-host": Case(
        "__global__ void guest(const float *in, float *out) { out[0] = in[3]; }",
        f"{ARRAYS} std::vector<float> h(10); guest<<<1, 1>>>(h.data(), a);",
        ("guest, block 0, thread 0", "reads memory of the host"),
    ),
    "null-pointer": Case(
        "__global__ void none(float *out) { out[0] = 1; }",
        "none<<<1, 1>>>(nullptr);",
        ("writes through a null pointer"),
    ),
    "misaligned": Case(
        "__global__ void four(const float *in, float4 *out) { out[threadIdx.x] = *(const float4 *)(in + 1); }",
        f"{ARRAYS} four<<<1, 1>>>(a, (float4 *)b);",
        ("16 bytes at `in[1]`, an address that is not a multiple of 16"),
    ),
    "copy-the-wrong-way": Case(
        "",
        f"{ARRAYS} float back[64]; cudaMemcpy(back, a, sizeof back, cudaMemcpyHostToDevice);",
        ("cudaMemcpy with cudaMemcpyHostToDevice, but the destination is host memory", "cudaMemcpy(back"),
    ),
    "copies-too-much": Case(
        "",
        f"{ARRAYS} float back[65]; cudaMemcpy(back, a, sizeof back, cudaMemcpyDeviceToHost);",
        ("cudaMemcpy of 260 bytes goes beyond the source, which has 256"),
    ),
    "freed-twice": Case("", f"{ARRAYS} cudaFree(a); cudaFree(a);", ("cudaFree of what is not an allocation",)),
    "waits-for-ever": Case(
        """__global__ void waits(volatile int *flag) {
        while (*flag == 0) {}
        }""",
        f"{ARRAYS} waits<<<1, 1>>>((int *)a);",
        ("waits, block 0, thread 0", "nobody is left who could change it", "while (*flag == 0)"),
    ),
    "spins-on-a-lock": Case(
        "__global__ void locked(int *lock) { while (atomicCAS(lock, 0, 1) != 0) {} }",
        f"{ARRAYS} locked<<<1, 2>>>((int *)a);",
        ("nobody is left who could change it"),
    ),
    "endless-loop": Case(
        """__global__ void endless(int *out, int n) { unsigned i = n;
        while (i != 0) i = i * 3 | 1;
        out[0] = i; }""",
        f"{ARRAYS} endless<<<1, 1>>>((int *)a, 1);",
        ("endless, block 0, thread 0", "still running when the time was over", "while (i != 0)"),
    ),
    "endless-with-accesses": Case(
        """__global__ void busy(float *out) {
        for (;;) out[threadIdx.x] += 1;
        }""",
        f"{ARRAYS} busy<<<1, 64>>>(a);",
        ("busy, block 0, thread ", "still running when the time was over", "for (;;) out[threadIdx.x] += 1;"),
    ),
    "endless-with-barriers": Case(
        """__global__ void beats(float *out) {
        for (;;) __syncthreads();
        }""",
        f"{ARRAYS} beats<<<1, 64>>>(a);",
        ("beats, block 0, thread ", "still running when the time was over", "for (;;) __syncthreads();"),
    ),
    "writes-a-constant": Case(
        "__constant__ float coef[4]; __global__ void sets() { *(float *)&coef[0] = 1; }",
        "sets<<<1, 1>>>();",
        ("writes a `__constant__` variable"),
    ),
    "host-reads-a-variable": Case(
        "__device__ int counter; __global__ void counts() { atomicAdd(&counter, 1); }",
        'counts<<<1, 32>>>(); printf("%d", counter);',
        ("The host reads a variable of the device", "cudaMemcpyFromSymbol"),
    ),
    "assertion": Case(
        "__global__ void asserts(int n) { assert(threadIdx.x < n); }",
        "asserts<<<1, 32>>>(31);",
        ("asserts, block 0, thread 31: assertion failed", "threadIdx.x < n"),
    ),
    "divides-by-zero": Case(
        "__global__ void divides(int *out) { out[threadIdx.x] = 100 / (int)(threadIdx.x - 3); }",
        f"{ARRAYS} divides<<<1, 32>>>((int *)a);",
        ("divides, block 0, thread 3", "SIGFPE"),
    ),
    "too-many-locals": Case(
        "__global__ void deep(float *out, int n) { volatile float local[30000]; for (int i = 0; i < 30000; i++) local[i] = i; out[0] = local[n]; }",
        f"{ARRAYS} deep<<<1, 1>>>(a, 3);",
        ("more than 64 KB"),
    ),
    "streams-without-an-event": Case(
        "__global__ void makes(float *out) { out[threadIdx.x] = 1; } __global__ void takes(const float *in, float *out) { out[threadIdx.x] = in[threadIdx.x]; }",
        f"{ARRAYS} cudaStream_t s, t; cudaStreamCreate(&s); cudaStreamCreate(&t); makes<<<1, 64, 0, s>>>(a); takes<<<1, 64, 0, t>>>(a, b);",
        ("Two streams touch the same memory", "the kernel takes (stream 2) and the kernel makes (stream 1)"),
    ),
    "copies-beside-a-kernel": Case(
        "__global__ void fills(float *out) { out[threadIdx.x] = 1; }",
        f"{ARRAYS} cudaStream_t s, t; cudaStreamCreate(&s); cudaStreamCreate(&t); float *h; cudaMallocHost(&h, 256); fills<<<1, 64, 0, s>>>(a); cudaMemcpyAsync(h, a, 256, cudaMemcpyDeviceToHost, t);",
        ("copy device to host (stream 2) and the kernel fills (stream 1)"),
    ),
    "host-looks-too-early": Case(
        "__global__ void fills2(float *out) { out[threadIdx.x] = 1; }",
        f"{ARRAYS} cudaStream_t s; cudaStreamCreate(&s); float *h; cudaMallocHost(&h, 256); fills2<<<1, 64, 0, s>>>(a); cudaMemcpyAsync(h, a, 256, cudaMemcpyDeviceToHost, s); printf(\"%f\", h[3]);",
        ("The host reads memory that the copy device to host (stream 1) may still be working on"),
    ),
    "async-not-waited": Case(
        """__global__ void async1(const float *in, float *out) { __shared__ __align__(16) float s[2][64];
        __pipeline_memcpy_async(&s[0][threadIdx.x], in + threadIdx.x, 4); __pipeline_commit();
        out[threadIdx.x] = s[0][threadIdx.x]; // reads
        }""",
        f"{ARRAYS} async1<<<1, 64>>>(a, b);",
        ("`, which an asynchronous copy is still filling", "__pipeline_wait_prior", "// reads"),
    ),
    "async-not-committed": Case(
        """__global__ void async2(const float *in, float *out) { __shared__ __align__(16) float s[2][64];
        __pipeline_memcpy_async(&s[0][threadIdx.x], in + threadIdx.x, 4); __pipeline_wait_prior(0); __syncthreads(); out[threadIdx.x] = s[0][threadIdx.x]; }""",
        f"{ARRAYS} async2<<<1, 64>>>(a, b);",
        ("which an asynchronous copy is still filling",),
    ),
    "async-waits-for-the-one-before": Case(
        """__global__ void async3(const float *in, float *out) { __shared__ __align__(16) float s[2][64];
        for (int i = 0; i < 2; i++) { __pipeline_memcpy_async(&s[i][threadIdx.x], in + threadIdx.x, 4); __pipeline_commit(); } __pipeline_wait_prior(1); __syncthreads(); out[threadIdx.x] = s[0][threadIdx.x] + s[1][threadIdx.x]; }""",
        f"{ARRAYS} async3<<<1, 64>>>(a, b);",
        ("reads `s[", "which an asynchronous copy is still filling"),
    ),
    "async-no-barrier": Case(
        """__global__ void async4(const float *in, float *out) { __shared__ __align__(16) float s[2][64];
        __pipeline_memcpy_async(&s[0][threadIdx.x], in + threadIdx.x, 4); __pipeline_commit();
        __pipeline_wait_prior(0); // waits
        out[threadIdx.x] = s[0][63 - threadIdx.x]; }""",
        f"{ARRAYS} async4<<<1, 64>>>(a, b);",
        ("of the same block", "no __syncthreads()"),
    ),
    "async-barrier-before-the-wait": Case(
        """__global__ void async5(const float *in, float *out) { __shared__ __align__(16) float s[2][64];
        __pipeline_memcpy_async(&s[0][threadIdx.x], in + threadIdx.x, 4); __pipeline_commit(); __syncthreads();
        __pipeline_wait_prior(0); // waits
        out[threadIdx.x] = s[0][63 - threadIdx.x]; }""",
        f"{ARRAYS} async5<<<1, 64>>>(a, b);",
        ("s[",),
    ),
    "async-over-what-is-read": Case(
        """__global__ void async6(const float *in, float *out) { __shared__ __align__(16) float s[2][64];
        s[0][threadIdx.x] = 1; __syncthreads(); out[threadIdx.x] = s[0][63 - threadIdx.x];
        __pipeline_memcpy_async(&s[0][threadIdx.x], in + threadIdx.x, 4);
        __pipeline_commit(); __pipeline_wait_prior(0); }""",
        f"{ARRAYS} async6<<<1, 64>>>(a, b);",
        ("of the same block", "no __syncthreads()", "it.cu:"),
    ),
    "async-beyond-the-array": Case(
        """__global__ void async7(const float *in, float *out) { __shared__ __align__(16) float s[2][64];
        __pipeline_memcpy_async(&s[0][threadIdx.x], in + threadIdx.x + 1, 4); // over
        __pipeline_commit(); }""",
        f"{ARRAYS} async7<<<1, 64>>>(a, b);",
        ("thread 63", "reads `in[64]`, but its length is 64", "// over"),
    ),
    "async-misaligned": Case(
        """__global__ void async8(const float *in, float *out) { __shared__ __align__(16) float s[2][64];
        if (threadIdx.x < 8) __pipeline_memcpy_async(&s[0][threadIdx.x * 4], in + threadIdx.x + 1, 16); __pipeline_commit(); }""",
        f"{ARRAYS} async8<<<1, 64>>>(a, b);",
        ("reads 16 bytes at", "not a multiple of 16"),
    ),
    "async-of-three-bytes": Case(
        """__global__ void async9(const float *in, float *out) { __shared__ __align__(16) float s[2][64];
        __pipeline_memcpy_async(&s[0][threadIdx.x], in + threadIdx.x, 3); }""",
        f"{ARRAYS} async9<<<1, 64>>>(a, b);",
        ("copies 4, 8 or 16 bytes",),
    ),
    "async-to-device-memory": Case(
        """__global__ void async10(const float *in, float *out) { __shared__ __align__(16) float s[2][64];
        __pipeline_memcpy_async(out + threadIdx.x, in + threadIdx.x, 4); }""",
        f"{ARRAYS} async10<<<1, 64>>>(a, b);",
        ("from device memory to shared memory",),
    ),
}  # fmt: skip
# what reads like a race and is one, told with both lines
for name, line in (("no-barrier", "s[63 - threadIdx.x]"), ("no-barrier-neighbour", "s[threadIdx.x ^ 32]")):
    case = CASES[name]
    words = ("of the same block", "no __syncthreads()" if name == "no-barrier" else "no __sync", line)
    CASES[name] = Case(case.kernel, case.host, words)


def source(cases) -> str:
    """One program of all cases, told apart by its first argument."""
    kernels = "\n".join(case.kernel for case in cases.values())
    hosts = "\n".join(
        f'    if (!strcmp(argv[1], "{name}")) {{\n    {case.host}\n    }}' for name, case in cases.items()
    )
    return f"""#include <cassert>
#include <cstdio>
#include <cstring>
#include <vector>
#include <cuda_pipeline.h>
#include <cuda_runtime.h>
{kernels}
int main(int, char **argv)
{{
{hosts}
    cudaDeviceSynchronize();
    return 0;
}}
"""


@pytest.mark.parametrize("part", [0, 1])
def test_each_mistake_is_told(judge, part):
    cases = dict(list(CASES.items())[part::2])
    expected = {n: c.words if isinstance(c.words, tuple) else (c.words,) for n, c in cases.items()}
    checks = f"""
    def test_it(learner):
        program = learner.emulate("it.cu")
        bad = []
        for name, words in {expected!r}.items():
            done = program.run(name, 16, check=False, timeout=1.2 if name.startswith("endless") else 20)
            if not done.error or any(word not in done.error for word in words):
                bad.append(f"{{name}}: {{done.returncode}} {{done.error}}")
        assert not bad, "\\n".join(bad)
    """
    verdict = judge(checks, {"it.cu": source(cases)}, language="cuda")
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure.message


def test_a_mistake_fails_the_check(judge):
    checks = 'def test_it(learner):\n    learner.emulate("it.cu").run("reads-one-too-many", 16)\n'
    name = "reads-one-too-many"
    failure = judge(checks, {"it.cu": source({name: CASES[name]})}, language="cuda").first_failure
    assert failure.outcome is Outcome.FAILED
    assert failure.message.startswith("over, block 0, thread 63: reads `in[64]`, but its length is 64")
