"""Builds the extension, imports it in the sandbox, and probes owners, lifetimes, errors, memory and threads."""

from __future__ import annotations

import numpy as np
import pybind11
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_close, assert_equal, fail

HEADERS = ("pybind11/functional.h", "pybind11/numpy.h", "pybind11/pybind11.h", "pybind11/stl.h")
NOTHING = {"Context": 0, "Module": 0, "Operation": 0, "Tensor": 0, "Pipeline": 0}

names = st.text("abcdefgh._", min_size=1, max_size=8)
modules = st.lists(names, min_size=1, max_size=6)


def drive(learner):
    """The program that uses the module, in a Python process of the sandbox."""
    flags = ["-O0", "-g0", "-fvisibility=hidden", "-isystem", pybind11.get_include()]
    learner.extension("libtoy", "libtoy.cpp", "toy.cpp", flags=flags, precompiled=HEADERS)
    return learner.python.harness("drive")


def printed(lines: list[str]) -> str:
    return "\n".join(["module {", *(f"  {line}" for line in lines), "}"])


WANTED = {
    "ir": {"context", "module", "operation", "tensor", "builder", "parse", "ParseError"},
    "passes": {"pipeline"},
}


def test_two_submodules(learner):
    found = drive(learner).names()
    for part, wanted in WANTED.items():
        kind, name, public = found[part]
        if kind != "module" or name != f"libtoy.{part}":
            fail(
                f"libtoy.{part} is a submodule with the name libtoy.{part}; here it is a {kind} called {name!r}"
            )
        if missing := sorted(wanted - set(public)):
            fail(f"libtoy.{part} lacks {', '.join(missing)}")


@settings(max_examples=15)
@given(lines=modules)
def test_parses_builds_and_prints(learner, lines):
    count, by_index, by_loop, text = drive(learner).read(lines)
    assert_equal(count, len(lines), "len(module)")
    assert_equal(by_index, lines, "the names of module[0], module[1], …")
    assert_equal(by_loop, lines, "the names of `for op in module`")
    assert_equal(text, printed(lines), "str(module)")
    made, text, same_context = drive(learner).build(lines)
    assert_equal(made, lines, "the names of what builder.create returned")
    assert_equal(text, printed(lines), "str(module) of a module that a builder filled")
    assert_equal(same_context, True, "module.context is the context that the module was made with")


@settings(max_examples=15)
@given(
    lines=modules,
    at=st.integers(0, 5),
    bad=st.text("0123456789", min_size=1, max_size=4),
    beyond=st.integers(0, 50),
)
def test_errors_are_pythons(learner, lines, at, bad, beyond):
    at %= len(lines)
    classes, words, ours = drive(learner).parse_error("\n".join([*lines[:at], bad, *lines[at:]]))
    if not ours or "ValueError" not in classes:
        fail(
            f"a text that cannot be parsed must raise libtoy.ir.ParseError, a subclass of ValueError; got {classes[:3]}"
        )
    assert_equal(words, f"line {at + 1}: no operation is called '{bad}'", "str(error)")
    classes, _, _ = drive(learner).index_error(lines, len(lines) + beyond)
    if "IndexError" not in classes:
        fail(
            f"module[{len(lines) + beyond}] of {len(lines)} operations must raise IndexError; got {classes[:3]}"
        )
    classes, words, _ = drive(learner).name_error(lines)
    if "ValueError" not in classes:
        fail(f"an empty name must raise ValueError (std::invalid_argument); got {classes[:3]}")


@settings(max_examples=10)
@given(lines=modules, at=st.integers(0, 5), new=names)
def test_operations_are_the_modules_own(learner, lines, at, new):
    at %= len(lines)
    text, same, parent, no_tensor, twice = drive(learner).rename(lines, at, new)
    after = [*lines]
    after[at] = new
    if text != printed(after):
        fail(
            f"after module[{at}].name = {new!r} the module prints\n{text}\nthe operation that came back is a copy"
        )
    assert_equal(same, True, "module[i] is module[i]")
    assert_equal(parent, True, "module[i].module is module")
    assert_equal(no_tensor, True, "operation.tensor is None, for one that is no constant")
    if twice["Operation"]:
        fail("operations were destroyed twice, by Python and by the module that owns them")


@settings(max_examples=10)
@given(lines=modules, at=st.integers(0, 5))
def test_an_operation_keeps_its_module(learner, lines, at):
    at %= len(lines)
    name, count, text = drive(learner).operation_alone(lines, at)
    assert_equal(name, lines[at], "the name of an operation, when nothing else of its module is held")
    assert_equal(count, len(lines), "len(operation.module)")
    assert_equal(text, printed(lines), "str(operation.module)")


@settings(max_examples=10)
@given(lines=modules)
def test_a_module_keeps_its_context(learner, lines):
    assert_equal(
        drive(learner).module_alone(lines, "parsed"), printed(lines), "a module from parse(text, context())"
    )
    assert_equal(
        drive(learner).module_alone(lines, "made"), printed(lines), "a module from module(context())"
    )
    made, text = drive(learner).builder_alone(lines)
    assert_equal(made, lines, "operations of builder(module(context())), the builder gone")
    assert_equal(text, printed(lines), "their module")


@settings(max_examples=10)
@given(lines=modules, count=st.integers(1, 5))
def test_nothing_is_left_behind(learner, lines, count):
    during, after, twice = drive(learner).many(count, lines)
    made = {
        "Context": 1,
        "Module": count,
        "Operation": count * (len(lines) + 1),
        "Tensor": count,
        "Pipeline": 0,
    }
    if during != made:
        fail(
            f"while all of it is held, {_count(during)} live; there should be {_count(made)}: are some of them copies?"
        )
    if after != NOTHING:
        fail(
            f"Python holds nothing any more, and {_count(after)} still live: an owner that nobody asked to delete, or two "
            "objects that keep each other alive"
        )
    if any(twice.values()):
        fail(f"destroyed twice: {_count(twice)}")


def _count(kinds: dict[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in kinds.items() if number) or "none"


@st.composite
def arrays(draw) -> np.ndarray:
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    start = draw(st.integers(-100, 100))
    return (start + np.arange(rows * columns, dtype=np.float32)).reshape(rows, columns)


@settings(max_examples=20)
@given(array=arrays(), row=st.integers(0, 3), column=st.integers(0, 5), value=st.integers(200, 400))
def test_numpy_sees_the_tensors_memory(learner, array, row, column, value):
    row, column = row % array.shape[0], column % array.shape[1]
    shape, dtype, before, shared, seen, alone = drive(learner).view(array, row, column, float(value))
    assert_equal(shape, array.shape, "tensor.shape")
    assert_equal(dtype, "float32", "np.asarray(tensor).dtype")
    assert_close(before, array, rtol=0, atol=0, what="np.asarray(tensor)")
    after = array.copy()
    after[row, column] = value
    if not shared:
        fail(
            "two np.asarray(tensor) share no memory: each is a copy, and what one writes the tensor never sees"
        )
    assert_close(
        seen,
        after,
        rtol=0,
        atol=0,
        what=f"np.asarray(tensor) after [{row}, {column}] was written in another view",
    )
    assert_close(alone, after, rtol=0, atol=0, what="the view, when nothing else of the module is held")


LAYOUTS = (
    "float32", "column by column", "a transposed view", "every second row", "rows backwards", "float64", "int64", "nested lists",
)  # fmt: skip


@settings(max_examples=8)
@given(array=arrays(), dimensions=st.sampled_from([0, 1, 3]))
def test_takes_any_array(learner, array, dimensions):
    for layout in LAYOUTS:
        made, text = drive(learner).accepts(array, layout)
        assert_close(made, array, rtol=0, atol=0, what=f"a constant of an array given as {layout}")
        assert_equal(text, printed([f"constant {array.shape[0]}x{array.shape[1]}"]), "str(module)")
    classes, _, _ = drive(learner).refuses(np.ones((2,) * dimensions, np.float32))
    if "ValueError" not in classes:
        fail(
            f"constant() of an array of {dimensions} dimensions must raise ValueError; got {classes[:3] or 'no exception'}"
        )


@settings(max_examples=8)
@given(lines=modules, suffixes=st.lists(st.text("xyz", min_size=1, max_size=2), min_size=1, max_size=3))
def test_passes_run_in_threads(learner, lines, suffixes):
    after, seen = drive(learner).run_passes(lines, suffixes)
    assert_equal(after, [line + "".join(suffixes) for line in lines], "the names after the passes")
    assert_equal(
        seen,
        [(True, True)] * len(suffixes),
        "for each pass: it was given the module itself; it ran in another thread",
    )


@settings(max_examples=8)
@given(lines=modules, at=st.integers(0, 5), number=st.integers())
def test_a_passs_exception_comes_through(learner, lines, at, number):
    at %= len(lines)
    kind, words, same, visited = drive(learner).failing_pass(lines, at, number)
    if not same:
        got = f"{kind}: {words}" if kind else "nothing"
        fail(
            f"a pass raised Unusual({number}), and out of run() came {got}: the very exception should come through"
        )
    assert_equal(visited, lines[: at + 1], "what the passes have visited")


@settings(max_examples=8)
@given(pipelines=st.integers(1, 4), count=st.integers(1, 4))
def test_a_pipeline_holds_its_functions(learner, pipelines, count):
    during, after = drive(learner).functions_of(pipelines, count)
    if during != pipelines * count:
        fail(
            f"{pipelines} pipelines were given a function {count} times each, and hold {during} references to it"
        )
    assert_equal(after, 0, "references to the function that are left when the pipelines are gone")
