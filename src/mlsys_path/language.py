"""The two languages of content and interface: English and Chinese.

Interface text goes through gettext (`_`); content carries both languages in its YAML as a `Text`.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

_LOCALE_DIR = Path(__file__).resolve().parent / "locale"


@dataclass(frozen=True, slots=True)
class Text:
    """One piece of content in both languages."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  (read by pydantic; a ClassVar would be a slot)

    en: str
    zh: str

    def __getitem__(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


def detect(environ: dict[str, str] | None = None) -> Language:
    """The language asked for by `MLSYS_PATH_LANG`, else by the locale's variables, else English."""
    environ = dict(os.environ) if environ is None else environ
    for variable in ("MLSYS_PATH_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(variable)
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


class _Current:
    language: Language = "en"
    translations: gettext.NullTranslations = gettext.NullTranslations()


def use(language: Language) -> None:
    """Switch the interface language of this process, at once and live."""
    _Current.language = language
    _Current.translations = gettext.translation(
        "mlsys_path", localedir=_LOCALE_DIR, languages=[language], fallback=True
    )


def current() -> Language:
    """The interface language in use."""
    return _Current.language


def _(message: str) -> str:
    """The message in the interface language; English is the key."""
    return _Current.translations.gettext(message) if message else ""


def ngettext(singular: str, plural: str, n: int) -> str:
    """The right form for `n` in the interface language."""
    return _Current.translations.ngettext(singular, plural, n)


def N_(message: str) -> str:
    """gettext's usual name: mark a message for the catalogue where it cannot be translated yet (a module-level table)."""
    return message


def listed(names: Iterable[str]) -> str:
    """Things one beside the other; each language has its own sign between them."""
    return _fold(N_("{first}, {more}"), names)


def sentences(parts: Iterable[str]) -> str:
    """Sentences one behind the other; empty ones are left out."""
    return _fold(N_("{first} {more}"), parts)


def _fold(pattern: str, parts: Iterable[str]) -> str:
    text = ""
    for part in filter(None, parts):
        text = _(pattern).format(first=text, more=part) if text else part
    return text


def bracketed(text: str, note: str) -> str:
    """A text with a note behind it, where there is one."""
    return _("{text} ({note})").format(text=text, note=note) if note else text


def labelled(label: str, text: str) -> str:
    """What it is, and what is said of it."""
    return _("{label}: {text}").format(label=label, text=text)


def duration(minutes: int) -> str:
    """`45 min`, `2 h`, `1 h 30 min`."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _("{m} min").format(m=rest)
    return _("{h} h {m} min").format(h=f"{hours:,}", m=rest) if rest else _("{h} h").format(h=f"{hours:,}")
