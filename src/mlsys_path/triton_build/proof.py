"""The proof that what is imported was built here: a marker in the source, and in the library that was loaded."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from mlsys_path.triton_build.proof_probe import MARKER_BYTES
from mlsys_path.triton_build.state import replace

SYMBOL = "mlsys_path_marker"
_CODE = """
/* Written by mlsys-path for one compile, and taken out again: proves that the library comes from this source. */
extern "C" {{
__attribute__((visibility("default"), used)) extern const char {symbol}[];
const char {symbol}[] = "{marker}";
}}
"""


def new_marker() -> str:
    """A string that is nowhere else."""
    return secrets.token_hex(MARKER_BYTES // 2)


@dataclass(frozen=True, slots=True)
class Marked:
    """A source that may hold a marker; what it was is kept beside, so that a kill in between loses nothing."""

    source: Path
    journal: Path

    def write(self, marker: str) -> None:
        """Add the marker to the source."""
        stat = self.source.stat()
        original = self.source.read_bytes()
        kept = {"mtime_ns": stat.st_mtime_ns, "text": original.decode("utf-8", errors="surrogateescape")}
        replace(self.journal, json.dumps(kept).encode("utf-8"))
        code = _CODE.format(symbol=SYMBOL, marker=marker).encode()
        self.source.write_bytes(original.rstrip(b"\n") + b"\n" + code)

    def restore(self) -> bool:
        """Put the source back as it was, and as old as it was: for ninja the library is then up to date."""
        try:
            kept = json.loads(self.journal.read_bytes())
        except (FileNotFoundError, ValueError):
            return False
        replace(self.source, kept["text"].encode("utf-8", errors="surrogateescape"))
        os.utime(self.source, ns=(kept["mtime_ns"], kept["mtime_ns"]))
        self.journal.unlink()
        return True


def symlinks(path: Path, root: Path) -> list[Path]:
    """Those of a path's parts, below a root, that are symbolic links."""
    parts = [path, *path.parents]
    return [part for part in parts[: parts.index(root)] if part.is_symlink()]


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
