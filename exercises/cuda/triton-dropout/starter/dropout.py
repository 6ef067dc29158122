"""Dropout whose mask is never stored: a function of the seed and of the element's index, computed again when needed."""

import torch
import triton
import triton.language as tl


@triton.jit
def dropout_kernel(x_ptr, out_ptr, n, p, scale, seed, BLOCK: tl.constexpr):
    block = tl.program_id(0)
    # 1. i: the indices of this program's elements, as in a vector addition
    # 2. u: a random number for each. Element i has number i % 4 of the four that tl.rand4x(seed, i // 4) returns
    # 3. keep an element when u >= p: store x * scale there, and 0 elsewhere


def dropout(x, p, seed, block=4096):
    """x with each element dropped with probability p, the others divided by 1 - p, as a new contiguous tensor."""
    raise NotImplementedError("write dropout_kernel, then launch it here with BLOCK=block on a contiguous x")


def dropout_backward(grad, p, seed, block=4096):
    """The gradient of dropout's input, given that of its result: what was dropped has none, the rest is scaled."""
    raise NotImplementedError("which function of grad is this?")
