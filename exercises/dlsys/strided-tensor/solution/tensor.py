"""A tensor is a flat list, and a rule for reading it: shape, strides and offset."""

import math


def contiguous_strides(shape):
    """The strides of a row-major layout: (2, 3, 4) -> (12, 4, 1)."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


class Tensor:
    """Element (i, j, …) is storage[offset + i * strides[0] + j * strides[1] + …]."""

    def __init__(self, storage, shape, strides=None, offset=0):
        self.storage = storage  # never copied here: a view holds the list of its base
        self.shape = tuple(shape)
        self.strides = contiguous_strides(self.shape) if strides is None else tuple(strides)
        self.offset = offset

    def __repr__(self):
        return f"Tensor({self.tolist()})"

    def tolist(self):
        """Nested lists; a plain number for a tensor without dimensions."""
        if not self.shape:
            return self.storage[self.offset]
        return [self[i].tolist() for i in range(self.shape[0])]

    def addresses(self):
        """Where in the storage each element lies, in row-major order."""
        found = [self.offset]
        for n, stride in zip(self.shape, self.strides, strict=True):
            found = [a + i * stride for a in found for i in range(n)]
        return found

    # -- views: new shape, strides and offset over the same storage

    def __getitem__(self, index):
        """Integers drop a dimension, slices keep it; dimensions that are not named are kept whole."""
        index = index if isinstance(index, tuple) else (index,)
        rank = len(self.shape)
        if len(index) > rank:
            raise IndexError(f"{len(index)} indices for a tensor of {rank} dimensions")
        index += (slice(None),) * (rank - len(index))
        shape, strides, offset = [], [], self.offset
        for i, n, stride in zip(index, self.shape, self.strides, strict=True):
            if isinstance(i, slice):
                start, stop, step = i.indices(n)
                offset += start * stride
                shape.append(len(range(start, stop, step)))
                strides.append(stride * step)
            elif -n <= i < n:
                offset += i % n * stride
            else:
                raise IndexError(f"index {i} is out of range for a dimension of size {n}")
        return Tensor(self.storage, shape, strides, offset)

    def permute(self, *dims):
        """Dimension k of the result is dimension dims[k] of this tensor."""
        if sorted(dims) != list(range(len(self.shape))):
            raise ValueError(f"{dims} is no permutation of {len(self.shape)} dimensions")
        shape, strides = [self.shape[d] for d in dims], [self.strides[d] for d in dims]
        return Tensor(self.storage, shape, strides, self.offset)

    def expand(self, *shape):
        """Repeat dimensions of size 1, and add dimensions in front, without a copy: their stride is 0."""
        new = len(shape) - len(self.shape)
        old_shape, old_strides = (1,) * new + self.shape, (0,) * new + self.strides
        if new < 0 or any(m not in (1, n) for m, n in zip(old_shape, shape, strict=True)):
            raise ValueError(f"cannot expand {self.shape} to {shape}")
        strides = [s if m == n else 0 for m, n, s in zip(old_shape, shape, old_strides, strict=True)]
        return Tensor(self.storage, shape, strides, self.offset)

    def reshape(self, *shape):
        """The elements in row-major order under a new shape: a view if strides can say it, else a copy."""
        size = math.prod(self.shape)
        if -1 in shape:
            rest = -math.prod(shape)  # of the other dimensions
            shape = [size // rest if n == -1 and rest > 0 else n for n in shape]
        if math.prod(shape) != size or any(n < 0 for n in shape):
            raise ValueError(f"cannot reshape {self.shape} to {tuple(shape)}")
        strides = self._strides_under(shape)
        if strides is None:
            return self._copy().reshape(*shape)
        return Tensor(self.storage, shape, strides, self.offset)

    def _strides_under(self, shape):
        """The strides that read the same elements under `shape`, or None when there are none."""
        if 0 in shape:
            return contiguous_strides(shape)
        # neighbours that step evenly into each other are one run: [(size, stride), …]
        runs = []
        for n, stride in zip(self.shape, self.strides, strict=True):
            if runs and runs[-1][1] == n * stride:
                runs[-1] = (runs[-1][0] * n, stride)
            elif n != 1:
                runs.append((n, stride))
        # cut the new dimensions from the runs, innermost first; none may reach over the end of its run
        strides, left, stride = [], 1, 1
        for n in reversed(shape):
            if left == 1 and n != 1:
                left, stride = runs.pop()
            if left % n:
                return None
            strides.append(stride)
            left, stride = left // n, stride * n
        return strides[::-1]

    # -- copies

    def _copy(self):
        return Tensor([self.storage[a] for a in self.addresses()], self.shape)

    def is_contiguous(self):
        """Whether the elements lie one after another in row-major order; steps along size 1 do not count."""
        actual = zip(self.shape, self.strides, contiguous_strides(self.shape), strict=True)
        return 0 in self.shape or all(n == 1 or stride == wanted for n, stride, wanted in actual)

    def contiguous(self):
        """This tensor if it is contiguous, else a copy that is."""
        return self if self.is_contiguous() else self._copy()

    # -- elements

    def __setitem__(self, index, value):
        """Write one number to every element of self[index]."""
        for address in self[index].addresses():
            self.storage[address] = value

    def __add__(self, other):
        """Elementwise, with broadcasting, into a new tensor; `other` is a Tensor or a number."""
        other = other if isinstance(other, Tensor) else Tensor([other], ())
        shape = broadcast(self.shape, other.shape)
        a, b = self.expand(*shape), other.expand(*shape)
        pairs = zip(a.addresses(), b.addresses(), strict=True)
        return Tensor([a.storage[i] + b.storage[j] for i, j in pairs], shape)


def broadcast(a, b):
    """The common shape of two shapes: aligned at the end, equal sizes or 1."""
    rank = max(len(a), len(b))
    a, b = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    if any(m != n and 1 not in (m, n) for m, n in zip(a, b, strict=True)):
        raise ValueError(f"shapes {a} and {b} do not broadcast")
    return tuple(n if m == 1 else m for m, n in zip(a, b, strict=True))
