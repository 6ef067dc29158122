"""Level `gpu` of Triton, where there is one: bands, memory that nobody wrote, launches, a device that is done for."""

from __future__ import annotations

import pytest

from mlsys_path.levels import Level, Outcome
from mlsys_path.machine.inspect import inspect
from mlsys_path.machine.requirements import lacking, needs_of_language
from mlsys_path.roadmap.model import Limits

pytestmark = pytest.mark.skipif(
    bool(lacking(needs_of_language("triton", Level.GPU), inspect())), reason="needs a GPU that Triton runs on"
)

SOURCE = """
import torch, triton
import triton.language as tl

@triton.jit
def copy_kernel(x_ptr, out_ptr, n, shift, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + i + shift, tl.load(x_ptr + i, mask=i < n), mask=i < n)
def into(x, out, shift=0, blocks=None):
    n = x.numel()
    copy_kernel[(blocks or triton.cdiv(n, 128),)](x, out, n, shift, BLOCK=128)
    return out
def copy(x, shift=0, blocks=None):
    assert x.is_cuda and x.storage_offset() == 0 and x.data_ptr() % 256 == 0
    assert x.untyped_storage().nbytes() == x.numel() * x.element_size()
    return into(x, torch.empty_like(x), shift, blocks)
def strided(x):
    out = torch.empty(x.shape, device=x.device)
    return into(x.contiguous(), out)
def by_torch(x): return x.clone()
def far(x): return into(x, torch.empty_like(x), 1 << 40)
"""


def run(judge, checks, source=SOURCE):
    names = [line[4:].partition("(")[0] for line in checks.splitlines() if line.startswith("def test_")]
    verdict = judge(
        "import torch\n" + checks, source, language="triton", levels=dict.fromkeys(names, Level.GPU),
        limits=Limits(seconds=120, memory_mb=16_000),
    )  # fmt: skip
    return verdict, {check.name: check for check in verdict.checks}


def test_honest_kernels_pass(judge):
    checks = """
def test_it(learner):
    for n in (1000, 1, 0, 128):
        x = torch.randn(n)
        assert_close(learner.copy(x), x)
    learner.demand_launch("copy_kernel")
    x = torch.randn(30, 20).T
    assert_close(learner.strided(x), x)
    for dtype in (torch.float16, torch.bfloat16, torch.int8, torch.bool):
        x = torch.ones(300).to(dtype)
        assert_close(learner.copy(x), x)
"""
    verdict, _told = run(judge, checks)
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure


def test_what_goes_wrong_is_told(judge):
    checks = """
def test_unwritten(learner):
    x = torch.randn(1000)
    assert_close(learner.copy(x, 0, 7), x, tile=(128,))
def test_own_tensor(learner):
    learner.copy(torch.randn(1000), 3)
def test_given_tensor(learner):
    learner.into(torch.randn(1000), torch.zeros(1000), -2)
def test_by_torch(learner):
    learner.by_torch(torch.randn(9))
    learner.demand_launch()
"""
    _verdict, told = run(judge, checks)
    messages = {name: check.message for name, check in told.items()}
    assert messages == {
        "test_unwritten": "the result: 104 of 1000 elements were never written, the first of them element [896], in tile (7)",
        "test_own_tensor": "memory outside of a tensor that your code made was written to, behind its last element: "
        "element 1000 of 1000, 12 bytes in all",
        "test_given_tensor": "memory outside of `out` was written to, before its first element: "
        "element -1 of 1000, 8 bytes in all",
        "test_by_torch": "`by_torch` launches no Triton kernel of yours",
    }


def test_after_an_error_on_the_device_a_fresh_process_answers(judge):
    checks = """
def test_far(learner):
    learner.far(torch.randn(1000))
def test_next(learner):
    x = torch.randn(1000)
    assert_close(learner.copy(x), x)
"""
    _verdict, told = run(judge, checks)
    assert told["test_far"].outcome is Outcome.FAILED
    assert "CUDA error" in told["test_far"].message
    assert told["test_next"].outcome is Outcome.PASSED, told["test_next"].message
