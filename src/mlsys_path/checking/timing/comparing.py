"""Results of timed calls against the reference, on the device that both are on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlsys_path.checking.failures import TimingRefused
from mlsys_path.checking.testing import _TOLERANCES, assert_close
from mlsys_path.language import _

PIECE = 1 << 24  # elements that are compared at a time: wide copies of all of them would not fit


def close(got: Any, expected: Any, rtol: float, atol: float) -> bool:
    """Whether |got - expected| <= atol + rtol |expected| everywhere, NaN and infinities where they are expected."""
    import torch

    mine, theirs = got.reshape(-1), expected.reshape(-1)
    exact = not expected.dtype.is_floating_point and not expected.dtype.is_complex
    wide = torch.complex128 if expected.dtype.is_complex else torch.float64
    for at in range(0, theirs.numel(), PIECE):
        a, b = mine[at : at + PIECE], theirs[at : at + PIECE]
        if exact and not rtol and not atol:
            same = a == b
        else:
            a, b = a.to(wide), b.to(wide)
            same = (a - b).abs() <= atol + rtol * b.abs()
            same &= b.isfinite()
            same |= (a == b) | (a.isnan() & b.isnan())
        if not bool(same.all()):
            return False
    return True


def demand_close(
    got: Sequence[Any],
    expected: Sequence[Any],
    earlier: Sequence[Sequence[Any]],
    *,
    rtol: float | None,
    atol: float | None,
) -> None:
    """Demand the expected results; those of an earlier call's inputs are called what they are."""
    for number, (mine, theirs) in enumerate(zip(got, expected, strict=True)):
        default = _TOLERANCES.get(str(theirs.dtype).removeprefix("torch."), (0.0, 0.0))
        limits = (default[0] if rtol is None else rtol, default[1] if atol is None else atol)
        if close(mine, theirs, *limits):
            continue
        for results in earlier:
            if close(mine, results[number], *limits):
                raise TimingRefused(
                    _("a timed call returned the result of an earlier call's inputs: it computed nothing")
                )
        what = _("the result of a timed call") + (f" [{number}]" if len(expected) > 1 else "")
        assert_close(mine.cpu(), theirs.cpu(), rtol=limits[0], atol=limits[1], what=what)
        raise TimingRefused(_("the result of a timed call could not be compared"))
