"""CUDA C++ to C++: what is rewritten, what is left alone, and what is refused."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys_path.checking.emulation.edits import CannotEmulate
from mlsys_path.checking.emulation.report import BadReport, read_report
from mlsys_path.checking.emulation.rewrite import Parameter, kernels_of, rewrite
from mlsys_path.levels import Outcome


def rewritten(text: str) -> str:
    return rewrite(text, kernels_of({"it.cu": text}))


@pytest.mark.parametrize(
    ("launch", "name", "address", "call", "configuration"),
    [
        ("k<<<1, 2>>>(x)", "k", "nullptr", "k", "1, 2"),
        ("plain<<<g, b>>>(x)", "plain", "::mlsys::address(plain)", "plain", "g, b"),
        ("::plain<<<g, b>>>(x)", "plain", "::mlsys::address(::plain)", "::plain", "g, b"),
        ("k<float, 3><<<1, 2>>>(x)", "k", "::mlsys::address(k<float, 3>)", "k<float, 3>", "1, 2"),
        ("k<V<V<int>>, 3><<<1, 2>>>(x)", "k", "::mlsys::address(k<V<V<int>>, 3>)", "k<V<V<int>>, 3>", "1, 2"),
        ("k<(2 > 1), 3><<<1, 2>>>(x)", "k", "::mlsys::address(k<(2 > 1), 3>)", "k<(2 > 1), 3>", "1, 2"),
        ("a::b::plain<<<1, n >> 3>>>(x)", "plain", "::mlsys::address(a::b::plain)", "a::b::plain", "1, n >> 3"),
        ("T<int>::plain<<<1, 2>>>(x)", "plain", "::mlsys::address(T<int>::plain)", "T<int>::plain", "1, 2"),
        ("table[i]<<<dim3(1, f<2>(3)), {1, 2}, 0, s>>>(x)", "table", "::mlsys::address(table[i])", "table[i]", "dim3(1, f<2>(3)), {1, 2}, 0, s"),
        ("(*p)<<<1, 2>>>(x)", "p", "::mlsys::address((*p))", "(*p)", "1, 2"),
    ],
)  # fmt: skip
def test_launches(launch, name, address, call, configuration):
    source = "template <class A, int B> __global__ void k(A *);\n__global__ void plain(float *x);\n"
    out = rewritten(f"{source}void f() {{ return {launch}; }}").splitlines()[-1]
    expected = f'::mlsys::Launcher("{name}", {address}, [=](auto &...mlsys_a) {{ {call}(mlsys_a...); }})'
    assert out == f"void f() {{ return {expected}.configure({configuration})(x); }}"


def test_lines_stay_where_they_are():
    text = "__global__ void k(int *x);\nvoid f()\n{\n    k\n      <<<1,\n         2>>>(\n      nullptr);\n}\n__device__ void g() {\n  __shared__ float a[3],\n    b;\n  int here;\n}\n"
    out = rewritten(text)
    assert out.count("\n") == text.count("\n")
    assert out.splitlines()[6].strip() == "nullptr);"
    assert out.splitlines()[11].strip() == "int here;"


@pytest.mark.parametrize(
    "text",
    [
        'const char *s = "k<<<1, 2>>>(x); __shared__ int a;";',
        'const char *s = R"x(k<<<1, 2>>>(x)" __shared__ )x";',
        "// k<<<1, 2>>>(x); \\\n __shared__ int a;\n",
        "/* k<<<1, 2>>>(x); */ int a = 1 << 2 << 3 >> 1;",
        "auto big = 1'000'000 << 2; char c = '<'; cout << a << <B>(c);",
        "__device__ float f(float x) { return x; } struct S { __device__ float operator()(int i) const; };",
        "__host__ __device__ inline float g(float x = 1.0f) { return x; } auto h = [] __device__(int x) { return x; };",
        "template <class T> __device__ __forceinline__ T twice(T x) { return x + x; }",
        "__device__ __attribute__((noinline)) void h() {}",
        "__device__ __attribute__((cold, __noinline__)) void h() {} [[gnu::cold]] __attribute__((__noinline__)) int g();",
        "#define F __device__ __forceinline__\nF int f();",
    ],
)
def test_what_is_no_launch_and_no_variable_is_left_alone(text):
    assert rewritten(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("__device__ int n;", "MLSYS_DEVICE_VARIABLE int n;"),
        ("__constant__ float c[4];", "MLSYS_CONSTANT_VARIABLE float c[4];"),
        ("static __device__ __managed__ int n = 3;", "static MLSYS_MANAGED_VARIABLE  int n = 3;"),
        ("__device__ const float t[] = {1, 2};", " const float t[] = {1, 2};"),
        ("__device__ constexpr int n = f(3);", " constexpr int n = f(3);"),
        ("__device__ std::array<float, 4> a;", "MLSYS_DEVICE_VARIABLE std::array<float, 4> a;"),
        (
            "namespace x { __device__ unsigned int n{}; }",
            "namespace x { MLSYS_DEVICE_VARIABLE unsigned int n{}; }",
        ),
    ],
)
def test_variables_of_the_device(text, expected):
    assert rewritten(text) == expected


def test_noinline_is_an_attribute_also_in_a_macro():
    attribute = "__attribute__((noinline))"
    assert rewritten("__device__ __noinline__ int f();") == f"__device__ {attribute} int f();"
    assert rewritten("#define SLOW __noinline__\nSLOW int f();") == f"#define SLOW {attribute}\nSLOW int f();"


def test_kernels_and_their_parameters():
    text = """
    extern "C" __global__ void __launch_bounds__(256, 2) one(const float *__restrict__ in, float4* out, size_t n = 3);
    template <class T, int N = 4> static __global__ void two(T (&a)[N], std::pair<int, int> p, int) {}
    __global__ __launch_bounds__(64) void three(void);
    __global__ void four(int x); __global__ void four(float x);
    """
    found = kernels_of({"it.cu": text})
    assert [(k.name, k.template_parameters, k.overloaded) for k in found.values()] == [
        ("one", 0, False), ("two", 2, False), ("three", 0, False), ("four", 0, True),
    ]  # fmt: skip
    assert found["one"].parameters == (
        Parameter("const float *__restrict__", "in"), Parameter("float4*", "out"), Parameter("size_t", "n"),
    )  # fmt: skip
    assert found["two"].parameters[1] == Parameter("std::pair<int, int>", "p")
    assert found["three"].parameters == ()


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("\n#include <mma.h>", "tensor cores (mma.h) cannot be emulated", 2),
        ("#include <cuda/barrier>", "asynchronous barriers", 1),
        ('# include "cub/cub.cuh"', "cub/cub.cuh cannot be emulated", 1),
        ('void f() {\n asm volatile("mov.u32 %0, %laneid;"); }', "PTX", 2),
        ("__device__ void f() {\n\n __shared__ int n = 3; }", "cannot be initialised", 3),
        ("void f() { k<<<1, 2>>>; }", "cannot be read", 1),
        ("void f() { k<<<1, 2>>(3); }", "cannot be read", 1),
        ("void f() { <<<1, 2>>>(3); }", "cannot be read", 1),
    ],
)
def test_what_cannot_be_emulated_is_said_with_its_line(text, words, line):
    with pytest.raises(CannotEmulate) as info:
        rewritten(text)
    assert words in str(info.value)
    assert info.value.line == line


@given(
    st.text(alphabet="<>(){}[];,:*&=\"'\\/#\n akx1_", max_size=60).map(lambda s: s + "__shared__ <<< >>> ")
)
def test_any_text_is_read_or_refused(text):
    try:
        out = rewritten(text)
    except CannotEmulate:
        return
    assert out.count("\n") >= text.count("\n")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{}", b"null", b'{"error": null}',
        b'{"error": null, "launches": 3, "kernels": [], "operations": [], "notes": []}',
        b'{"error": null, "launches": [{"kernel": "k", "grid": [1, 2], "block": [1, 1, 1], "shared": 0, "stream": 0, "operation": 1}], "kernels": [], "operations": [], "notes": []}',
        b'{"error": {"kind": [[[1]]]}, "launches": [], "kernels": [], "operations": [], "notes": []}',
        b"[" * 100_000, b" " * (17 << 20), b"\xff\xfe",
    ],
)  # fmt: skip
def test_a_report_that_is_none_is_refused(data):
    with pytest.raises(BadReport):
        read_report(data, lambda pc: "")


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("__global__ void k(int *x) {\n  x[0] = y;\n}", ("It does not build", "it.cu:2", "was not declared", "    x[0] = y;")),
        ("__global__ void k(int *x) {}\nvoid f() { k<<<1, 2>>>(3.5, 1); }", ("It does not build", "it.cu:2")),
        ("void f();\nint main() { f(); }", ("It does not build", "no file defines f()")),
        ("#include <mma.h>\nint main() {}", ("tensor cores", "it.cu:1: #include <mma.h>")),
        ("extern int mlsys_launch; int main() {}", ("it.cu must not contain `mlsys_launch`",)),
        ('__attribute__((no_sanitize("thread"))) int main() {}', ("it.cu must not contain `no_sanitize`",)),
        ("int main() { return 3; }", ("exit code 3",)),
        ("#include <cstdlib>\nint main() { abort(); }", ("SIGABRT",)),
        ("#include <csignal>\nint main() { raise(SIGKILL); }", ("SIGKILL",)),
        ("#include <cooperative_groups.h>\n__global__ void k() { cooperative_groups::this_grid().sync(); }\nint main() {}", ("whole grid cannot be emulated",)),
    ],
)  # fmt: skip
def test_how_a_build_or_a_run_fails(judge, source, words):
    verdict = judge(
        'def test_it(learner):\n    learner.emulate("it.cu").run()\n', {"it.cu": source}, language="cuda"
    )
    failure = verdict.first_failure
    assert failure.outcome is Outcome.FAILED, failure
    for word in words:
        assert word in failure.message, failure.message
    assert (failure.obstacle == "unbuilt") == ("It does not build" in failure.message)


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")
def test_a_kernel_that_was_never_launched_fails_the_check(judge):
    checks = """
    def test_totals(learner):
        learner.emulate("it.cu").run().report.kernel("sum")
    def test_launches(learner):
        learner.emulate("it.cu").run().report.launches["sum"]
    """
    verdict = judge(checks, {"it.cu": "__global__ void sum() {}\nint main() {}"}, language="cuda")
    for check in verdict.checks:
        assert check.outcome is Outcome.FAILED
        assert check.message == "the kernel `sum` was never launched"
