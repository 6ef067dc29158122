"""The `learner` fixture of compiled languages: builds, runs, sanitizers, sessions."""

from __future__ import annotations

import shutil

import pytest

from mlsys_path.levels import Level, Outcome
from mlsys_path.roadmap.model import Limits

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")

SOURCE = """
#include "it.h"
int twice(int x) { return 2 * x; }
int past_the_end(int n) { int *a = malloc(4 * n); for (int i = 0; i <= n; i++) a[i] = i; int s = a[n / 2]; free(a); return s; }
int overflow(int x) { return x + 2147483647; }
static int count;
static void *work(void *p) { for (int i = 0; i < 1000; i++) count++; return p; }
int race(void) { pthread_t a, b; pthread_create(&a, 0, work, 0); pthread_create(&b, 0, work, 0); pthread_join(a, 0); pthread_join(b, 0); return count; }
"""
HARNESS = {
    "it.h": """
    #include <pthread.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    int twice(int); int past_the_end(int); int overflow(int); int race(void);
    """,
    "main.c": """
    #include "it.h"
    int main(int argc, char **argv) {
        const char *what = argc > 1 ? argv[1] : "twice";
        if (!strcmp(what, "past")) printf("%d\\n", past_the_end(10));
        if (!strcmp(what, "overflow")) printf("%d\\n", overflow(argc));
        if (!strcmp(what, "race")) printf("%d\\n", race());
        if (!strcmp(what, "crash")) *(volatile int *)0 = 1;
        if (!strcmp(what, "three")) return 3;
        if (!strcmp(what, "loop")) for (;;) {}
        if (!strcmp(what, "env")) puts(getenv("WORD"));
        char line[100];
        while (!strcmp(what, "twice") && fgets(line, 100, stdin)) { printf("%d\\n", twice(atoi(line))); fflush(stdout); }
        return 0;
    }
    """,
}


@pytest.fixture
def program(judge):
    """`program(checks)` judges the source above by check functions."""
    return lambda checks, source=SOURCE, **more: judge(
        checks, {"it.c": source}, language="c", harness=HARNESS, **more
    )


def test_a_program_is_built_once_and_run(program):
    checks = """
    @settings(max_examples=10)
    @given(n=st.integers(-1000, 1000))
    def test_twice(learner, n):
        program = learner.build("it.c", "main.c")
        assert_equal(program.run(stdin=b"%d\\n" % n).stdout, b"%d\\n" % (2 * n))
        assert program is learner.build("it.c", "main.c")
    def test_environment_and_code(learner):
        program = learner.build("it.c", "main.c", flags=["-O2"])
        assert_equal(program.run("env", env={"WORD": "hello"}).stdout, b"hello\\n")
        assert_equal(program.run("three", check=False).returncode, 3)
    def test_a_session_is_asked_and_timed(learner, measure):
        with learner.build("it.c", "main.c").start() as session:
            reply, seconds = session.ask(b"21\\n")
            assert_equal(reply, b"42\\n")
            assert 0 < seconds < 5
            ratio = measure.ratio("twice", candidate=lambda: session.ask(b"1\\n")[1], baseline=lambda: session.ask(b"2\\n")[1])
            assert ratio > 0
    def test_tools(learner):
        assert b"twice" in learner.tool("nm", learner.build("it.c", "main.c")).stdout
    """
    verdict = program(checks)
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure
    (measured,) = verdict.measurements
    assert measured.ratio == pytest.approx(measured.baseline / measured.value)
    assert measured.low <= measured.high


@pytest.mark.parametrize(
    ("sanitizer", "what", "words"),
    [
        ("address", "past", "AddressSanitizer: heap-buffer-overflow\n  it.c:4 in past_the_end"),
        ("undefined", "overflow", "UndefinedBehaviorSanitizer: signed integer overflow"),
        ("thread", "race", "ThreadSanitizer: data race\n  it.c:7 in work"),
    ],
)
def test_sanitizers_name_the_learners_line(program, sanitizer, what, words):
    check = (
        f'def test_it(learner):\n    learner.build("it.c", "main.c", sanitize="{sanitizer}").run("{what}")\n'
    )
    failure = program(check).first_failure
    assert failure.outcome is Outcome.FAILED
    assert failure.message.startswith(words)


@pytest.mark.parametrize(
    ("what", "words"),
    [("crash", "SIGSEGV (invalid memory access)"), ("three", "exit code 3"), ("loop", "limit of 2 s")],
)
def test_how_a_program_ends_is_said(program, what, words):
    check = f'def test_it(learner):\n    learner.build("it.c", "main.c").run("{what}")\n'
    verdict = program(check, limits=Limits(seconds=2, memory_mb=256))
    assert verdict.verdict is Outcome.FAILED
    assert words in verdict.first_failure.message


def test_a_source_that_does_not_build_shows_the_compilers_words(program):
    failure = program(
        'def test_it(learner):\n    learner.build("it.c", "main.c")\n', "int twice(int x) { return y; }\n"
    ).first_failure
    assert failure.outcome is Outcome.FAILED
    assert "it.c:1" in failure.message
    assert "undeclared" in failure.message
    assert failure.obstacle == "unbuilt"


@pytest.mark.parametrize(
    "trick", ['__attribute__((no_sanitize("address")))', "extern const char *__asan_default_options(void);"]
)
def test_a_sanitizer_cannot_be_switched_off(program, trick):
    check = 'def test_it(learner):\n    learner.build("it.c", "main.c", sanitize="address").run()\n'
    failure = program(check, SOURCE + trick + " int other(void);\n").first_failure
    assert "must not switch a sanitizer off" in failure.message


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc")
def test_cuda_is_compiled_without_a_gpu(judge):
    source = """
    #pragma message("ptxas info : Compiling entry function '_Z4fakev' for 'sm_90'")
    __global__ void scale(float *x, int n, float f) { int i = blockIdx.x * blockDim.x + threadIdx.x; if (i < n) x[i] *= f; }
    __global__ void shared(float *x) { __shared__ float s[64]; s[threadIdx.x] = x[threadIdx.x]; __syncthreads(); x[threadIdx.x] = s[63 - threadIdx.x]; }
    """
    checks = """
    def test_kernels(learner):
        built = learner.compile("it.cu", target="sm_90")
        assert_equal(sorted(built.kernels), ["scale", "shared"])
        assert built.kernels["scale"].spills == 0 and 0 < built.kernels["scale"].registers < 64
        assert_equal(built.kernels["shared"].shared, 256)
        assert built.cubin[:4] == b"\\x7fELF"
    """
    verdict = judge(checks, {"it.cu": source}, language="cuda", levels={"test_kernels": Level.COMPILES})
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure
