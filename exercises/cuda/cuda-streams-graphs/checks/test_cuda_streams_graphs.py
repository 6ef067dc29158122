import numpy as np

from mlsys_path.checking.testing import assert_close, fail

SOURCE = "overlap.cu"
OK = "cudaSuccess"
FACTOR, TERM = 1664525, 1013904223  # of the kernel in harness/overlap.cuh
WORD = 0xFFFFFFFF
UNTOUCHED = 0xA5A5A5A5


def power(rounds):
    """What `rounds` steps v = v * FACTOR + TERM come to: a factor and a term."""
    factor, term = 1, 0
    for _step in range(rounds):
        factor, term = factor * FACTOR & WORD, (term * FACTOR + TERM) & WORD
    return factor, term


def expected(x, chunk, rounds):
    """y and the digest of a job."""
    factor, term = power(rounds)
    y, carry = np.empty_like(x), 0
    for start in range(0, len(x), chunk):
        piece = (x[start : start + chunk] + np.uint32(carry)) * np.uint32(factor) + np.uint32(term)
        y[start : start + chunk] = piece
        carry = int(piece.sum(dtype=np.uint64)) & WORD
    return y, carry


class Jobs:
    """One request to harness/main.cu: jobs of one size, one behind the other in one stream."""

    def __init__(self, rng, n, chunk, count=1, mode="jobs", rounds=None):
        self.n, self.chunk, self.count, self.mode = n, chunk, count, mode
        self.rounds = int(rng.integers(1, 6)) if rounds is None else rounds
        self.x = rng.integers(0, 1 << 32, (count, n), dtype=np.uint32)

    def request(self):
        line = f"{self.mode} {self.count} {self.n} {self.chunk} {self.rounds}\n"
        return line.encode() + self.x.tobytes()

    def name(self):
        return f"{self.n} numbers in chunks of {self.chunk}"

    def compare(self, out):
        """Every number of every job; returns what other requests have printed behind it."""
        line, _, out = out.partition(b"\n")
        words = line.decode("latin-1").split()
        if len(words) != 3 or not words[2].isdigit():
            if line.startswith(b"host_memory"):
                fail("host_memory() returned a null pointer")
            fail(f"{self.name()}: the program ended without an answer. Does your code print, or end it?")
        if words[0] != OK:
            fail(
                f"{self.name()}: {'record' if self.mode == 'graph' else 'enqueue'} returned {words[0]}{hint(words[0])}"
            )
        if words[1] != OK:
            fail(f"{self.name()}: waiting for the stream ended with {words[1]}")
        size = 4 * self.count * (self.n + 1)
        if len(out) < size:
            fail(f"{self.name()}: the program ended in the middle of its answer")
        results = np.frombuffer(out[:size], np.uint32).reshape(self.count, self.n + 1)
        for j, (x, result) in enumerate(zip(self.x, results, strict=True)):
            self._compare(j, x, result)
        if int(words[2]):
            fail(f"{self.name()}: {words[2]} numbers behind the end of y were written")
        return out[size:]

    def _compare(self, j, x, result):
        y, digest = expected(x, self.chunk, self.rounds)
        which = f", job {j + 1} of {self.count}" if self.count > 1 else ""
        if self.mode == "graph" and j:
            which += ", a launch of the graph"
        name = f"{self.name()}{which}"
        missing = np.flatnonzero((result[:-1] == UNTOUCHED) & (y != UNTOUCHED))
        if len(missing):
            i = missing[0]
            fail(f"{name}: y[{i}], in chunk {i // self.chunk}, was never written")
        if j and self.mode == "graph" and self.n and np.array_equal(result[:-1], self._before):
            fail(f"{name}: y is that of the job before. x has new numbers at each launch")
        self._before = result[:-1]
        assert_close(result[:-1], y, what=f"{name}: y")
        if int(result[-1]) != digest:
            fail(f"{name}: the digest is wrong, and y is right", got=int(result[-1]), expected=digest)


def hint(error):
    """What an error of a capture means."""
    return {
        "cudaErrorStreamCaptureUnjoined": ": a stream that the capture has spread to was not joined to the first again",
        "cudaErrorStreamCaptureIsolation": ": within the capture a stream waits for an event that was recorded outside of it",
        "cudaErrorStreamCaptureUnsupported": ": something in enqueue waits on the host, or allocates",
        "cudaErrorStreamCaptureInvalidated": ": something in enqueue waits on the host, or allocates",
        "cudaErrorStreamCaptureImplicit": ": something in enqueue uses the default stream",
        "cudaErrorCapturedEvent": ": an event is waited for that was last recorded in a capture",
    }.get(error, "")


def check_emulated(learner, *jobs):
    """Run requests on the CPU and compare; what the emulation saw."""
    program = learner.emulate("main.cu", SOURCE)
    done = program.run(stdin=b"".join(j.request() for j in jobs), timeout=30)
    out = done.stdout
    for j in jobs:
        out = j.compare(out)
    return done.report


def check(learner, *jobs):
    """The same on the GPU."""
    program = learner.build("main.cu", SOURCE, flags=["-arch=native"])
    out = program.run(stdin=b"".join(j.request() for j in jobs), timeout=60).stdout
    for j in jobs:
        out = j.compare(out)


def test_builds(learner):
    learner.emulate("main.cu", SOURCE)


def test_pinned(learner, rng):
    # whether the job is right is not looked at yet
    done = learner.emulate("main.cu", SOURCE).run(stdin=Jobs(rng, 100, 64).request(), timeout=30, check=False)
    notes = done.report.noted("pageable-copy")
    if notes:
        fail(
            f"{len(notes)} copies are from or to pageable memory, the first of {notes[0]['bytes']} bytes. "
            "The system may move it at any time, so the copy goes by way of a buffer of the driver's and the host "
            "waits meanwhile: such a copy overlaps with nothing"
        )


def test_one_chunk(learner, rng):
    chunk = int(rng.integers(40, 120))
    check_emulated(learner, Jobs(rng, chunk, chunk))


def test_many_chunks(learner, rng):
    chunk = int(rng.integers(40, 120))
    check_emulated(learner, Jobs(rng, chunk * int(rng.integers(8, 12)), chunk))


def test_sizes(learner, rng):
    chunk = int(rng.integers(20, 60))
    sizes = [0, 1, chunk - 1, chunk + 1, 3 * chunk, 3 * chunk + 1, *(rng.integers(1, 9 * chunk, 3)).tolist()]
    check_emulated(learner, *(Jobs(rng, n, chunk) for n in sizes), Jobs(rng, 7, 1))


def test_jobs_in_a_row(learner, rng):
    chunk = int(rng.integers(40, 90))
    check_emulated(learner, Jobs(rng, 5 * chunk + 7, chunk, count=4), Jobs(rng, 0, 5, count=2))


CHUNK, CHUNKS = 96, 8


def parts(report, count):
    """Of each job: the copies up, the kernels and the copies down, chunk by chunk."""
    up, work, down = [], [], []
    for o in report.operations:
        if o.kind == "kernel":
            work.append(o)
        elif o.kind == "copy" and o.bytes == 4 * CHUNK:
            (up if o.name == "host to device" else down).append(o)
    for what, found in (("copies to the device", up), ("kernels", work), ("copies to the host", down)):
        if len(found) != CHUNKS * count:
            fail(f"{len(found)} {what} of a whole chunk each, where {CHUNKS * count} are needed: one a chunk")
    return [[row[j * CHUNKS : (j + 1) * CHUNKS] for row in (up, work, down)] for j in range(count)]


def demand_overlap(report, job, of=""):
    """That of three neighbouring chunks the copy up, the kernel and the copy down may go on at once."""
    up, work, down = job
    for t in range(CHUNKS - 1):
        for first, then, one, two in (
            (work[t], up[t + 1], f"the copy of chunk {t + 1} to the device", f"the kernel of chunk {t}"),
            (
                down[t],
                up[t + 1],
                f"the copy of chunk {t + 1} to the device",
                f"the copy of chunk {t} to the host",
            ),
            (down[t], work[t + 1], f"the kernel of chunk {t + 1}", f"the copy of chunk {t} to the host"),
            (up[t + 1], work[t], f"the kernel of chunk {t}", f"the copy of chunk {t + 1} to the device"),
            (work[t + 1], down[t], f"the copy of chunk {t} to the host", f"the kernel of chunk {t + 1}"),
        ):
            if report.ordered(first, then):
                fail(
                    f"{of}{one} has to wait for {two}, and needs nothing of it: by their streams, an event, "
                    "or because the host waits"
                )


def test_overlap(learner, rng):
    report = check_emulated(learner, Jobs(rng, CHUNKS * CHUNK, CHUNK))
    demand_overlap(report, parts(report, 1)[0])


def test_graph(learner, rng):
    chunk = int(rng.integers(40, 90))
    check_emulated(
        learner,
        Jobs(rng, 7 * chunk + 5, chunk, count=4, mode="graph"),
        Jobs(rng, chunk // 2, chunk, count=3, mode="graph"),
        Jobs(rng, 0, chunk, count=2, mode="graph"),
    )


def test_graph_overlap(learner, rng):
    report = check_emulated(learner, Jobs(rng, CHUNKS * CHUNK, CHUNK, count=3, mode="graph"))
    for number, job in enumerate(parts(report, 3)[1:], 1):
        demand_overlap(report, job, f"in launch {number} of the graph ")


def test_compiles(learner, measure):
    kernels = learner.compile(SOURCE, target="sm_90").kernels
    if "work" not in kernels:
        fail("overlap.cu does not launch the given kernel `work`")
    measure.resources(kernels["work"])


def test_device(learner, rng):
    chunk = 1 << 16
    jobs = [Jobs(rng, n, chunk, count=3) for n in (0, 1, chunk, 9 * chunk, 20 * chunk + 12345)]
    check(learner, *jobs, Jobs(rng, 40 * chunk - 1, chunk, count=2, rounds=200), Jobs(rng, 3000, 7, count=2))


def test_device_graph(learner, rng):
    chunk = 1 << 16
    check(
        learner,
        Jobs(rng, 20 * chunk + 777, chunk, count=4, mode="graph"),
        Jobs(rng, 5000, 64, count=5, mode="graph"),
        Jobs(rng, 0, 64, count=2, mode="graph"),
    )


class Served:
    """Timed calls of `harness/main.cu serve`, each with new numbers and its result compared."""

    def __init__(self, session, rng, n, chunk, rounds):
        self.session, self.rng = session, rng
        self.n, self.chunk, self.rounds = n, chunk, rounds
        self.steps = np.arange(n, dtype=np.uint32) * np.uint32(2654435761)

    def ask(self, line):
        """The answer's words, and the seconds that it took."""
        reply, seconds = self.session.ask(f"{line}\n".encode())
        return reply.decode("latin-1").split(), seconds

    def call(self, command):
        """What measure.ratio calls."""

        def once():
            seed = int(self.rng.integers(1 << 32))
            self.ask(f"draw {seed}")
            words, seconds = self.ask(command)
            if words != ["done"]:
                fail(
                    f"the program answered {' '.join(words)[:80]!r} instead of `done`: does your code print?"
                )
            y, digest = expected(self.steps + np.uint32(seed), self.chunk, self.rounds)
            for i in self.rng.integers(0, self.n, 8).tolist():
                words, _seconds = self.ask(f"peek {i}")
                if words != [str(digest), str(y[i])]:
                    fail(
                        f"a timed call ({command}) left a wrong digest or y[{i}]",
                        got=" ".join(words),
                        expected=f"{digest} {y[i]}",
                    )
            return seconds

        return once


def test_fast(learner, measure, rng):
    program = learner.build("main.cu", SOURCE, flags=["-O3", "-arch=native"])
    n, chunk, rounds = 1 << 25, 1 << 21, 1024
    with program.start("serve", n, chunk, rounds) as session:
        served = Served(session, rng, n, chunk, rounds)
        measure.ratio(
            "2²⁵ numbers in 16 chunks, against the same in one stream",
            candidate=served.call("enqueue"),
            baseline=served.call("serial"),
            at_least=1.34,
        )


def test_graph_fast(learner, measure, rng):
    program = learner.build("main.cu", SOURCE, flags=["-O3", "-arch=native"])
    n, chunk, rounds = 1 << 20, 1 << 11, 1
    with program.start("serve", n, chunk, rounds) as session:
        served = Served(session, rng, n, chunk, rounds)
        measure.ratio(
            "2²⁰ numbers in 512 chunks, the graph against enqueue",
            candidate=served.call("replay"),
            baseline=served.call("enqueue"),
            at_least=1.1,
        )
