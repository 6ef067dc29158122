"""The program's own dark and light theme. Every text colour has at least 4.5:1 on every surface."""

from __future__ import annotations

from pygments.token import Token  # type: ignore[import-untyped]
from textual.highlight import HighlightTheme
from textual.theme import Theme

DARK = "mlsys-dark"
LIGHT = "mlsys-light"

SURFACES = ("background", "surface", "panel")
# the colours that text is written in, anywhere
TEXTS = (
    "foreground", "text-muted", "accent", "heading", "code", "state-passed", "state-failed", "state-error",
    "state-open", "state-running", "state-new", "state-idle",
)  # fmt: skip


def _theme(name: str, *, dark: bool, colours: dict[str, str]) -> Theme:
    foreground, background, muted, accent = (
        colours[n] for n in ("foreground", "background", "text-muted", "accent")
    )
    variables = {
        **{
            key: value
            for key, value in colours.items()
            if key.startswith(("state-", "text", "heading", "code"))
        },
        "text": foreground,
        "text-disabled": muted,
        "foreground-muted": muted,
        "foreground-disabled": muted,
        "link-color": accent,
        "link-color-hover": background,
        "link-background-hover": accent,
        "block-cursor-background": accent,
        "block-cursor-foreground": background,
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": colours["panel"],
        "block-cursor-blurred-foreground": foreground,
        "block-cursor-blurred-text-style": "none",
        "block-hover-background": colours["panel"],
        "border": accent,
        "border-blurred": colours["line"],
        "line": colours["line"],
        "scrollbar": colours["line"],
        "scrollbar-hover": muted,
        "scrollbar-active": accent,
        "scrollbar-background": colours["surface"],
        "scrollbar-background-hover": colours["surface"],
        "scrollbar-background-active": colours["surface"],
        "scrollbar-corner-color": colours["surface"],
        "button-foreground": foreground,
        "button-color-foreground": background,
        "button-focus-text-style": "bold underline",
        **{f"markdown-h{n}-color": colours["heading"] for n in range(1, 7)},
    }
    return Theme(
        name=name,
        primary=accent,
        secondary=colours["state-running"],
        accent=accent,
        warning=colours["state-open"],
        error=colours["state-failed"],
        success=colours["state-passed"],
        foreground=foreground,
        background=background,
        surface=colours["surface"],
        panel=colours["panel"],
        dark=dark,
        variables=variables,
    )


THEMES = (
    _theme(
        DARK,
        dark=True,
        colours={
            "background": "#11151c",
            "surface": "#171c25",
            "panel": "#232b38",
            "line": "#3d4859",
            "foreground": "#e3e8ef",
            "text-muted": "#a7b1c2",
            "accent": "#82b1ff",
            "heading": "#9cc3ff",
            "code": "#f0c987",
            "state-passed": "#7ddc8f",
            "state-failed": "#ff9a94",
            "state-error": "#e3a8ff",
            "state-open": "#f2c572",
            "state-running": "#76d0f5",
            "state-new": "#e3e8ef",
            "state-idle": "#a7b1c2",
        },
    ),
    _theme(
        LIGHT,
        dark=False,
        colours={
            "background": "#ffffff",
            "surface": "#f6f8fa",
            "panel": "#e7ebf1",
            "line": "#a9b4c2",
            "foreground": "#1b2330",
            "text-muted": "#4d586a",
            "accent": "#1d4fb8",
            "heading": "#1a4a9e",
            "code": "#7a3e00",
            "state-passed": "#15652f",
            "state-failed": "#ad1f16",
            "state-error": "#772a92",
            "state-open": "#744a00",
            "state-running": "#0a5580",
            "state-new": "#1b2330",
            "state-idle": "#4d586a",
        },
    ),
)


def other(name: str) -> str:
    """The theme that the switch leads to."""
    return LIGHT if name == DARK else DARK


def named(short_name: str) -> str:
    """The theme that the settings call `dark` or `light`."""
    return LIGHT if short_name == "light" else DARK


def short(name: str) -> str:
    """What the settings call a theme."""
    return "light" if name == LIGHT else "dark"


class CodeStyle(HighlightTheme):
    """Code in the colours of the themes, all of which can be read."""

    STYLES = {  # noqa: RUF012  (as Textual types it)
        Token.Comment: "$text-muted italic",
        Token.Keyword: "$heading bold",
        Token.Operator.Word: "$heading bold",
        Token.Literal.String: "$state-passed",
        Token.Literal.String.Doc: "$state-passed italic",
        Token.Literal.Number: "$code",
        Token.Name.Builtin: "$state-running",
        Token.Name.Class: "$state-open bold",
        Token.Name.Function: "$state-open",
        Token.Name.Decorator: "$state-error",
        Token.Comment.Preproc: "$state-error",
    }
