"""A defect of the program, as a text and in a file: what a person sends who reports it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from mlsys_path import locations


def text_of(error: BaseException, args: list[str], facts: Mapping[str, object] | None = None) -> str:
    """Versions, arguments, our variables, whatever else is known, and the traceback."""
    import platform
    import traceback
    from importlib.metadata import version

    return "\n".join(
        [
            f"mlsys-path {version('mlsys-path')}, Python {platform.python_version()}, {platform.platform()}",
            f"arguments: {args!r}",
            f"variables: { {k: v for k, v in sorted(os.environ.items()) if k.startswith('MLSYS_PATH_')} }",
            f"encoding: {getattr(sys.stdout, 'encoding', None) or sys.getdefaultencoding()}",
            *(f"{name}: {value}" for name, value in (facts or {}).items()),
            "",
            "".join(traceback.format_exception(error)),
        ]
    )


def write(text: str) -> Path | None:
    """Write a report into the log folder, or a temporary one; None where neither can be written."""
    import tempfile

    stem = f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    for folder in (locations.log_dir(), Path(tempfile.gettempdir())):
        for number in range(100):
            path = folder / (f"{stem}-{number}.txt" if number else f"{stem}.txt")
            try:
                folder.mkdir(parents=True, exist_ok=True)
                # two defects of one second are two reports
                with path.open("x", encoding="utf-8", errors="backslashreplace") as file:
                    file.write(text)
            except FileExistsError:
                continue
            except OSError:
                break
            return path
    return None
