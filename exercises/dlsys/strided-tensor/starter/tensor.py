"""A tensor is a flat list, and a rule for reading it: shape, strides and offset."""


def contiguous_strides(shape):
    """The strides of a row-major layout: (2, 3, 4) -> (12, 4, 1)."""
    raise NotImplementedError("write contiguous_strides(): from the last dimension, which has stride 1, to the first")


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

    # -- views: new shape, strides and offset over the same storage

    def __getitem__(self, index):
        """Integers drop a dimension, slices keep it; dimensions that are not named are kept whole."""
        raise NotImplementedError("write t[index]: a Tensor over the same storage, with new shape, strides and offset")

    def permute(self, *dims):
        """Dimension k of the result is dimension dims[k] of this tensor."""
        raise NotImplementedError("write permute(): reorder shape and strides alike")

    def expand(self, *shape):
        """Repeat dimensions of size 1, and add dimensions in front, without a copy."""
        raise NotImplementedError("write expand(): which stride reads the same element again and again?")

    def reshape(self, *shape):
        """The elements in row-major order under a new shape: a view if strides can say it, else a copy."""
        raise NotImplementedError("write reshape(): first find out whether there are strides for the new shape")

    # -- copies

    def is_contiguous(self):
        """Whether the elements lie one after another in row-major order."""
        raise NotImplementedError("write is_contiguous(): compare the strides with those of a row-major layout")

    def contiguous(self):
        """This tensor if it is contiguous, else a copy that is."""
        raise NotImplementedError("write contiguous(): self, or a copy of the elements in row-major order")

    # -- elements

    def __setitem__(self, index, value):
        """Write one number to every element of self[index]."""
        raise NotImplementedError("write t[index] = number: for every element of the view self[index]")

    def __add__(self, other):
        """Elementwise, with broadcasting, into a new tensor; `other` is a Tensor or a number."""
        raise NotImplementedError("write +: find the common shape, expand both, add element by element")
