"""What the authors of checks use: comparisons whose failures teach."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from mlsys_path.checking import poison
from mlsys_path.checking.events import Mismatch
from mlsys_path.checking.failures import CheckFailed, LearnerDied, LearnerError, Open
from mlsys_path.checking.heat import heat_map
from mlsys_path.checking.remote import Remote
from mlsys_path.checking.show import show
from mlsys_path.language import _

__all__ = ["CheckFailed", "LearnerDied", "LearnerError", "Open", "assert_close", "assert_equal", "fail"]

# (rtol, atol) by dtype: those of torch.testing.assert_close, from its documentation
_TOLERANCES = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}


def fail(message: str, *, got: Any = None, expected: Any = None) -> NoReturn:
    """End the check as failed, with one sentence for the learner and optionally what came back."""
    shown = "" if got is None else show(got)
    raise CheckFailed(message, got=shown, expected="" if expected is None else show(expected))


def assert_equal(got: Any, expected: Any, what: str = "") -> None:
    """Demand the same plain value of the same types all the way down: True is not 1, 1 is not 1.0, NaN is NaN."""
    if isinstance(got, Remote) and isinstance(expected, (list, tuple, set, frozenset, Mapping)):
        got = got._plain()
    where = _difference(got, expected, "")
    if where is None:
        return
    name = what or _("the result")
    message = _("{what} is wrong").format(what=name) + (
        _(", first at {where}").format(where=where) if where else ""
    )
    raise CheckFailed(message, got=show(got), expected=show(expected))


def _difference(got: Any, expected: Any, where: str) -> str | None:
    """Where two values differ first ("" for at the top), or None."""
    if type(got) is not type(expected):
        return where
    if isinstance(expected, float):
        same = got == expected or (math.isnan(got) and math.isnan(expected))
        return None if same else where
    if isinstance(expected, (list, tuple)):
        if len(got) != len(expected):
            return where
        parts: Sequence[tuple[Any, Any, Any]] = [
            (i, g, e) for i, (g, e) in enumerate(zip(got, expected, strict=True))
        ]
    elif isinstance(expected, Mapping):
        if list(map(repr, got)) != list(map(repr, expected)) and set(got) != set(expected):
            return where
        parts = [(repr(k), got[k], v) for k, v in expected.items()]
    elif _library(expected):
        return None if _same_array(got, expected) else where
    else:
        return None if got == expected else where
    found = (_difference(g, e, f"{where}[{k}]") for k, g, e in parts)
    return next((f for f in found if f is not None), None)


def _library(value: Any) -> str:
    root = type(value).__module__.partition(".")[0]
    return root if root in ("torch", "numpy") and hasattr(value, "shape") else ""


def _same_array(got: Any, expected: Any) -> bool:
    if got.dtype != expected.dtype or tuple(got.shape) != tuple(expected.shape):
        return False
    return not bool((~((got == expected) | ((got != got) & (expected != expected)))).any())  # noqa: PLR0124


def assert_close(
    got: Any,
    expected: Any,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    tile: tuple[int, ...] | None = None,
    what: str = "",
) -> None:
    """Demand an array (or number) of the same kind, dtype and shape with |got - expected| <= atol + rtol |expected|.

    NaN and infinities must stand where they are expected. `tile` is the block shape of the kernel: the failure
    names the tile that holds the first wrong element.
    """
    name = what or _("the result")
    library = _library(expected)
    if not library:
        return _close_numbers(got, expected, rtol, atol, name)
    if _library(got) != library:
        raise CheckFailed(
            _("{what} should be a {library} array").format(what=name, library=library),
            got=show(got),
            expected=show(expected),
        )
    dtype = str(expected.dtype).removeprefix("torch.")
    if got.dtype != expected.dtype or tuple(got.shape) != tuple(expected.shape):
        kinds = {"got": _kind(got), "expected": _kind(expected)}
        message = _("{what} is {got}, expected {expected}").format(what=name, **kinds)
        raise CheckFailed(message, got=show(got), expected=show(expected))
    _demand_written(got, expected, tile, name)
    default = _TOLERANCES.get(dtype, (0.0, 0.0))
    rtol = default[0] if rtol is None else rtol
    atol = default[1] if atol is None else atol
    import numpy as np

    mine, theirs = _wide(got), _wide(expected)
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(mine - theirs)
        close = error <= atol + rtol * np.abs(theirs)
        close |= (mine == theirs) | (np.isnan(mine) & np.isnan(theirs))
        close &= np.isfinite(theirs) | (mine == theirs) | np.isnan(theirs)
    if bool(close.all()):
        return None
    wrong = ~close
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    finite = error[wrong & np.isfinite(error)]
    mismatch = Mismatch(
        shape=tuple(int(n) for n in expected.shape),
        dtype=dtype,
        differing=int(wrong.sum()),
        total=int(wrong.size),
        first_index=first,
        got=show(got[first].item()),
        expected=show(expected[first].item()),
        largest_error=float(finite.max()) if finite.size else None,
        tile=_tile(first, tile),
        heat=heat_map(wrong),
    )
    raise CheckFailed(
        mismatch_text(name, mismatch), got=show(got), expected=show(expected), mismatch=mismatch
    )


def _tile(index: tuple[int, ...], tile: tuple[int, ...] | None) -> str:
    return ", ".join(f"{i // b}" for i, b in zip(index, tile, strict=True)) if tile else ""


def _demand_written(got: Any, expected: Any, tile: tuple[int, ...] | None, name: str) -> None:
    """Fail for elements that still hold what the worker put into fresh memory."""
    never = poison.unwritten(got, expected)
    if never is None:
        return
    import numpy as np

    first = tuple(int(i) for i in np.argwhere(never)[0])
    mismatch = Mismatch(
        shape=tuple(int(n) for n in expected.shape),
        dtype=str(expected.dtype).removeprefix("torch."),
        differing=int(never.sum()),
        total=int(never.size),
        first_index=first,
        got=show(got[first].item()),
        expected=show(expected[first].item()),
        tile=_tile(first, tile),
        unwritten=int(never.sum()),
        heat=heat_map(never),
    )
    raise CheckFailed(
        mismatch_text(name, mismatch), got=show(got), expected=show(expected), mismatch=mismatch
    )


def _kind(array: Any) -> str:
    return f"{str(array.dtype).removeprefix('torch.')}[{', '.join(map(str, array.shape))}]"


def mismatch_text(what: str, m: Mismatch) -> str:
    """A mismatch as one or two sentences."""
    index = ", ".join(map(str, m.first_index))
    if m.unwritten:
        where = _("element [{index}]").format(index=index) if m.first_index else _("its only element")
        if m.tile:
            where += _(", in tile ({tile})").format(tile=m.tile)
        if m.unwritten == 1:
            return _("{what}: {where} was never written").format(what=what, where=where)
        return _("{what}: {n} of {total} elements were never written, the first of them {where}").format(
            what=what, n=m.unwritten, total=m.total, where=where
        )
    text = _(
        "{what}: {n} of {total} elements differ; the first at [{index}]: got {got}, expected {expected}"
    ).format(what=what, n=m.differing, total=m.total, index=index, got=m.got, expected=m.expected)
    if m.tile:
        text += _(", in tile ({tile})").format(tile=m.tile)
    if m.largest_error is not None:
        text += _("; the largest error is {error:.3g}").format(error=m.largest_error)
    return text


def _wide(array: Any) -> Any:
    """The array in numpy, wide enough that the comparison itself does not round."""
    import numpy as np

    if _library(array) == "torch":
        array = array.detach().cpu()
        array = array.numpy() if str(array.dtype) not in ("torch.bfloat16",) else array.float().numpy()
    if array.dtype.kind == "c":
        return array.astype(np.complex128)
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        return array.astype(object).astype(np.longdouble)
    return array.astype(np.float64)


def _close_numbers(got: Any, expected: Any, rtol: float | None, atol: float | None, name: str) -> None:
    right_kind = isinstance(got, (int, float, complex)) and not isinstance(got, bool)
    if right_kind and isinstance(expected, (list, tuple)):
        right_kind = False
    if isinstance(expected, (list, tuple)):
        if type(got) is not type(expected) or len(got) != len(expected):
            raise CheckFailed(_("{what} is wrong").format(what=name), got=show(got), expected=show(expected))
        for i, (g, e) in enumerate(zip(got, expected, strict=True)):
            assert_close(g, e, rtol=rtol, atol=atol, what=f"{name}[{i}]")
        return
    rtol = 1e-7 if rtol is None else rtol
    atol = 1e-9 if atol is None else atol
    if right_kind:
        if got == expected or (got != got and expected != expected):  # noqa: PLR0124
            return
        if math.isfinite(abs(expected)) and abs(got - expected) <= atol + rtol * abs(expected):
            return
    raise CheckFailed(
        _("{what}: got {got}, expected {expected}").format(what=name, got=show(got), expected=show(expected)),
        got=show(got),
        expected=show(expected),
    )
