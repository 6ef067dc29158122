import math
from dataclasses import astuple, dataclass

import numpy as np
import torch

from mlsys_path.checking.testing import assert_close, assert_equal, fail

OK = "cudaSuccess"
UNTOUCHED = np.frombuffer(b"\x7f" * 4, np.float32)[0]
WARP, MOST_REGISTERS, WIDTH = 32, 255, 4096
TARGETS = ("sm_80", "sm_90", "sm_100")
WIDE = 15  # bytes a load, on average; those of a float4 are 16
IN_FLIGHT = 128  # bytes that a thread of `scale` has under way
# registers for them, and one unit of eight more for pointers and the loop
MIN_REGISTERS = IN_FLIGHT // 4 + 8
LIMITERS = {1: "warps", 2: "blocks", 4: "registers", 8: "shared memory"}


@dataclass(frozen=True)
class Device:
    """The limits of a device, in the order of harness/predict.cu."""

    sms: int
    warps: int
    blocks: int
    registers: int
    partitions: int
    register_unit: int
    shared: int
    shared_unit: int
    reserve: int
    bandwidth: float
    latency: float

    def line(self):
        return " ".join(map(repr, astuple(self)))

    def name(self):
        known = [name for name, device in DEVICES.items() if device == self]
        if known:
            return known[0]
        words = ", ".join(f"{field} = {value}" for field, value in vars(self).items())
        return f"a device with {words}"


def real(sms, warps, blocks, kilobytes, bandwidth):
    return Device(sms, warps, blocks, 65536, 4, 256, kilobytes * 1024, 128, 1024, bandwidth, 6e-7)


DEVICES = {
    "sm_80": real(108, 64, 32, 164, 2.039e12),
    "sm_86": real(82, 48, 16, 100, 9.36e11),
    "sm_89": real(128, 48, 24, 100, 1.008e12),
    "sm_90": real(132, 64, 32, 228, 3.35e12),
    "sm_100": real(148, 64, 32, 228, 8e12),
}


@dataclass(frozen=True)
class Block:
    """Threads of a block, registers of a thread, bytes of shared memory of the block."""

    threads: int
    registers: int
    shared: int

    def name(self):
        return f"{self.threads} threads, {self.registers} registers a thread, {self.shared} bytes of shared memory"


def allowances(device, block):
    """How many blocks warps, blocks, registers and shared memory allow, each alone."""
    warps = math.ceil(block.threads / WARP)
    of_warp = math.ceil(block.registers * WARP / device.register_unit) * device.register_unit
    of_block = math.ceil((block.shared + device.reserve) / device.shared_unit) * device.shared_unit
    fitting = device.registers // device.partitions // of_warp * device.partitions
    return device.warps // warps, device.blocks, fitting // warps, device.shared // of_block


def residency(device, block):
    """The numbers that harness/predict.cu prints of a block: four allowances, blocks, warps, limiters."""
    allowed = allowances(device, block)
    blocks = min(allowed)
    limiters = sum(1 << i for i, n in enumerate(allowed) if n == blocks)
    return [*allowed, blocks, blocks * math.ceil(block.threads / WARP), limiters]


def limited_by(limiters):
    return ", ".join(word for bit, word in LIMITERS.items() if limiters & bit)


def draw_device(rng):
    """A device that nobody has built."""
    partitions, unit = int(rng.choice([1, 2, 4, 8])), int(rng.choice([64, 128, 256, 512]))
    return Device(
        int(rng.integers(1, 200)),
        int(rng.integers(8, 97)),
        int(rng.integers(2, 49)),
        partitions * unit * int(rng.integers(8, 160)),
        partitions,
        unit,
        int(rng.integers(16_000, 300_000)),
        int(rng.choice([64, 128, 256, 1024])),
        int(rng.integers(1, 3000)),
        float(rng.uniform(1e11, 1e13)),
        float(rng.uniform(1e-7, 2e-6)),
    )


def draw_block(rng):
    """A block that usually fits; whole warps in half of the draws."""
    threads = WARP * int(rng.integers(1, 33)) if rng.random() < 0.5 else int(rng.integers(1, 1025))
    registers = int(rng.integers(8, max(10, min(256, 65536 // threads))))
    return Block(threads, registers, int(rng.choice([0, rng.integers(0, 9000), rng.integers(0, 60_000)])))


def draw_cases(rng):
    """Devices and blocks: those that exist come first, small blocks before large ones."""
    cases = [(device, draw_block(rng)) for device in DEVICES.values() for _ in range(40)]
    cases += [(DEVICES["sm_90"], Block(t, r, s)) for t, r, s in ((1, 1, 0), (1024, 255, 0), (32, 8, 233_472))]
    cases.sort(key=lambda case: (case[1].threads, case[1].shared))
    return cases + [(draw_device(rng), draw_block(rng)) for _ in range(150)]


def ask(program, requests):
    """The lines that harness/predict.cu answers."""
    done = program.run(stdin="".join(f"{request}\n" for request in requests).encode(), timeout=20)
    lines = done.stdout.decode("latin-1").splitlines()
    if len(lines) != len(requests):
        fail("the program ended without all answers. Does your code print, or end the program?")
    return [line.split() for line in lines]


def predictor(learner):
    return learner.emulate("predict.cu", "occupancy.cu")


def kernels(learner):
    return learner.emulate("main.cu", "kernels.cu")


def check_residency(learner, rng, fields):
    """Compare some of the fields, by their places in harness/predict.cu's answer."""
    cases = draw_cases(rng)
    requests = [f"{d.line()} residency {b.threads} {b.registers} {b.shared}" for d, b in cases]
    for (device, block), words in zip(cases, ask(predictor(learner), requests), strict=True):
        got, expected = list(map(int, words)), residency(device, block)
        for at, name in fields.items():
            if got[at] != expected[at]:
                fail(
                    f"{block.name()} on {device.name()}: {name} is wrong", got=got[at], expected=expected[at]
                )


def test_builds(learner):
    predictor(learner)
    kernels(learner)


def test_warps_and_blocks(learner, rng):
    check_residency(learner, rng, {0: "warps_allow", 1: "blocks_allow"})


def test_registers(learner, rng):
    check_residency(learner, rng, {2: "registers_allow"})


def test_shared_memory(learner, rng):
    check_residency(learner, rng, {3: "shared_allow"})


def test_resident(learner, rng):
    fields = {4: "blocks", 5: "warps", 6: "limiters (1 warps, 2 blocks, 4 registers, 8 shared memory, added)"}
    check_residency(learner, rng, fields)


def most(allowed, largest):
    """The largest number up to `largest` for which `allowed`, which falls with it, holds; -1 if none."""
    low, high = -1, largest + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if allowed(middle) else (low, middle)
    return low


def budgets(device, threads, blocks):
    """The largest numbers of registers and of bytes of shared memory, searched for with the way there."""
    registers = most(
        lambda n: n == 0 or allowances(device, Block(threads, n, 0))[2] >= blocks, MOST_REGISTERS
    )
    return registers, most(lambda n: allowances(device, Block(threads, 1, n))[3] >= blocks, device.shared)


def test_budgets(learner, rng):
    devices = [d for d in DEVICES.values() for _ in range(25)] + [draw_device(rng) for _ in range(75)]
    cases = [(d, WARP * int(rng.integers(1, 33)), int(rng.integers(1, 1 + d.blocks))) for d in devices]
    cases += [(DEVICES["sm_90"], int(rng.integers(1, 1025)), int(rng.integers(1, 9))) for _ in range(30)]
    requests = [f"{d.line()} budget {threads} {blocks} 0" for d, threads, blocks in cases]
    for (device, threads, blocks), words in zip(cases, ask(predictor(learner), requests), strict=True):
        for name, got, expected in zip(
            (f"register_budget(device, {threads}, {blocks})", f"shared_budget(device, {blocks})"),
            map(int, words),
            budgets(device, threads, blocks),
            strict=True,
        ):
            if got != expected:
                fail(f"{name} on {device.name()} is wrong", got=got, expected=expected)


def predicted(device, block, grid, rounds, size):
    """Seconds, wave by wave."""
    wave = residency(device, block)[4] * device.sms
    if grid and not wave:
        return math.inf
    total, waves = 0.0, [wave] * (grid // wave) + [grid % wave] if grid else []
    for blocks in filter(None, waves):
        total += rounds * max(device.latency, blocks * block.threads * size / device.bandwidth)
    return total


def test_time(learner, rng):
    cases = []
    for _ in range(150):
        device = DEVICES[str(rng.choice(list(DEVICES)))] if rng.random() < 0.7 else draw_device(rng)
        block = draw_block(rng)
        wave = max(1, residency(device, block)[4] * device.sms)
        grid = int(rng.choice([1, wave, wave + 1, 3 * wave, rng.integers(0, 6 * wave)]))
        cases.append((device, block, grid, int(rng.integers(1, 40)), int(rng.choice([4, 8, 16, 64, 256]))))
    cases += [
        (DEVICES["sm_90"], Block(1024, 255, 0), 7, 1, 4),
        (DEVICES["sm_90"], Block(256, 32, 0), 0, 1, 4),
    ]
    cases.sort(key=lambda case: (case[0] not in DEVICES.values(), case[2]))
    requests = [
        f"{d.line()} seconds {b.threads} {b.registers} {b.shared} {grid} {rounds} {size}"
        for d, b, grid, rounds, size in cases
    ]
    for (device, block, grid, rounds, size), words in zip(
        cases, ask(predictor(learner), requests), strict=True
    ):
        got, expected = float(words[0]), predicted(device, block, grid, rounds, size)
        if not (got == expected or abs(got - expected) <= 1e-9 * expected < math.inf):
            resident = residency(device, block)[4]
            fail(
                f"{grid} blocks of {block.name()}, {rounds} rounds of {size} bytes a thread, on {device.name()}, "
                f"where {resident} of these blocks are resident on each of {device.sms} multiprocessors: seconds is wrong",
                got=got,
                expected=expected,
            )


# --- kernels ---


@dataclass
class Case:
    """A request to harness/main.cu."""

    mode: str
    x: np.ndarray
    blocks: int = 0
    threads: int = 0
    factor: float = 0.0

    def request(self):
        size = len(self.x) // WIDTH if self.mode == "normalise" else len(self.x)
        head = f"{self.mode} {size} {self.blocks} {self.threads} {self.factor!r}\n"
        return head.encode() + self.x.tobytes()

    def name(self):
        if self.mode == "normalise":
            return f"normalise on {len(self.x) // WIDTH} rows"
        return f"scale<<<{self.blocks}, {self.threads}>>> on {len(self.x)} elements"

    def expected(self):
        if self.mode == "scale":
            return self.x * np.float32(self.factor)
        rows = self.x.astype(np.float64).reshape(-1, WIDTH)
        return (rows / np.sqrt((rows**2).mean(1, keepdims=True) + 1e-5)).astype(np.float32).reshape(-1)


def draw_rows(rng, count):
    """Rows of different sizes of numbers; the last is zero, if there are two."""
    rows = rng.normal(size=(count, WIDTH)) * 10.0 ** rng.integers(-2, 4, (count, 1)) + rng.normal()
    rows[1:][-1:] = 0
    return Case("normalise", rows.astype(np.float32).reshape(-1))


def draw_scale(rng, n, blocks, threads):
    factor = int(rng.integers(2, 100)) / 8
    return Case("scale", rng.normal(size=n).astype(np.float32), blocks, threads, factor)


def compare(out, cases):
    """The results of all cases; what normalise_block() says."""
    first, _, out = out.partition(b"\n")
    for case in cases:
        line, _, out = out.partition(b"\n")
        words = line.decode("latin-1").split()
        if len(words) != 4:
            fail(
                f"{case.name()}: the program ended without an answer. Does your code print, or end the program?"
            )
        launched, finished, guards, inputs = words
        if launched != OK:
            fail(f"{case.name()}: starting it gave {launched}")
        if finished != OK:
            fail(f"{case.name()}: it ended with {finished}")
        got, out = np.frombuffer(out[: case.x.nbytes], np.float32), out[case.x.nbytes :]
        missing = np.flatnonzero(got == UNTOUCHED)
        if len(got) != len(case.x) or len(missing):
            fail(f"{case.name()}: y[{missing[0] if len(missing) else 0}] was never written")
        if case.mode == "normalise":
            shape = (-1, WIDTH)
            assert_close(got.reshape(shape), case.expected().reshape(shape), rtol=2e-5, atol=1e-6)
        elif not np.array_equal(got, case.expected()):
            at = int(np.flatnonzero(got != case.expected())[0])
            fail(
                f"{case.name()}: y[{at}] is wrong",
                got=float(got[at]),
                expected=float(case.expected()[at]),
            )
        if int(inputs):
            fail(f"{case.name()}: {inputs} elements of x were changed")
        if int(guards):
            fail(f"{case.name()}: {guards} elements outside of the arrays were written")
    return Block(*map(int, first.split()))


def check_emulated(learner, cases):
    """Run all cases on the CPU: what normalise_block() says, and what the emulation saw."""
    done = kernels(learner).run(stdin=b"".join(case.request() for case in cases), timeout=20)
    return compare(done.stdout, cases), done.report


def demand_once(kernel, name, size):
    """Each element read once and written once, by neighbours."""
    for what, access in (("loads", kernel.global_loads), ("stores", kernel.global_stores)):
        if access.bytes != size:
            fail(
                f"the {what} of {name} are {access.bytes} bytes; the array has {size}, and each is needed once"
            )
        if access.efficiency < 0.9:
            fail(
                f"of the bytes that the {what} of a warp move, {access.efficiency:.0%} are used\n{access.where()}"
            )


def test_normalise(learner, rng):
    cases = [draw_rows(rng, count) for count in (1, 2, int(rng.integers(3, 6)))]
    _, report = check_emulated(learner, cases)
    demand_once(report.kernel("normalise"), "normalise", sum(case.x.nbytes for case in cases))


def test_plan(learner, rng):
    plan, report = check_emulated(learner, [draw_rows(rng, 1)])
    shared = report.kernel("normalise").static_shared
    assert_equal(
        plan.shared, shared, "the shared memory of normalise_block(), compared with that of the kernel"
    )
    demand_full(plan, "as normalise_block() says")


def demand_full(block, words):
    """All warps that the devices hold have to be resident."""
    for target in TARGETS:
        device = DEVICES[target]
        *allowed, blocks, warps, limiters = residency(device, block)
        if warps < device.warps:
            each = ", ".join(f"{word} {n}" for word, n in zip(LIMITERS.values(), allowed, strict=True))
            fail(
                f"normalise with {block.name()} ({words}): {target} holds {blocks} blocks, "
                f"{warps} of {device.warps} warps. Blocks that each limit allows: {each}; "
                f"it is limited by {limited_by(limiters)}"
            )


def test_scale(learner, rng):
    shapes = [(1, 32), (2, 256), (3, 96), (int(rng.integers(2, 9)), WARP * int(rng.integers(1, 9)))]
    sizes = (1, 3, 4, 1023, 0, *rng.integers(3000, 9000, 2).tolist())
    check_emulated(learner, [draw_scale(rng, n, b, t) for b, t in shapes for n in sizes])
    check_emulated(learner, [draw_scale(rng, 4 * 8 * 256 * 2 + extra, 2, 256) for extra in (-5, 0, 4, 7)])


def test_wide(learner, rng):
    case = draw_scale(rng, 4 * 8 * 512 * int(rng.integers(1, 3)), 4, 128)
    _, report = check_emulated(learner, [case])
    kernel = report.kernel("scale")
    demand_once(kernel, "scale", case.x.nbytes)
    for what, access in (("load", kernel.global_loads), ("store", kernel.global_stores)):
        if access.bytes / access.lanes < WIDE:
            fail(f"a {what} of scale is {access.bytes / access.lanes:.1f} bytes wide; a float4 is 16")


# --- what the compiler says ---


def compiled(learner, target, name):
    found = learner.compile("kernels.cu", target=target).kernels
    if name not in found:
        words = ", ".join(found) or "no kernel at all"
        fail(f"there should be a kernel (__global__) called {name}; nvcc found {words}")
    kernel = found[name]
    if kernel.spills:
        fail(
            f"{target}: {name} spills {kernel.spills} bytes of a thread to memory: "
            f"{kernel.registers} registers are not enough for what it keeps"
        )
    return kernel


def test_budget_is_the_compilers(learner):
    hungry = learner.compile("hungry.cu", target="sm_90").kernels
    shapes = [tuple(map(int, name.split("_")[1:])) for name in hungry]
    requests = [f"{DEVICES['sm_90'].line()} budget {threads} {blocks} 0" for threads, blocks in shapes]
    answers = ask(predictor(learner), requests)
    for (threads, blocks), words, kernel in zip(shapes, answers, hungry.values(), strict=True):
        what = f"registers that ptxas allows with __launch_bounds__({threads}, {blocks}) for sm_90"
        assert_equal(int(words[0]), kernel.registers, what)


def test_occupancy(learner, rng, measure):
    plan, _ = check_emulated(learner, [draw_rows(rng, 1)])
    # nvcc before 12.8 has no sm_100, whose limits are those of sm_90
    known = learner.tool("nvcc", "--list-gpu-code").stdout.decode("latin-1").split()
    for target in sorted({"sm_80", "sm_90", *(set(TARGETS) & set(known))}):
        kernel = compiled(learner, target, "normalise")
        if target == "sm_90":  # the name of what is measured has no target
            measure.resources(kernel)
        if kernel.registers > plan.registers:
            fail(
                f"{target}: normalise takes {kernel.registers} registers; normalise_block() allows {plan.registers}"
            )
        assert_equal(kernel.shared, plan.shared, f"bytes of shared memory for {target}, by ptxas")
    demand_full(plan, "as normalise_block() says")


def test_in_flight(learner, measure):
    kernel = compiled(learner, "sm_90", "scale")
    measure.resources(kernel)
    if kernel.registers < MIN_REGISTERS:
        fail(
            f"scale takes {kernel.registers} registers. {IN_FLIGHT} bytes under way need {IN_FLIGHT // 4} "
            f"registers to arrive in, and pointers and the loop some more, {MIN_REGISTERS} at least: "
            "a thread of yours cannot have begun all eight loads before the first store"
        )


# --- on a device ---


def here(learner):
    """The limits of this machine's device, and what the runtime says of blocks: (Block, resident blocks)."""
    done = learner.build("limits.cu", flags=["-arch=native"]).run(timeout=60)
    first, *lines = done.stdout.decode("latin-1").splitlines()
    major, sms, warps, blocks, registers, shared, reserve, optin = map(int, first.split())
    device = Device(
        sms, warps, blocks, registers, 4, 256, shared, 128 if major >= 8 else 256, reserve, 1e12, 6e-7
    )
    answers = [tuple(map(int, line.split())) for line in lines]
    return device, optin, [(Block(t, r, s), n) for t, r, s, n in answers if s + reserve > 0]


def test_runtime_agrees(learner):
    device, _, cases = here(learner)
    program = learner.build("predict.cu", "occupancy.cu", flags=["-arch=native"])
    requests = [f"{device.line()} residency {b.threads} {b.registers} {b.shared}" for b, _ in cases]
    for (block, blocks), words in zip(cases, ask(program, requests), strict=True):
        if int(words[4]) != blocks:
            fail(
                f"{block.name()} on this GPU: the runtime does not agree with residency().blocks",
                got=int(words[4]),
                expected=blocks,
            )


def test_on_the_device(learner, rng):
    shapes = [
        (1, 32),
        (2, 256),
        (132, 256),
        (1000, 96),
        (int(rng.integers(2, 90)), WARP * int(rng.integers(1, 9))),
    ]
    sizes = (1, 3, 1023, 0, *rng.integers(10_000, 3_000_000, 2).tolist())
    cases = [draw_scale(rng, n, b, t) for b, t in shapes for n in sizes]
    cases += [draw_rows(rng, count) for count in (1, 2, int(rng.integers(100, 1000)))]
    program = learner.build("main.cu", "kernels.cu", flags=["-arch=native"])
    compare(program.run(stdin=b"".join(case.request() for case in cases), timeout=40).stdout, cases)


def timed(learner, measure, kernel, few, reference, **bars):
    """Time a kernel with one block on each multiprocessor, or with all that fit."""
    n = 2**26
    how = "one block a multiprocessor" if few else "all that fit"
    return measure.program(
        f"{kernel} 2^26 float32, {how}",
        learner.build("main.cu", "kernels.cu", flags=["-O3", "-arch=native"]),
        "time",
        kernel,
        n,
        int(few),
        inputs=[("float32", n)],
        outputs=[("float32", n)],
        reference=reference,
        baseline="copy",
        bytes=8 * n,
        dtype="float32",
        rtol=1e-4,
        atol=1e-5,
        **bars,
    )


def root_mean_square(x):
    rows = x.view(-1, WIDTH)
    return rows * torch.rsqrt(rows.square().mean(-1, keepdim=True) + 1e-5)


def test_fast_normalise(learner, measure):
    full = timed(learner, measure, "normalise", False, root_mean_square, at_least=0.6, star=0.85)
    few = timed(learner, measure, "normalise", True, root_mean_square)
    measure.value(
        "normalise: time with one block a multiprocessor, by time with all", few.seconds / full.seconds
    )


def test_fast_scale(learner, measure):
    def reference(x):
        return 1.5 * x

    few = timed(learner, measure, "scale", True, reference, at_least=0.6, star=0.85)
    full = timed(learner, measure, "scale", False, reference)
    measure.value(
        "scale: time with one block a multiprocessor, by time with more", few.seconds / full.seconds
    )
    # the learner's own prediction, with the bandwidth of the copy that was measured beside it
    device, optin, _ = here(learner)
    numbers = {**vars(device), "bandwidth": 8 * 2**26 / few.baseline_seconds}
    rounds = math.ceil(2**26 / (device.sms * 256 * IN_FLIGHT // 4))
    request = f"{Device(**numbers).line()} seconds 256 64 {optin} {device.sms} {rounds} {2 * IN_FLIGHT}"
    program = learner.build("predict.cu", "occupancy.cu", flags=["-arch=native"])
    seconds = float(ask(program, [request])[0][0])
    measure.value(
        "scale: measured time, by the time that seconds() predicts", few.seconds / max(seconds, 1e-9)
    )
