"""A defect of the program: a report in a file, and one line that says where it is."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
import traceback
from importlib.metadata import version
from pathlib import Path

from mlsys_path import locations
from mlsys_path.language import _


def report(error: BaseException, args: list[str]) -> str:
    """Write a crash report into the log folder, or a temporary one; returns the line to show."""
    text = "\n".join(
        [
            f"mlsys-path {version('mlsys-path')}, Python {platform.python_version()}, {platform.platform()}",
            f"arguments: {args!r}",
            f"variables: { {k: v for k, v in sorted(os.environ.items()) if k.startswith('MLSYS_PATH_')} }",
            f"encoding: {sys.stdout.encoding}",
            "",
            "".join(traceback.format_exception(error)),
        ]
    )
    path = _write(text)
    return _("a defect of mlsys-path ({kind}). Report: {path}").format(
        kind=type(error).__name__, path=path or _("(it could not be written)")
    )


def _write(text: str) -> Path | None:
    name = f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for folder in (locations.log_dir(), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
            return folder / name
        except OSError:
            continue
    return None
