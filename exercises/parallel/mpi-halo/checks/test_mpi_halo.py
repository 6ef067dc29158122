import re
import signal
from dataclasses import dataclass

import numpy as np

from mlsys_path.checking.testing import CheckFailed, assert_close, assert_equal, fail

PROCESSES = 8
BLOCKED = ("", "MPI_Wait", "a blocking send", "a blocking receive", "MPI_Sendrecv", "a collective")


@dataclass
class Problem:
    """A grid, what to do with it, and which process plays which rank (-1: none)."""

    grid: np.ndarray
    steps: int
    alpha: float
    rank_of: list[int]

    @property
    def ranks(self):
        return sum(rank >= 0 for rank in self.rank_of)

    def text(self):
        rows, cols = self.grid.shape
        roles = [*self.rank_of, *[-1] * (PROCESSES - len(self.rank_of))]
        head = ["solve", rows, cols, self.steps, self.alpha, self.ranks, *roles]
        return (
            " ".join(map(str, head))
            + "\n"
            + "\n".join(" ".join(map(repr, row)) for row in self.grid.tolist())
        )

    def name(self):
        rows, cols = self.grid.shape
        steps, ranks = (
            f"{self.steps} step{'s' * (self.steps > 1)}",
            f"{self.ranks} rank{'s' * (self.ranks > 1)}",
        )
        return f"the grid of {rows} x {cols} after {steps} on {ranks}"


def draw(rng, rows, cols, steps, rank_of):
    """A problem with random numbers of one decimal place."""
    grid = rng.integers(-99, 100, (rows, cols)) / 10
    return Problem(grid, steps, int(rng.integers(5, 25)) / 100, list(rank_of))


def serial(problem):
    """The whole grid at once: the first and last row and column stay."""
    u = problem.grid
    for _ in range(problem.steps):
        new = u.copy()
        around = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
        new[1:-1, 1:-1] += problem.alpha * (around - 4 * u[1:-1, 1:-1])
        u = new
    return u


def start(learner, text, processes, timeout):
    """What harness/main.c prints for requests."""
    program = learner.build("main.c", "watch.c", "halo.c")
    try:
        done = program.run(stdin=f"{text}\nend\n".encode(), ranks=processes, timeout=timeout, check=False)
    except CheckFailed:
        fail(f"after {timeout:g} s the ranks still wait: for messages that nobody sends, or for each other")
    words = done.stderr.decode("utf-8", "replace")
    if stopped := re.search(r"^halo: (.+)$", words, re.MULTILINE):
        fail(stopped[1])
    if broken := re.search(r"An error occurred in (MPI_\w+)", words):
        reason = re.search(r"MPI_ERR_\w+: .+", words)
        fail(f"{broken[1]} refused its arguments: {reason[0].strip() if reason else 'see the output'}")
    if done.returncode:
        number = abs(done.returncode) if done.returncode < 0 else done.returncode - 128
        named = number in {s.value for s in signal.Signals}
        fail(f"a rank ended with {signal.Signals(number).name if named else f'exit code {done.returncode}'}")
    return done.stdout.decode()


def run(learner, problems, processes, timeout=10.0):
    """The grid of each problem, and (done, possible, where it blocked) of each rank."""
    numbers = start(learner, "\n".join(p.text() for p in problems), processes, timeout).split()
    wanted = sum(p.grid.size + 3 * p.ranks for p in problems)
    if len(numbers) != wanted:
        fail(
            f"the program printed {len(numbers)} numbers instead of {wanted}: does your code print to stdout?"
        )
    values = np.array(numbers, dtype=np.float64)
    for p in problems:
        grid, seen, values = np.split(values, [p.grid.size, p.grid.size + 3 * p.ranks])
        yield p, grid.reshape(p.grid.shape), seen.reshape(-1, 3)


def check(learner, problems, processes, **options):
    """Compare with the serial program, the smallest problem first."""
    problems = sorted(problems, key=lambda p: (p.ranks, p.steps, p.grid.size))
    for p, grid, _ in run(learner, problems, processes, **options):
        assert_close(grid, serial(p), rtol=0, atol=1e-12, what=p.name())


def test_split_rows(learner, rng):
    cases = [(8, 2), (7, 2), (2, 4)] + [
        (int(rng.integers(1, 100)), int(rng.integers(1, 9))) for _ in range(20)
    ]
    out = start(learner, "\n".join(f"split {rows} {ranks}" for rows, ranks in cases), 1, 10.0).split()
    parts = np.array(out, dtype=np.int64).reshape(-1, 2).tolist()
    for rows, ranks in cases:
        mine, parts = parts[:ranks], parts[ranks:]
        what = f"split_rows() of {rows} rows on {ranks} ranks"
        if [-1, -1] in mine:
            fail(f"{what} left first and count as they were")
        each, extra = divmod(rows, ranks)
        counts = [each + (rank < extra) for rank in range(ranks)]
        firsts = np.cumsum([0, *counts])[:-1].tolist()
        expected = [list(pair) for pair in zip(firsts, counts, strict=True)]
        assert_equal(mine, expected, f"[first, count] of each rank, {what},")


def test_one_rank(learner, rng):
    sizes = [(3, 3), (1, 5), (4, 1), (2, 2), *rng.integers(3, 12, (4, 2)).tolist()]
    problems = [draw(rng, rows, cols, 1, [0]) for rows, cols in sizes]
    problems += [draw(rng, rows, cols, int(rng.integers(2, 9)), [0]) for rows, cols in sizes]
    check(learner, problems, 1)


def test_equals_serial(learner, rng):
    problems = []
    for ranks in (2, 3, 4):
        for rows in (2 * ranks, *rng.integers(2 * ranks, 30, 4).tolist()):
            steps, cols = int(rng.integers(1, 12)), int(rng.integers(3, 20))
            problems.append(draw(rng, rows, cols, steps, range(ranks)))
    check(learner, problems, 4)


def test_any_communicator(learner, rng):
    problems = []
    for ranks in (2, 3, 4, 4):
        rank_of = np.full(4, -1)
        rank_of[rng.permutation(4)[:ranks]] = rng.permutation(ranks)
        problems.append(draw(rng, int(rng.integers(8, 20)), 5, int(rng.integers(2, 6)), rank_of.tolist()))
    problems.append(draw(rng, 12, 5, 3, [3, 2, 1, 0]))
    check(learner, problems, 4)


def test_few_rows(learner, rng):
    shapes = [(5, 5), (4, 5), (3, 5), (2, 5), (1, 5), (6, 5), (3, 4)]
    problems = [
        draw(rng, rows, int(rng.integers(3, 9)), int(rng.integers(2, 6)), range(n)) for rows, n in shapes
    ]
    check(learner, problems, 5)


def test_wide_rows(learner, rng):
    problems = [
        draw(rng, int(rng.integers(5, 8)), int(rng.integers(20_000, 25_000)), 2, range(n)) for n in (2, 4)
    ]
    check(learner, problems, 4)


def test_bytes(learner, rng):
    ranks, cols = 4, int(rng.integers(2000, 3000))
    rows, few, many = int(rng.integers(20, 25)), 2, 22
    traffic = []
    for steps in (few, many):
        before = learner.traffic()
        check(learner, [draw(rng, rows, cols, steps, range(ranks))], ranks)
        traffic.append(learner.traffic() - before)
    each = (traffic[1] - traffic[0]) / (many - few)
    halo = 2 * (ranks - 1) * cols * 8
    asked = (
        f"4 ranks with rows of {cols} doubles: a step sent {each:,.0f} bytes where the halos hold {halo:,}"
    )
    if each > 1.25 * halo:
        fail(f"{asked}, {each / halo:.1f} times as much")
    if each < 0.95 * halo:
        fail(f"{asked}. What does not travel by messages does not reach another machine")


def test_overlap(learner, rng):
    problems = [
        draw(rng, int(rng.integers(5 * n, 9 * n)), int(rng.integers(4, 30)), 2, range(n)) for n in (2, 3, 4)
    ]
    for p, _, seen in run(learner, problems, 4):
        for rank, (done, possible, where) in enumerate(seen.tolist()):
            if done < possible:
                fail(
                    f"rank {rank} of {p.ranks} began to wait, in {BLOCKED[int(where)]}, when {done:.0f} of "
                    f"{possible:.0f} points that need no halo were done"
                )
