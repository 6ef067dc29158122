"""What a cubin says of its kernels: an ELF file whose sections hold registers, stack and shared memory."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_SYMTAB = 2
# attributes of .nv.info: the format byte, then which it is
_WITH_SIZE = 4
_REGISTERS, _FRAME = 0x2F, 0x11


@dataclass(frozen=True)
class CubinKernel:
    """A kernel of a cubin: registers and bytes of stack of a thread, bytes of static shared memory of a block."""

    name: str
    registers: int
    stack: int
    shared: int


@dataclass(frozen=True)
class _Section:
    name: str
    kind: int
    data: memoryview
    size: int
    link: int
    info: int


def read_cubin(cubin: bytes) -> dict[str, CubinKernel]:
    """The kernels of a cubin by name; raises ValueError for what is none."""
    try:
        sections = _sections(cubin)
        names = _symbol_names(sections)
        registers: dict[str, int] = {}
        stack: dict[str, int] = {}
        for attribute, symbol, value in _attributes(sections):
            if attribute in (_REGISTERS, _FRAME) and symbol < len(names):
                (registers if attribute == _REGISTERS else stack)[names[symbol]] = value
        shared = {
            s.name.removeprefix(".nv.shared."): s.size for s in sections if s.name.startswith(".nv.shared.")
        }
        kernels = [s.name.removeprefix(".text.") for s in sections if s.name.startswith(".text.")]
        return {
            name: CubinKernel(name, registers.get(name, 0), stack.get(name, 0), shared.get(name, 0))
            for name in kernels
            if name in registers
        }
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ValueError("this is no cubin") from error


def _text(table: memoryview, at: int) -> str:
    return bytes(table[at:]).partition(b"\0")[0].decode()


def _sections(cubin: bytes) -> list[_Section]:
    ident, *_rest, offset, _flags, _size, _ph, _pn, entry, count, names_at = _HEADER.unpack_from(cubin)
    if ident[:5] != b"\x7fELF\x02":
        raise ValueError("this is no cubin")
    view = memoryview(cubin)
    raw = [_SECTION.unpack_from(cubin, offset + i * entry) for i in range(count)]
    table = view[raw[names_at][4] : raw[names_at][4] + raw[names_at][5]]
    return [
        _Section(_text(table, name), kind, view[at : at + size], size, link, info)
        for name, kind, _flags2, _addr, at, size, link, info, _align, _entry in raw
    ]


def _symbol_names(sections: list[_Section]) -> list[str]:
    for section in sections:
        if section.kind == _SYMTAB:
            table = sections[section.link].data
            return [_text(table, name) for name, *_rest in _SYMBOL.iter_unpack(section.data)]
    return []


def _attributes(sections: list[_Section]) -> Iterator[tuple[int, int, int]]:
    """Attribute, symbol and value of each entry of `.nv.info` that has both."""
    for section in sections:
        if section.name != ".nv.info":
            continue
        at = 0
        while at + 4 <= len(section.data):
            form, attribute, size = struct.unpack_from("<BBH", section.data, at)
            at += 4
            if form != _WITH_SIZE:
                continue  # its value was the two bytes
            if size == 8:
                symbol, value = struct.unpack_from("<II", section.data, at)
                yield attribute, symbol, value
            at += size
