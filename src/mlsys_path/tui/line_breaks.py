"""Line breaks in Chinese text, which has no spaces: a line may end after any character but an opening mark."""

from __future__ import annotations

import re
from collections.abc import Iterable

import rich._wrap

_WIDE = "\u2e80-\u3000\u3003-\u3007\u3012-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff10-\uff5a\U00020000-\U0003fffd"
_OPENING = "（「『《〈【〔［“‘"
_CLOSING = "、。，．：；！？）」』》〉】〕］”’…·"
# a wide character or a run of others, with the marks that must not be parted from it
_PIECE = re.compile(
    rf"\s*[{_OPENING}]*(?:[{_WIDE}]|[^\s{_WIDE}{_OPENING}{_CLOSING}]+|[{_CLOSING}])[{_CLOSING}]*\s*|\s*\S\s*"
)
_HAS_WIDE = re.compile(f"[{_WIDE}]")
_words = rich._wrap.words
_FROM_CJK = re.compile(rf"(?<=[{_WIDE}{_CLOSING}])\n(?=[{_WIDE}{_OPENING}])")
_FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def words(text: str) -> Iterable[tuple[int, int, str]]:
    """The unbreakable pieces of a text: start, end, and the piece with the spaces after it."""
    if text.isascii() or not _HAS_WIDE.search(text):
        yield from _words(text)
        return
    for match in _PIECE.finditer(text):
        yield match.start(), match.end(), match.group()


def install() -> None:
    """Make Rich, and with it Textual, break Chinese lines so; they have no setting for it."""
    rich._wrap.words = words


def joined(markdown: str) -> str:
    """Markdown in which a line end between two Chinese characters is gone: it would be shown as a space."""
    parts = _FENCED.split(markdown)
    return "".join(part if part.startswith("```") else _FROM_CJK.sub("", part) for part in parts)
