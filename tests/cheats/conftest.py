"""The folders beside this file are submissions: data for `test_gallery.py`, and no tests, whatever they contain."""

from __future__ import annotations

from pathlib import Path


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave the submissions alone."""
    return True if collection_path.is_dir() and collection_path.parent == Path(__file__).parent else None
