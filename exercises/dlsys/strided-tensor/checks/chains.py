"""Random chains of views as program text, which runs on the learner's Tensor and on a twin over numpy."""

import math

import numpy as np
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided


class Twin:
    """The same methods over numpy. numpy, too, copies in reshape only when no strides say it."""

    def __init__(self, data, shape=None):
        self.array = data if isinstance(data, np.ndarray) else np.array(data, dtype=np.int64).reshape(shape)

    def permute(self, *dims):
        return Twin(self.array.transpose(dims))

    def reshape(self, *shape):
        return Twin(self.array.reshape(shape))

    def expand(self, *shape):
        strides = np.broadcast_to(self.array, shape).strides
        return Twin(as_strided(self.array, shape, strides))

    def contiguous(self):
        return self if self.array.flags.c_contiguous else Twin(self.array.copy(order="C"))

    def __getitem__(self, index):
        return Twin(self.array[(*index, ...) if isinstance(index, tuple) else (index, ...)])

    def __setitem__(self, index, value):
        self.array[index] = value

    def __add__(self, other):
        other = other.array if isinstance(other, Twin) else other
        return Twin(np.asarray(np.add(self.array, other, order="C")))


class Chain:
    """A program: `t0` is a tensor over the list `data`, every further line makes or writes a tensor."""

    def __init__(self, shape, first):
        data = list(range(first, first + math.prod(shape)))
        self.lines = [f"data = {data}", f"t0 = Tensor(data, {shape})"]
        self.scope = {"Tensor": Twin}
        for line in self.lines:
            exec(line, self.scope)
        self.scope["data"] = self.scope["t0"].array.reshape(-1)
        self.names = ["t0"]

    def shape(self, name):
        return self.scope[name].array.shape

    def add(self, expression):
        """Append a line that makes a tensor; returns its name."""
        name = f"t{len(self.names)}"
        self.run(f"{name} = {expression}")
        self.names.append(name)
        return name

    def run(self, line):
        """Append a line."""
        exec(line, self.scope)
        self.lines.append(line)

    def __str__(self):
        return "\n".join(f"    {line}" for line in self.lines)


def chain(draw, dims=4, rank=3, least=0):
    """A chain with its first tensor; one in ten has a dimension of size 0."""
    sizes = st.sampled_from([*range(2, dims + 1), 1])
    shape = tuple(draw(st.lists(sizes, min_size=least, max_size=rank)))
    if shape and draw(st.integers(0, 9)) == 9:
        shape = (*shape[:-1], 0)
    return Chain(shape, draw(st.integers(0, 900)))


def index(draw, shape, whole=False):
    """The text of an index into a tensor of this shape, such as `1, ::2`; `whole`: slices only."""
    parts = []
    for n in shape[: draw(st.integers(1, len(shape)))]:
        if n and not whole and draw(st.booleans()):
            parts.append(str(draw(st.integers(-n, n - 1))))
        else:
            bound = st.none() | st.integers(-n - 1, n + 1)
            start, stop = draw(st.integers(1, n) | bound if n else bound), draw(bound)
            step = draw(st.sampled_from([None, None, 2, -1, -2]))
            edge = [("" if b is None else str(b)) for b in (start, stop)]
            parts.append(":".join(edge if step is None else [*edge, str(step)]))
    return ", ".join(parts)


def factors(draw, size):
    """A shape of this many elements."""
    if size == 0:
        return draw(st.permutations([0, draw(st.integers(1, 3))]))
    shape = []
    while size > 1 and len(shape) < 4:
        n = draw(st.sampled_from([n for n in range(size, 0, -1) if size % n == 0]))
        shape.append(n)
        size //= n
    if size > 1 or draw(st.integers(0, 3)) == 3:
        shape.append(size)
    return shape


def split(draw, shape):
    """A shape that cuts each dimension on its own, and drops or adds ones: strides can always say it."""
    parts = []
    for n in shape:
        divisors = [d for d in range(1, n + 1) if n % d == 0]
        d = draw(st.sampled_from(divisors)) if divisors else 1
        parts += [d, n // d] if draw(st.booleans()) else [n]
    return [n for n in parts if n != 1 or draw(st.booleans())]


def arguments(numbers):
    return ", ".join(map(str, numbers))


def permute(draw, chain, name):
    dims = draw(st.permutations(range(len(chain.shape(name)))))
    return chain.add(f"{name}.permute({arguments(dims)})") if dims != sorted(dims) else name


def take(draw, chain, name):
    shape = chain.shape(name)
    return chain.add(f"{name}[{index(draw, shape)}]") if shape else name


def expand(draw, chain, name):
    shape = [draw(st.integers(1, 3)) if n == 1 else n for n in chain.shape(name)]
    if len(shape) < 4 and draw(st.booleans()):
        shape.insert(0, draw(st.integers(1, 3)))
    return chain.add(f"{name}.expand({arguments(shape)})") if math.prod(shape) <= 200 else name


def reshape(draw, chain, name):
    old = chain.shape(name)
    shape = split(draw, old) if draw(st.booleans()) else factors(draw, math.prod(old))
    if shape and math.prod(shape) and draw(st.integers(0, 3)) == 3:
        shape[draw(st.integers(0, len(shape) - 1))] = -1
    return chain.add(f"{name}.reshape({arguments(shape)})")


def contiguous(draw, chain, name):
    return chain.add(f"{name}.contiguous()")


def add(draw, chain, name):
    """A sum with one of the tensors whose shapes fit, or with a number, in either order of tensors."""
    shape = chain.shape(name)
    others = []
    for other in chain.names:
        try:
            if math.prod(np.broadcast_shapes(shape, chain.shape(other))) <= 200:
                others.append(other)
        except ValueError:
            continue
    if draw(st.integers(0, 4)) == 4:
        return chain.add(f"{name} + {draw(st.sampled_from([10, -3]))}")
    pair = [name, draw(st.sampled_from(others))]
    return chain.add(" + ".join(pair if draw(st.booleans()) else reversed(pair)))


def write(draw, chain, name):
    """A number that occurs nowhere else goes to some elements."""
    shape = chain.shape(name)
    if shape:
        chain.run(f"{name}[{index(draw, shape)}] = {1000 + len(chain.lines)}")
    return name


VIEWS = [permute, take, expand]
