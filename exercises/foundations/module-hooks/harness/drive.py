"""Builds module trees, runs passes through them and reports what was seen."""

import copy
import threading

import nn


class Scale(nn.Module):
    """y = w x + b"""

    def __init__(self, w, b):
        super().__init__()
        self.w, self.b = w, b

    def forward(self, x):
        self.x = x
        return self.w.data * x + self.b.data

    def backward(self, grad):
        self.w.grad += grad * self.x
        self.b.grad += grad
        return self.w.data * grad


class Chain(nn.Module):
    """Its parts one after another."""

    def __init__(self, parts):
        super().__init__()
        self.order = list(parts)
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        for name in self.order:
            x = getattr(self, name)(x)
        return x

    def backward(self, grad):
        for name in reversed(self.order):
            grad = getattr(self, name).backprop(grad)
        return grad


class Lab:
    """A tree of modules under observation.

    A tree is `(w, b)` for a Scale and `{name: tree, …}` for a Chain; "@path" in place of a tree or of a
    number stands for the module or the parameter that was built at this path before.
    """

    def __init__(self, tree):
        self.built = {}  # path -> module or parameter, at the first path
        self.root = self._build(tree, "")
        self.paths = {id(thing): path for path, thing in self.built.items()}
        self.handles = []
        self.events = []

    def _build(self, tree, path):
        if isinstance(tree, str):
            return self.built[tree[1:]]
        join = f"{path}." if path else ""
        if isinstance(tree, dict):
            module = Chain({name: self._build(part, join + name) for name, part in tree.items()})
        else:
            w, b = tree
            module = Scale(self._parameter(w, f"{join}w"), self._parameter(b, f"{join}b"))
        self.built[path] = module
        return module

    def _parameter(self, data, path):
        if isinstance(data, str):
            return self.built[data[1:]]
        self.built[path] = nn.Parameter(data)
        return self.built[path]

    # -- the tree

    def parameters(self):
        return [
            [path, parameter.data, self.paths[id(parameter)]]
            for path, parameter in self.root.named_parameters()
        ]

    def modules(self):
        return [[path, self.paths[id(module)]] for path, module in self.root.named_modules()]

    def state(self):
        return self.root.state_dict()

    def load(self, state, **options):
        return self.root.load_state_dict(state, **options)

    def held(self):
        """The data of the parameters as whoever holds them sees it, an optimizer for one."""
        return {path: thing.data for path, thing in self.built.items() if isinstance(thing, nn.Parameter)}

    def grads(self):
        return {path: thing.grad for path, thing in self.built.items() if isinstance(thing, nn.Parameter)}

    def train(self, path, *mode):
        return self.built[path].train(*mode) is self.built[path]

    def eval(self, path):
        return self.built[path].eval() is self.built[path]

    def training(self):
        return {path: thing.training for path, thing in self.built.items() if isinstance(thing, nn.Module)}

    # -- hooks and passes

    def hook(self, path, kind, does="look", what=None):
        """Register a hook; returns its number."""
        number = len(self.handles)

        def run(module, *values):
            self.events.append((number, self.paths[id(module)], *values))
            if does == "add":
                return values[0 if kind != "forward" else 1] + what
            if does == "return":
                return what
            if does == "remove" and what < len(self.handles):
                self.handles[what].remove()
            if does == "hook":
                self.hook(*what)
            return None

        self.handles.append(None)
        self.handles[number] = getattr(self.built[path], f"register_{kind}_hook")(run)
        return number

    def remove(self, number):
        self.handles[number].remove()

    def forward(self, x):
        return self._seen(self.root(x))

    def forward_no_grad(self, x):
        with nn.no_grad():
            return self._seen(self.root(x))

    def backprop(self, grad):
        return self._seen(self.root.backprop(grad))

    def _seen(self, result):
        events, self.events = self.events, []
        return [result, events]


def same_hook_many_times(times, removals, x):
    """One function registered `times` times; after each removal, by number, how often it runs."""
    module = Scale(nn.Parameter(1), nn.Parameter(0))
    count = []

    def run(module, x, y):
        count.append(y)

    handles = [module.register_forward_hook(run) for _ in range(times)]
    seen = []
    for number in removals:
        handles[number].remove()
        count.clear()
        module(x)
        seen.append(len(count))
    return seen


def within(x):
    """How often hooks run inside and after `with`, when the block ends well and when it raises."""
    module = Scale(nn.Parameter(1), nn.Parameter(0))
    count = []
    seen = []
    for fails in (False, True):
        try:
            with module.register_forward_pre_hook(lambda module, x: count.append(x)):
                module(x)
                if fails:
                    raise KeyError(x)
        except KeyError as error:
            seen.append(error.args[0])
        seen.append(len(count))
        module(x)
        seen.append(len(count))
    return seen


def copied(w, b, name, other):
    """A deep copy: its parameter's data, and both modules' data after a change to the copy."""
    module = Chain({name: Scale(nn.Parameter(w), nn.Parameter(b))})
    twin = copy.deepcopy(module)
    first = twin.state_dict()
    getattr(twin, name).w.data = other
    return [
        first,
        twin.state_dict(),
        module.state_dict(),
        [hasattr(module, "missing"), hasattr(twin, "missing")],
    ]


def forgetful(kind):
    """Sets a parameter or a module before `super().__init__()`."""

    class Forgetful(nn.Module):
        def __init__(self):
            self.part = nn.Parameter(1) if kind == "parameter" else Scale(nn.Parameter(1), nn.Parameter(2))

    Forgetful()


def looks(blocks):
    """What is_grad_enabled() says at the start of each of the nested blocks, and again after it."""
    seen = []
    _run(blocks, seen)
    return seen


def _run(blocks, seen):
    seen.append(nn.is_grad_enabled())
    for kind, body in blocks:
        if kind == "with":
            with nn.no_grad():
                _run(body, seen)
        elif kind == "raise":
            try:
                with nn.no_grad():
                    _run(body, seen)
                    raise KeyError("the block fails")
            except KeyError:
                pass
        elif kind == "call":
            nn.no_grad()(_run)(body, seen)
        elif kind == "thread":
            thread = threading.Thread(target=_run, args=(body, seen))
            thread.start()
            thread.join()
        seen.append(nn.is_grad_enabled())


def decorated(depth, scale):
    """A decorated recursive function: its result, what it saw on its way down and up, and its name."""
    seen = []

    @nn.no_grad()
    def descend(depth, *, scale):
        """Goes down."""
        seen.append(nn.is_grad_enabled())
        below = descend(depth - 1, scale=scale) if depth else 0
        seen.append(nn.is_grad_enabled())
        return below + scale

    results = [descend(depth, scale=scale), descend(0, scale=-scale)]
    return [results, seen, nn.is_grad_enabled(), descend.__name__, descend.__doc__]
