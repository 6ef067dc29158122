"""Kernels as the compiler left them in each stage: the sections of a browser, coloured line by line. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from textual.content import Content

from mlsys_path.checking.events import Compiled
from mlsys_path.language import _
from mlsys_path.tui.sections import Paint, Section, cleaned

STAGES = ("ttir", "ttgir", "llir", "ptx")
_MLIR = re.compile(
    r"""(?P<comment>//.*)|(?P<string>"[^"]*")|(?P<attribute>\#\w+|!\w+)|(?P<value>%[\w:\#]+)|(?P<symbol>@[\w$.]+)
    |(?P<number>(?<![\w.])-?\d[\w.+-]*\b)|(?P<op>\b(?:tt|ttg|ttng|arith|scf|math|cf|nvgpu|gpu|llvm|nvvm|builtin)\.[\w.]+)
    |(?P<type>\b(?:tensor|memdesc|index|[if]\d+|bf16)\b)|(?P<keyword>\b(?:module|loc|attributes|public|private)\b)""",
    re.VERBOSE,
)
_LLVM = re.compile(
    r"""(?P<comment>;.*)|(?P<string>"[^"]*")|(?P<attribute>[!\#]\w+)|(?P<value>%[\w.$-]+)|(?P<symbol>@[\w$.]+)
    |(?P<type>\b(?:i\d+|half|bfloat|float|double|ptr|void|x)\b)|(?P<number>(?<![\w.%])-?(?:0x)?\d[\w.+-]*\b)
    |(?P<op>\b(?:define|declare|call|tail|load|store|br|ret|getelementptr|phi|select|icmp|fcmp|add|sub|mul|shl|lshr|ashr|and|or|xor
    |fadd|fsub|fmul|fdiv|insertelement|extractelement|insertvalue|extractvalue|bitcast|zext|sext|trunc|asm|fma|urem|udiv|srem|sdiv)\b)
    |(?P<keyword>^\s*\d+:|\b(?:to|label|nounwind|inbounds|volatile|sideeffect|addrspace|target|source_filename)\b)""",
    re.VERBOSE,
)
_PTX = re.compile(
    r"""(?P<comment>//.*)|(?P<string>"[^"]*")|(?P<keyword>(?<![\w.])\.(?:version|target|address_size|visible|entry|reg|param|shared|extern|global
    |maxntid|reqntid|loc|file|section|align|pragma|func)\b)|(?P<value>%[\w.]+)|(?P<attribute>@!?%?\w+)
    |(?P<symbol>\$\w+:?)|(?P<op>(?<![\w.$%])[a-z][a-z0-9]*(?:\.[\w:]+)+|\bret\b|\bbra\b)|(?P<type>(?<!\w)\.[bfsu]\d+\b|\.pred\b)
    |(?P<number>(?<![\w.%])-?(?:0[xfd])?[0-9A-F]+\b)""",
    re.VERBOSE,
)
_SYNTAX = {"ttir": _MLIR, "ttgir": _MLIR, "llir": _LLVM, "ptx": _PTX}
_STYLES = {
    "comment": "$text-muted italic", "string": "$state-passed", "attribute": "$state-error",
    "symbol": "$state-open bold", "number": "$code", "op": "$heading bold", "type": "$state-running",
    "keyword": "$state-error",
}  # fmt: skip


def facts(kernel: Compiled) -> list[str]:
    """What a kernel takes, in a few words each."""
    return [
        kernel.target,
        _("{warps} warps, {stages} stages").format(warps=kernel.warps, stages=kernel.stages),
        _("{n} registers").format(n=kernel.registers),
        _("{n} B spilled").format(n=kernel.spills),
        _("{n} B shared").format(n=kernel.shared),
    ]


def page(kernels: Sequence[Compiled], stage: str) -> tuple[Section, ...]:
    """A section for each kernel, of its IR in one stage."""
    return tuple(
        Section(
            cleaned(kernel.name)[0], cleaned(dict(kernel.ir).get(stage, "")), kernel.target, _PAINT[stage]
        )
        for kernel in kernels
    )


def _painter(stage: str) -> Paint:
    syntax = _SYNTAX[stage]

    def paint(_number: int, text: str) -> Content:
        content = Content(text)
        for match in syntax.finditer(text):
            if match.lastgroup and match.lastgroup != "value":
                content = content.stylize(_STYLES[match.lastgroup], *match.span())
        return content

    return paint


_PAINT: dict[str, Paint] = {stage: _painter(stage) for stage in STAGES}
