"""The frame of a deep-learning framework: modules that know their parameters, and hooks around every pass."""

import contextlib
import itertools
import threading


class Parameter:
    """A number that is learned, and the gradient that was accumulated for it."""

    def __init__(self, data):
        self.data = data
        self.grad = 0


class _Mode(threading.local):
    grad = True  # each thread starts with this


_mode = _Mode()


def is_grad_enabled():
    """Whether this thread records forward passes for a backward pass."""
    return _mode.grad


@contextlib.contextmanager
def no_grad():
    """Record nothing inside: `with no_grad():` around a block, or `@no_grad()` above a function."""
    before, _mode.grad = _mode.grad, False
    try:
        yield
    finally:
        _mode.grad = before


class Handle:
    """Takes one hook out again; with `with`, at the end of the block."""

    _keys = itertools.count()

    def __init__(self, hooks, hook):
        self._hooks, self._key = hooks, next(Handle._keys)
        hooks[self._key] = hook

    def remove(self):
        self._hooks.pop(self._key, None)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.remove()


def _live(hooks):
    """The hooks of one pass: those there at its start, less those that are removed on the way."""
    for key, hook in list(hooks.items()):
        if key in hooks:
            yield hook


class Module:
    def __init__(self):
        vars(self).update(
            training=True,
            _parameters={},  # name -> Parameter, in order of registration
            _modules={},  # name -> Module
            _forward_pre_hooks={},  # key -> hook
            _forward_hooks={},
            _backward_hooks={},
            _recorded=False,  # whether the last forward pass can be followed by a backward pass
        )

    # -- attributes: a name lives in exactly one of the two registries or in the instance itself

    def __setattr__(self, name, value):
        own = vars(self)
        home = "_parameters" if isinstance(value, Parameter) else "_modules" if isinstance(value, Module) else None
        if home and home not in own:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        for place in ("_parameters", "_modules"):
            if place != home and place in own:
                own[place].pop(name, None)
        if home:
            own.pop(name, None)
            own[home][name] = value
        else:
            super().__setattr__(name, value)

    def __getattr__(self, name):  # asked only when the usual places do not have it
        for place in ("_parameters", "_modules"):
            if name in vars(self).get(place, {}):
                return vars(self)[place][name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __delattr__(self, name):
        for place in (self._parameters, self._modules):
            if name in place:
                del place[name]
                return
        super().__delattr__(name)

    # -- what is in the tree

    def _paths(self, prefix=""):
        """(path, parameter) for every path: a shared parameter comes once for each of its paths."""
        for name, parameter in self._parameters.items():
            yield prefix + name, parameter
        for name, module in self._modules.items():
            yield from module._paths(f"{prefix}{name}.")

    def named_parameters(self):
        """(path, parameter), own ones first, then those of each submodule; each parameter once."""
        seen = set()
        for path, parameter in self._paths():
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield path, parameter

    def named_modules(self, prefix="", seen=None):
        """(path, module), this one first under "", then depth first; each module once."""
        seen = set() if seen is None else seen
        if id(self) in seen:
            return
        seen.add(id(self))
        yield prefix, self
        for name, module in self._modules.items():
            yield from module.named_modules(f"{prefix}.{name}" if prefix else name, seen)

    def state_dict(self):
        """{path: data}, with every path of what is shared."""
        return {path: parameter.data for path, parameter in self._paths()}

    def load_state_dict(self, state, strict=True):
        """Take over the data; all of it or, when `strict` and the paths differ, RuntimeError and nothing."""
        own = dict(self._paths())
        missing = [path for path in own if path not in state]
        unexpected = [path for path in state if path not in own]
        for path, parameter in own.items():
            if path in state:
                parameter.data = state[path]
        if strict and (missing or unexpected):
            raise RuntimeError(f"state does not fit: missing {missing}, unexpected {unexpected}")
        return missing, unexpected

    def train(self, mode=True):
        """Set `training` here and in all submodules; returns self."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        """The same as train(False)."""
        return self.train(False)

    # -- passes and hooks

    def register_forward_pre_hook(self, hook):
        """hook(module, x) runs before forward; what it returns replaces x, unless it is None."""
        return Handle(self._forward_pre_hooks, hook)

    def register_forward_hook(self, hook):
        """hook(module, x, y) runs after forward; what it returns replaces y, unless it is None."""
        return Handle(self._forward_hooks, hook)

    def register_backward_hook(self, hook):
        """hook(module, grad_input, grad_output) runs after backward and may replace grad_input."""
        return Handle(self._backward_hooks, hook)

    def __call__(self, x):
        """The forward pass: pre-hooks, forward, hooks."""
        self._recorded = is_grad_enabled()
        for hook in _live(self._forward_pre_hooks):
            changed = hook(self, x)
            x = x if changed is None else changed
        y = self.forward(x)
        for hook in _live(self._forward_hooks):
            changed = hook(self, x, y)
            y = y if changed is None else changed
        return y

    def backprop(self, grad_output):
        """The backward pass: backward, hooks; returns the gradient of the input."""
        if not self._recorded:
            raise RuntimeError("backprop() needs a forward pass that was recorded, outside of no_grad()")
        grad_input = self.backward(grad_output)
        for hook in _live(self._backward_hooks):
            changed = hook(self, grad_input, grad_output)
            grad_input = grad_input if changed is None else changed
        return grad_input
