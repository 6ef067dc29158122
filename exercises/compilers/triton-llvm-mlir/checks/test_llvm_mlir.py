"""The pin of a checkout and its distance; then a pass in a plugin, over random IR through mlir-opt."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from dataclasses import dataclass

from arithmetic import REDUCED, Function, Type, functions, left_over, same
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_equal, fail

HEADERS = (
    "llvm/Config/llvm-config.h",
    "mlir/Dialect/Arith/IR/Arith.h",
    "mlir/IR/Matchers.h",
    "mlir/IR/PatternMatch.h",
    "mlir/IR/TypeUtilities.h",
    "mlir/Pass/Pass.h",
    "mlir/Tools/Plugins/PassPlugin.h",
    "mlir/Transforms/GreedyPatternRewriteDriver.h",
)

# --- the pin ------------------------------------------------------------------------------------------------

# a small number shrinks well, and what is made of it looks as the real thing does
hashes = st.integers(0, 1 << 40).map(lambda n: hashlib.sha1(b"%d" % n).hexdigest())
sums = st.integers(0, 1 << 40).map(lambda n: hashlib.sha256(b"%d" % n).hexdigest())


def pin_program(learner):
    parsed = (
        "algorithm",
        "charconv",
        "chrono",
        "iostream",
        "map",
        "regex",
        "sstream",
        "stdexcept",
        "string",
        "vector",
    )
    return learner.build("pin.cpp", "pin_main.cpp", flags=["-O0", "-g0"], precompiled=parsed)


def read_pin(learner, files: dict[str, str]) -> list[str]:
    parts = [f"read {len(files)}\n".encode()]
    for path, text in files.items():
        parts.append(f"{path} {len(text.encode())}\n".encode() + text.encode())
    return pin_program(learner).run(stdin=b"".join(parts)).stdout.decode().split(None, 1)


@st.composite
def llvm_info(draw, pin: str) -> str:
    """cmake/llvm-info.json as Triton has it, its keys in any order."""
    platforms = ["ubuntu-x64", "ubuntu-arm64", "almalinux-x64", "macos-arm64", "windows-x64"]
    entries = {
        "llvm_hash": pin,
        "build_number": draw(st.integers(1, 9)),
        "sha256sum": {name: draw(sums) for name in platforms[: draw(st.integers(1, 3))]},
    }
    order = draw(st.permutations(list(entries)))
    return json.dumps({key: entries[key] for key in order}, indent=draw(st.sampled_from([2, 4, None]))) + "\n"


@settings(max_examples=20)
@given(
    two=st.lists(hashes, min_size=2, max_size=2, unique=True),
    data=st.data(),
    which=st.sampled_from(["text", "json", "both", "none"]),
)
def test_reads_the_pin(learner, two, data, which):
    pin, old = two
    files = {"README.md": f"Triton\n{old}\n"}
    if which in ("json", "both"):
        files["cmake/llvm-info.json"] = data.draw(llvm_info(pin))
    if which != "json":
        files["cmake/llvm-hash.txt"] = f"{pin if which == 'text' else old}\n"
    if which == "none":
        del files["cmake/llvm-hash.txt"]
    answer = read_pin(learner, files)
    shown = "\n".join(f"--- {path}\n{text.rstrip()}" for path, text in files.items())
    if which == "none":
        if answer[0] != "error":
            fail(
                f"this checkout has no pin, so read_pin must throw; it returned {answer[1].strip()}:\n{shown}"
            )
    elif answer[0] != "ok":
        fail(f"read_pin threw: {answer[1].strip()}\n{shown}")
    elif answer[1] != f"{pin}\n":
        fail(f"the pin is {pin}, read_pin returned {answer[1].rstrip(chr(10))!r}:\n{shown}")


@dataclass(frozen=True)
class Commit:
    hash: str
    day: datetime.date
    tags: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.hash} {self.day} {','.join(self.tags) or '-'}"


@st.composite
def histories(draw) -> tuple[list[Commit], int]:
    """A main branch, newest first, with the beginnings of three versions; and the middle one's number."""
    first, seed = draw(st.integers(15, 30)), draw(st.integers(0, 1 << 40))
    day = datetime.date(2023, 1, 1) + datetime.timedelta(days=draw(st.integers(0, 1200)))
    log: list[Commit] = []
    for version in range(first, first + 3):
        for number in range(draw(st.integers(1, 8))):
            tags = (f"llvmorg-{version}-init",) if number == 0 else ()
            if tags and draw(st.booleans()):
                tags = ("origin/main", *tags)
            log.append(Commit(hashlib.sha1(b"%d %d" % (seed, len(log))).hexdigest(), day, tags))
            day += datetime.timedelta(days=draw(st.integers(0, 40)))
    return log[::-1], first + 1


def ask_distance(learner, pin: str, major: int, log: list[Commit]) -> list[str]:
    lines = [f"distance {pin} {major} {len(log)}", *map(str, log)]
    return pin_program(learner).run(stdin="\n".join(lines).encode() + b"\n").stdout.decode().split(None, 1)


@settings(max_examples=25)
@given(history=histories(), where=st.integers(0, 100), stranger=hashes)
def test_measures_the_distance(learner, history, where, stranger):
    log, major = history
    pinned = where % len(log)
    major -= where % 2
    branched = next(i for i, c in enumerate(log) if f"llvmorg-{major + 1}-init" in c.tags)
    answer = ask_distance(learner, log[pinned].hash, major, log)
    days = (log[pinned].day - log[branched].day).days
    shown = "\n".join(f"  {c.hash[:12]} {c.day} {' '.join(c.tags)}" for c in log)
    asked = f"distance({log[pinned].hash[:12]}…, {major}, log)"
    if answer[0] != "ok":
        fail(f"{asked} threw: {answer[1].strip()}\n{shown}")
    assert_equal(
        answer[1].split(),
        [str(branched - pinned), str(days)],
        f"commits and days of {asked}, where log is\n{shown}\n",
    )
    for pin, version, what in (
        (stranger, major, "the pin"),
        (log[pinned].hash, 99, "the branch point of release 99"),
    ):
        if ask_distance(learner, pin, version, log)[0] != "error":
            fail(f"{what} is not in the log, so distance must throw: a shallow clone is no reason to guess")


# --- the pass -----------------------------------------------------------------------------------------------


def mlir_opt(learner, text: str, pipeline: str, *more: str) -> str:
    """What mlir-opt makes of a module with the learner's plugin loaded."""
    include = learner.tool("llvm-config-22", "--includedir").stdout.decode().strip()
    plugin = learner.library(
        "strength", "strength.cpp", flags=["-O0", "-g0", "-isystem", include], precompiled=HEADERS
    )
    done = learner.tool(
        "mlir-opt-22",
        f"--load-pass-plugin=./{plugin}",
        f"--pass-pipeline={pipeline}",
        *more,
        "-",
        stdin=text.encode(),
    )
    words = done.stderr.decode("utf-8", "replace")
    if done.returncode == 0:
        return done.stdout.decode()
    if "Failed to load passes" in words:
        symbols = learner.tool("nm", "-D", "--defined-only", plugin).stdout.decode().split()
        why = (
            "is its API version MLIR_PLUGIN_API_VERSION?"
            if "mlirGetPassPluginInfo" in symbols
            else "it looks for a function mlirGetPassPluginInfo with C linkage, and there is none"
        )
        fail(f"mlir-opt cannot load your plugin: {why}")
    if "does not refer to a registered pass" in words:
        fail("mlir-opt loads your plugin, and knows no pass `strength-reduce` after that: register it")
    asserted = re.search(r"Assertion `(.*)' failed", words)
    errors = [line for line in words.splitlines() if "error:" in line or "LLVM ERROR" in line]
    if asserted:
        reason = f"MLIR asserts: {asserted[1]}"
    elif errors:
        reason = errors[0].partition(": ")[2] if errors[0].startswith("<stdin>") else errors[0]
    else:
        reason = f"mlir-opt ended with {done.returncode} (negative: a signal)"
    return fail(f"{reason}\nwith --pass-pipeline='{pipeline}' on\n{text.rstrip()}")


def one(name: str, kind: Type, op: str, constant: str, *, constant_first: bool = False) -> str:
    """A function of one operation, with a constant as its right or left operand."""
    operands = "%c, %x" if constant_first else "%x, %c"
    return (
        f"func.func @{name}(%x: {kind.text}) -> {kind.text} {{\n"
        f"  %c = arith.constant {constant}\n"
        f"  %y = arith.{op} {operands} : {kind.text}\n"
        f"  return %y : {kind.text}\n}}\n"
    )


FUNCTIONS = "builtin.module(func.func(strength-reduce))"


def reduced(
    learner, text: str, pipeline: str = FUNCTIONS, ops: tuple[str, ...] = tuple(REDUCED)
) -> dict[str, Function]:
    """The module after the pass: it must compute the same, with nothing left of `ops`."""
    after = functions(mlir_opt(learner, text, pipeline))
    for name, function in functions(text).items():
        same(function, after.get(name))
        if left := left_over(after[name], ops):
            fail(f"this is still there after the pass:\n    {left}\nin\n{after[name].text.rstrip()}")
    return after


def powers(widths: tuple[str, ...], *, top: bool):
    """(type, exponent): the highest bit only with `top`."""
    return st.sampled_from(widths).flatmap(
        lambda text: st.tuples(
            st.just(Type(text)), st.integers(0, max(0, Type(text).width - (1 if top else 2)))
        )
    )


COMMON = ("i8", "i16", "i32", "i64")


def test_the_plugin_loads(learner, rng):
    kind, number = Type("i32"), int(rng.integers(3, 100))
    text = one("f", kind, "addi", kind.constant(number))
    reduced(learner, text)


@settings(max_examples=10)
@given(st.lists(powers(COMMON, top=False), min_size=1, max_size=4))
def test_multiplications_become_shifts(learner, drawn):
    parts = [
        one(f"{'left' if first else 'right'}{n}", kind, "muli", kind.constant(1 << k), constant_first=first)
        for n, (kind, k) in enumerate(drawn)
        for first in (False, True)
    ]
    reduced(learner, "".join(parts))


@settings(max_examples=10)
@given(st.lists(powers(COMMON, top=False), min_size=1, max_size=4))
def test_unsigned_divisions_too(learner, drawn):
    ops = ("divui", "remui")
    parts = [
        one(f"{op}{n}", kind, op, kind.constant(1 << k)) for n, (kind, k) in enumerate(drawn) for op in ops
    ]
    reduced(learner, "".join(parts))


NOT_THESE = ("divsi", "remsi", "floordivsi", "ceildivsi", "ceildivui")


@settings(max_examples=10)
@given(power=powers(COMMON, top=False), other=st.sampled_from(COMMON).map(Type), number=st.integers(3, 100))
def test_leaves_what_only_looks_alike(learner, power, other, number):
    kind, k = power
    parts = [one(op, kind, op, kind.constant(1 << k)) for op in NOT_THESE]
    parts += [one(f"{op}_other", other, op, other.constant(number)) for op in REDUCED]
    parts += [
        one(f"{op}_of_constant", kind, op, kind.constant(1 << k), constant_first=True)
        for op in ("divui", "remui")
    ]
    reduced(learner, "".join(parts))


@settings(max_examples=10)
@given(
    drawn=st.lists(powers(("i8", "i32", "i64", "i128", "i5", "index"), top=True), min_size=1, max_size=3),
    highest=st.sampled_from(["i8", "i32", "i64", "i128", "index"]).map(Type),
)
def test_any_width_and_the_highest_bit(learner, drawn, highest):
    drawn = [*drawn, (highest, highest.width - 1)]
    parts = [
        one(f"{op}{n}", kind, op, kind.constant(1 << k))
        for n, (kind, k) in enumerate(drawn)
        for op in REDUCED
    ]
    reduced(learner, "".join(parts))


shapes = st.sampled_from(["tensor<4x{}>", "vector<8x{}>", "tensor<2x3x{}>", "tensor<1x{}>"])


@settings(max_examples=10)
@given(
    drawn=st.lists(
        st.tuples(shapes, powers(("i8", "i32", "i64", "index"), top=True)), min_size=1, max_size=3
    ),
    start=st.integers(0, 31),
)
def test_tensors_of_one_constant(learner, drawn, start):
    parts = []
    for n, (shape, (scalar, k)) in enumerate(drawn):
        kind = Type(shape.format(scalar.text))
        parts += [one(f"{op}{n}", kind, op, kind.constant(1 << k)) for op in REDUCED]
    # elements that differ: each is a power of two, and there is no one shift for all
    mixed = Type("tensor<4xi32>")
    numbers = ", ".join(Type("i32").number(1 << (start + i) % 32) for i in range(4))
    parts += [one(f"mixed_{op}", mixed, op, f"dense<[{numbers}]> : {mixed.text}") for op in REDUCED]
    reduced(learner, "".join(parts))


NESTED = """
gpu.module @kernels {{
  gpu.func @k(%x: i32, %n: index) -> i32 {{
    %c = arith.constant {c} : i32
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %r = scf.for %i = %zero to %n step %one iter_args(%s = %x) -> (i32) {{
      %m = arith.{op} %s, %c : i32
      %t = arith.addi %m, %x : i32
      scf.yield %t : i32
    }}
    gpu.return %r : i32
  }}
}}
func.func @f(%x: i32, %p: i1) -> i32 {{
  %c = arith.constant {c} : i32
  %r = scf.if %p -> (i32) {{
    %m = arith.{op} %x, %c : i32
    scf.yield %m : i32
  }} else {{
    scf.yield %x : i32
  }}
  return %r : i32
}}
"""
ANYWHERE = {
    "builtin.module(strength-reduce)": ("f", "k"),
    "builtin.module(gpu.module(gpu.func(strength-reduce)))": ("k",),
    "builtin.module(any(strength-reduce))": ("f", "k"),
}


@settings(max_examples=3)
@given(k=st.integers(1, 30), op=st.sampled_from(list(REDUCED)))
def test_runs_on_any_operation(learner, k, op):
    for pipeline, names in ANYWHERE.items():
        after = functions(mlir_opt(learner, NESTED.format(c=1 << k, op=op), pipeline), strict=False)
        for name in names:
            if name not in after:
                fail(f"the function @{name} is gone")
            if left_over(after[name]) or REDUCED[op] not in [made for _, made, _, _ in after[name].body]:
                fail(
                    f"with --pass-pipeline='{pipeline}' the arith.{op} in @{name} should be an arith.{REDUCED[op]}:\n"
                    f"{after[name].text.rstrip()}"
                )


@settings(max_examples=6)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(REDUCED)), st.integers(1, 30), st.integers(1, 500), st.integers(1, 90)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_keeps_the_place_in_the_source(learner, drawn):
    parts = []
    for n, (op, k, line, column) in enumerate(drawn):
        text = one(f"f{n}", Type("i32"), op, f"{1 << k} : i32")
        at = f'loc("kernel.py":{line}:{column})'
        parts.append(re.sub(r"(%y = .*)", rf"\1 {at}", text))
    text = "".join(parts)
    printed = mlir_opt(learner, text, FUNCTIONS, "--mlir-print-debuginfo", "--mlir-print-local-scope")
    for n, (op, _, line, column) in enumerate(drawn):
        body = printed.partition(f"@f{n}(")[2]
        made = re.search(rf"arith\.{REDUCED[op]} .* loc\((.*)\)", body.partition("func.func")[0])
        if made is None:
            fail(f"there is no arith.{REDUCED[op]} for\n{parts[n].rstrip()}")
        if made[1] != f'"kernel.py":{line}:{column}':
            fail(
                f"the arith.{op} was at kernel.py:{line}:{column}, and the arith.{REDUCED[op]} that stands for it is at "
                f"{made[1]}: a profiler and a debugger would show another line, or none"
            )


@settings(max_examples=4)
@given(drawn=st.lists(powers(COMMON, top=False).filter(lambda p: p[1] > 0), min_size=1, max_size=3))
def test_has_an_option(learner, drawn):
    text = "".join(
        one(f"{op}{n}", kind, op, kind.constant(1 << k))
        for n, (kind, k) in enumerate(drawn)
        for op in REDUCED
    )
    for value, ops in (("true", ("divui", "remui")), ("false", tuple(REDUCED))):
        pipeline = f"builtin.module(func.func(strength-reduce{{keep-mul={value}}}))"
        after = reduced(learner, text, pipeline, ops)
        for name, function in after.items():
            if (
                value == "true"
                and name.startswith("muli")
                and "muli" not in [op for _, op, _, _ in function.body]
            ):
                fail(
                    f"with keep-mul=true multiplications stay, and this one is gone:\n{function.text.rstrip()}"
                )


@st.composite
def programs(draw) -> str:
    """Several operations in a row, on values, constants and the results before them."""
    kind = Type(draw(st.sampled_from([*COMMON, "index", "tensor<4xi32>", "vector<2xi8>"])))
    lines, known = [], ["%a", "%b"]
    for n in range(draw(st.integers(1, 8))):
        op = draw(st.sampled_from([*REDUCED, *REDUCED, "addi", "subi", "divsi", "remsi", "xori"]))
        operands = [draw(st.sampled_from(known)) for _ in range(2)]
        if draw(st.integers(0, 3)):
            number = draw(
                st.one_of(st.integers(0, kind.width - 1).map(lambda k: 1 << k), st.integers(1, 120))
            )
            lines.append(f"%c{n} = arith.constant {kind.constant(number)}")
            operands[draw(st.sampled_from([0, 1, 1, 1]))] = f"%c{n}"
        lines.append(f"%v{n} = arith.{op} {', '.join(operands)} : {kind.text}")
        known.append(f"%v{n}")
    body = "\n".join(f"  {line}" for line in lines)
    return f"(%a: {kind.text}, %b: {kind.text}) -> {kind.text} {{\n{body}\n  return {known[-1]} : {kind.text}\n}}\n"


@settings(max_examples=15)
@given(st.lists(programs(), min_size=1, max_size=5))
def test_any_program_computes_the_same(learner, drawn):
    reduced(learner, "".join(f"func.func @f{n}{text}" for n, text in enumerate(drawn)))
