"""The frame of a deep-learning framework: modules that know their parameters, and hooks around every pass."""


class Parameter:
    """A number that is learned, and the gradient that was accumulated for it."""

    def __init__(self, data):
        self.data = data
        self.grad = 0


def is_grad_enabled():
    """Whether this thread records forward passes for a backward pass."""
    return True


def no_grad():
    """Record nothing inside: `with no_grad():` around a block, or `@no_grad()` above a function."""
    raise NotImplementedError("write no_grad(): switch off, run the block or function, restore what was before")


class Handle:
    """Takes one hook out again; with `with`, at the end of the block."""

    def remove(self):
        raise NotImplementedError("write Handle: it must find its own hook again, and removing twice is harmless")


class Module:
    def __init__(self):
        # straight into the instance, past __setattr__
        vars(self).update(
            training=True,
            _parameters={},  # name -> Parameter, in order of registration
            _modules={},  # name -> Module
        )

    # -- attributes: a name lives in exactly one of the two registries or in the instance itself

    def __setattr__(self, name, value):
        raise NotImplementedError("write __setattr__: register a Parameter or a Module, set anything else as usual")

    def __getattr__(self, name):
        """Python asks here only when the usual places do not have the name."""
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __delattr__(self, name):
        super().__delattr__(name)

    # -- what is in the tree

    def named_parameters(self):
        """(path, parameter), own ones first, then those of each submodule; each parameter once."""
        raise NotImplementedError("write named_parameters(): walk the tree, joining names with a dot")

    def named_modules(self):
        """(path, module), this one first under "", then depth first; each module once."""
        raise NotImplementedError("write named_modules(): this module, then those of each submodule")

    def state_dict(self):
        """{path: data}, with every path of what is shared."""
        raise NotImplementedError("write state_dict(): path -> data, shared parameters under each of their paths")

    def load_state_dict(self, state, strict=True):
        """Take over the data; all of it or, when `strict` and the paths differ, RuntimeError and nothing."""
        raise NotImplementedError("write load_state_dict(): compare the paths first, then set each .data")

    def train(self, mode=True):
        """Set `training` here and in all submodules; returns self."""
        raise NotImplementedError("write train(): set `training` in this module and all below it")

    def eval(self):
        """The same as train(False)."""
        return self.train(False)

    # -- passes and hooks

    def register_forward_pre_hook(self, hook):
        """hook(module, x) runs before forward; what it returns replaces x, unless it is None."""
        raise NotImplementedError("write register_forward_pre_hook(): keep the hook, return a Handle")

    def register_forward_hook(self, hook):
        """hook(module, x, y) runs after forward; what it returns replaces y, unless it is None."""
        raise NotImplementedError("write register_forward_hook(): keep the hook, return a Handle")

    def register_backward_hook(self, hook):
        """hook(module, grad_input, grad_output) runs after backward and may replace grad_input."""
        raise NotImplementedError("write register_backward_hook(): keep the hook, return a Handle")

    def __call__(self, x):
        """The forward pass: pre-hooks, forward, hooks."""
        return self.forward(x)

    def backprop(self, grad_output):
        """The backward pass: backward, hooks; returns the gradient of the input."""
        return self.backward(grad_output)
