"""How the learner likes the program: a small file of `key = value` beside the progress, written by hand or by us."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlsys_path import locations
from mlsys_path.errors import UserError
from mlsys_path.language import LANGUAGES, N_, Language, _, listed

MAX_BYTES = 1 << 16
ON, OFF = "on", "off"


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that can be set. `help` is a message id; without `values` any line of text will do."""

    name: str
    default: str
    help: str
    values: tuple[str, ...] = ()


KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        Key("language", "auto", N_("English or Chinese; auto is what the locale says"), ("auto", *LANGUAGES)),
        Key("theme", "dark", N_("Dark or light"), ("dark", "light")),
        Key("editor", "", N_("The command that opens your files; empty is $VISUAL, else $EDITOR")),
        Key("calm", OFF, N_("Calm: nothing moves or blinks by itself"), (OFF, ON)),
    )
}


@dataclass(frozen=True, slots=True)
class Preferences:
    """What holds: what was set, else the defaults."""

    set: Mapping[str, str]

    def __getitem__(self, key: str) -> str:
        return self.set.get(key, KEYS[key].default)

    @property
    def language(self) -> Language | None:
        """The language that was chosen; None where the locale decides."""
        match self["language"]:
            case "en":
                return "en"
            case "zh":
                return "zh"
        return None

    @property
    def calm(self) -> bool:
        """Whether nothing may move by itself."""
        return self["calm"] == ON


def load(path: Path | None = None) -> Preferences:
    """What was set. Raises UserError with file and line for a file that says something else."""
    path = path or locations.preferences_path()
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return Preferences({})
    except OSError as error:
        raise UserError(_("{path} cannot be read: {why}").format(path=path, why=error.strerror)) from None
    return Preferences(_parsed(data, path))


def lenient(path: Path | None = None) -> tuple[Preferences, str]:
    """What was set, and what is wrong with the file: the program starts whatever lies there."""
    try:
        return load(path), ""
    except UserError as error:
        return Preferences({}), str(error)


def store(key: str, value: str, path: Path | None = None) -> Preferences:
    """Set one; an empty value takes it back. Other lines stay as they are. Raises UserError when that cannot be done."""
    path = path or locations.preferences_path()
    value = checked(key, value)
    before = load(path)
    lines = path.read_text(encoding="utf-8").splitlines() if before.set or path.exists() else []
    own = re.compile(rf"\s*{re.escape(key)}\s*=")
    new = [f"{key} = {_quoted(value)}"] if value else []
    at = next((n for n, line in enumerate(lines) if own.match(line)), len(lines))
    lines[at : at + 1] = new
    try:
        _replace(path, "".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise UserError(_("{path} cannot be written: {why}").format(path=path, why=error.strerror)) from None
    return load(path)


def checked(key: str, value: str) -> str:
    """The value as it is kept. Raises UserError for an unknown key or a value that it cannot have."""
    known(key)
    value = value.strip()
    values = KEYS[key].values
    if value and values and value not in values:
        raise UserError(
            _("{key} cannot be {value!r}: it is one of {values}").format(
                key=key, value=value, values=listed(values)
            )
        )
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise UserError(_("{key} is one line of text without control characters").format(key=key))
    return value


def known(key: str) -> str:
    """The key, which is one of ours. Raises UserError with the nearest that is."""
    if key in KEYS:
        return key
    from difflib import get_close_matches

    near = get_close_matches(key, KEYS, n=1)
    hint = _("did you mean {name}?").format(name=near[0]) if near else _("there are {names}").format(
        names=listed(KEYS)
    )  # fmt: skip
    raise UserError(_("there is no setting {name!r}: {hint}").format(name=key, hint=hint))


def _parsed(data: bytes, path: Path) -> dict[str, str]:
    import tomllib

    if len(data) > MAX_BYTES:
        raise UserError(_("{path} is too large to be a file of settings").format(path=path))
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(_("{path}: {why}").format(path=path, why=error)) from None
    found = {}
    for key, value in document.items():
        try:
            if isinstance(value, bool):
                value = ON if value else OFF  # noqa: PLW2901
            if not isinstance(value, str):
                known(key)
                raise UserError(_("{key} is a text in quotes").format(key=key))  # noqa: TRY301
            found[key] = checked(key, value)
        except UserError as error:
            where = f"{path}:{_line_of(key, data)}"
            raise UserError(_("{path}: {why}").format(path=where, why=error)) from None
    return {key: value for key, value in found.items() if value}


def _line_of(key: str, data: bytes) -> int:
    lines = data.decode("utf-8", "replace").splitlines()
    return next((n for n, line in enumerate(lines, 1) if key in line.partition("=")[0]), 1)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _replace(path: Path, text: str) -> None:
    """Written beside and renamed: a reader sees the old or the new, and a kill leaves one of them."""
    # what every command imports only to read is not loaded with what writing takes
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
