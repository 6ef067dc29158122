"""Where an address is written, for who has to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

# what may stand behind an address in YAML
_FOLDERS = ("resources", "stages", "additions", "tracks")  # the first place of an address counts
_ENDS = r"""(?=["'\s,\]}]|$)"""


def places(urls: Iterable[str], folder: Path) -> dict[str, str]:
    """`file:line` below `folder` of each address that stands in a YAML file there as it is."""
    wanted = sorted(urls, key=len, reverse=True)
    found: dict[str, str] = {}
    if not wanted:
        return found
    pattern = re.compile(f"({'|'.join(map(re.escape, wanted))}){_ENDS}")
    for file in (file for kind in _FOLDERS for file in sorted(folder.glob(f"{kind}/*.yaml"))):
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        for number, line in enumerate(lines, 1):
            for match in pattern.finditer(line):
                found.setdefault(match[1], f"{file.relative_to(folder)}:{number}")
    return found
