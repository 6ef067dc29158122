"""The `learner` fixture of Python-like languages: objects by proxy, exceptions, seeds, counterexamples."""

from __future__ import annotations

import pytest

from mlsys_path.levels import Level, Outcome

BOX = """
class Box:
    size = 3
    def __init__(self, x): self.x = x
    def add(self, y): self.x += y; return self.x
    def __len__(self): return 7
    def __getitem__(self, key): return (self.x, key)
    def __setitem__(self, key, value): self.x = (key, value)
    def __contains__(self, it): return it == self.x
    def __iter__(self): return iter([self.x, self.x])
    def __add__(self, other): return Box(self.x + (other.x if isinstance(other, Box) else other))
    __radd__ = __add__
    def __neg__(self): return Box(-self.x)
    def __float__(self): return 2.5
    def __str__(self): return f"Box {self.x}"
def unpack(box): return box.x
def twice(x): return x * 2
def fails(): raise KeyError("gone")
NAME = "mlsys"
"""


def test_objects_live_in_the_worker(judge):
    checks = """
    def test_attributes_and_methods(learner):
        box = learner.Box(1)
        assert_equal((box.x, box.size, box.add(2), box.x), (1, 3, 3, 3))
        box.x = 9
        assert_equal(box.x, 9)
    def test_protocols(learner):
        box = learner.Box(4)
        assert_equal((len(box), box["k"], 4 in box, 5 in box, list(box)), (7, (4, "k"), True, False, [4, 4]))
        box[1] = 2
        assert_equal(box.x, (1, 2))
    def test_operators(learner):
        a, b = learner.Box(1), learner.Box(2)
        assert_equal(((a + b).x, (10 + a).x, (a + 5).x, (-a).x), (3, 11, 6, -1))
        assert_equal((float(a), str(a)), (2.5, "Box 1"))
    def test_handles_are_arguments(learner):
        assert_equal(learner.unpack(learner.Box([1, (2, None)])), [1, (2, None)])
    def test_plain_attributes(learner):
        assert_equal(learner.NAME, "mlsys")
    """
    verdict = judge(checks, BOX)
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure


def test_a_handle_is_never_a_value(judge):
    verdict = judge("def test_it(learner):\n    assert learner.Box(1) == 1\n", BOX)
    assert verdict.verdict is Outcome.FAILED
    assert "an object of class Box" in verdict.first_failure.message


def test_expected_exceptions(judge):
    checks = """
    def test_subclass_counts(learner):
        with learner.raises("LookupError") as info:
            learner.fails()
        assert_equal(info.type, "KeyError")
    def test_nothing_raised(learner):
        with learner.raises("ValueError"):
            learner.twice(1)
    """
    verdict = judge(checks, BOX)
    assert [c.outcome for c in verdict.checks] == [Outcome.PASSED, Outcome.FAILED]
    assert "twice(1) should raise ValueError" in verdict.first_failure.message


def test_a_failing_verdict_shows_the_smallest_input_and_the_learners_own_lines(judge):
    source = """
    def half(n):
        if n > 41:
            return helper(n)
        return n // 2
    def helper(n):
        raise ValueError(f"too large: {n}")
    """
    checks = """
    @given(n=st.integers(0, 10_000))
    def test_it(learner, n):
        assert_equal(learner.half(n), n // 2)
    """
    failure = judge(checks, source).first_failure
    assert failure.counterexample.calls == ("half(42)",)
    assert "too large: 42" in failure.message
    assert "code.py:4 in half" in failure.traceback
    assert "code.py:7 in helper" in failure.traceback
    assert "serve.py" not in failure.traceback
    assert "test_it.py" not in failure.traceback


def test_a_missing_name_is_said_so(judge):
    failure = judge("def test_it(learner):\n    learner.other(1)\n", BOX).first_failure
    assert failure.message == "code.py does not define `other`"


def test_a_file_that_cannot_be_imported(judge):
    failure = judge("def test_it(learner):\n    learner.go()\n", "def go(:\n").first_failure
    assert "SyntaxError" in failure.message


@pytest.mark.parametrize(
    ("source", "obstacle"),
    [
        ("def go(:\n", "unloaded"),
        ("import nothing_like_this\n", "unloaded"),
        ("1 / 0\n", "unloaded"),
        ("def go(n):\n    import nothing_like_this\n", "unloaded"),
        ("def go(n):\n    raise NotImplementedError('write go()')\n", "unwritten"),
        ("", "unwritten"),
        ("def go(n):\n    return n\n", ""),
        ("def go(n):\n    return 1 / 0\n", ""),
    ],
)
def test_what_keeps_a_check_from_seeing_what_the_code_does(judge, source, obstacle):
    checks = "def test_it(learner):\n    assert_equal(learner.go(1), 2)\n"
    assert judge(checks, source).first_failure.obstacle == obstacle


def test_what_a_check_cannot_use_is_the_learners_failure(judge):
    failure = judge("def test_it(learner):\n    learner.go().sum()\n", "def go(): return None").first_failure
    assert failure.outcome is Outcome.FAILED
    assert "could not be used" in failure.message


def test_output_is_kept_with_the_check_that_printed_it(judge):
    checks = "def test_a(learner):\n    learner.say('a')\ndef test_b(learner):\n    learner.say('b')\n"
    verdict = judge(checks, "def say(x): print('said', x)")
    assert [c.output for c in verdict.checks] == ["said a\n", "said b\n"]


def test_output_is_bounded_to_its_beginning_and_its_end(judge):
    source = "def say():\n    for i in range(200_000): print(f'line {i}')\n"
    (check,) = judge("def test_it(learner):\n    learner.say()\n", source).checks
    assert check.output.startswith("line 0\n")
    assert check.output.endswith("line 199999\n")
    assert "bytes left out" in check.output
    assert len(check.output) < 140_000


def test_seeds_are_fresh_in_every_run_and_for_every_check(judge):
    source = """
    import random
    random.seed(0)
    def same(x): return x
    """
    checks = """
    import random
    def test_a(learner, rng):
        print_to_learner(learner, rng)
    def test_b(learner, rng):
        print_to_learner(learner, rng)
    def print_to_learner(learner, rng):
        learner.same((random.random(), float(np.random.random()), float(rng.random())))
        drawn = []
        @settings(max_examples=5)
        @given(st.integers(0, 2**60))
        def draw(n): drawn.append(n)
        draw()
        learner.same(tuple(drawn))
        fail("shown")
    """
    runs = [c.counterexample.calls for _ in range(2) for c in judge(checks, source).checks]
    for shown in zip(*runs, strict=True):
        assert len(set(shown)) == 4, "each check of each run draws other numbers"


def test_a_harness_runs_beside_the_learners_code(judge):
    verdict = judge(
        "def test_it(learner):\n    assert_equal(learner.harness('drive').run(4), [4, 8])\n",
        {"mine.py": "def twice(x): return x * 2", "drive.py": "raise SystemExit"},
        harness={"drive.py": "from mine import twice\ndef run(x): return [x, twice(x)]\n"},
    )
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure


def test_stronger_levels_wait_for_weaker_ones(judge):
    checks = "def test_right(learner):\n    fail('no')\ndef test_fast(learner):\n    pass\n"
    verdict = judge(checks, "", levels={"test_fast": Level.FAST})
    assert verdict.levels == {Level.CORRECT: Outcome.FAILED, Level.FAST: Outcome.OPEN}


def test_a_skip_is_open_with_its_reason(judge):
    verdict = judge("def test_it(learner):\n    import pytest\n    pytest.skip('one core only')\n", "")
    assert verdict.verdict is Outcome.OPEN
    assert verdict.open_because == {Level.CORRECT: "one core only"}


@pytest.mark.parametrize(
    "checks",
    [
        "def test_it(learner):\n    pass\n\ndef test_it_2(learner:\n",
        "import nothing_like_this\ndef test_it(learner):\n    pass\n",
    ],
)
def test_checks_that_cannot_run_are_an_error_never_a_pass(judge, checks):
    assert judge(checks, "").verdict is Outcome.ERROR


def test_the_checkers_own_bug_is_an_error(judge):
    verdict = judge("def test_it(learner):\n    undefined_name\n", "")
    assert verdict.verdict is Outcome.ERROR
    assert "The check itself is broken" in verdict.first_failure.message


def test_ranks_are_processes_that_talk_and_are_counted(judge):
    pytest.importorskip("torch")
    checks = """
    def test_sum(learner):
        import torch
        before = learner.traffic()
        parts = [torch.full((40_000,), float(r)) for r in range(3)]
        for got in learner.ranks(3, "drive", "run", learner.per_rank(parts), 2.0):
            assert_close(got, 2 * sum(parts))
        assert learner.traffic() - before > 2 * 2 * 160_000
    def test_one_fails(learner):
        learner.ranks(2, "drive", "fails")
    """
    source = "import torch.distributed as dist\ndef reduce(x):\n    dist.all_reduce(x)\n    return x\n"
    harness = {
        "drive.py": """
        import torch.distributed as dist
        def run(rank, x, factor):
            import mine
            dist.init_process_group("gloo")
            out = mine.reduce(x) * factor
            dist.destroy_process_group()
            return out
        def fails(rank):
            if rank == 1: raise ValueError("on purpose")
            import time; time.sleep(60)
        """
    }
    verdict = judge(checks, {"mine.py": source}, language="distributed", harness=harness, needs=("torch",))
    first, second = verdict.checks
    if first.outcome is Outcome.OPEN:
        pytest.skip(first.message)
    assert first.outcome is Outcome.PASSED, first
    assert second.outcome is Outcome.FAILED
    assert "rank 1: on purpose" in second.message


def test_triton_compiles_for_a_gpu_that_is_not_there(judge):
    pytest.importorskip("triton")
    source = """
    import torch, triton
    import triton.language as tl
    @triton.jit
    def scale_kernel(x, out, n, factor, BLOCK: tl.constexpr):
        i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        tl.store(out + i, tl.load(x + i, mask=i < n) * factor, mask=i < n)
    def scale(x, factor):
        out = torch.empty_like(x)
        scale_kernel[(triton.cdiv(x.numel(), 256),)](x, out, x.numel(), factor, BLOCK=256)
        return out
    def nothing(x): return x
    """
    checks = """
    import torch
    def test_interpreted(learner, rng):
        x = torch.randn(1000)
        assert_close(learner.scale(x, 3.0), x * 3)
    def test_compiled(learner):
        for target, arch in (("cuda:80", "sm_80"), ("cuda:90", "sm_90")):
            kernel, = learner.compile("scale", torch.randn(1000), 3.0, target=target)
            assert_equal(kernel.name, "scale_kernel")
            assert f".target {arch}" in kernel.ptx and "tt.store" in kernel.ttir and "ttg." in kernel.ttgir
            assert kernel.cubin[:4] == b"\\x7fELF" and 0 < kernel.registers < 256 and kernel.spills == 0
    def test_nothing_launched(learner):
        learner.compile("nothing", torch.randn(3))
    """
    levels = {"test_compiled": Level.COMPILES, "test_nothing_launched": Level.COMPILES}
    verdict = judge(checks, source, language="triton", levels=levels)
    assert [c.outcome for c in verdict.checks] == [Outcome.PASSED, Outcome.PASSED, Outcome.FAILED], (
        verdict.first_failure
    )
    assert "`nothing` launches no Triton kernel" in verdict.first_failure.message
