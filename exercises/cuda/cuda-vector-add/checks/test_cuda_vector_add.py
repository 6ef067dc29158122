import re
from dataclasses import dataclass

import numpy as np

from mlsys_path.checking.testing import Open, assert_close, fail

SOURCE = "vector_add.cu"
MAX_REGISTERS = 40
OK = "cudaSuccess"
UNTOUCHED = np.frombuffer(b"\xa5" * 4, np.float32)[0]


@dataclass
class Case:
    """One request to harness/main.cu and, after the run, what it reported."""

    mode: str
    a: np.ndarray
    b: np.ndarray
    offset: int = 0
    blocks: int = 0
    threads: int = 0
    kernels: int = 0

    def request(self):
        head = f"{self.mode} {len(self.a)} {self.offset} {self.blocks} {self.threads}\n"
        return head.encode() + self.a.tobytes() + self.b.tobytes()

    def name(self):
        n = len(self.a)
        launch = {
            "kernel": f"vector_add<<<{self.blocks}, {self.threads}>>> on {n} elements",
            "launch": f"launch_vector_add on {n} elements",
            "stream": f"launch_vector_add on {n} elements, captured into a graph,",
        }[self.mode]
        return launch + (f" that begin {self.offset} floats behind an aligned address" if self.offset else "")


def draw(rng, mode, n, **options):
    """A case with random numbers of very different sizes."""
    a, b = (rng.normal(size=n) * 10.0 ** rng.integers(-3, 4, n) for _ in "ab")
    return Case(mode, a.astype(np.float32), b.astype(np.float32), **options)


def run(learner, requests, timeout=40.0):
    """The bytes that harness/main.cu answers on the GPU."""
    program = learner.build("main.cu", SOURCE, flags=["-arch=native"])
    return program.run(stdin=b"".join(requests), timeout=timeout).stdout


def emulated(learner):
    """The same program for the CPU."""
    return learner.emulate("main.cu", SOURCE)


def head(out, name):
    """The first line of an answer: three numbers; and the rest."""
    line, _, rest = out.partition(b"\n")
    words = line.decode("latin-1").split()
    if len(words) != 5:
        fail(f"{name}: the program ended without an answer. Does your code print, or end the program?")
    launched, finished, *numbers = words
    if launched == "cudaErrorMemoryAllocation":
        raise Open("the GPU has not enough memory for this check")
    if launched != OK:
        fail(f"{name}: starting it returned {launched}")
    if finished != OK:
        fail(f"{name}: it ended with {finished}")
    return [int(number) for number in numbers], rest


def check(learner, cases):
    """Run all cases in one process on the GPU, and compare the results in turn."""
    compare(run(learner, [case.request() for case in cases]), cases)


def check_emulated(learner, cases):
    """The same on the CPU; what the emulation saw."""
    done = emulated(learner).run(stdin=b"".join(case.request() for case in cases), timeout=20)
    compare(done.stdout, cases)
    return done.report


def compare(out, cases):
    """The results of all cases against the sums."""
    for case in cases:
        (guards, inputs, case.kernels), out = head(out, case.name())
        size = case.a.nbytes
        c, out = np.frombuffer(out[:size], np.float32), out[size:]
        missing = np.flatnonzero(c.view(np.uint32) == UNTOUCHED.view(np.uint32))
        if len(missing):
            fail(
                f"{case.name()}: {len(missing)} elements of c were never written, the first is c[{missing[0]}]"
            )
        assert_close(c, case.a + case.b, rtol=0, atol=0, what=f"{case.name()}: c")
        if inputs:
            fail(f"{case.name()}: {inputs} elements of a and b were changed")
        if guards:
            fail(f"{case.name()}: {guards} elements outside of the arrays were written")


def test_builds(learner):
    emulated(learner)


def test_every_size(learner, rng):
    sizes = [1, 2, 31, 32, 33, 127, 128, 129, 1000, 0, *rng.integers(130, 3000, 3).tolist()]
    check_emulated(learner, [draw(rng, "kernel", n, blocks=-(-n // 128) or 1, threads=128) for n in sizes])


def test_every_launch(learner, rng):
    shapes = [
        (1, 1),
        (1, 32),
        (1, 1024),
        (3, 65),
        (40, 64),
        (int(rng.integers(2, 20)), int(rng.integers(1, 300))),
    ]
    sizes = (5, 1000, *rng.integers(100, 4000, 2).tolist())
    check_emulated(learner, [draw(rng, "kernel", n, blocks=b, threads=t) for b, t in shapes for n in sizes])


def test_every_address(learner, rng):
    cases = [
        draw(rng, "kernel", int(n), offset=o, blocks=4, threads=96) for o in (1, 2, 3) for n in (1, 8, 1001)
    ]
    check_emulated(learner, cases)


def test_coalesced(learner, rng):
    n = 128 * int(rng.integers(16, 40))
    kernel = check_emulated(learner, [draw(rng, "kernel", n, blocks=4, threads=128)]).kernel("vector_add")
    if kernel.global_loads.bytes < 8 * n:
        fail(f"the kernel read {kernel.global_loads.bytes} bytes; a and b have {8 * n}")
    for what, traffic in (("loads", kernel.global_loads), ("stores", kernel.global_stores)):
        if traffic.efficiency < 0.9:
            fail(
                f"of the bytes that the {what} of a warp move, {traffic.efficiency:.0%} are used: "
                f"neighbouring threads touch elements far apart\n{traffic.where()}"
            )


def test_host_function(learner, rng):
    sizes = [1, 255, 256, 257, int(rng.integers(1000, 30_000)), 0]
    report = check_emulated(learner, [draw(rng, "launch", n) for n in sizes])
    launches = report.launches["vector_add"]
    if len(launches) != len(sizes) - 1:
        fail(f"launch_vector_add, called with n = {sizes}, launched vector_add {len(launches)} times")


def test_given_stream(learner, rng):
    case = draw(rng, "stream", int(rng.integers(1000, 10_000)))
    out = emulated(learner).run(stdin=case.request(), timeout=20).stdout
    refuse_what_cannot_be_captured(case, out)
    compare(out, [case])
    demand_one_kernel(case)


def refuse_what_cannot_be_captured(case, out):
    """Fail with a word for a launch that waits."""
    words = out.partition(b"\n")[0].decode("latin-1").split()
    if words and words[0].startswith("cudaErrorStreamCapture"):
        fail(
            f"{case.name()} does something that cannot be recorded ({words[0]}): it waits for the GPU, "
            "or uses the default stream"
        )


def demand_one_kernel(case):
    """The stream that was given must have got the kernel."""
    if case.kernels != 1:
        fail(f"{case.name()}: the stream that it was given got {case.kernels} kernels instead of 1")


def test_compiles(learner):
    kernels = learner.compile(SOURCE, target="sm_90").kernels
    if "vector_add" not in kernels:
        found = ", ".join(kernels) or "no kernel at all"
        fail(f"there should be a kernel (__global__) called vector_add; nvcc found {found}")
    kernel = kernels["vector_add"]
    if kernel.spills:
        fail(f"vector_add spills {kernel.spills} bytes of registers to memory")
    if kernel.registers > MAX_REGISTERS:
        fail(f"vector_add takes {kernel.registers} registers a thread: an addition needs about 14")


def ptx(learner):
    """The kernel's instructions in PTX."""
    done = learner.tool(
        "nvcc", "-std=c++17", "-O2", "-arch=sm_90", "-I.", "-ptx", SOURCE, "-o", "vector_add.ptx"
    )
    text = learner.tool("cat", "vector_add.ptx").stdout.decode() if done.returncode == 0 else ""
    found = re.search(r"\.entry \w*?vector_add\w*\(.*?^\}", text, re.DOTALL | re.MULTILINE)
    if not found:
        fail("there is no kernel vector_add in what nvcc made of it")
    return found[0]


def test_instructions(learner):
    text = ptx(learner)
    if not re.search(r"\bst(?!\.param)[\w.]*\.[fub](32|64)\b", text):
        fail("vector_add writes nothing to memory")
    if not re.search(r"\bld(?!\.param)[\w.]*\.[fub](32|64)\b", text):
        fail("vector_add reads nothing from memory")
    if re.search(r"\.f64\b", text):
        fail(
            "vector_add computes in double precision: 2 to 64 times the cost, and the floats have no more digits"
        )
    if not re.search(r"\badd[\w.]*\.f32", text):
        fail("vector_add adds no floats")
    missing = [n for n, r in (("threadIdx.x", "%tid.x"), ("blockIdx.x", "%ctaid.x")) if r not in text]
    if missing:
        fail(f"vector_add never reads {' and '.join(missing)}: every thread would do the same")
    if "%nctaid.x" not in text:
        fail(
            "vector_add never reads gridDim.x, so a thread cannot know how far the next element of its own is: "
            "a launch with fewer threads than elements would leave some out"
        )


def test_signatures(learner):
    symbols = learner.tool("nm", "-C", "--defined-only", learner.build(SOURCE, flags=["-c"])).stdout.decode()
    pointers = "float const*, float const*, float*, unsigned long"
    wanted = {
        f"vector_add({pointers})": "vector_add(const float *a, const float *b, float *c, size_t n)",
        f"launch_vector_add({pointers}, CUstream_st*)": (
            "launch_vector_add(const float *a, const float *b, float *c, size_t n, cudaStream_t stream)"
        ),
    }
    for symbol, declaration in wanted.items():
        if f" T {symbol}\n" not in symbols:
            fail(f"a program that uses it finds no function {declaration}")


def test_sizes(learner, rng):
    sizes = [1, 2, 31, 32, 33, 127, 128, 129, 1000, 4099, 0, *rng.integers(130, 5000, 4).tolist()]
    check(learner, [draw(rng, "kernel", n, blocks=-(-n // 128) or 1, threads=128) for n in sizes])


def test_any_launch(learner, rng):
    shapes = [
        (1, 1),
        (1, 32),
        (1, 1024),
        (3, 65),
        (7, 33),
        (500, 64),
        (int(rng.integers(2, 40)), int(rng.integers(1, 300))),
    ]
    sizes = (5, 1000, *rng.integers(100, 20_000, 2).tolist())
    check(learner, [draw(rng, "kernel", n, blocks=b, threads=t) for b, t in shapes for n in sizes])


def test_unaligned(learner, rng):
    cases = [
        draw(rng, "kernel", int(n), offset=o, blocks=4, threads=96) for o in (1, 2, 3) for n in (1, 8, 4097)
    ]
    check(learner, cases)


def test_launch(learner, rng):
    sizes = [
        1,
        255,
        256,
        257,
        *rng.integers(1000, 300_000, 3).tolist(),
        int(rng.integers(4_000_000, 5_000_000)),
        0,
    ]
    check(learner, [draw(rng, "launch", n) for n in sizes])


def test_stream(learner, rng):
    case = draw(rng, "stream", int(rng.integers(1000, 100_000)))
    out = run(learner, [case.request()])
    refuse_what_cannot_be_captured(case, out)
    check(learner, [case])
    demand_one_kernel(case)


def test_huge(learner, rng):
    n, count = 2**31 + int(rng.integers(1000, 10**7)), 64
    index = np.concatenate(
        [[0, 2**31 - 1, 2**31, n - 1], rng.integers(0, n, count - 24), rng.integers(2**31, n, 20)]
    )
    index = np.unique(index).astype(np.uint64)
    value = rng.integers(1, 1000, len(index)).astype(np.float32)
    pairs = np.rec.fromarrays([index, value], dtype=[("index", "<u8"), ("value", "<f4")]).tobytes()
    name = f"launch_vector_add on {n} elements"
    _, out = head(run(learner, [f"huge {n} {len(index)} 0 0\n".encode(), pairs]), name)
    c = np.frombuffer(out, np.float32)
    wrong = np.flatnonzero(c != 2 * value)
    if len(c) != len(value) or len(wrong):
        at = index[wrong[0]] if len(wrong) else 0
        fail(
            f"{name}: c[{at}] is wrong. An index must hold numbers beyond 2**31 - 1 = 2147483647",
            got=float(c[wrong[0]]) if len(wrong) else None,
            expected=float(2 * value[wrong[0]]) if len(wrong) else None,
        )
