"""The k largest elements of each row with their positions, by radix selection: the row is never sorted."""

import torch
import triton
import triton.language as tl

BLOCK = 4096  # elements of a row at a time
MOST = 256


@triton.jit
def keys_of(x):
    """Unsigned integers of 32 bits in the order of the numbers: NaN is the largest, and -0.0 is 0.0."""
    # x.to(tl.uint32, bitcast=True) has the bits of a float32; for 16-bit types go through tl.uint16, and shift up
    # 1. positive numbers are in the order of their bits already; what about negative ones, whose top bit is set?
    # 2. 0.0 and -0.0 must have one key, and so must all NaNs


@triton.jit
def next_digit(x_ptr, columns, known, wanted, SHIFT: tl.constexpr, BLOCK: tl.constexpr):
    """The next 8 bits of the wanted-th largest of the keys that begin with `known`, and which of those it is."""
    # 1. over the blocks of the row: add up tl.histogram of these 8 bits, of the keys that begin with `known` only
    # 2. a scan of the 256 counts from the top tells in which bin the wanted-th largest lies
    # 3. return `known` with this digit behind it, and `wanted` less what lies in larger bins


@triton.jit
def select_kernel(x_ptr, chosen_ptr, x_row, columns, k, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)  # one program a row
    x_ptr += row * x_row
    chosen_ptr += row * k
    # 1. the k-th largest key, digit by digit from the top: four digits, or two of a 16-bit type
    # 2. once more over the row: choose what is larger, and of what is equal the first that are still wanted;
    #    a scan of the chosen gives each its place in chosen_ptr


@triton.jit
def order_kernel(
    x_ptr, chosen_ptr, values_ptr, positions_ptr, x_row, k, K: tl.constexpr, OTHERS: tl.constexpr
):
    row = tl.program_id(0).to(tl.int64)
    # the k chosen ones of this row are few: the place of each is the number of those that go before it


def topk(x, k):
    """(values, positions) of the k largest of each row, the largest first and of equal ones the first; k up to 256."""
    rows, columns = x.shape
    if not 0 <= k <= min(columns, MOST):
        raise ValueError(f"k must lie between 0 and {min(columns, MOST)}")
    values = torch.empty((rows, k), dtype=x.dtype, device=x.device)
    positions = torch.empty((rows, k), dtype=torch.int64, device=x.device)
    raise NotImplementedError("write the kernels, then launch select_kernel and order_kernel here")
