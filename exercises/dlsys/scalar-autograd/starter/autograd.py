"""Reverse-mode automatic differentiation of scalars."""

import math


class Value:
    """A number that remembers what it was computed from, and the slope towards each of these parents."""

    def __init__(self, data, _parents=()):
        self.data = float(data)
        self.grad = 0.0
        self._parents = _parents  # ((parent, d self / d parent), …)

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    # -- operations: the result, and the slope towards each operand

    def __add__(self, other):
        other = _value(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        raise NotImplementedError("write __mul__: like __add__; what is d(a * b) / da, and what is d(a * b) / db?")

    def __pow__(self, n):
        """To the power of a plain number."""
        raise NotImplementedError("write __pow__: the exponent n is a plain number, only self is a parent")

    def exp(self):
        raise NotImplementedError("write exp(): its slope is its own result")

    def log(self):
        raise NotImplementedError("write log(): the natural logarithm")

    def tanh(self):
        raise NotImplementedError("write tanh(): its slope is easiest to say by its result")

    def relu(self):
        """max(self, 0); the slope at 0 is taken as 0."""
        raise NotImplementedError("write relu(): slope 1 above zero, 0 elsewhere")

    # -- what follows from these

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        raise NotImplementedError("write __sub__ with what you have: a - b is a + (-b)")

    def __truediv__(self, other):
        raise NotImplementedError("write __truediv__ with what you have: a / b is a * b ** -1")

    # Python asks these when the left operand is a plain number: 2 + v, 2 * v, 2 - v, 2 / v

    def __radd__(self, other):
        raise NotImplementedError("write __radd__: other + self")

    def __rmul__(self, other):
        raise NotImplementedError("write __rmul__: other * self")

    def __rsub__(self, other):
        raise NotImplementedError("write __rsub__: other - self, in this order")

    def __rtruediv__(self, other):
        raise NotImplementedError("write __rtruediv__: other / self, in this order")

    # -- the backward pass

    def backward(self):
        """Add d self / d v to v.grad, for every v that self was computed from and for self."""
        raise NotImplementedError("write backward(): order the values so that each comes after all that use it")


def _value(x):
    return x if isinstance(x, Value) else Value(x)
