"""Every path that the program reads or writes.

`MLSYS_PATH_HOME` moves database, workspace, caches and logs under one folder; without it they follow
platformdirs. `MLSYS_PATH_ROADMAP` and `MLSYS_PATH_EXERCISES` point at other content.
"""

from __future__ import annotations

import os
from pathlib import Path

APP = "mlsys-path"


def _home() -> Path | None:
    value = os.environ.get("MLSYS_PATH_HOME")
    return Path(value).expanduser().absolute() if value else None


def database_path() -> Path:
    """The SQLite file that holds the learner's progress."""
    if home := _home():
        return home / "progress.db"
    import platformdirs

    return Path(platformdirs.user_data_dir(APP)) / "progress.db"


def packs_path() -> Path:
    """The list of content packs that were added, one folder a line."""
    return database_path().with_name("packs.txt")


def preferences_path() -> Path:
    """How the learner likes the program: language, theme, editor."""
    return database_path().with_name("config.toml")


def workspace_dir() -> Path:
    """Where `start` copies starters to: one folder an exercise, the learner's own files."""
    if home := _home():
        return home / "workspace"
    return Path.home() / APP


def cache_dir() -> Path:
    """Files that can be deleted at any time: the roadmap's index, build caches."""
    if home := _home():
        return home / "cache"
    import platformdirs

    return Path(platformdirs.user_cache_dir(APP))


def log_dir() -> Path:
    """Logs of builds and of crashes."""
    if home := _home():
        return home / "logs"
    import platformdirs

    return Path(platformdirs.user_log_dir(APP))


def package_dir() -> Path:
    """The installed `mlsys_path` package."""
    return Path(__file__).resolve().parent


def _content(name: str, variable: str) -> Path:
    value = os.environ.get(variable)
    if value:
        return Path(value).expanduser().absolute()
    packaged = package_dir() / "_content" / name
    # an editable install has no _content: the folders lie at the top of the checkout
    return packaged if packaged.is_dir() else package_dir().parents[1] / name


def roadmap_dir() -> Path:
    """The YAML of stages, resources and tracks."""
    return _content("roadmap", "MLSYS_PATH_ROADMAP")


def exercises_dir() -> Path:
    """`<stage>/<exercise-id>/`, one folder an exercise."""
    return _content("exercises", "MLSYS_PATH_EXERCISES")
