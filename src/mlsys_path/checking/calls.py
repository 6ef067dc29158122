"""The calls that a check has made to the learner's code: the last example's are its counterexample."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from mlsys_path.checking.show import show

MAX_CALLS = 40
_MISSING = object()


class Calls:
    """A bounded log, begun anew with each example that hypothesis tries."""

    def __init__(self) -> None:
        self._entries: deque[tuple[str, Any]] = deque(maxlen=MAX_CALLS)
        self._dropped = 0
        self._example: object = None

    def clear(self) -> None:
        """A new check begins."""
        self._entries.clear()
        self._dropped = 0

    def add(self, target: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Note a call that is about to be made."""
        example = _current_example()
        if example is not self._example:
            self._example = example
            self.clear()
        if len(self._entries) == MAX_CALLS:
            self._dropped += 1
        self._entries.append((_text(target, args, kwargs), _MISSING))

    def returned(self, value: Any) -> None:
        """Note what the last call returned."""
        if self._entries:
            text, _ = self._entries.pop()
            self._entries.append((text, value))

    @property
    def last(self) -> str:
        """The last call, in short."""
        return self._entries[-1][0] if self._entries else ""

    @property
    def answered(self) -> bool:
        """Whether any call of this example has returned."""
        return any(value is not _MISSING for _, value in self._entries)

    def lines(self) -> tuple[str, ...]:
        """The calls in order, with what each returned; rendered only when a failure is shown."""
        lines = [text if value is _MISSING else f"{text} -> {show(value)}" for text, value in self._entries]
        return (f"… {self._dropped} earlier calls …", *lines) if self._dropped else tuple(lines)


def _text(target: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    # arguments are rendered when the call is made: the check may change them afterwards
    parts = [show(a, 160) for a in args] + [f"{name}={show(value, 160)}" for name, value in kwargs.items()]
    return f"{target}({', '.join(parts)})"


def _current_example() -> object:
    control = sys.modules.get("hypothesis.control")
    current = getattr(control, "_current_build_context", None)
    return getattr(current, "value", None)
