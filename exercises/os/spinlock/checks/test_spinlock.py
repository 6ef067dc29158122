"""Runs the learner's locks alone, in a crowd, under schedule fuzzing and under the thread sanitizer."""

from __future__ import annotations

from mlsys_path.checking.testing import fail

KINDS = ("tas", "ttas", "ticket")
TRY_LOCK = {"tas": "spin_try_lock", "ttas": "spin_try_lock", "ticket": "ticket_try_lock"}
UNLOCK = {"tas": "spin_unlock", "ttas": "spin_unlock", "ticket": "ticket_unlock"}
FUZZED = ("-include", "fuzz.h")
SLEEPING = ("pthread_mutex", "pthread_spin", "pthread_cond", "pthread_rwlock", "sem_", "mtx_", "syscall")


def drive(
    learner, *args: object, stdin: bytes = b"", flags: tuple[str, ...] = (), sanitize: str | None = None
) -> list[str]:
    """The driver's words about a run; fails when the sanitizer reports or the locks broke their promise."""
    program = learner.build("spinlock.c", "drive.c", flags=list(flags), sanitize=sanitize)
    done = program.run(*map(str, args), stdin=stdin, timeout=10.0, check=sanitize is None)
    mode, kind, who = args[0], args[1], ""
    if mode in ("count", "crowd"):
        try_too = mode == "count" and args[4]
        who = f"{args[2]} threads with {kind}_lock" + (f" and {TRY_LOCK[kind]}" if try_too else "")
    if b"ThreadSanitizer: data race" in done.stderr:
        fail(
            f"{who}: the thread sanitizer sees a data race on the counter inside the lock. What one thread "
            f"writes before {UNLOCK[kind]} is not ordered before what the next one reads once it has the lock"
        )
    if done.returncode:
        words = done.stderr[-300:].decode(errors="replace")
        fail(f"the program ended with exit code {done.returncode}: {words}")
    words = done.stdout.decode(errors="replace").split()
    if "inside" in words:
        many, counter = words[words.index("inside") + 1 :][:2]
        fail(f"{who}: {many} of them held the lock at the same time, after {counter} additions")
    if mode not in ("script", "order") and "stuck" in words:
        who = who or f"a thread in {kind}_lock"
        fail(f"{who} came to no end: are all of them waiting for a lock that nobody holds?")
    return words


def one_thread(learner, rng, kind: str, start: int) -> None:
    """A random script on one lock; a one-bit model says what every try_lock must answer."""
    steps, answers, held = [], [], False
    for _ in range(40):
        if held:
            step = rng.choice(["try", "unlock"])
            answers.append("false" if step == "try" else "ok")
        else:
            step = rng.choice(["try", "lock"])
            answers.append("true" if step == "try" else "ok")
        held = step != "unlock"
        steps.append(str(step))
    reports = drive(learner, "script", kind, start, stdin="\n".join(steps).encode())
    names = {"try": TRY_LOCK[kind], "lock": f"{kind}_lock", "unlock": UNLOCK[kind]}
    for at, (step, answer) in enumerate(zip(steps, answers, strict=True)):
        report = reports[at] if at < len(reports) else "nothing"
        if report == answer:
            continue
        before = list(zip(steps, answers, strict=True))[max(0, at - 5) : at]
        so_far = "".join(f"\n  {names[s]} -> {a}" for s, a in before)
        what = f"{names[step]} answered {report}, expected {answer}"
        if report == "stuck":
            what = f"{names[step]} did not come back, though nobody holds the lock"
        if kind == "ticket":
            so_far = f"\n  next = serving = {start}" + ("\n  ..." if at > 5 else "") + so_far
        fail(f"{what}, after these calls of a single thread:{so_far or ' none'}")


def test_one_thread(learner, rng):
    for kind in KINDS:
        for start in (0, int(rng.integers(1, 2**32 - 60)), 2**32 - int(rng.integers(1, 4))):
            one_thread(learner, rng, kind, start)
            if kind != "ticket":
                break


def count(learner, rng, kind: str, threads: int, rounds: int, tries: int, **build) -> None:
    """Many threads add to one plain counter: no addition may be lost."""
    words = drive(learner, "count", kind, threads, rounds, tries, rng.integers(1, 2**31), **build)
    if words != ["counted", str(threads * rounds)]:
        fail(
            f"{threads} threads with {kind}_lock added 1 to a counter {threads * rounds} times; "
            f"the driver says: {' '.join(words)}"
        )


def test_counter_is_exact(learner, rng):
    for kind in KINDS:
        rounds = int(rng.integers(200, 400))
        count(learner, rng, kind, 2, rounds, 0, flags=FUZZED)
        count(learner, rng, kind, 2, 5 * rounds, 0)


def test_more_threads_than_cores(learner, measure):
    threads, rounds, seconds = 8, 150, 2.0
    for kind in KINDS:
        words = drive(learner, "crowd", kind, threads, rounds, seconds, flags=("-O2",))
        done, spent = int(words[1]), float(words[2])
        measure.value(f"{kind}_lock, {threads} threads on one core", done / spent, unit="critical sections/s")
        if done != threads * rounds:
            fail(
                f"{threads} threads on one core got through {done} of {threads * rounds} critical sections "
                f"in {seconds:.0f} s with {kind}_lock: who waits burns time while the holder wants to run"
            )


def test_try_lock_in_a_crowd(learner, rng):
    for kind in ("ttas", "ticket"):
        for threads in (2, int(rng.integers(3, 9))):
            rounds, tries = int(rng.integers(300, 500)), int(rng.integers(40, 90))
            count(learner, rng, kind, threads, rounds, tries, flags=FUZZED)


def test_ticket_lock_is_fair(learner, rng):
    for size in (2, int(rng.integers(4, 9))):
        names = [f"T{n}" for n in rng.choice(100, size=size, replace=False)]
        start = 2**32 - int(rng.integers(1, size + 1))  # the numbers wrap around on the way
        served = drive(learner, "order", start, *names)
        if served[-1:] == ["stuck"]:
            fail("a thread in ticket_lock must draw a number from `next` and get the lock in the end")
        if served != names:
            came, got = " ".join(names), " ".join(served)
            fail(f"threads came to ticket_lock in the order {came} and got it in the order {got}")


def test_waiting_only_reads(learner):
    program = learner.build("spinlock.c", "drive.c", flags=list(FUZZED))
    for symbol in learner.tool("nm", "-u", program).stdout.decode().split():
        name = symbol.split("@")[0]
        if name.startswith(SLEEPING):
            fail(f"the program calls {name}: the locks are to be built from atomics alone")
    for kind, allowed, what in (
        ("ttas", 1, "read until the lock looks free, and only then try to take it"),
        ("ticket", 1, "draw one number, then only read `serving`"),
    ):
        reads, writes = map(int, drive(learner, "waits", kind, flags=FUZZED)[1:])
        if writes > allowed:
            fail(f"a thread waiting in {kind}_lock read it {reads} times and wrote it {writes} times: {what}")


def test_memory_order(learner, rng):
    for kind in KINDS:
        for tries in (0, 50):
            count(learner, rng, kind, int(rng.integers(3, 6)), 300, tries, sanitize="thread")
