"""Values as short plain text, for counterexamples and messages; nothing in it can steer a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from mlsys_path.language import _

MAX_TEXT = 400
MAX_ELEMENTS = 24
_KEPT = "\n\t"


def clean(text: str, limit: int | None = None) -> str:
    """`text` without control, escape and bidirectional characters, cut to `limit` characters.

    They are shown as their code, so that a learner sees that they are there.
    """
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c in _KEPT or unicodedata.category(c) not in _UNSAFE else f"\\x{ord(c):02x}" for c in text
    )


_TEXT_BYTES = frozenset(b"\t\n\r" + bytes(range(32, 127)))
_UNSAFE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def show(value: Any, limit: int = MAX_TEXT) -> str:
    """A value in at most `limit` characters: `float32[2, 3] [[0.0, 1.0, 2.0], …]` for an array."""
    return clean(_show(value), limit)


def _show(value: Any) -> str:
    kind = type(value).__module__.partition(".")[0]
    if kind in ("torch", "numpy") and hasattr(value, "dtype") and hasattr(value, "shape"):
        return show_array(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        parts = [_show(v) for v in list(value)[:MAX_ELEMENTS]]
        if len(value) > MAX_ELEMENTS:
            parts.append("…")
        left, right = {tuple: ("(", ")"), set: ("{", "}"), frozenset: ("{", "}")}.get(type(value), ("[", "]"))
        return left + ", ".join(parts) + ("," if isinstance(value, tuple) and len(value) == 1 else "") + right
    if isinstance(value, Mapping):
        pairs = [f"{_show(k)}: {_show(v)}" for k, v in list(value.items())[:MAX_ELEMENTS]]
        return "{" + ", ".join([*pairs, "…"] if len(value) > MAX_ELEMENTS else pairs) + "}"
    if isinstance(value, bytes) and not all(b in _TEXT_BYTES for b in value[:MAX_TEXT]):
        return _("<{n} bytes>").format(n=len(value))
    if isinstance(value, (str, bytes)) and len(value) > MAX_TEXT:
        return repr(value[:MAX_TEXT]) + "…"
    return repr(value)


def show_array(value: Any) -> str:
    """dtype[shape] and the first elements of a torch or numpy array."""
    dtype = str(value.dtype).removeprefix("torch.")
    shape = ", ".join(map(str, value.shape))
    head = f"{dtype}[{shape}]"
    size = 1
    for n in value.shape:
        size *= n
    if size == 0:
        return head
    flat = value.reshape(-1)[:MAX_ELEMENTS].tolist()
    values = value.tolist() if size <= MAX_ELEMENTS else flat
    text = _numbers(values)
    return f"{head} {text}" if size <= MAX_ELEMENTS else f"{head} {text[:-1]}, …]"


def _numbers(values: Any) -> str:
    if isinstance(values, list):
        return "[" + ", ".join(_numbers(v) for v in values) + "]"
    return f"{values:.7g}" if isinstance(values, float) else str(values)
