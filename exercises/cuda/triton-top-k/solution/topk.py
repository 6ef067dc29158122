"""The k largest elements of each row with their positions, by radix selection: the row is never sorted.

A row is cut into pieces, as a GPU has more processors than a batch has rows. Each piece gives its k largest, and the
candidates of all pieces, few by then, are put in order by counting.
"""

import torch
import triton
import triton.language as tl

BLOCK = 2048  # elements of a piece at a time
PIECE = 16384  # elements that are worth a program of their own
MOST = 256  # k
CANDIDATES = 1024  # of all pieces: order_kernel compares each with each


@triton.jit
def keys_of(x):
    """Unsigned integers of 32 bits in the order of the numbers: NaN is the largest, and -0.0 is 0.0."""
    if x.dtype.primitive_bitwidth == 16:
        bits = x.to(tl.uint16, bitcast=True).to(tl.uint32) << 16
    else:
        bits = x.to(tl.uint32, bitcast=True)
    # of negative numbers the larger bits are the smaller number
    keys = tl.where((bits >> 31) != 0, bits ^ 0xFFFFFFFF, bits | 0x80000000)
    x = x.to(tl.float32)
    keys = tl.where(x == 0, 0x80000000, keys)
    return tl.where(x != x, 0xFFFFFFFF, keys)


@triton.jit
def next_digit(x_ptr, begin, end, columns, known, wanted, SHIFT: tl.constexpr, BLOCK: tl.constexpr):
    """The next 8 bits of the wanted-th largest of the keys that begin with `known`, and which of those it is."""
    lane = tl.arange(0, BLOCK)
    counts = tl.zeros([256], tl.int32)
    for first in tl.range(begin, end, BLOCK):
        candidate = first + lane < columns
        keys = keys_of(tl.load(x_ptr + first + lane, mask=candidate, other=0.0)) >> SHIFT
        if SHIFT < 24:
            candidate = candidate & ((keys >> 8) == known)
        counts += tl.histogram((keys & 255).to(tl.int32), 256, mask=candidate)
    or_more = tl.cumsum(counts, 0, reverse=True)  # [256]: keys with this digit or a larger one
    more = or_more - counts
    here = (more < wanted) & (wanted <= or_more)  # true of exactly one digit
    digit = tl.sum(tl.where(here, tl.arange(0, 256), 0), 0)
    wanted -= tl.sum(tl.where(here, more, 0), 0)
    return (known << 8) | digit.to(tl.uint32), wanted


@triton.jit
def select_kernel(x_ptr, candidates_ptr, x_row, columns, k, BLOCK: tl.constexpr):
    row, piece, pieces = tl.program_id(0).to(tl.int64), tl.program_id(1), tl.num_programs(1)
    x_ptr += row * x_row
    candidates_ptr += (row * pieces + piece) * k
    # whole blocks, so that each begins where 16 bytes are loaded at once
    blocks = tl.cdiv(columns, BLOCK)
    begin = piece * blocks // pieces * BLOCK
    end = (piece + 1) * blocks // pieces * BLOCK
    lane = tl.arange(0, BLOCK)

    # the k-th largest key, digit by digit from the top; a number of 16 bits has two digits
    HALF: tl.constexpr = x_ptr.dtype.element_ty.primitive_bitwidth == 16
    known, wanted = next_digit(x_ptr, begin, end, columns, tl.zeros([], tl.uint32), k, 24, BLOCK)
    known, wanted = next_digit(x_ptr, begin, end, columns, known, wanted, 16, BLOCK)
    if not HALF:
        known, wanted = next_digit(x_ptr, begin, end, columns, known, wanted, 8, BLOCK)
        known, wanted = next_digit(x_ptr, begin, end, columns, known, wanted, 0, BLOCK)

    # all that is larger, and the first `wanted` of what is equal; a scan gives each its place
    equals = 0
    total = 0
    for first in tl.range(begin, end, BLOCK):
        inside = first + lane < columns
        keys = keys_of(tl.load(x_ptr + first + lane, mask=inside, other=0.0)) >> (16 if HALF else 0)
        equal = (inside & (keys == known)).to(tl.int32)
        early = equal
        if tl.max(equal, 0) > 0:  # few blocks have any, and a scan is dearer than the question
            early = (equals + tl.cumsum(equal, 0) <= wanted).to(tl.int32) * equal
        chosen = (inside & (keys > known)).to(tl.int32) | early
        if tl.max(chosen, 0) > 0:
            place = total + tl.cumsum(chosen, 0) - 1
            tl.store(candidates_ptr + place, first + lane, mask=chosen != 0)
        equals += tl.sum(equal, 0)
        total += tl.sum(chosen, 0)


@triton.jit
def order_kernel(
    x_ptr, candidates_ptr, values_ptr, positions_ptr, x_row, count, k,
    MINE: tl.constexpr, OTHERS: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    x_ptr += row * x_row
    candidates_ptr += row * count
    i = tl.program_id(1) * MINE + tl.arange(0, MINE)
    inside = i < count
    position = tl.load(candidates_ptr + i, mask=inside, other=0)
    value = tl.load(x_ptr + position, mask=inside, other=0.0)
    mine = keys_of(value)[:, None]
    # the place of each is the number of those ahead of it: larger ones, and equal ones further to the front, as
    # pieces and what each of them chose stand in the order of the row
    place = tl.zeros([MINE], tl.int32)
    for first in tl.range(0, count, OTHERS):
        j = first + tl.arange(0, OTHERS)
        there = j < count
        other = tl.load(x_ptr + tl.load(candidates_ptr + j, mask=there, other=0), mask=there, other=0.0)
        other = keys_of(other)[None, :]
        ahead = (other > mine) | ((other == mine) & (j[None, :] < i[:, None]))
        place += tl.sum((ahead & there[None, :]).to(tl.int32), 1)
    among = inside & (place < k)
    tl.store(values_ptr + row * k + place, value, mask=among)
    tl.store(positions_ptr + row * k + place, position.to(tl.int64), mask=among)


def topk(x, k):
    """(values, positions) of the k largest of each row, the largest first and of equal ones the first; k up to 256."""
    rows, columns = x.shape
    if not 0 <= k <= min(columns, MOST):
        raise ValueError(f"k must lie between 0 and {min(columns, MOST)}")
    values = torch.empty((rows, k), dtype=x.dtype, device=x.device)
    positions = torch.empty((rows, k), dtype=torch.int64, device=x.device)
    if values.numel():
        pieces = max(1, min(columns // PIECE, CANDIDATES // k))  # a piece has at least k elements
        count = pieces * k
        candidates = torch.empty((rows, count), dtype=torch.int32, device=x.device)
        block = min(BLOCK, triton.next_power_of_2(columns))
        select_kernel[(rows, pieces)](x, candidates, x.stride(0), columns, k, BLOCK=block, num_warps=8)
        mine = min(128, triton.next_power_of_2(count))
        order_kernel[(rows, triton.cdiv(count, mine))](
            x, candidates, values, positions, x.stride(0), count, k, MINE=mine, OTHERS=64
        )
    return values, positions
