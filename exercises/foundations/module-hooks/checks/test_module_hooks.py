from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from reference import Model, Refused

from mlsys_path.checking.testing import assert_equal, fail

NAMES = ["a", "b", "c", "fc", "norm", "out"]
KINDS = ["forward_pre", "forward", "backward"]
SMALL = st.integers(-9, 9)
DATA = st.integers(-999, 999)


@st.composite
def trees(draw, sharing=True):
    """A tree as the harness reads it; "@path" stands for what was built at this path before."""
    modules, parameters = [], []

    def number(path):
        if sharing and parameters and draw(st.integers(0, 3)) == 3:
            return draw(st.sampled_from(parameters))
        parameters.append(f"@{path}")
        return draw(st.integers(-3, 3))

    def part(path, depth):
        join = f"{path}." if path else ""
        shape = draw(st.integers(0, 4))
        if sharing and shape == 4 and modules:
            return draw(st.sampled_from(modules))
        if (shape < 2 and path) or depth == 0:
            tree = (number(f"{join}w"), number(f"{join}b"))
        else:
            names = draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True))
            tree = {name: part(join + name, depth - 1) for name in names}
        modules.append(f"@{path}")
        return tree

    return part("", 2)


# -- attributes


def test_registration(learner):
    @given(steps=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("pmnd")), min_size=1, max_size=8))
    def check(steps):
        module = learner.Module()
        parameters, modules, plain = {}, {}, {}
        for value, (name, kind) in enumerate(steps):
            places = [place for place in (parameters, modules, plain) if name in place]
            if kind == "d":
                if not places:
                    continue
                delattr(module, name)
                del places[0][name]
                continue
            mine = {"p": parameters, "m": modules, "n": plain}[kind]
            for place in places:
                if place is not mine:
                    del place[name]
            mine[name] = value
            new = {"p": lambda v: learner.Parameter(v), "m": lambda v: learner.Module(), "n": lambda v: v}[
                kind
            ]
            setattr(module, name, new(value))
        found = [[name, parameter.data] for name, parameter in module.named_parameters()]
        assert_equal(
            found, [list(item) for item in parameters.items()], "named_parameters(), as [name, data],"
        )
        found = [name for name, _ in module.named_modules()]
        assert_equal(found, ["", *modules], "named_modules(), by name,")
        for name, value in parameters.items():
            assert_equal(
                getattr(module, name).data, value, f"the data of the parameter read as module.{name}"
            )
        for name, value in plain.items():
            assert_equal(getattr(module, name), value, f"the plain attribute module.{name}")
        for name in sorted({"a", "b", "c"} - {*parameters, *modules, *plain}):
            with learner.raises("AttributeError"):
                getattr(module, name)

    check()


@given(w=DATA, b=DATA, other=DATA, name=st.sampled_from(NAMES))
@settings(max_examples=5)
def test_traps(learner, w, b, other, name):
    drive = learner.harness("drive")
    before = {f"{name}.w": w, f"{name}.b": b}
    copied, changed, original, missing = drive.copied(w, b, name, other)
    assert_equal(copied, before, "state_dict() of a deep copy")
    assert_equal(
        changed, {**before, f"{name}.w": other}, "state_dict() of the copy after a change to its weight"
    )
    assert_equal(original, before, "state_dict() of the original after a change to the copy")
    assert_equal(missing, [False, False], "hasattr() for a missing name, in the module and in its copy")
    for kind in ("parameter", "module"):
        with learner.raises("AttributeError") as info:
            drive.forgetful(kind)
        if "__init__" not in info.message:
            fail(
                f"setting a {kind} before super().__init__() should say that this call is missing",
                got=info.message,
            )


# -- the tree


@given(tree=trees())
def test_named_parameters(learner, tree):
    lab, model = learner.harness("drive").Lab(tree), Model(tree)
    assert_equal(lab.modules(), model.named_modules(), "named_modules(), as [path, path it was built at],")
    assert_equal(
        lab.parameters(),
        model.named_parameters(),
        "named_parameters(), as [path, data, path it was built at],",
    )


@given(tree=trees(), data=st.data())
@settings(max_examples=30)
def test_state_dict(learner, tree, data):
    lab, model = learner.harness("drive").Lab(tree), Model(tree)
    state = lab.state()
    assert_equal(state, model.state(), "state_dict()")
    assert_equal(list(state), list(model.state()), "the order of state_dict()")
    model.set_all(lambda: data.draw(DATA))
    result = lab.load(model.state())
    assert_equal(
        [list(part) for part in result], [[], []], "what load_state_dict() returned: missing, unexpected"
    )
    assert_equal(
        lab.held(), model.held(), "the data of the Parameter objects, as who held them before sees it"
    )
    assert_equal(lab.state(), model.state(), "state_dict() after load_state_dict()")


@given(tree=trees(), data=st.data())
@settings(max_examples=30)
def test_load_is_strict(learner, tree, data):
    lab, model = learner.harness("drive").Lab(tree), Model(tree)
    paths = list(model.state())
    lost = data.draw(st.lists(st.sampled_from(paths), unique=True)) if paths else []
    extra = data.draw(
        st.lists(st.sampled_from(["head.w", "w0", "norm.scale"]), min_size=not lost, unique=True)
    )
    before = model.held()
    full = Model(tree)
    full.set_all(lambda: data.draw(DATA))
    state = {path: value for path, value in full.state().items() if path not in lost} | dict.fromkeys(
        extra, 5
    )
    with learner.raises("RuntimeError") as info:
        lab.load(state)
    for path in lost + extra:
        if path not in info.message:
            fail(f"the message of load_state_dict() should name {path!r}", got=info.message)
    assert_equal(lab.held(), before, "the data after a load_state_dict() that raised")
    missing, unexpected = lab.load(state, strict=False)
    assert_equal(
        list(missing), [path for path in paths if path in lost], "the missing paths, with strict=False"
    )
    assert_equal(list(unexpected), extra, "the unexpected paths, with strict=False")
    model.load(state)
    assert_equal(lab.held(), model.held(), "the data after load_state_dict(strict=False)")


@given(tree=trees(), data=st.data())
@settings(max_examples=30)
def test_train_and_eval(learner, tree, data):
    lab, model = learner.harness("drive").Lab(tree), Model(tree)
    assert_equal(lab.training(), model.training(), "`training` at first")
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(sorted(model.modules)))
        mode = data.draw(st.sampled_from([None, True, False, "eval"]))
        if mode == "eval":
            assert_equal(lab.eval(path), True, "whether eval() returned the module itself")
        else:
            args = () if mode is None else (mode,)
            assert_equal(lab.train(path, *args), True, "whether train() returned the module itself")
        model.train(path, mode in (None, True))
        assert_equal(lab.training(), model.training(), "`training` of each module")


# -- hooks


@given(w=st.integers(1, 5), b=SMALL, x=SMALL, grad=SMALL, new=st.integers(-2, 2), kind=st.sampled_from(KINDS))
def test_hooks_see_and_replace(learner, w, b, x, grad, new, kind):
    lab, model = learner.harness("drive").Lab((w, b)), Model((w, b))
    for each in (lab, model):
        each.hook("", kind)
        each.hook("", kind, "return", new)
        each.hook("", kind, "add", 1)
        each.hook("", kind)
    assert_equal(lab.forward(x), model.forward(x), "what came of a forward pass, as [output, hook calls],")
    assert_equal(
        lab.backprop(grad),
        model.backprop(grad),
        "what came of a backward pass, as [gradient of the input, hook calls],",
    )
    assert_equal(lab.grads(), model.grads(), "the gradient of a parameter")


@given(data=st.data(), times=st.integers(2, 4), x=st.integers(1, 99))
def test_handles(learner, data, times, x):
    drive = learner.harness("drive")
    removals = data.draw(st.lists(st.integers(0, times - 1), min_size=1, max_size=5))
    runs = [times - len(set(removals[: i + 1])) for i in range(len(removals))]
    assert_equal(
        drive.same_hook_many_times(times, removals, x),
        runs,
        f"how often a function that was registered {times} times runs after each of the removals {removals}",
    )
    assert_equal(
        drive.within(x),
        [1, 1, x, 2, 2],
        "the runs of a hook counted in and after `with`, the second block raising",
    )


PASSING = st.tuples(
    st.sampled_from(KINDS), st.sampled_from(["look", "remove", "remove", "remove", "hook"]), st.integers(0, 4)
)


@given(hooks=st.lists(PASSING, min_size=1, max_size=4), w=st.integers(1, 3), x=SMALL)
def test_hooks_that_change_hooks(learner, hooks, w, x):
    lab, model = learner.harness("drive").Lab((w, 0)), Model((w, 0))
    for kind, does, number in hooks:
        what = {"look": None, "remove": number, "hook": ("", kind)}[does]
        for each in (lab, model):
            each.hook("", kind, does, what)
    for _ in range(2):
        assert_equal(
            lab.forward(x), model.forward(x), "what came of a forward pass, as [output, hook calls],"
        )
        assert_equal(
            lab.backprop(x),
            model.backprop(x),
            "what came of a backward pass, as [gradient of the input, hook calls],",
        )


def test_no_grad(learner):
    drive = learner.harness("drive")
    kind = st.sampled_from(["with", "raise", "call", "thread"])
    programs = st.recursive(
        st.just([]), lambda inner: st.lists(st.tuples(kind, inner), min_size=1, max_size=2), max_leaves=4
    )

    def expected(blocks, enabled):
        yield enabled
        for kind, body in blocks:
            yield from expected(body, kind == "thread")
            yield enabled

    @given(blocks=programs)
    def nested(blocks):
        looks = list(expected(blocks, True))
        assert_equal(
            drive.looks(blocks),
            looks,
            "is_grad_enabled() at the start of each of the nested blocks and after it",
        )

    @given(depth=st.integers(0, 4), scale=DATA)
    @settings(max_examples=10)
    def decorated(depth, scale):
        results, seen, after, name, doc = drive.decorated(depth, scale)
        assert_equal(
            results, [scale * (depth + 1), -scale], "what a decorated function returned in two calls"
        )
        assert_equal(seen, [False] * len(seen), "is_grad_enabled() in a decorated function that calls itself")
        assert_equal(after, True, "is_grad_enabled() after a decorated function")
        assert_equal([name, doc], ["descend", "Goes down."], "__name__ and __doc__ of a decorated function")

    @given(tree=trees(), x=SMALL)
    @settings(max_examples=10)
    def passes(tree, x):
        lab, model = drive.Lab(tree), Model(tree)
        assert_equal(
            lab.forward_no_grad(x),
            model.forward(x),
            "what came of a forward pass within no_grad(), as [output, hook calls],",
        )
        with learner.raises("RuntimeError"):
            lab.backprop(1)
        assert_equal(
            lab.forward(x), model.forward(x), "what came of a forward pass, as [output, hook calls],"
        )
        assert_equal(
            lab.backprop(2),
            model.backprop(2),
            "what came of a backward pass, as [gradient of the input, hook calls],",
        )

    nested()
    decorated()
    passes()


def test_random_passes(learner):
    drive = learner.harness("drive")
    pick = st.integers(0, 30)

    class Passes(RuleBasedStateMachine):
        @initialize(tree=trees())
        def build(self, tree):
            self.lab, self.model = drive.Lab(tree), Model(tree)

        def path(self, number):
            paths = sorted(self.model.modules)
            return paths[number % len(paths)]

        @rule(
            where=pick,
            kind=st.sampled_from(KINDS),
            does=st.sampled_from(["look", "add", "return", "remove", "hook"]),
            what=st.integers(-3, 8),
            there=pick,
            other=st.sampled_from(KINDS),
        )
        def hook(self, where, kind, does, what, there, other):
            what = {"look": None, "remove": abs(what), "hook": (self.path(there), other)}.get(does, what)
            number = self.model.hook(self.path(where), kind, does, what)
            assert_equal(self.lab.hook(self.path(where), kind, does, what), number, "the hook's number")

        @precondition(lambda self: self.model.handles)
        @rule(number=pick)
        def remove(self, number):
            number %= len(self.model.handles)
            self.model.remove(number)
            self.lab.remove(number)

        @rule(x=SMALL)
        def forward(self, x):
            assert_equal(
                self.lab.forward(x),
                self.model.forward(x),
                "what came of a forward pass, as [output, hook calls],",
            )

        @rule(x=SMALL)
        def forward_no_grad(self, x):
            result = self.model.forward_no_grad(x)
            assert_equal(
                self.lab.forward_no_grad(x),
                result,
                "what came of a forward pass within no_grad(), as [output, hook calls],",
            )

        @rule(grad=SMALL)
        def backprop(self, grad):
            try:
                result = self.model.backprop(grad)
            except Refused:
                with learner.raises("RuntimeError"):
                    self.lab.backprop(grad)
            else:
                assert_equal(
                    self.lab.backprop(grad),
                    result,
                    "what came of a backward pass, as [gradient of the input, hook calls],",
                )
            assert_equal(self.lab.grads(), self.model.grads(), "the gradient of a parameter")

    run_state_machine_as_test(Passes, settings=settings(max_examples=30, stateful_step_count=15))
