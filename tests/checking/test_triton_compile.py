"""Level `compiles` of Triton: what a learner's function launches, through the real compiler, for GPUs that are not here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlsys_path.checking.cubin import read_cubin
from mlsys_path.checking.cuda_kernels import parse_ptxas
from mlsys_path.checking.sandbox import WORKER_DIR
from mlsys_path.levels import Level, Outcome
from mlsys_path.roadmap.model import Limits

triton = pytest.importorskip("triton")

SOURCE = """
import torch, triton
import triton.language as tl
from triton.tools.tensor_descriptor import TensorDescriptor

@triton.autotune(
    [triton.Config({"BM": 64, "BN": 64, "BK": 32}, num_warps=8, num_stages=2),
     triton.Config({"BM": 32, "BN": 32, "BK": 32}, num_warps=2, num_stages=4)], key=["m", "n", "k"])
@triton.jit
def matmul_kernel(a, b, c, m, n, k, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    i = tl.program_id(0) * BM + tl.arange(0, BM)
    j = tl.program_id(1) * BN + tl.arange(0, BN)
    total = tl.zeros((BM, BN), tl.float32)
    for start in range(0, k, BK):
        l = start + tl.arange(0, BK)
        x = tl.load(a + i[:, None] * k + l[None, :], mask=(i[:, None] < m) & (l[None, :] < k), other=0.0)
        y = tl.load(b + l[:, None] * n + j[None, :], mask=(l[:, None] < k) & (j[None, :] < n), other=0.0)
        total = tl.dot(x, y, total)
    tl.store(c + i[:, None] * n + j[None, :], total.to(tl.float16), mask=(i[:, None] < m) & (j[None, :] < n))
def matmul(a, b):
    c = torch.empty(a.shape[0], b.shape[1], dtype=a.dtype)
    grid = lambda meta: (triton.cdiv(a.shape[0], meta["BM"]), triton.cdiv(b.shape[1], meta["BN"]))
    matmul_kernel[grid](a, b, c, a.shape[0], b.shape[1], a.shape[1])
    return c

@triton.jit
def described(x_ptr, out_ptr, m, n, M: tl.constexpr, N: tl.constexpr):
    source = tl.make_tensor_descriptor(x_ptr, [m, n], [n, 1], [M, N])
    target = tl.make_tensor_descriptor(out_ptr, [m, n], [n, 1], [M, N])
    at = [tl.program_id(0) * M, 0]
    target.store(at, source.load(at) * 2)
def device_descriptors(x):
    out = torch.empty_like(x)
    described[(triton.cdiv(x.shape[0], 16),)](x, out, x.shape[0], x.shape[1], M=16, N=32)
    return out

@triton.jit
def given(source, target, M: tl.constexpr):
    at = [tl.program_id(0) * M, 0]
    target.store(at, source.load(at) * 2)
def host_descriptors(x):
    out = torch.empty_like(x)
    given[(triton.cdiv(x.shape[0], 16),)](
        TensorDescriptor.from_tensor(x, [16, 32]), TensorDescriptor.from_tensor(out, [16, 32]), M=16)
    return out

@triton.jit
def scale_kernel(x, n, factor, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x + i, tl.load(x + i, mask=i < n) * factor, mask=i < n)
@triton.jit
def fill_kernel(x, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x + i, tl.full((BLOCK,), 1.0, tl.float32), mask=i < n)
def twice(x):
    for _ in range(2):
        scale_kernel[(triton.cdiv(x.numel(), 256),)](x, x.numel(), 2.0, BLOCK=256)
    fill_kernel[(1,)](x, x.numel(), BLOCK=64)
    return x
@triton.jit
def center_kernel(x, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    values = tl.load(x + i)
    tl.store(x + i, values - tl.sum(values) / BLOCK)
def few_registers(x):
    center_kernel[(1,)](x, BLOCK=4096, num_warps=1, maxnreg=32)
    return x
def by_torch(x): return x * 2
"""


def run(judge, checks, source=SOURCE, correct=False):
    names = [line[4:].partition("(")[0] for line in checks.splitlines() if line.startswith("def test_")]
    level = Level.CORRECT if correct else Level.COMPILES
    verdict = judge(
        "import torch\n" + checks, source, language="triton", levels=dict.fromkeys(names, level),
        limits=Limits(seconds=120, memory_mb=4096),
    )  # fmt: skip
    return verdict, {check.name: check for check in verdict.checks}


def test_kernels_of_every_kind_compile_and_are_interpreted(judge):
    checks = """
def test_autotuned(learner):
    a, b = torch.randn(70, 50).half(), torch.randn(50, 90).half()
    kernel, = learner.compile("matmul", a, b, target="cuda:90")
    assert_equal((kernel.name, kernel.target, kernel.warps, kernel.stages, kernel.launches), ("matmul_kernel", "sm_90", 8, 2, 1))
    assert "wgmma" in kernel.ptx and kernel.shared > 0 and kernel.registers > 0
def test_ampere(learner):
    a, b = torch.randn(70, 50).half(), torch.randn(50, 90).half()
    kernel, = learner.compile("matmul", a, b, target="cuda:80")
    assert ".target sm_80" in kernel.ptx and "mma.sync" in kernel.ptx and "wgmma" not in kernel.ptx
def test_blackwell(learner):
    a, b = torch.randn(70, 50).half(), torch.randn(50, 90).half()
    kernel, = learner.compile("matmul", a, b, target="cuda:100")
    assert_equal(kernel.target, "sm_100")
    assert ".target sm_100a" in kernel.ptx and "tcgen05" in kernel.ptx
def test_tma(learner):
    for function, name in (("device_descriptors", "described"), ("host_descriptors", "given")):
        kernel, = learner.compile(function, torch.randn(40, 32), target="cuda:90")
        assert_equal(kernel.name, name)
        assert "cp.async.bulk.tensor" in kernel.ptx
"""
    verdict, told = run(judge, checks)
    for name, check in told.items():
        if name == "test_blackwell" and check.outcome is Outcome.OPEN:
            assert "does not compile for sm_100" in check.message
        else:
            assert check.outcome is Outcome.PASSED, check
    checks = """
def test_autotuned(learner):
    a, b = torch.randn(70, 50).half(), torch.randn(50, 90).half()
    assert_close(learner.matmul(a, b), a @ b, rtol=1e-2, atol=1e-2)
    learner.demand_launch("matmul_kernel")
def test_tma(learner):
    x = torch.randn(40, 32)
    assert_close(learner.device_descriptors(x), 2 * x)
    assert_close(learner.host_descriptors(x), 2 * x)
"""
    verdict, _told = run(judge, checks, correct=True)
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure


def test_a_target_that_nobody_knows_is_open(judge):
    _verdict, told = run(
        judge, 'def test_it(learner):\n    learner.compile("twice", torch.randn(9), target="cuda:77")\n'
    )
    assert told["test_it"].outcome is Outcome.OPEN
    assert "does not compile for sm_77" in told["test_it"].message


def test_launches_are_counted_and_kernels_chosen_by_name(judge):
    checks = """
def test_all(learner):
    done = learner.compile("twice", torch.randn(300))
    assert_equal([(k.name, k.launches) for k in done], [("scale_kernel", 2), ("fill_kernel", 1)])
    scale, = learner.compile("twice", torch.randn(300), kernel="scale_kernel")
    assert_equal(scale.ptx, done[0].ptx)
def test_wrong_name(learner):
    learner.compile("twice", torch.randn(300), kernel="add_kernel")
def test_by_torch(learner):
    learner.compile("by_torch", torch.randn(300))
"""
    _verdict, told = run(judge, checks)
    assert told["test_all"].outcome is Outcome.PASSED, told["test_all"]
    assert told["test_wrong_name"].message == "`twice` launches no kernel called `add_kernel`"
    assert told["test_wrong_name"].counterexample.got == "scale_kernel, fill_kernel"
    assert told["test_by_torch"].message == (
        "`by_torch` launches no Triton kernel: the work is to be done by a kernel of yours, not by torch"
    )


def test_launches_are_demanded_of_the_interpreter_too(judge):
    checks = """
def test_it(learner):
    learner.twice(torch.randn(300))
    learner.demand_launch()
    learner.twice(torch.randn(300))
    learner.demand_launch("fill_kernel")
    learner.twice(torch.randn(300))  # of which nobody asks, and which is no launch of the next check
def test_by_torch(learner):
    learner.by_torch(torch.randn(300))
    learner.demand_launch()
def test_wrong_name(learner):
    learner.twice(torch.randn(300))
    learner.demand_launch("add_kernel")
"""
    _verdict, told = run(judge, checks, correct=True)
    assert told["test_it"].outcome is Outcome.PASSED, told["test_it"]
    assert told["test_by_torch"].message == "`by_torch` launches no Triton kernel of yours"
    assert told["test_wrong_name"].message == "`twice` launches no kernel called `add_kernel`"


def test_a_kernel_that_is_not_the_learners_own_does_not_count(judge):
    source = (
        SOURCE
        + """
import types
foreign = triton.jit.__globals__
def library(x):
    kernel = scale_kernel
    code = kernel.fn.__code__.replace(co_filename="/usr/lib/library.py")
    kernel.fn.__code__ = code
    kernel[(1,)](x, x.numel(), 2.0, BLOCK=256)
    return x
"""
    )
    _verdict, told = run(
        judge, 'def test_it(learner):\n    learner.compile("library", torch.randn(9))\n', source
    )
    assert told["test_it"].message == "`library` launches kernels of a library and none of yours"


def test_options_of_a_launch_reach_the_compiler_and_resources_are_recorded(judge):
    checks = """
def test_it(learner, measure):
    kernels = learner.compile("few_registers", torch.randn(4096))
    assert kernels[0].registers <= 32 and kernels[0].spills > 0, (kernels[0].registers, kernels[0].spills)
    measure.resources(*kernels)
"""
    verdict, told = run(judge, checks)
    assert told["test_it"].outcome is Outcome.PASSED, told["test_it"]
    recorded = {m.name: (m.value, m.unit) for m in verdict.measurements}
    assert recorded["center_kernel sm_90: registers per thread"] == (32.0, "")
    assert recorded["center_kernel sm_90: spilled per thread"][0] > 0
    assert recorded["center_kernel sm_90: shared memory per block"] == (0.0, "B")


COMPILE = """
import json, sys
sys.path[:0] = [{worker!r}, {folder!r}]
import torch, recording, compiling, code_of_ours
arguments = {{"matmul": (torch.randn(70, 50).half(), torch.randn(50, 90).half()), "few_registers": (torch.randn(4096),)}}
for name, args in arguments.items():
    one, = recording.record("cuda:90", getattr(code_of_ours, name), args, {{}})
    done = compiling.compile_ttir(one["ttir"], "cuda:90", one["options"])
    open({folder!r} + f"/{{name}}.cubin", "wb").write(done["cubin"])
    open({folder!r} + f"/{{name}}.txt", "w").write(done["ptxas"])
"""


def test_what_a_cubin_says_is_what_cuobjdump_says(tmp_path: Path):
    """The tool that Triton ships reads the same file; the compiler's own report agrees with both."""
    shipped = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
    tool = str(shipped) if shipped.exists() else shutil.which("cuobjdump")
    if not tool:
        pytest.skip("there is no cuobjdump")
    (tmp_path / "code_of_ours.py").write_text(SOURCE)
    script = COMPILE.format(worker=str(WORKER_DIR), folder=str(tmp_path))
    environment = {
        **os.environ,
        "TRITON_HOME": str(tmp_path),
        "TRITON_INTERPRET": "0",
        "MLSYS_PATH_WORK": str(tmp_path),
    }
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
    for cubin in tmp_path.glob("*.cubin"):
        (kernel,) = read_cubin(cubin.read_bytes()).values()
        said = subprocess.run(
            [tool, "--dump-resource-usage", cubin], capture_output=True, text=True, check=True
        ).stdout
        registers, stack, shared = (
            int(re.search(rf"{what}:(\d+)", said)[1]) for what in ("REG", "STACK", "SHARED")
        )
        assert (kernel.registers, kernel.stack, kernel.shared) == (registers, stack, shared), said
        (told,) = parse_ptxas(cubin.with_suffix(".txt").read_text()).values()
        assert told.registers == registers
        assert (told.spills > 0) == (kernel.stack > 0) == (cubin.stem == "few_registers")


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF\x02" + bytes(100), b"not at all" * 20])
def test_what_is_no_cubin_is_said_so(data):
    with pytest.raises(ValueError, match="this is no cubin"):
        read_cubin(data)
