"""Markdown in the program's colours, whose links lead nowhere by themselves."""

from __future__ import annotations

from typing import Any

from textual.content import Content
from textual.highlight import highlight
from textual.widgets import Markdown
from textual.widgets.markdown import MarkdownFence

from mlsys_path.tui.themes import CodeStyle


class Fence(MarkdownFence):
    """A block of code; one that names no language is a drawing and has one colour."""

    @classmethod
    def highlight(cls, code: str, language: str, ansi: bool = False, dark: bool = False) -> Content:
        """Colour code."""
        code = code.rstrip("\n")
        return highlight(code, language=language, theme=CodeStyle) if language else Content(code)


class Document(Markdown):
    """Markdown; a browser in the terminal would fight for it, so a link is shown instead of followed."""

    BLOCKS = {**Markdown.BLOCKS, "fence": Fence, "code_block": Fence}  # noqa: RUF012  (as Textual types it)

    def __init__(self, markdown: str | None = None, **options: Any) -> None:
        super().__init__(markdown, open_links=False, **options)

    def on_markdown_link_clicked(self, event: Markdown.LinkClicked) -> None:
        """Show where a link leads."""
        event.stop()
        self.notify(event.href, markup=False)
