"""From addresses in a built program to lines of the learner's files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlsys_path.checking.show import clean

if TYPE_CHECKING:
    from mlsys_path.checking.native import NativeLearner


@dataclass
class Places:
    """Looks addresses up in a program's debug information, a few at a time and each once."""

    learner: NativeLearner
    program: str
    texts: Mapping[str, str]
    mine: Sequence[str]
    _known: dict[int, tuple[str, int]] = field(default_factory=dict)

    def look_up(self, addresses: Iterable[int]) -> None:
        """Find several at once."""
        wanted = [a for a in dict.fromkeys(addresses) if a not in self._known and 0 < a < 1 << 32]
        if not wanted:
            return
        # what is known is the address behind the call
        argv = ["addr2line", "-e", self.program, "-a", "-i", *(hex(a - 1) for a in wanted)]
        done = self.learner._invoke(argv, timeout=20)
        frames: list[list[tuple[str, int]]] = []
        for line in done.stdout.decode("utf-8", "replace").splitlines():
            if line.startswith("0x"):
                frames.append([])
            elif frames:
                file, _colon, number = line.partition(" ")[0].rpartition(":")
                frames[-1].append((file.rpartition("/")[2], int(number) if number.isdigit() else 0))
        for address, found in zip(wanted, frames, strict=False):
            inside = [f for f in found if f[0] in self.mine] or [f for f in found if f[0] in self.texts]
            # the innermost of the learner's own: what is inlined there comes from headers
            self._known[address] = inside[0] if inside else ("", 0)

    def line(self, address: int) -> tuple[str, int]:
        """The file and line of an address; ("", 0) when it lies in no file of the exercise."""
        self.look_up([address])
        return self._known.get(address, ("", 0))

    def text(self, file: str, number: int) -> str:
        """The text of a line."""
        lines = self.texts.get(file, "").splitlines()
        return clean(lines[number - 1].strip(), 160) if 0 < number <= len(lines) else ""

    def shown(self, address: int) -> str:
        """An address as `file:line: text`; "" when it lies in no file of the exercise."""
        file, number = self.line(address)
        return f"{file}:{number}: {self.text(file, number)}" if file else ""
