import time

from hypothesis import given, settings
from hypothesis import strategies as st
from programs import CONSTANTS, NUMBERS, OPERATIONS, Program, by_torch, ladders, programs

from mlsys_path.checking.testing import assert_close, fail


def compare(learner, program, what=("data", "grad")):
    """Run the program on both sides and demand the same data and gradients of every value."""
    expected = by_torch(program)
    got = learner.harness("drive").run(program.lines, program.names)
    largest = max(abs(grad) for _, grad in expected.values())
    for (name, wanted), found in zip(expected.items(), got, strict=True):
        for kind, mine, theirs in zip(("data", "grad"), found, wanted, strict=True):
            if kind not in what:
                continue
            if type(mine) is not float:
                fail(
                    f"{name}.{kind} should be a plain float, not a {type(mine).__name__}, after\n{program}",
                    got=mine,
                )
            # rounding is relative to the largest number that is summed on the way
            scale = max(1.0, largest if kind == "grad" else 0.0)
            if not abs(mine - theirs) <= 1e-9 * scale + 1e-6 * abs(theirs):
                fail(
                    f"{name}.{kind} is {mine + 0.0:.10g} and should be {theirs + 0.0:.10g}, after\n{program}"
                )


def each_operation(check):
    """Call check(program, name of the result) for every operation, on leaves of several values."""
    for text in OPERATIONS:

        @given(text=st.just(text), a=NUMBERS, b=NUMBERS, c=CONSTANTS)
        @settings(max_examples=6)
        def one(text, a, b, c):
            program = Program()
            program.leaf("a", a)
            if "{b}" in text:
                program.leaf("b", b)
            check(program, program.step(text, "a", program.names[-1], c))

        one()


def test_values(learner):
    each_operation(lambda program, _: compare(learner, program, what=("data",)))

    @given(program=programs(steps=6))
    @settings(max_examples=30)
    def mixed(program):
        compare(learner, program, what=("data",))

    mixed()


def test_each_operation(learner):
    def backward(program, name):
        program.lines.append(f"{name}.backward()")
        compare(learner, program)

    each_operation(backward)


@given(
    a=NUMBERS, text=st.sampled_from(["{a} + {b}", "{a} * {b}", "{a} - {b}", "{a} / {b}"]), more=st.booleans()
)
def test_reused_value(learner, a, text, more):
    program = Program()
    program.leaf("a", a)
    last = program.step(text, "a", "a", 0)
    if more:
        last = program.step("{a} * {b}", "a", last, 0)
    program.lines.append(f"{last}.backward()")
    compare(learner, program)


def test_random_graphs(learner):
    def backward(program):
        program.lines.append(f"{program.names[-1]}.backward()")
        compare(learner, program)

    # small ones first: what fails on these fails on a graph that can be drawn by hand
    given(program=ladders())(backward)()
    settings(max_examples=80)(given(program=programs())(backward))()


@given(program=programs(steps=5), picks=st.lists(st.integers(0, 4), min_size=2, max_size=3))
def test_backward_adds(learner, program, picks):
    names = program.names
    for pick in picks:
        program.lines.append(f"{names[-1 - pick % len(names)]}.backward()")
    compare(learner, program)


def slope_of(start, scales, plus):
    """v and dv/dx of v = v * scale + (x or v), carried forwards."""
    v, slope = start, 1.0
    for scale in scales.tolist():
        v, slope = (
            (v * scale + start, slope * scale + 1) if plus == "x" else (v * scale + v, slope * scale + slope)
        )
    return [v, slope]


def demand(got, expected, steps, start):
    for name, mine, theirs in zip(("v.data", "x.grad"), got, expected, strict=True):
        assert_close(mine, theirs, rtol=1e-9, what=f"{name} after v = x = Value({start:g}) and {steps}")


def test_diamonds(learner, rng):
    drive = learner.harness("drive")

    def run(n):
        start, scales = float(rng.uniform(0.5, 2)), rng.uniform(-0.2, 0.2, n)
        began = time.perf_counter()
        got = drive.diamonds(start, scales)
        seconds = time.perf_counter() - began
        demand(got, slope_of(start, scales, "v"), f"{n} times v = v * scale + v", start)
        return seconds

    run(int(rng.integers(2, 9)))
    # 22 steps take a fraction of a millisecond, or 4 million visits; a busy machine may stall once
    if all(run(22) > 0.5 for _ in range(3)):
        fail(
            f"22 times v = v * scale + v took more than 0.5 s, as if each of the {2**22:,} paths were walked"
        )
    run(int(rng.integers(200, 400)))


def test_deep_chain(learner, rng):
    for n in (int(rng.integers(2, 9)), int(rng.integers(8_000, 12_000))):
        start, scales = float(rng.uniform(0.5, 2)), rng.uniform(0.9, 0.999, n)
        got = learner.harness("drive").chain(start, scales)
        demand(got, slope_of(start, scales, "x"), f"{n} times v = v * scale + x", start)
