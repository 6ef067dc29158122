"""timing.cuh draws its inputs on the device, and the checker draws them again: the same bits, in every dtype."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from mlsys_path.checking.bench import TIMING_HEADER  # noqa: E402
from mlsys_path.checking.timing.program import Array, draw, numbers, seeds, signed  # noqa: E402

COUNT = 5000
MASK = (1 << 64) - 1
SEEDS = (0, 1, 0x0123456789ABCDEF, (1 << 62) - 1, MASK)
ARRAYS = [
    *(Array(dtype, COUNT) for dtype in ("float16", "bfloat16", "float32", "float64")),
    *(Array(dtype, COUNT, -3.7, 11.3) for dtype in ("float16", "bfloat16", "float32", "float64")),
    Array("float16", COUNT, -1e-5, 1e-5),  # below the smallest normal number
    Array("float16", COUNT, 0.0, 60000.0),
    Array("int32", COUNT, 0, 256),
    Array("int32", COUNT, -100, 100),
    Array("int64", COUNT, 0, 1 << 31),
    Array("int64", COUNT, -5, -5),
    Array("uint8", COUNT, 0, 256),
    Array("int8", COUNT, -128, 128),
]
# what is CUDA's of the code that draws, for a compiler of C++
AROUND = """\
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>
#define __host__
#define __device__
#define __global__
struct Three { unsigned x, y, z; };
static const Three blockIdx{0, 0, 0}, blockDim{1, 1, 1}, gridDim{1, 1, 1}, threadIdx{0, 0, 0};
static double __dadd_rn(double a, double b) { return a + b; }
static double __dmul_rn(double a, double b) { return a * b; }
%s
int main(int argc, char **argv)
{
    std::string dtype = argv[1];
    size_t size, count = std::strtoull(argv[2], nullptr, 10);
    int kind = kind_of(dtype, size);
    std::vector<char> data(count * size);
    fill(data.data(), count, kind, std::atof(argv[3]), std::atof(argv[4]), std::strtoull(argv[5], nullptr, 10));
    std::fwrite(data.data(), 1, data.size(), stdout);
}
"""


@pytest.fixture(scope="module")
def twin(tmp_path_factory) -> Path:
    """The part of timing.cuh that draws, as a program of the CPU's."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("needs g++")
    text = TIMING_HEADER.read_text()
    drawing = text[text.index("// splitmix64") : text.index("constexpr size_t shift")]
    folder = tmp_path_factory.mktemp("twin")
    (folder / "twin.cpp").write_text(AROUND % drawing)
    subprocess.run(
        [compiler, "-std=c++20", "-O1", "-ffp-contract=off", "-o", folder / "twin", folder / "twin.cpp"],
        check=True,
    )
    return folder / "twin"


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}-{a.low:g}-{a.high:g}")
def test_both_draw_the_same_bits(twin, array):
    for seed in SEEDS:
        arguments = [array.dtype, str(array.count), repr(array.low), repr(array.high), str(seed)]
        theirs = subprocess.run([twin, *arguments], check=True, capture_output=True).stdout
        mine = draw(array, seed, "cpu")
        assert mine.dtype is getattr(torch, array.dtype)
        same = mine.view(torch.uint8) if mine.dtype is not torch.uint8 else mine
        assert bytes(same.numpy().tobytes()) == theirs, (array, seed)


def splitmix(seed: int, i: int) -> int:
    """As its authors wrote it."""
    z = (seed + (i + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return (z ^ (z >> 31)) >> 32


@pytest.mark.parametrize("seed", SEEDS)
def test_the_numbers_are_splitmix64s(seed):
    assert numbers(seed, 100, "cpu").tolist() == [splitmix(seed, i) for i in range(100)]


def test_what_is_drawn_lies_where_it_is_asked_for():
    for array in ARRAYS:
        values = draw(array, 7, "cpu").to(torch.float64)
        assert values.min() >= array.low * (1 + 1e-2 * (array.low < 0)) - 1e-9
        assert values.max() <= array.high + abs(array.high) * 1e-2
    halves = draw(Array("float32", 1 << 16), 7, "cpu")
    assert abs(float(halves.mean())) < 0.02
    assert len(halves.unique()) > 60_000


def test_each_input_has_a_seed_of_its_own_that_no_call_repeats():
    found = [tuple(seeds(call, 3)) for call in range(100)]
    assert len({seed for each in found for seed in each}) == 300
    assert all(0 <= seed <= MASK for each in found for seed in each)


def test_integers_of_the_same_bits():
    assert signed(MASK) == -1
    assert signed(1 << 63) == -(1 << 63)
    assert signed(5) == 5


def test_what_a_check_writes_is_what_the_harness_reads():
    assert Array.of(("float32", 8)).line == "float32 8 -1.0 1.0"
    assert Array.of(("int32", 8, 0, 256)).line == "int32 8 0 256"
