"""The tutorial's table; recorded as pandas prints it, for want of a GPU."""

from __future__ import annotations

import pytest

from mlsys_path.cli.show_build import table
from mlsys_path.triton_build.tutorial import Row, draw, parse

OLDER = """\
✅ Triton and Torch match
matmul-performance-fp16:
         M       N       K      cuBLAS      Triton
0    256.0   256.0   256.0    4.096000    3.640889
1    384.0   384.0   384.0   11.059200   12.288000
30  4096.0  4096.0  4096.0  600.000000  540.500000
matmul-performance-fp8:
         M       N       K      Triton
0    256.0   256.0   256.0    3.000000
"""
NEWER = OLDER.replace("     cuBLAS      Triton\n", "  cuBLAS (TFLOPS)  Triton (TFLOPS)\n")


@pytest.mark.parametrize("text", [OLDER, NEWER], ids=["older", "newer"])
def test_the_table_is_read(text):
    name, rows = parse(text)
    assert name == "cuBLAS"
    assert rows[0] == Row(256, 256, 256, 4.096, 3.640889)
    assert [row.m for row in rows] == [256, 384, 4096]


def test_the_table_is_drawn_in_one_scale():
    name, rows = parse(OLDER)
    lines = draw(name, rows)
    assert len(lines) == 6
    assert lines[4].count("█") == 40
    assert lines[5].count("█") == 36
    assert "0.90×" in lines[5]


def test_without_a_gpu_there_is_none():
    assert parse("no table") == ("", ())
    assert table({"results": []}) == []
    assert table({"table": {"library": "", "rows": []}}) == []
