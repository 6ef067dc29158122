"""C = A @ B by as many programs as the GPU has multiprocessors: each walks over many tiles, moved by descriptors."""

import torch
import triton
import triton.language as tl

LINE = 16  # bytes: a descriptor's memory begins at a multiple of it, and so does each of its rows


def config(block_m, block_n, block_k, warps, stages, parts):
    """One way to cut the work: the shape of a tile, the threads of a program, the depth of its pipeline."""
    blocks = {"BLOCK_M": block_m, "BLOCK_N": block_n, "BLOCK_K": block_k, "GROUP": 8, "PARTS": parts}
    return triton.Config(blocks, num_warps=warps, num_stages=stages)


# The first two are for large products on an H100; the others for products with few tiles and for GPUs with less
# shared memory. A configuration that does not fit is passed over.
CONFIGS = [
    config(128, 256, 64, warps=8, stages=3, parts=1),
    config(128, 256, 64, warps=8, stages=4, parts=2),
    config(128, 128, 64, warps=8, stages=4, parts=1),
    config(64, 128, 64, warps=4, stages=4, parts=1),
]


@triton.jit
def tile_of(number, tiles_m, tiles_n, GROUP: tl.constexpr):
    """The place of tile `number`, as (row, column): down a group of GROUP rows, then on to the next column."""
    group = number // (GROUP * tiles_n)
    within = number % (GROUP * tiles_n)
    first = group * GROUP
    height = min(GROUP, tiles_m - first)  # the last group may have fewer rows
    return first + within % height, within // height


@triton.autotune(CONFIGS, key=["M", "N", "K"])
@triton.jit
def matmul_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K, row_a, row_b, row_c,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr, PARTS: tl.constexpr,
):  # fmt: skip
    # A descriptor knows where its matrix ends: what lies beyond is read as 0 and not written. There are no masks
    a = tl.make_tensor_descriptor(a_ptr, [M, K], [row_a, 1], [BLOCK_M, BLOCK_K])
    b = tl.make_tensor_descriptor(b_ptr, [K, N], [row_b, 1], [BLOCK_K, BLOCK_N])
    c = tl.make_tensor_descriptor(c_ptr, [M, N], [row_c, 1], [BLOCK_M, BLOCK_N // PARTS])
    tiles_m, tiles_n = tl.cdiv(M, BLOCK_M), tl.cdiv(N, BLOCK_N)

    # Every num_programs-th tile, so that those which are computed at the same time are neighbours. `flatten` makes one
    # loop of the two, and the next tile's loads are under way before this one is stored
    for number in tl.range(tl.program_id(0), tiles_m * tiles_n, tl.num_programs(0), flatten=True):
        row, column = tile_of(number, tiles_m, tiles_n, GROUP)
        m, n = row * BLOCK_M, column * BLOCK_N
        total = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
        for step in range(tl.cdiv(K, BLOCK_K)):
            k = step * BLOCK_K
            total = tl.dot(a.load([m, k]), b.load([k, n]), total)
        if PARTS == 1:
            c.store([m, n], total.to(c_ptr.dtype.element_ty))
        else:
            # one half after the other takes half of the shared memory, which is room for one more stage
            left, right = tl.split(tl.permute(tl.reshape(total, (BLOCK_M, 2, BLOCK_N // 2)), (0, 2, 1)))
            c.store([m, n], left.to(c_ptr.dtype.element_ty))
            c.store([m, n + BLOCK_N // 2], right.to(c_ptr.dtype.element_ty))


def scratch(size, alignment, stream):
    """Room on the GPU in which a launch puts its descriptors; Triton asks for it."""
    return torch.empty(size, dtype=torch.int8, device="cuda")


def matmul_into(a, b, out, programs):
    """Write a @ b into `out`, by `programs` programs or fewer. None is empty, and descriptors can describe all three."""
    (M, K), N = a.shape, b.shape[1]

    def grid(meta):
        return (min(programs, triton.cdiv(M, meta["BLOCK_M"]) * triton.cdiv(N, meta["BLOCK_N"])),)

    triton.set_allocator(scratch)
    matmul_kernel[grid](a, b, out, M, N, K, a.stride(0), b.stride(0), out.stride(0))


def new_rows(rows, columns, like):
    """A new [rows, columns] matrix that a descriptor can describe: each row begins at a multiple of 16 bytes."""
    in_line = LINE // like.element_size()
    width = triton.cdiv(columns, in_line) * in_line
    return torch.empty((rows, width), dtype=like.dtype, device=like.device)[:, :columns]


def described(x):
    """x, or where a descriptor cannot describe it, a copy."""
    whole_lines = x.stride(0) * x.element_size() % LINE == 0 and x.data_ptr() % LINE == 0
    return x if x.stride(1) == 1 and whole_lines else new_rows(*x.shape, x).copy_(x)


def matmul(a, b, programs=None):
    """a @ b as a new matrix, for any strides and sizes; by default with one program for each multiprocessor."""
    (M, K), N = a.shape, b.shape[1]
    if b.shape[0] != K or a.dtype != b.dtype:
        raise ValueError("a must be [M, K] and b [K, N], both of one dtype")
    if M == 0 or N == 0 or K == 0:
        # there is nothing to do
        return torch.empty((M, N), dtype=a.dtype, device=a.device)
    if programs is None:
        programs = torch.cuda.get_device_properties(a.device).multi_processor_count if a.is_cuda else 4
    out = new_rows(M, N, a)
    matmul_into(described(a), described(b), out, programs)
    return out.contiguous()
