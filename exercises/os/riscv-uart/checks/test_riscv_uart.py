import re
import secrets

from mlsys_path.checking.testing import CheckFailed, assert_equal, fail

FLAGS = ["-T", "link.ld", "-Wl,--no-warn-rwx-segments"]
FILLER = 20 * "." + ">"  # uart_init empties the FIFOs: up to 16 bytes of what was sent ahead of it are lost
BANNER = secrets.token_hex(4)
LINE = 64  # the monitor's buffer
REGISTERS = 27

# what the harness ends with when it cannot go on
ENDINGS = {
    94: "power_off() returned: the machine is still on",
    95: "uart_getline() must put a 0 behind the bytes it stored, and return their number: at most size - 1",
    96: "uart_getline() wrote beyond the `size` bytes of the line",
    97: "uart_getline() returned three empty lines in a row, though none was sent",
}
EXCEPTIONS = {
    0: "instruction address misaligned",
    1: "instruction access fault",
    2: "illegal instruction",
    3: "breakpoint",
    4: "load address misaligned",
    5: "load access fault",
    6: "store address misaligned",
    7: "store access fault",
    11: "environment call",
}


def emulate(learner, program, text, *, shift=7, timeout=4.0):
    """Run a program under QEMU with text on its serial port: the completed run.

    With `-icount` an instruction takes 2**shift ns of the machine's own clock, and a hart that sleeps skips
    ahead: what a program sees of time does not depend on how busy this computer is. `-d int` makes QEMU write
    down each trap that the hart takes.
    """
    clock = ["-icount", f"shift={shift},sleep=off", "-d", "int", "-D", "traps.log"]
    try:
        return program.run(*clock, stdin=text.encode("latin-1"), timeout=timeout, check=False)
    except CheckFailed:
        explain_hang(learner, text)


def explain_hang(learner, text):
    """Fail, with what QEMU wrote down of a run that did not end."""
    commands = text.removeprefix(FILLER).splitlines()
    what = f"no end after {commands!r}" if len(text) < 200 else "the program did not end"
    taken = traps(learner)
    if len(taken) < 1000:
        fail(f"{what}: some loop waits for ever (the hart has taken {len(taken)} traps)")
    interrupt, cause = taken[-1]
    if interrupt and cause == 7:
        fail(f"{what}: the timer interrupts again and again. Does the handler move the deadline on?")
    fail(f"{what}: the hart traps again and again, last for: {EXCEPTIONS.get(cause, cause)}")


def traps(learner):
    """The traps of the last run as (is an interrupt, cause); of very many the last."""
    log = learner.tool("tail", "-c", "300000", "traps.log").stdout.decode()
    found = re.findall(r"async:(\d), cause:([0-9a-fA-F]+)", log)
    return [(flag == "1", int(cause, 16) & 0xFF) for flag, cause in found]


def boot(learner, text, **options):
    """A run of harness/monitor.c with the learner's code."""
    sources = ("start.S", "board.c", "registers.S", "monitor.c", "uart.c", "machine.c")
    program = learner.build(*sources, flags=[*FLAGS, f'-DBANNER="{BANNER}"'])
    return emulate(learner, program, FILLER + text, **options)


def monitor(learner, *commands, **options):
    """The monitor's answers to commands, how many timer interrupts QEMU saw, and its processor seconds."""
    done = boot(learner, "".join(f"{command}\n" for command in [*commands, "halt"]), **options)
    out = done.stdout.decode("latin-1")
    if stray := re.search(r"stray (\d+) (\d+) (\d+)", out):
        cause, pc, value = map(int, stray.groups())
        name = "an interrupt" if cause >> 63 else EXCEPTIONS.get(cause, "an exception")
        fail(f"A trap while mtvec was not yours: {name} (mcause {cause:#x}) at pc {pc:#x}, value {value:#x}")
    if done.returncode in ENDINGS:
        fail(ENDINGS[done.returncode])
    if done.returncode:
        fail(f"The emulator ended with exit code {done.returncode} in the middle of {commands!r}")
    first, *answers = out.split("\n")
    assert_equal(first, f"ready {BANNER}", "the first line that uart_puts() sent")
    if len(answers) != len(commands) + 1 or answers[-1]:
        missing = commands[min(len(answers) - 1, len(commands) - 1)]
        fail(
            f"{len(commands)} commands want as many answers; the first one missing is to {missing!r}", got=out
        )
    return answers[:-1], sum(trap == (True, 7) for trap in traps(learner)), done.cpu_seconds


def numbers(answer, name):
    """The numbers of an answer such as "ticks 3 4000"."""
    if not re.fullmatch(rf"{name} \d+ \d+", answer):
        fail(f"the answer to `{name}` is garbled", got=answer)
    return [int(n) for n in answer.split()[1:]]


def play(learner, rng, kind, name):
    """One byte after the other through the port of harness/mock.c, and what was seen of each."""
    program = learner.build("start.S", "board.c", "mock.c", "uart.c", flags=FLAGS)
    trials = []
    for byte in [0, 0x80, 0xFF, *rng.integers(0, 256, 29).tolist()]:
        before = (byte + int(rng.integers(1, 256))) % 256
        trials.append((byte, before, int(rng.integers(0, 256)), int(rng.integers(1, 3000))))
    text = "".join(f"{kind} {' '.join(map(str, trial))}\n" for trial in trials) + "e\n"
    answers = emulate(learner, program, text).stdout.decode("latin-1").splitlines()
    for trial, answer in zip(trials, [*answers, *[""] * len(trials)], strict=False):
        byte, before = trial[:2]
        if answer.endswith("hang"):
            fail(
                f"{name} never noticed that the line status had changed. Is LSR read anew each time round "
                "the loop (volatile), and is only its one bit asked for?"
            )
        if not re.fullmatch(rf"{kind} \d+ \d+ \d+", answer):
            fail(f"the program ended in the middle of {name}", got=answer)
        early, seen, touched = map(int, answer.split()[1:])
        yield byte, before, bool(early), seen, touched


def test_putc_waits(learner, rng):
    for byte, before, early, seen, touched in play(learner, rng, "p", "uart_putc()"):
        if seen == before:
            fail(f"uart_putc({byte:#04x}) returned and had written nothing to THR, the register at offset 0")
        if early:
            fail(f"uart_putc({byte:#04x}) wrote to THR while LSR said that it cannot send (bit 5 was 0)")
        assert_equal(seen, byte, f"the byte in THR after uart_putc({byte:#04x})")
        assert_equal(touched, 8, f"the lowest other register that uart_putc({byte:#04x}) wrote to (8: none)")


def test_getc_waits(learner, rng):
    for byte, before, early, seen, touched in play(learner, rng, "g", "uart_getc()"):
        if early:
            fail(f"uart_getc() returned {seen:#04x} while LSR said that nothing has come (bit 0 was 0)")
        assert_equal(seen, byte, f"what uart_getc() returned (RBR held {before:#04x} before the byte came)")
        assert_equal(touched, 8, "the lowest register that uart_getc() wrote to (8: none)")


def test_lines(learner, rng):
    letters = [chr(c) for c in range(256) if chr(c) not in "\n\r\0"]
    edges = [1, LINE - 6, LINE - 5, LINE - 4]
    sizes = sorted([*edges, *rng.integers(2, 50, 10).tolist(), *rng.integers(LINE, 200, 4).tolist()])
    texts = ["".join(rng.choice(letters, n)) for n in sizes]
    commands = [f"rev {text}" for text in texts]
    # some lines end as a terminal's do, with \r\n
    sent = [c + "\r" if rng.random() < 0.3 else c for c in commands]
    answers, _, _ = monitor(learner, *sent)
    for command, answer in zip(commands, answers, strict=True):
        kept = command[: LINE - 1]
        expected = f"{len(kept)} {kept[:3:-1]}"
        what = f"the length and the reverse of a line of {len(command)} bytes, read into {LINE} bytes"
        assert_equal(answer, expected, f"{what}, {command!r},")


def test_init(learner):
    (answer,), _, _ = monitor(learner, "line")
    lcr, rest = numbers(answer, "line")
    assert_equal(f"{lcr:#04x}", "0x03", "LCR after uart_init(): 8 data bits, no parity, 1 stop bit")
    assert_equal(f"{rest >> 8:#04x}", "0x00", "IER after uart_init(): no interrupts")
    assert_equal(f"{rest & 0xFF:#04x}", "0xc0", "the FIFO bits of IIR after uart_init(): on")


def test_power_off(learner, rng):
    for code in (int(rng.integers(1, 90)), 0, int(rng.integers(100, 256))):
        done = boot(learner, f"off {code}\n")
        if done.returncode == 94:
            fail(ENDINGS[94])
        assert_equal(done.returncode, code, f"the emulator's exit code after power_off({code})")


def test_ticks(learner, rng):
    for n in (1, *rng.integers(2, 40, 3).tolist()):
        interval = int(rng.integers(3000, 50_000))
        (answer,), interrupts, _ = monitor(learner, f"ticks {n} {interval}")
        ticks, passed = numbers(answer, "ticks")
        asked = f"{n} ticks of {interval} units of mtime"
        if not interrupts:
            fail(f"waiting for {asked}: the hart took no timer interrupt, and timer_ticks() says {ticks}")
        assert_equal(ticks, n, f"timer_ticks() after waiting for {asked}")
        if not n * interval <= passed < n * interval + interval // 2:
            fail(f"waiting for {asked} took {passed} units: {passed / interval:.2f} intervals")
        assert_equal(interrupts, n, f"the timer interrupts that QEMU saw while waiting for {asked}")


def test_stop(learner, rng):
    intervals = rng.integers(3000, 20_000, 2).tolist()
    answers, interrupts, _ = monitor(learner, *[f"stop {interval}" for interval in intervals])
    for interval, answer in zip(intervals, answers, strict=True):
        at_stop, later = numbers(answer, "stop")
        assert_equal(at_stop, 1, "timer_ticks() after timer_start, one tick and timer_stop")
        assert_equal(later, 1, f"timer_ticks() five intervals of {interval} units after timer_stop")
    assert_equal(interrupts, 2, "the timer interrupts that QEMU saw, one before each timer_stop")


def folded(seed):
    """What harness/registers.S computes when no register is disturbed."""
    total = 0
    for i in range(1, REGISTERS + 1):
        total = (total * 31 + i * seed) % 2**64
    return total


def test_interrupts_leave_no_trace(learner, rng):
    for _ in range(3):
        seed, n, interval = (int(rng.integers(*bounds)) for bounds in ((2, 2**60), (5, 30), (2000, 9000)))
        (answer,), interrupts, _ = monitor(learner, f"work {seed} {n} {interval}")
        total, ticks = numbers(answer, "work")
        assert_equal(ticks, n, f"timer_ticks() after {n} intervals of work")
        assert_equal(interrupts, n, f"the timer interrupts that QEMU saw in {n} intervals of work")
        if total != folded(seed):
            fail("the interrupted code found another value in one of its registers than it had put there")


def test_no_drift(learner, rng):
    # a slow hart, 1.024 us for an instruction, shows how late each tick is taken
    n, interval = int(rng.integers(150, 250)), int(rng.integers(5000, 9000))
    (answer,), _, _ = monitor(learner, f"ticks {n} {interval}", shift=10)
    ticks, passed = numbers(answer, "ticks")
    assert_equal(ticks, n, f"timer_ticks() after waiting for {n} ticks")
    late = passed - n * interval
    if not 0 <= late < 2000:
        fail(
            f"{n} ticks of {interval} units took {passed} units, {late} too many: {late / n:.0f} more with "
            "each tick. Is a deadline reckoned from the last one, or from when the handler got to run?"
        )


def test_sleeps(learner, rng):
    n, interval = int(rng.integers(12, 17)), int(rng.integers(900_000, 1_100_000))
    (answer,), _, used = monitor(learner, f"ticks {n} {interval}", shift=0, timeout=15.0)
    ticks, passed = numbers(answer, "ticks")
    assert_equal(ticks, n, f"timer_ticks() after waiting for {n} ticks")
    assert passed >= n * interval, f"timer_wait({n}) returned after {passed} units instead of {n * interval}"
    # an instruction takes 1 ns of the machine's time here: a second awake is a thousand million of them
    if used > 0.8:
        fail(
            f"timer_wait({n}) lasted {passed / 1e7:.2f} s of the machine's time, and the hart computed all "
            f"the while: QEMU used {used:.1f} s of this computer's processor; asleep it uses about 0.1 s"
        )
