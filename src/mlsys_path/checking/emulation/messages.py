"""What the emulation found wrong, in words: what, where in the grid, and the learner's line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlsys_path.checking.emulation.places import Places
from mlsys_path.checking.emulation.rewrite import KernelSource
from mlsys_path.checking.emulation.sentences import SENTENCES, Error, part
from mlsys_path.checking.show import clean
from mlsys_path.language import _

_SIZES = {
    "char": 1, "signed char": 1, "unsigned char": 1, "int8_t": 1, "uint8_t": 1, "bool": 1, "short": 2, "unsigned short": 2,
    "int16_t": 2, "uint16_t": 2, "half": 2, "__half": 2, "__nv_bfloat16": 2, "int": 4, "unsigned": 4, "unsigned int": 4,
    "int32_t": 4, "uint32_t": 4, "float": 4, "half2": 4, "__half2": 4, "long": 8, "unsigned long": 8, "long long": 8,
    "unsigned long long": 8, "int64_t": 8, "uint64_t": 8, "size_t": 8, "double": 8, "float2": 8, "int2": 8, "uint2": 8,
    "float4": 16, "int4": 16, "uint4": 16, "double2": 16,
}  # fmt: skip
_QUALIFIERS = re.compile(r"\b(?:const|volatile|__restrict__|__restrict|restrict)\b|\*|&")


def line_text(texts: Mapping[str, str], name: str, number: int) -> str:
    """The text of a line of one of the sources."""
    lines = texts.get(name, "").splitlines()
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


@dataclass
class Teller:
    """Tells errors of one program."""

    texts: Mapping[str, str]
    kernels: Mapping[str, KernelSource]
    places: Places

    def tell(self, error: Error) -> str:
        """An error as a sentence or two, and the lines that it is about."""
        pcs = [e.get(key, 0) for e in (error, part(error, "other")) for key in ("pc", "other_pc")]
        self.places.look_up(pc for pc in pcs if isinstance(pc, int))
        teller = SENTENCES.get(str(error.get("kind")))
        words = (
            teller(self, error)
            if teller
            else _("the emulation stopped the program ({kind})").format(kind=error.get("kind"))
        )
        head = self._who(error)
        text = f"{head}: {words}" if head else words
        lines = [
            f"  {line}" for line in dict.fromkeys([self._line(error), *self._other_lines(error)]) if line
        ]
        return clean("\n".join([text, *lines]), 2000)

    # -- where

    def _who(self, error: Error) -> str:
        """ "transpose, block (1, 0), thread (3, 2)"; "" on the host."""
        if "thread" not in error:
            return ""
        return _("{kernel}, block {block}, thread {thread}").format(
            kernel=error.get("kernel", ""), block=self.block(error), thread=self.thread(error)
        )

    def block(self, error: Error, of: Error | None = None) -> str:
        """A block of the grid."""
        return _index((of or error)["block"], error.get("grid", (2, 2, 2)))

    def thread(self, error: Error, of: Error | None = None) -> str:
        """A thread of its block."""
        return _index((of or error)["thread"], error.get("threads_of_block", (2, 2, 2)))

    def _line(self, error: Error) -> str:
        if isinstance(at := error.get("at"), tuple) and len(at) == 2:
            return f"{at[0]}:{at[1]}: {line_text(self.texts, str(at[0]), int(at[1]))}"
        return self.places.shown(int(error.get("pc", 0)))

    def _other_lines(self, error: Error) -> list[str]:
        lines = [self._line(o) for key in ("operation", "other") if (o := part(error, key))]
        if "other_pc" in error:
            lines.append(self.places.shown(int(error["other_pc"])))
        return lines

    # -- what

    def place(self, error: Error) -> tuple[str, str]:
        """The element that an access is about, as `in[1024]`; and what there is of it, as "has 1024 elements"."""
        size = max(1, int(error.get("size", 1)))
        match error.get("space"):
            case "shared":
                name, offset, extent = (
                    str(error.get("name", "")),
                    int(error.get("offset", 0)),
                    int(error.get("extent", 0)),
                )
                if not name:
                    return _("byte {n} of the dynamic shared memory").format(n=offset), _(
                        "the launch asked for {n} bytes"
                    ).format(n=extent)
                element = int(error.get("element", size)) or 1
                if element == extent:
                    return f"`{name}`", _("it is one variable")
                return f"`{name}[{offset // element}]`", _("its length is {n}").format(n=extent // element)
            case "global":
                return self._global(error, size)
            case "constant":
                return _("a `__constant__` variable"), ""
            case "variable":
                return _("a `__device__` variable"), ""
            case "pinned":
                return _("pinned host memory"), ""
        return _("address {address}").format(address=hex(int(error.get("address", 0)))), ""

    def _global(self, error: Error, size: int) -> tuple[str, str]:
        kernel = self.kernels.get(str(error.get("kernel", "")))
        number = error.get("parameter")
        if (
            kernel
            and isinstance(number, int)
            and number < len(kernel.parameters)
            and kernel.parameters[number].name
        ):
            parameter = kernel.parameters[number]
            element = _SIZES.get(" ".join(_QUALIFIERS.sub(" ", parameter.type).split()), size)
            offset, after = int(error.get("from_parameter", 0)), int(error.get("after_parameter", 0))
            there = _("its length is {n}").format(n=after // element)
            return f"`{parameter.name}[{offset // element}]`", there
        if "extent" not in error:
            return _("device memory that nobody has allocated"), ""
        where = _("byte {offset} of an array of {n} bytes").format(
            offset=error.get("offset", 0), n=error["extent"]
        )
        return where, ""


def _index(value: Any, extent: Any) -> str:
    """An index in as many dimensions as the extent has."""
    used = 3 if extent[2] > 1 else 2 if extent[1] > 1 else 1
    return str(value[0]) if used == 1 else "({})".format(", ".join(str(v) for v in value[:used]))
