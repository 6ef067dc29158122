"""What looks at a Triton learner's code at level `correct`: every access, memory that nobody wrote, absent GPUs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mlsys_path.checking.sandbox import WORKER_DIR
from mlsys_path.levels import Outcome

pytest.importorskip("triton")

HEAD = "import torch, triton\nimport triton.language as tl\n"
COPY = (
    HEAD
    + """
@triton.jit
def copy_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask={load}), mask={store})
def copy(x):
    out = torch.empty_like(x)
    n = x.numel()
    copy_kernel[(triton.cdiv(n, 128),)](x, out, n, BLOCK=128)
    return out
"""
)
CHECK = """
import torch
def test_it(learner):
    x = torch.randn({n})
    assert_close(learner.copy(x), x, tile=(128,))
"""


def run(judge, source, checks=None, n=1000, **kwargs):
    return judge(checks or CHECK.format(n=n), source, language="triton", **kwargs)


def failure(judge, source, checks=None, n=1000):
    verdict = run(judge, source, checks, n)
    assert verdict.verdict is Outcome.FAILED, verdict
    return verdict.first_failure


def passes(judge, source, checks=None):
    verdict = run(judge, source, checks)
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure


def test_a_masked_kernel_passes(judge):
    passes(judge, COPY.format(load="i < n", store="i < n"))


@pytest.mark.parametrize(
    ("load", "store", "access", "argument"),
    [("None", "i < n", "load from", "x_ptr"), ("i < n", "None", "store to", "out_ptr")],
)
def test_a_missing_mask_is_told_with_program_element_and_argument(judge, load, store, access, argument):
    failed = failure(judge, COPY.format(load=load, store=store))
    assert failed.message == (
        f"program (7) of `copy_kernel`: {access} element 1000 of `{argument}`, which has 1000 elements "
        "(24 of its 128 active lanes are astray)"
    )
    assert "code.py:7 in copy_kernel" in failed.traceback
    assert "code.py:11 in copy" in failed.traceback
    assert "guarding" not in failed.traceback
    assert failed.counterexample.calls == (
        "copy(float32[1000] [" + failed.counterexample.calls[0].split("[", 2)[2],
    )


def test_the_words_are_in_the_learners_language(judge):
    from mlsys_path import language

    before = language.current()
    try:
        language.use("zh")
        message = failure(judge, COPY.format(load="None", store="i < n")).message
    finally:
        language.use(before)
    assert "`copy_kernel`" in message
    assert "1000" in message


def test_an_unwritten_tail_is_told(judge):
    source = COPY.format(load="i < n", store="i < n").replace("triton.cdiv(n, 128)", "n // 128")
    failed = failure(judge, source)
    assert failed.message == (
        "the result: 104 of 1000 elements were never written, the first of them element [896], in tile (7)"
    )
    assert failed.counterexample.mismatch.unwritten == 104


@pytest.mark.parametrize(
    "dtype", ["float64", "float16", "bfloat16", "int32", "int64", "int8", "bool", "complex64"]
)
def test_every_type_shows_what_was_not_written(judge, dtype):
    source = "import torch\ndef make(x):\n    out = torch.empty_like(x)\n    out[0] = x[0]\n    return out\n"
    checks = f"""
    import torch
    def test_it(learner):
        x = torch.ones(2, 3, dtype=torch.{dtype})
        assert_close(learner.make(x), x)
    """
    assert (
        "3 of 6 elements were never written, the first of them element [1, 0]"
        in failure(judge, source, checks).message
    )


def test_every_way_to_make_a_fresh_tensor_is_poisoned(judge):
    source = """
    import torch
    def make(x):
        return [
            torch.empty(2, 3), torch.empty((2, 3), dtype=torch.float32), torch.empty_like(x), x.new_empty(2, 3),
            torch.empty_strided((2, 3), (3, 1)), x.new_empty_strided((2, 3), (1, 2)), torch.empty(2, 3, requires_grad=True),
            torch.empty_strided((2, 3), (1, 0)),
        ]
    def none(): return torch.empty(0, 3)
    """
    checks = """
    import torch
    def test_it(learner):
        made = learner.make(torch.zeros(2, 3))
        assert_equal([int(torch.isnan(m).sum()) for m in made], [6] * 8)
        assert_close(learner.none(), torch.zeros(0, 3))
    """
    passes(judge, source, checks)


def test_a_nan_that_was_computed_is_no_unwritten_memory(judge):
    source = "import torch\ndef make(x):\n    return torch.empty_like(x) + x\n"
    checks = "def test_it(learner):\n    import torch\n    assert_close(learner.make(torch.ones(3)), torch.ones(3))\n"
    message = failure(judge, source, checks).message
    assert "never written" not in message
    assert "nan" in message


STRAYS = (
    HEAD
    + """
@triton.jit
def into_the_other(x_ptr, out_ptr, distance, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.store(out_ptr + i, tl.load(x_ptr + distance + i))
def reads_the_output(x):
    out = torch.zeros_like(x)
    into_the_other[(1,)](x, out, (out.data_ptr() - x.data_ptr()) // 4, BLOCK=16)
    return out

@triton.jit
def at(x_ptr, out_ptr, offset):
    tl.store(out_ptr, tl.load(x_ptr + offset))
def load_at(x, offset):
    out = x.new_zeros(1)
    at[(1, 1)](x, out, offset)
    return out

@triton.jit
def add_at(x_ptr, counts_ptr, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.atomic_add(counts_ptr + tl.load(x_ptr + i, mask=i < n, other=0), 1, mask=i < n)
def count(x, bins):
    counts = torch.zeros(bins, dtype=torch.int32)
    add_at[(1,)](x, counts, x.numel(), BLOCK=64)
    return counts

@triton.jit
def swap(lock_ptr, offset):
    tl.atomic_cas(lock_ptr + offset, 0, 1)
def lock(x, offset):
    swap[(1,)](x, offset)
    return x

@triton.jit
def block_kernel(x_ptr, out_ptr, m, n, M: tl.constexpr, N: tl.constexpr, CHECK: tl.constexpr):
    source = tl.make_block_ptr(x_ptr, (m, n), (n, 1), (0, 0), (M, N), (1, 0))
    target = tl.make_block_ptr(out_ptr, (m, n), (n, 1), (0, 0), (M, N), (1, 0))
    if CHECK:
        tl.store(target, tl.load(source, boundary_check=(0, 1)), boundary_check=(0, 1))
    else:
        tl.store(target, tl.load(source))
def block(x, check):
    out = torch.empty_like(x)
    block_kernel[(1,)](x, out, x.shape[0], x.shape[1], M=16, N=16, CHECK=check)
    return out

@triton.jit
def described(x_ptr, out_ptr, m, n, stride, M: tl.constexpr, N: tl.constexpr):
    source = tl.make_tensor_descriptor(x_ptr, [m, n], [stride, 1], [M, N])
    target = tl.make_tensor_descriptor(out_ptr, [m, n], [stride, 1], [M, N])
    target.store([0, 0], source.load([0, 0]))
def descriptor(x, extra):
    out = torch.empty_like(x)
    described[(1,)](x, out, x.shape[0] + extra, x.shape[1], x.stride(0), M=16, N=16)
    return out
"""
)
STRAY_CHECKS = """
import torch
def test_another_tensors_memory(learner):
    learner.reads_the_output(torch.randn(64))
def test_before_the_first(learner):
    learner.load_at(torch.randn(8), -1)
def test_empty(learner):
    learner.load_at(torch.randn(0), 0)
def test_overflow(learner):
    learner.load_at(torch.randn(8), 2**40)
def test_atomic(learner):
    learner.count(torch.tensor([0, 3, 1, 4]), 4)
def test_compare_and_swap(learner):
    learner.lock(torch.zeros(2, dtype=torch.int32), 2)
def test_block_pointer(learner):
    learner.block(torch.randn(10, 12), False)
def test_descriptor(learner):
    learner.descriptor(torch.randn(8, 16), 1)
def test_strides(learner):
    learner.load_at(torch.randn(30)[::3], 28)
def test_broadcast(learner):
    learner.load_at(torch.randn(1).expand(30), 1)
"""


def test_strays_of_every_kind(judge):
    verdict = run(judge, STRAYS, STRAY_CHECKS)
    told = {check.name: check.message for check in verdict.checks}
    assert {check.outcome for check in verdict.checks} == {Outcome.FAILED}, told
    expected = {
        "test_another_tensors_memory": r"load from element \S+ of `x_ptr`, which has 64 elements",
        "test_before_the_first": "program (0) of `at`: load from element -1 of `x_ptr`, which has 8 elements",
        "test_empty": "load from element 0 of `x_ptr`, which is empty",
        "test_overflow": "load from element 1099511627776 of `x_ptr`, which has 8 elements",
        "test_atomic": "atomic operation on element 4 of `counts_ptr`, which has 4 elements (1 of its 4 active lanes",
        "test_compare_and_swap": "atomic operation on element 2 of `lock_ptr`, which has 2 elements",
        "test_block_pointer": "load from element 120 of `x_ptr`, which has 120 elements",
        "test_descriptor": "load from element 128 of `x_ptr`, which has 128 elements (16 of its 144 active lanes",
        "test_strides": "the place 28 elements after the first of `x_ptr`, whose last lies 27 after it",
        "test_broadcast": "the place 1 elements after the first of `x_ptr`, whose last lies 0 after it",
    }
    import re

    for name, words in expected.items():
        assert words in told[name] or re.search(words, told[name]), (name, told[name])


HONEST = (
    STRAYS
    + """
@triton.jit
def helper(p, i, n):
    return tl.load(p + i, mask=i < n, other=0.0)
@triton.jit
def nested(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.store(out_ptr + tl.program_id(1), tl.sum(helper(x_ptr, i, n)))
def total(x):
    out = torch.empty(2)
    nested.run(x, out, x.numel(), BLOCK=triton.next_power_of_2(max(1, x.numel())), grid=(1, 2), warmup=False)
    return out

def part(x, start):
    assert (x.storage_offset(), x.untyped_storage().nbytes()) == (0, 4 * x.numel())
    return torch.as_strided(x, (x.numel() - start,), (1,), start).clone()

@triton.jit
def choose(a_ptr, b_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    p = tl.where(i % 2 == 0, a_ptr + i, b_ptr + i)
    tl.store(out_ptr + i, tl.load(p, mask=i < n), mask=i < n)
def interleave(a, b):
    out = torch.empty_like(a)
    choose[lambda meta: (triton.cdiv(a.numel(), meta["BLOCK"]),)](a, b, out, a.numel(), BLOCK=32)
    return out

@triton.jit
def through_addresses(addresses_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    x_ptr = tl.load(addresses_ptr + tl.program_id(0)).to(tl.pointer_type(tl.float32))
    tl.store(out_ptr + tl.program_id(0) * n + i, tl.load(x_ptr + i, mask=i < n), mask=i < n)
def group(parts, extra):
    n = parts[0].numel()
    out = torch.empty(len(parts) * n)
    addresses = torch.tensor([p.data_ptr() for p in parts])
    through_addresses[(len(parts),)](addresses, out, n + extra, BLOCK=32)
    return out

@triton.autotune([triton.Config({"BLOCK": 64}), triton.Config({"BLOCK": 32}, num_warps=2)], key=["n"])
@triton.heuristics({"EVEN": lambda args: args["n"] % 32 == 0})
@triton.jit
def tuned(x_ptr, out_ptr, n, BLOCK: tl.constexpr, EVEN: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask=i < n), mask=i < n)
def tune(x):
    out = torch.empty_like(x)
    tuned[lambda meta: (triton.cdiv(x.numel(), meta["BLOCK"]),)](x, out, x.numel())
    return out
"""
)
HONEST_CHECKS = """
import torch
def test_strided_views(learner):
    x = torch.randn(30)[::3]
    assert_close(learner.load_at(x, 27), x[9:])
    assert_close(learner.load_at(torch.randn(1).expand(9), 0).isnan().any(), torch.tensor(False))
def test_atomics(learner):
    x = torch.randint(4, (50,))
    assert_close(learner.count(x, 4), torch.bincount(x, minlength=4).int())
    assert_close(learner.lock(torch.zeros(2, dtype=torch.int32), 1), torch.tensor([0, 1], dtype=torch.int32))
def test_offsets_into_the_storage(learner):
    x = torch.randn(20)
    assert_close(learner.part(x, 3), x[3:])
def test_block_pointers_and_descriptors(learner):
    x = torch.randn(10, 12)
    assert_close(learner.block(x, True), x)
    x = torch.randn(8, 16)
    assert_close(learner.descriptor(x, 0), x)
def test_helpers(learner):
    x = torch.randn(100)
    assert_close(learner.total(x), x.sum().expand(2), atol=1e-4)
def test_two_tensors_in_one_load(learner):
    a, b = torch.randn(20), torch.randn(20)
    assert_close(learner.interleave(a, b), torch.where(torch.arange(20) % 2 == 0, a, b))
def test_addresses_as_numbers(learner):
    parts = [torch.randn(20), torch.randn(20)]
    assert_close(learner.group(parts, 0), torch.cat(parts))
def test_autotuned(learner):
    for n in (0, 1, 64, 100):
        x = torch.randn(n)
        assert_close(learner.tune(x), x)
"""


def test_honest_kernels_pass(judge):
    passes(judge, HONEST, HONEST_CHECKS)


def test_an_address_as_a_number_is_held_to_known_tensors(judge):
    checks = "import torch\ndef test_it(learner):\n    learner.group([torch.randn(20)], 4)\n"
    assert "an address that belongs to no tensor of the launch" in failure(judge, HONEST, checks).message


def test_a_stray_access_that_is_caught_is_told_all_the_same(judge):
    source = (
        COPY.format(load="None", store="i < n")
        .replace("    copy_kernel[", "    try:\n        copy_kernel[")
        .replace(
            "BLOCK=128)\n    return out",
            "BLOCK=128)\n    except BaseException:\n        out = x.clone()\n    return out",
        )
    )
    assert "load from element 1000" in failure(judge, source).message


@pytest.mark.parametrize(
    ("offset", "size", "words"),
    [
        (4008, 16, "behind its last element: element 1002 of 1000, 16 bytes in all"),
        (-8, 5, "before its first element: element -1 of 1000, 5 bytes in all"),
        (-8, 2, "before its first element: element -2 of 1000, 2 bytes in all"),
    ],
)
def test_writing_outside_from_the_host_is_told(judge, offset, size, words):
    source = f"""
    import ctypes
    def copy(x):
        ctypes.memset(x.data_ptr() + {offset}, 7, {size})
        return x.clone()
    """
    assert failure(judge, source).message == f"memory outside of `x` was written to, {words}"


ASKING = {
    "triton.runtime.driver.active.utils.get_device_properties(0)": "`triton.runtime.driver.active.utils` needs one",
    "torch.cuda.get_device_properties(0)": "`torch.cuda` needs one",
    "torch.zeros(3).cuda()": "`torch.cuda` needs one",
    "triton.testing.do_bench(lambda: None)": "needs one",
}


@pytest.mark.parametrize("asked", ASKING)
def test_a_file_that_wants_a_gpu_when_it_is_loaded_gets_a_clear_word(judge, asked):
    failed = failure(judge, COPY.format(load="i < n", store="i < n") + f"\nSMS = {asked}\n")
    assert failed.message.startswith("there is no GPU at this level")
    assert ASKING[asked] in failed.message
    assert "code.py:14" in failed.traceback


def test_a_file_that_asks_politely_passes(judge):
    source = COPY.format(load="i < n", store="i < n") + (
        "\nDEVICE = triton.runtime.driver.active.get_active_torch_device()\n"
        "SMS = torch.cuda.get_device_properties(0).multi_processor_count if torch.cuda.is_available() else 8\n"
    )
    passes(judge, source)


def test_inputs_that_change_are_told(judge):
    source = "import torch\ndef add(x, y): return x + y\ndef into(x, y):\n    x += y\n    return x\n"
    checks = """
    import torch
    def test_kept(learner):
        x, y = torch.randn(4), torch.randn(4)
        assert_close(learner.keeps_inputs("add", x, y=y), x + y)
    def test_changed(learner):
        learner.keeps_inputs("into", torch.ones(4), y=torch.ones(4))
    """
    kept, changed = run(judge, source, checks).checks
    assert kept.outcome is Outcome.PASSED, kept
    assert changed.message.startswith("argument 0 of `into` after the call: 4 of 4 elements differ")


OTHER_VERSION = """
import sys
sys.path.insert(0, {worker!r})
import torch
from triton.runtime import interpreter
{change}
import watching
watching.start("correct")
{use}
watch = watching.start("correct")
watch.begin()
watch.settle("call", [])
print("goes on", watch.guard)
"""
A_PART_IS_MISSING = "del interpreter._implicit_cvt"
THE_PARTS_ARE_NOT_USED = """
interpreter.InterpreterBuilder.create_masked_load = lambda _self, at, *_rest: interpreter.TensorHandle(
    interpreter.np.ones(at.data.shape, "float32"), at.get_element_ty())
interpreter.InterpreterBuilder.create_masked_store = lambda *_args: None
"""


@pytest.mark.parametrize(
    ("change", "use"), [(A_PART_IS_MISSING, ""), (THE_PARTS_ARE_NOT_USED, "import warm_triton")]
)
def test_an_interpreter_that_is_not_as_known_is_said_so_and_runs(change, use):
    program = OTHER_VERSION.format(worker=str(WORKER_DIR), change=change, use=use)
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
    )
    assert done.stdout == "goes on None\n", done.stderr
    assert "the accesses of kernels are not checked, as the interpreter of Triton" in done.stderr
