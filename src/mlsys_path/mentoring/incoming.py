"""What is to be imported: files, folders and addresses become files, and of each is told what it is."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from mlsys_path.errors import UserError
from mlsys_path.language import _

Kind = Literal["progress", "assignment", "bundle"]
FORMATS: dict[str, Kind] = {
    "mlsys-path-progress": "progress",
    "mlsys-path-assignment": "assignment",
    "mlsys-path-bundle": "bundle",
}
SUFFIXES = (".yaml", ".yml", ".bundle", ".gz", ".jsonl")
MAX_FILES = 2000  # of a folder
_BEGINNING = 1 << 16
_YAML_FORMAT = re.compile(rb"^format:[ \t]*['\"]?(mlsys-path-[a-z]+)", re.MULTILINE)


@contextlib.contextmanager
def files(source: str) -> Iterator[list[Path]]:
    """The files of a path, of a folder or of a web address, for as long as they are wanted. Raises UserError."""
    if re.match(r"https?://", source, re.IGNORECASE):
        from mlsys_path.mentoring.fetching import fetch

        with tempfile.TemporaryDirectory(prefix="mlsys-path-") as folder:
            yield [fetch(source, Path(folder))]
        return
    path = Path(source)
    if not path.is_dir():
        yield [path]
        return
    found = sorted(each for each in path.iterdir() if each.suffix in SUFFIXES and each.is_file())
    if not found or len(found) > MAX_FILES:
        reason = (
            _("no file in it can be imported")
            if not found
            else _("there are more than {n} files in it").format(n=MAX_FILES)
        )
        raise UserError(_("cannot import {path}: {reason}").format(path=path, reason=reason))
    yield found


def kind_of(path: Path) -> Kind:
    """What a file is by its beginning; what says nothing of itself is taken for progress, whose import tells why not."""
    try:
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING)
    except OSError:
        return "progress"
    if beginning[:2] == b"\x1f\x8b":
        with contextlib.suppress(zlib.error):
            beginning = zlib.decompressobj(31).decompress(beginning, _BEGINNING)
    if beginning.lstrip()[:1] == b"{":
        with contextlib.suppress(ValueError, RecursionError):
            header = json.loads(beginning.split(b"\n", 1)[0])
            said = header.get("format") if isinstance(header, dict) else ""
            return FORMATS.get(said, "progress") if isinstance(said, str) else "progress"
    if found := _YAML_FORMAT.search(beginning):
        return FORMATS.get(found[1].decode(), "assignment")
    return "assignment" if path.suffix in (".yaml", ".yml") else "progress"
