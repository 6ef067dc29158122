"""Shared libraries of the learner's: extension modules by proxy, and plugins that a tool loads."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

import pytest

from mlsys_path.levels import Outcome

pytestmark = pytest.mark.skipif(
    shutil.which("g++") is None or not Path(sysconfig.get_paths()["include"], "Python.h").is_file(),
    reason="no g++, or no headers of Python",
)

SOURCE = """
#include <Python.h>
static PyObject *twice(PyObject *, PyObject *x) {
    long n = PyLong_AsLong(x);
    if (n == -1 && PyErr_Occurred()) return nullptr;
    if (n < 0) { PyErr_SetString(PyExc_ValueError, "negative"); return nullptr; }
    if (n == 1234) { *(volatile int *)nullptr = 1; }
    return PyLong_FromLong(2 * n);
}
static PyMethodDef methods[] = {{"twice", twice, METH_O, ""}, {nullptr, nullptr, 0, nullptr}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "native", "", -1, methods, nullptr, nullptr, nullptr, nullptr};
PyMODINIT_FUNC PyInit_native(void) { return PyModule_Create(&module); }
"""
HARNESS = {"drive.py": "import native\ndef total(ns):\n    return sum(native.twice(n) for n in ns)\n"}


@pytest.fixture
def extension(judge):
    """`extension(checks)` judges the source above."""
    return lambda checks, source=SOURCE: judge(
        checks, {"native.cpp": source}, language="cpp", harness=HARNESS
    )


def test_a_module_is_called_by_proxy(extension):
    checks = """
    @given(n=st.integers(0, 1000))
    def test_calls(learner, n):
        native = learner.extension("native", "native.cpp")
        assert_equal(native.twice(n), 2 * n)
        with learner.python.raises("ValueError") as info:
            native.twice(-1 - n)
        assert_equal(info.message, "negative")
    def test_harness(learner):
        learner.extension("native", "native.cpp")
        assert_equal(learner.python.harness("drive").total([1, 2, 3]), 12)
    def test_library(learner):
        file = learner.library("plain", "native.cpp", flags=["-isystem", __import__("sysconfig").get_paths()["include"]])
        assert_equal(file, "plain.so")
        assert b"PyInit_native" in learner.tool("nm", "-D", file).stdout
        assert_equal(learner.tool("cat", stdin=b"hello").stdout, b"hello")
    """
    verdict = extension(checks)
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure


def test_a_crash_and_a_missing_name_are_told(extension):
    checks = """
    def test_name(learner):
        learner.extension("native", "native.cpp").thrice
    def test_crash(learner):
        learner.extension("native", "native.cpp").twice(1234)
    def test_next(learner):
        assert_equal(learner.extension("native", "native.cpp").twice(4), 8)
    """
    name, crash, after = extension(checks).checks
    assert name.message == "native.cpp does not define `thrice`"
    assert "SIGSEGV" in crash.message
    assert after.outcome is Outcome.PASSED


def test_what_does_not_build_does_so_once(extension):
    checks = """
    def test_one(learner):
        learner.extension("native", "native.cpp")
    def test_two(learner):
        learner.extension("native", "native.cpp")
    """
    one, two = extension(checks, "int f() { return x; }\n").checks
    assert one.outcome is two.outcome is Outcome.FAILED
    assert "native.cpp:1" in one.message
    assert two.message == one.message
