"""C = A @ B by as many programs as the GPU has multiprocessors: each walks over many tiles, moved by descriptors."""

import torch
import triton
import triton.language as tl

# The tile of C that a program computes before it goes on to the next, and how much of K it takes at a time.
# Begin with these; @triton.autotune can choose among larger ones when everything else is right.
BLOCK_M, BLOCK_N, BLOCK_K = 64, 64, 64
GROUP = 8


@triton.jit
def tile_of(number, tiles_m, tiles_n, GROUP: tl.constexpr):
    """The place of tile `number`, as (row, column): down a group of GROUP rows, then on to the next column."""
    # from the exercise triton-matmul, complete: tiles whose numbers are neighbours share what they read
    group = number // (GROUP * tiles_n)
    within = number % (GROUP * tiles_n)
    first = group * GROUP
    height = min(GROUP, tiles_m - first)  # the last group may have fewer rows
    return first + within % height, within // height


@triton.jit
def matmul_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K, row_a, row_b, row_c,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr,
):  # fmt: skip
    # row_a, row_b, row_c: elements from one row to the next. Within a row elements lie side by side
    # 1. a descriptor of each matrix: tl.make_tensor_descriptor(a_ptr, shape, strides, block_shape)
    # 2. tiles_m, tiles_n; then over the numbers of this program's tiles: which of them are they, of 0 … tiles_m * tiles_n?
    # 3. for each: its place by tile_of(number, tiles_m, tiles_n, GROUP), a sum in float32 that begins with 0,
    #    the loop along K with a.load([m, k]) and b.load([k, n]) (elements, not tiles), c.store([m, n], …)
    pass


def scratch(size, alignment, stream):
    """Room on the GPU in which a launch puts its descriptors; Triton asks for it."""
    return torch.empty(size, dtype=torch.int8, device="cuda")


def matmul_into(a, b, out, programs):
    """Write a @ b into `out`, by `programs` programs or fewer. None is empty, and descriptors can describe all three."""
    triton.set_allocator(scratch)
    raise NotImplementedError(
        "write matmul_kernel, then launch it here: `programs` programs, however many tiles there are"
    )


def matmul(a, b, programs=None):
    """a @ b as a new matrix, for any strides and sizes; by default with one program for each multiprocessor."""
    (M, K), N = a.shape, b.shape[1]
    if b.shape[0] != K or a.dtype != b.dtype:
        raise ValueError("a must be [M, K] and b [K, N], both of one dtype")
    if programs is None:
        programs = torch.cuda.get_device_properties(a.device).multi_processor_count if a.is_cuda else 4
    # Right for matrices whose rows begin at multiples of 16 bytes. The others, and empty ones, are yours to add
    out = torch.empty((M, N), dtype=a.dtype, device=a.device)
    matmul_into(a, b, out, programs)
    return out
