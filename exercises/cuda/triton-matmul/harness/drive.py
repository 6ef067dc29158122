"""Runs tile_of() by itself, and matmul_into() on prepared memory; says what it saw."""

import matmul
import torch
import triton
import triton.language as tl
from matmul import tile_of


@triton.jit
def _order_kernel(tiles_ptr, tiles_m, tiles_n, GROUP: tl.constexpr):
    pid = tl.program_id(0)
    row, column = tile_of(pid, tiles_m, tiles_n, GROUP)
    tl.store(tiles_ptr + 2 * pid, row)
    tl.store(tiles_ptr + 2 * pid + 1, column)


def order(tiles_m, tiles_n, group, device="cpu"):
    """The tile of every program, [programs, 2]: row and column by number of the program."""
    programs = tiles_m * tiles_n
    tiles = torch.empty((programs, 2), dtype=torch.int32, device=device)
    _order_kernel[(programs,)](tiles, tiles_m, tiles_n, GROUP=group)
    return tiles


def into(a, b, out):
    """`out` after matmul_into()."""
    matmul.matmul_into(a, b, out)
    return out


@triton.jit
def _first_tile(pid, tiles_m, tiles_n, GROUP: tl.constexpr):
    return pid * 0, pid * 0


def into_first_tile(a, b, out):
    """`out` after a matmul_into() in which tile_of() sends every program to the first tile."""
    matmul.tile_of, own = _first_tile, matmul.tile_of
    try:
        return into(a, b, out)
    finally:
        matmul.tile_of = own
