"""Where content comes from: ours, and the packs that a learner or a mentor added.

A pack is a folder with `pack.yaml`, `roadmap/` and `exercises/`. It is named by `MLSYS_PATH_PACKS`, by `pack add`, or
by an installed package through an entry point of the group `mlsys_path.packs`, whose value is the module in whose
folder it lies.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from mlsys_path import locations
from mlsys_path.errors import UserError
from mlsys_path.language import _

ENTRY_POINTS = "mlsys_path.packs"
PACK_FILE = "pack.yaml"


@dataclass(frozen=True)
class Source:
    """One tree of content; `pack` is the file that declares it, None of our own."""

    roadmap: Path
    exercises: Path
    pack: Path | None = None

    @property
    def root(self) -> Path:
        """The folder that a user knows it by."""
        return self.pack.parent if self.pack else self.roadmap


@dataclass(frozen=True)
class Installed:
    """The packs of installed packages, and a stamp of the folders that packages are installed into."""

    stamp: str
    folders: tuple[str, ...]


def ours() -> Source:
    """The content that the program carries, or what `MLSYS_PATH_ROADMAP` and `MLSYS_PATH_EXERCISES` name."""
    return Source(locations.roadmap_dir(), locations.exercises_dir())


def pack(folder: str | Path) -> Source:
    """The source in a pack's folder, whether it is there or not."""
    root = Path(folder)
    return Source(root / "roadmap", root / "exercises", root / PACK_FILE)


def sources(installed: Installed | None = None) -> list[Source]:
    """All sources in their order: ours, those of `MLSYS_PATH_PACKS`, those added, those of installed packages.

    Raises UserError when the list of added packs cannot be read.
    """
    variable = os.environ.get("MLSYS_PATH_PACKS", "")
    named = [str(Path(p).expanduser().absolute()) for p in variable.split(os.pathsep) if p]
    folders = dict.fromkeys([*named, *added(), *(installed or installed_packs()).folders])
    return [ours(), *(pack(folder) for folder in folders)]


def added() -> list[str]:
    """The folders that `pack add` remembered. Raises UserError when their list cannot be read."""
    path = locations.packs_path()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(_("{path}: cannot be read: {why}").format(path=path, why=error)) from None
    return [line for line in lines if line.strip()]


def remember(folders: list[str]) -> None:
    """Replace the list of added packs, whole or not at all. Raises UserError when it cannot be written."""
    path = locations.packs_path()
    temporary = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text("".join(f"{folder}\n" for folder in folders), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise UserError(_("{path}: cannot be written: {why}").format(path=path, why=error.strerror)) from None


def installed_packs(known: Installed | None = None) -> Installed:
    """The packs of installed packages; asking costs some milliseconds, so `known` is kept while nothing was installed."""
    stamp = _site_stamp()
    if known is not None and known.stamp == stamp:
        return known
    from importlib.metadata import entry_points
    from importlib.util import find_spec

    folders = []
    for point in entry_points(group=ENTRY_POINTS):
        try:
            spec = find_spec(point.value)
        except (ImportError, ValueError):
            spec = None
        if spec is None or not (spec.submodule_search_locations or spec.origin):
            raise UserError(
                _("the entry point {name!r} of {group} names {module!r}, which is not installed").format(
                    name=point.name, group=ENTRY_POINTS, module=point.value
                )
            )
        folders.append(next(iter(spec.submodule_search_locations or ()), str(Path(spec.origin or "").parent)))
    return Installed(stamp, tuple(folders))


def _site_stamp() -> str:
    stamps = []
    for path in sys.path:
        if path.endswith(("-packages", "site-packages")):
            try:
                stamps.append(f"{path}\0{Path(path).stat().st_mtime_ns}")
            except OSError:
                continue
    return "\0".join(stamps)
