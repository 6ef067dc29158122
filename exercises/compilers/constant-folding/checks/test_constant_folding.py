from hypothesis import given, settings
from hypothesis import strategies as st
from programs import (
    arguments,
    constant_programs,
    evaluate,
    folded,
    ir,
    nothing_left,
    outcome,
    programs,
    same_behaviour,
    single,
    values,
)

from mlsys_path.checking.testing import fail

CORNERS = {
    kind: [0.0, -0.0, 1.0, -2.5, float("inf"), float("-inf"), float("nan")]
    if kind in ir.FLOATS
    else [0, 1, -1, 7, -(1 << (int(kind[1:]) - 1))]
    for kind in ir.INTS + ir.FLOATS
}


def same_value(learner, op, kind, operands):
    """evaluate() must return the same Python value: its type, its sign and its last bit."""
    got, expected = learner.evaluate(op, kind, operands), evaluate(op, kind, operands)
    if type(got) is not type(expected) or repr(got) != repr(expected):
        fail(f'evaluate("{op}", "{kind}", {operands}) is wrong', got=got, expected=expected)


@given(data=st.data(), op=st.sampled_from(["add", "sub", "mul"]), kind=st.sampled_from(ir.INTS))
def test_integers_wrap(learner, data, op, kind):
    same_value(learner, op, kind, [data.draw(values(kind)), data.draw(values(kind))])


@given(data=st.data(), op=st.sampled_from(["div", "rem"]), kind=st.sampled_from(ir.INTS))
def test_integer_division(learner, data, op, kind):
    x, y = data.draw(values(kind)), data.draw(values(kind))
    if y == 0:
        with learner.raises("Trap"):
            learner.evaluate(op, kind, [x, y])
    else:
        same_value(learner, op, kind, [x, y])
        same_value(learner, op, kind, [-(1 << (int(kind[1:]) - 1)), -1])


@settings(max_examples=100)
@given(data=st.data(), op=st.sampled_from(["add", "sub", "mul", "div"]), kind=st.sampled_from(ir.FLOATS))
def test_floats(learner, data, op, kind):
    same_value(learner, op, kind, [data.draw(values(kind)), data.draw(values(kind))])


@settings(max_examples=100)
@given(data=st.data(), op=st.sampled_from(["lt", "eq", "select", "widen", "trunc", "tofloat", "narrow"]))
def test_other_operations(learner, data, op):
    kinds, count, _ = ir.OPERATIONS[op]
    kind = data.draw(st.sampled_from(kinds))
    operands = [data.draw(values(kind)) for _ in range(count)]
    if op == "select":
        operands[0] = data.draw(st.booleans())
    same_value(learner, op, kind, operands)


@given(function=constant_programs())
def test_constants_fold(learner, function):
    if outcome(function, []) == "Trap":
        return  # the next check's
    result = folded(learner, function)
    same_behaviour(function, result, [[]])
    nothing_left(function, result)


@given(data=st.data(), op=st.sampled_from(["div", "rem"]), kind=st.sampled_from(ir.INTS))
def test_traps_stay(learner, data, op, kind):
    number = data.draw(values(kind))
    trap = [f"%n = const {kind} {number}", f"%z = const {kind} 0", f"%r = {op} {kind} %n, %z"]
    certain = single("", trap)
    same_behaviour(certain, folded(learner, certain), [[]])
    guarded = ir.parse(
        "func(%p: i1) {\nentry:\n" + "\n".join(trap[:2]) + "\ncbr %p, divides(), leaves(%n)\n"
        f"divides:\n{trap[2]}\nbr leaves(%r)\nleaves(%v: {kind}):\nret %v\n}}"
    )
    same_behaviour(guarded, folded(learner, guarded), [[False], [True]])


def simplifies(learner, kind, line, constant=None, params="%x: {kind}"):
    lines = [f"%c = const {kind} {constant}"] if constant is not None else []
    function = single(params.format(kind=kind), [*lines, line.format(kind=kind)])
    result = folded(learner, function)
    inputs = [[x] for x in CORNERS[kind]]
    same_behaviour(
        function, result, inputs if "%p" not in params else [[*x, p] for x in inputs for p in (True, False)]
    )
    return function, result


def test_identities(learner, rng):
    ints = ["add %c %x 0", "add %x %c 0", "sub %x %c 0", "sub %x %x 0", "mul %x %c 1", "mul %c %x 1",
            "mul %x %c 0", "mul %c %x 0", "div %x %c 1", "rem %x %c 1"]  # fmt: skip
    floats = [
        "add %x %c -0.0",
        "add %c %x -0.0",
        "sub %x %c 0.0",
        "mul %x %c 1.0",
        "mul %c %x 1.0",
        "div %x %c 1.0",
    ]
    rows = [(kind, row) for kind in ir.INTS for row in ints] + [
        (kind, row) for kind in ir.FLOATS for row in floats
    ]
    for kind, row in rng.permutation(rows).tolist():
        op, left, right, constant = row.split()
        nothing_left(*simplifies(learner, kind, f"%r = {op} {{kind}} {left}, {right}", constant))
    for kind in ir.INTS + ir.FLOATS:
        both = "%x: {kind}, %p: i1"
        nothing_left(*simplifies(learner, kind, "%r = select {kind} %p, %x, %x", params=both))
        for word in ("true", "false"):
            lines = [f"%t = const i1 {word}", f"%c = const {kind} 1", f"%r = select {kind} %t, %x, %c"]
            function = single(f"%x: {kind}", lines)
            result = folded(learner, function)
            same_behaviour(function, result, [[x] for x in CORNERS[kind]])
            nothing_left(function, result)


def test_floats_are_not_reals(learner, rng):
    tempting = ["mul %x %c 0.0", "mul %c %x 0.0", "mul %x %c -0.0", "mul %x %c -1.0", "add %x %c 0.0",
                "add %c %x 0.0", "sub %x %x 0.0", "sub %c %x 0.0", "sub %x %c -0.0", "div %x %x 1.0",
                "div %c %x 1.0", "div %c %x 0.0", "div %x %c 0.0", "eq %x %x 0.0"]  # fmt: skip
    rows = [(kind, row) for kind in ir.FLOATS for row in tempting]
    rows += [
        (kind, row)
        for kind in ir.INTS
        for row in ["div %x %x 0", "div %c %x 0", "rem %x %x 0", "rem %c %x 0"]
    ]
    for kind, row in rng.permutation(rows).tolist():
        op, left, right, constant = row.split()
        simplifies(learner, kind, f"%r = {op} {{kind}} {left}, {right}", constant)


@given(data=st.data(), kind=st.sampled_from(ir.INTS), p=st.booleans())
def test_every_use_changes(learner, data, kind, p):
    factor = data.draw(values(kind))
    function = ir.parse(f"""func(%x: {kind}, %p: i1) {{
    entry:
      %yes = const i1 true
      %zero = const {kind} 0
      %factor = const {kind} {factor}
      %q = select i1 %yes, %p, %yes
      %y = add {kind} %x, %zero
      %z = sub {kind} %y, %zero
      cbr %q, left(%z), right(%y)
    left(%l: {kind}):
      %m = mul {kind} %z, %factor
      br done(%z, %m)
    right(%r: {kind}):
      %o = div {kind} %r, %z
      br done(%y, %o)
    done(%d: {kind}, %e: {kind}):
      ret %y, %z, %q, %d, %e
    }}""")
    result = folded(learner, function)
    same_behaviour(function, result, [[data.draw(values(kind)), p] for _ in range(3)])
    nothing_left(function, result)


@given(data=st.data(), kind=st.sampled_from(ir.INTS), p=st.booleans())
def test_branches(learner, data, kind, p):
    x, y = data.draw(values(kind)), data.draw(values(kind))
    function = ir.parse(f"""func(%p: i1) {{
    entry:
      %x = const {kind} {x}
      %y = const {kind} {y}
      %less = lt {kind} %x, %y
      cbr %less, first(%y), second()
    first(%f: {kind}):
      cbr %p, second(), last(%f)
    second:
      %yes = const i1 true
      cbr %yes, last(%x), first(%x)
    last(%l: {kind}):
      ret %l
    }}""")
    result = folded(learner, function)
    same_behaviour(function, result, [[p]])
    nothing_left(function, result)


@given(data=st.data(), kind=st.sampled_from(ir.INTS + ir.FLOATS), length=st.integers(2, 6))
def test_blocks_in_any_order(learner, data, kind, length):
    numbers = [data.draw(values(kind)) for _ in range(length)]
    blocks = [
        f"b{n}:\n%c{n} = const {kind} {number!r}\n%s{n} = add {kind} %s{n - 1}, %c{n}\nbr b{n + 1}()"
        for n, number in enumerate(numbers, 1)
    ]
    blocks += [f"b{length + 1}:\nret {', '.join(f'%s{n}' for n in range(length + 1))}"]
    order = data.draw(st.permutations(blocks))
    if order == blocks:
        order = blocks[::-1]
    function = ir.parse(f"func() {{\nentry:\n%s0 = const {kind} 1\nbr b1()\n" + "\n".join(order) + "\n}")
    result = folded(learner, function)
    same_behaviour(function, result, [[]])
    nothing_left(function, result)


@settings(max_examples=60)
@given(function=programs(), inputs=st.lists(arguments(), min_size=3, max_size=3))
def test_any_program(learner, function, inputs):
    same_behaviour(function, folded(learner, function), inputs)


@settings(max_examples=40)
@given(function=programs())
def test_nothing_is_left(learner, function):
    result = folded(learner, function)
    nothing_left(function, result)
    twice = folded(learner, function, times=2)
    if str(twice) != str(result):
        fail(f"folding a second time changes the program again:\n{result}\nbecame\n{twice}")
