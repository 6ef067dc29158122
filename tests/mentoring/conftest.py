"""The small roadmap of the command line's tests, and two people with a home each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from ..cli.conftest import Invoke, content, invoke, solve, spawn  # noqa: F401

As = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "alice"


@pytest.fixture
def alice(invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> As:  # noqa: F811
    """Call the program as the learner: `alice("next")`."""

    def call(*args: str) -> Result:
        monkeypatch.setenv("MLSYS_PATH_HOME", str(tmp_path / "alice"))
        return invoke(*args)

    return call


@pytest.fixture
def bob(invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> As:  # noqa: F811
    """Call the program as the mentor."""

    def call(*args: str) -> Result:
        monkeypatch.setenv("MLSYS_PATH_HOME", str(tmp_path / "bob"))
        return invoke(*args)

    return call
