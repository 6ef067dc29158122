"""Reverse-mode automatic differentiation of scalars."""

import math


class Value:
    """A number that remembers what it was computed from, and the slope towards each of these parents."""

    __slots__ = ("_parents", "data", "grad")

    def __init__(self, data, _parents=()):
        self.data = float(data)
        self.grad = 0.0
        self._parents = _parents  # ((parent, d self / d parent), …), with the parents' data of this moment

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    # -- operations: the result, and the slope towards each operand

    def __add__(self, other):
        other = _value(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = _value(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    def __pow__(self, n):
        """To the power of a plain number."""
        return Value(self.data**n, ((self, n * self.data ** (n - 1)),))

    def exp(self):
        y = math.exp(self.data)
        return Value(y, ((self, y),))

    def log(self):
        return Value(math.log(self.data), ((self, 1 / self.data),))

    def tanh(self):
        y = math.tanh(self.data)
        return Value(y, ((self, 1 - y * y),))

    def relu(self):
        """max(self, 0); the slope at 0 is taken as 0."""
        positive = self.data > 0
        return Value(self.data if positive else 0.0, ((self, float(positive)),))

    # -- what follows from these

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -_value(other)

    def __truediv__(self, other):
        return self * _value(other) ** -1

    def __rsub__(self, other):
        return _value(other) - self

    def __rtruediv__(self, other):
        return _value(other) / self

    __radd__ = __add__
    __rmul__ = __mul__

    # -- the backward pass

    def backward(self):
        """Add d self / d v to v.grad, for every v that self was computed from and for self."""
        flow = {self: 1.0}
        stack, seen = [self], set()
        while stack:
            value = stack.pop()
            if value in seen:
                continue
            seen.add(value)
            for parent, slope in value._parents:
                flow[parent] = flow.get(parent, 0.0) + flow[value] * slope
                stack.append(parent)
        for value, grad in flow.items():
            value.grad += grad


def _value(x):
    return x if isinstance(x, Value) else Value(x)
