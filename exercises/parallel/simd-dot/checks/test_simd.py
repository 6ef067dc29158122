"""Compares dot and saxpy with numpy on every length and alignment; times dot against two baselines."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from mlsys_path.checking.testing import fail

LEARNER = {"flags": ["-O3", "-march=native"]}
SCALAR = {"flags": ["-O2", "-fno-tree-vectorize"]}
GUARD, GUARD_VALUE = 8, 12345
LENGTHS = range(68)


@dataclass
class Case:
    """One call: small whole numbers, so that float32 is exact in whatever order the sum is taken."""

    kernel: str
    n: int
    x_offset: int
    y_offset: int
    a: float
    x: np.ndarray
    y: np.ndarray

    def stdin(self) -> bytes:
        """The driver's input for this call."""
        head = struct.pack("=IIIIf", self.kernel == "saxpy", self.n, self.x_offset, self.y_offset, self.a)
        return head + self.x.tobytes() + self.y.tobytes()

    def floats_back(self) -> int:
        """How many floats the driver answers."""
        return 1 if self.kernel == "dot" else self.n + 2 * GUARD

    def where(self) -> str:
        """The call, for a message."""
        at = f"x at {4 * self.x_offset} and y at {4 * self.y_offset} bytes after a 64-byte boundary"
        return f"{self.kernel} of {self.n} floats, {at}"

    def judge(self, got: np.ndarray) -> None:
        """Exact equality, and a word on which elements are missing."""
        x, y = self.x.astype(np.float64), self.y.astype(np.float64)
        if self.kernel == "dot":
            expected = float(x @ y)
            if got[0] != expected:
                missing = self._missing(float(got[0]), x * y)
                fail(f"{self.where()}: got {got[0]:g}, expected {expected:g}{missing}")
            return
        inner, result = got[GUARD : GUARD + self.n], self.a * x + y
        if np.any(got[:GUARD] != GUARD_VALUE) or np.any(got[GUARD + self.n :] != GUARD_VALUE):
            side = "before y[0]" if np.any(got[:GUARD] != GUARD_VALUE) else f"after y[{self.n - 1}]"
            fail(f"{self.where()}: memory {side} was written")
        if wrong := np.flatnonzero(inner != result).tolist():
            i = wrong[0]
            fail(
                f"{self.where()}: {len(wrong)} of {self.n} elements differ, the first is y[{i}] = "
                f"{self.y[i]:g} + {self.a:g} * {self.x[i]:g}: got {inner[i]:g}, expected {result[i]:g}"
            )

    def _missing(self, got: float, products: np.ndarray) -> str:
        for end in range(len(products)):
            if got == products[:end].sum() and end % 4 == 0:
                return f", which is the sum of the first {end} products only"
        return ""


def make_case(rng: np.random.Generator, kernel: str, n: int, x_offset: int = 0, y_offset: int = 0) -> Case:
    """Whole numbers from 1 to 9 with random signs: no product is 0, so that a forgotten one shows."""
    x, y = (rng.integers(1, 10, (2, n)) * rng.choice([-1, 1], (2, n))).astype(np.float32)
    return Case(kernel, n, x_offset, y_offset, float(rng.integers(2, 9)), x, y)


def run(learner, cases: list[Case], sanitize: str | None = None) -> None:
    """All cases in one process; judged in order, so that the smallest that fails is the one reported."""
    program = learner.build("simd.cpp", "drive.cpp", sanitize=sanitize, **LEARNER)
    done = program.run("once", stdin=b"".join(case.stdin() for case in cases), check=sanitize is not None)
    floats = np.frombuffer(done.stdout[: len(done.stdout) // 4 * 4], dtype=np.float32)
    for case in cases:
        if len(floats) < case.floats_back():
            fail(f"{case.where()}: the program ended in it ({ending(done.returncode)})")
        case.judge(floats[: case.floats_back()])
        floats = floats[case.floats_back() :]


def ending(code: int) -> str:
    """How a program ended, in words."""
    if code == -11:
        return "signal 11, SIGSEGV: memory that is not there, or an aligned load at an unaligned address"
    return f"signal {-code}" if code < 0 else f"exit status {code}"


def test_dot_every_length(learner, rng):
    run(learner, [make_case(rng, "dot", n) for n in LENGTHS])


def test_saxpy_every_length(learner, rng):
    run(learner, [make_case(rng, "saxpy", n) for n in LENGTHS])


def test_misaligned_pointers(learner, rng):
    offsets = rng.permutation(16)
    cases = [
        make_case(rng, kernel, int(rng.integers(8, 68)), int(x), int(y))
        for kernel in ("dot", "saxpy")
        for x, y in [(1, 0), (0, 1), (3, 3), *zip(offsets, rng.permutation(offsets), strict=True)]
    ]
    run(learner, cases)
    run(learner, cases, sanitize="undefined")


def test_long_vectors(learner, rng):
    program = learner.build("simd.cpp", "drive.cpp", **LEARNER)
    for n in (int(rng.integers(500, 5000)), int(rng.integers(5000, 40000))):
        x, y = rng.standard_normal((2, n)).astype(np.float32)
        reply = program.run("once", stdin=Case("dot", n, 1, 2, 0, x, y).stdin()).stdout
        got = np.frombuffer(reply, dtype=np.float32)
        if len(got) != 1:
            fail(f"dot of {n} floats: the program ended in it")
        products = x.astype(np.float64) * y.astype(np.float64)
        error, allowed = abs(float(got[0]) - products.sum()), 1e-5 * np.abs(products).sum()
        if not error <= allowed:
            fail(
                f"dot of {n} random floats: got {got[0]:.6g}, expected {products.sum():.6g}; "
                f"the error {error:.2g} is more than rounding explains ({allowed:.2g})"
            )


def test_address_sanitizer(learner, rng):
    lengths = [n for n in LENGTHS for _ in range(2)]
    cases = [
        make_case(rng, kernel, n, *map(int, rng.integers(0, 16, 2)))
        for kernel in ("dot", "saxpy")
        for n in lengths
    ]
    run(learner, cases, sanitize="address")


def timed(session, rng: np.random.Generator, repeats: int) -> float:
    """Seconds of one request: `repeats` dot products of vectors that fit into the first-level cache.

    One element of x changes before each product, and every product is verified.
    """
    n = int(rng.integers(2000, 3000))
    x, y = rng.uniform(-1, 1, (2, n)).astype(np.float32)
    values = rng.uniform(-1, 1, repeats).astype(np.float32)
    request = struct.pack("=II", n, repeats) + x.tobytes() + y.tobytes() + values.tobytes()
    reply, seconds = session.ask(request, read=4 * repeats)
    at = np.arange(repeats) % n
    y64 = y.astype(np.float64)
    replaced = np.concatenate([x, values])[:repeats]  # replaced[r] makes room for values[r]
    expected = x.astype(np.float64) @ y64 + np.cumsum((values.astype(np.float64) - replaced) * y64[at])
    got = np.frombuffer(reply, dtype=np.float32)
    error = np.abs(got - expected)
    if not np.all(error < 1e-3):
        r = int(np.flatnonzero(~(error < 1e-3))[0])
        fail(f"timed call {r} of {repeats}: dot of {n} floats gave {got[r]:.6g}, expected {expected[r]:.6g}")
    return seconds


def race(learner, measure, rng, name: str, baseline, products: int, repeats: int, at_least: float) -> None:
    """Time the learner's dot and a baseline in turn, `products` dot products a time."""
    ours = learner.build("simd.cpp", "drive.cpp", **LEARNER)
    with ours.start("repeat") as candidate, baseline.start("repeat") as other:
        measure.ratio(
            name,
            candidate=lambda: timed(candidate, rng, products),
            baseline=lambda: timed(other, rng, products),
            at_least=at_least,
            unit="s",
            repeats=repeats,
        )


def test_faster_than_scalar(learner, measure, rng):
    scalar = learner.build("scalar.cpp", "drive.cpp", **SCALAR)
    race(learner, measure, rng, "dot, against a scalar loop", scalar, 12_000, 11, 3.0)


def test_hides_latency(learner, measure, rng):
    one = learner.build("one_accumulator.cpp", "drive.cpp", **LEARNER)
    # many products and repeats: the milliseconds that a busy machine takes to answer are in both times
    race(learner, measure, rng, "dot, against one vector accumulator", one, 40_000, 25, 1.4)
