import re
import secrets

import numpy as np

from mlsys_path.checking.testing import Open, assert_close, assert_equal, fail

GROUP = 32
# alpha * x stays below 40: a fused multiply-add differs from two roundings by less than this
CLOSE = {"float32": {"rtol": 1e-6, "atol": 1e-5}, "float64": {"rtol": 1e-14, "atol": 1e-14}}


def draw(rng, n, dtype="float32"):
    """alpha, x and y."""
    return float(rng.uniform(-4, 4)), *(rng.uniform(-10, 10, n).astype(dtype) for _ in "xy")


def expected(alpha, x, y, start=0, stop=None):
    """alpha * x + y in the given range, and y elsewhere."""
    result = y.copy()
    result[start:stop] += x.dtype.type(alpha) * x[start:stop]
    return result


def test_devices(learner):
    keys = ("name", "compute_units", "work_group", "memory")
    facts = learner.harness("drive").facts()
    wanted = [{**dict(zip(keys, row, strict=False)), "double": row[-1] != 0} for row in facts]
    assert_equal(learner.devices(), wanted, "what devices() returned")


def test_kernel(learner, rng):
    launch = learner.harness("drive").launch
    for groups in (1, int(rng.integers(2, 9))):
        n = groups * GROUP
        alpha, x, y = draw(rng, n)
        got = launch(alpha, x, y, 0, n, n, GROUP)
        assert_close(
            got, expected(alpha, x, y), **CLOSE["float32"], what=f"y after a launch of {n} work-items"
        )


def test_kernel_bounds(learner, rng):
    launch = learner.harness("drive").launch
    counts = [1, GROUP - 1, GROUP + 1, *rng.integers(2, 200, 4).tolist()]
    for count, start in zip(counts, [0, 0, 0, *rng.integers(1, 50, 4).tolist()], strict=True):
        stop, size = start + count, -(-count // GROUP) * GROUP
        alpha, x, y = draw(rng, start + size + 3)
        got = launch(alpha, x, y, start, stop, size, GROUP)
        what = f"y after a launch of {size} work-items from offset {start} with stop = {stop}"
        assert_close(got, expected(alpha, x, y, start, stop), **CLOSE["float32"], what=what)


def test_sizes(learner, rng):
    saxpy = learner.Saxpy("float32")
    sizes = [64, 1, 2, 63, 65, 1000, 4096, *rng.integers(3, 5000, 6).tolist(), 7, 100_003]
    for n in sizes:
        alpha, x, y = draw(rng, n)
        assert_close(
            saxpy(alpha, x, y), expected(alpha, x, y), **CLOSE["float32"], what=f"saxpy of {n} numbers"
        )


def test_runs_the_kernel(learner, rng):
    a, b = (int(n) for n in rng.integers(2, 90, 2))
    source = f"""kernel void saxpy(REAL alpha, global const REAL *x, global REAL *y, ulong stop)
    {{
        size_t i = get_global_id(0);
        if (i < stop)
            y[i] = {a} * x[i] - alpha * y[i] + {b} * (int)(i % 7);
    }}"""
    alpha, x, y = draw(rng, int(rng.integers(50, 300)))
    got = learner.Saxpy("float32", source)(alpha, x, y)
    wanted = a * x - np.float32(alpha) * y + np.float32(b) * (np.arange(len(x), dtype=np.float32) % 7)
    if np.allclose(got, expected(alpha, x, y), atol=1e-3):
        fail(
            "Saxpy() was given another kernel, and the result is still alpha * x + y: the kernel does not run"
        )
    assert_close(got, wanted, rtol=1e-5, atol=1e-3, what="what a kernel that was given as `source` computes")


def test_range(learner, rng):
    saxpy = learner.Saxpy("float32")
    for n in (5, 70, *rng.integers(100, 2000, 4).tolist()):
        start, stop = sorted(rng.integers(1, n, 2).tolist())
        stop += start == stop
        alpha, x, y = draw(rng, n)
        got = saxpy(alpha, x, y, start, stop)
        what = f"saxpy of {n} numbers from {start} to {stop}"
        assert_close(got, expected(alpha, x, y, start, stop), **CLOSE["float32"], what=what)
        assert_equal(got[:start].tolist(), y[:start].tolist(), f"what lies before the range, {what},")
        assert_equal(got[stop:].tolist(), y[stop:].tolist(), f"what lies behind the range, {what},")


def test_empty(learner, rng):
    saxpy = learner.Saxpy("float32")
    alpha, x, y = draw(rng, 0)
    assert_equal(saxpy(alpha, x, y), y, "saxpy of nothing")
    alpha, x, y = draw(rng, int(rng.integers(2, 100)))
    middle = int(rng.integers(0, len(y)))
    for at in (0, middle, len(y)):
        assert_equal(
            saxpy(alpha, x, y, at, at), y, f"saxpy of {len(y)} numbers from {at} to {at}, which is y,"
        )


def test_double(learner, rng):
    if learner.harness("drive").facts()[0][-1] == 0:
        raise Open("the first OpenCL device has no double precision")
    saxpy = learner.Saxpy("float64")
    for n in (64, int(rng.integers(65, 1000))):
        alpha, x, y = draw(rng, n, "float64")
        got = saxpy(alpha, x, y)
        assert_close(got, expected(alpha, x, y), **CLOSE["float64"], what=f"saxpy of {n} doubles")


def test_arguments_stay(learner, rng):
    saxpy, call = learner.Saxpy("float32"), learner.harness("drive").call
    for step, name in ((1, "plain arrays"), (2, "every second number of an array"), (-1, "reversed arrays")):
        n = int(rng.integers(100, 500))
        alpha, x, y = draw(rng, n)
        x, y = x[::step], y[::step]
        got, x_after, y_after, shared = call(saxpy, alpha, x, y)
        assert_close(got, expected(alpha, x, y), **CLOSE["float32"], what=f"saxpy of {name}")
        assert_equal(x_after, x, f"x after saxpy of {name}")
        assert_equal(y_after, y, f"y after saxpy of {name}")
        assert_equal(shared, False, f"whether the result shares memory with an argument, {name},")


def test_build_log(learner, rng):
    for _ in range(2):
        name, line = f"x{secrets.token_hex(4)}", int(rng.integers(3, 9))
        source = "kernel void saxpy(REAL alpha, global const REAL *x, global REAL *y, ulong stop)\n{"
        source += "\n" * (line - 2) + f"    y[0] = {name};\n}}\n"
        with learner.raises("BuildError") as info:
            learner.Saxpy("float32", source)
        if name not in info.message or not re.search(rf"\b{line}\b", info.message):
            fail(
                f"line {line} of the kernel uses `{name}`, which nothing declares: the compiler says so, "
                "and BuildError's message does not",
                got=info.message,
            )


def test_refuses(learner, rng):
    saxpy = learner.Saxpy("float32")
    n = int(rng.integers(10, 100))
    alpha, x, y = draw(rng, n)
    with learner.raises("ValueError"):
        saxpy(alpha, x[:-1], y)
    with learner.raises("ValueError"):
        saxpy(alpha, x, y.astype("float64"))
    with learner.raises("ValueError"):
        saxpy(alpha, x.astype("float64"), y)
    for start, stop in ((-1, 3), (0, n + 1), (5, 4)):
        with learner.raises("ValueError"):
            saxpy(alpha, x, y, start, stop)
