"""No test touches a real home, nor is it touched by what the environment says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlsys_path import language


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for variable in list(os.environ):
        if variable.startswith("MLSYS_PATH_") and variable not in ("MLSYS_PATH_SANDBOX", "MLSYS_PATH_DEBUG"):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("MLSYS_PATH_HOME", str(tmp_path / "home"))
    before = language.current()
    yield
    language.use(before)
