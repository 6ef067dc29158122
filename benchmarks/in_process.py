"""The `learner` fixture without checker, worker or sandbox: what a cold `python -m pytest` of the same checks costs.

Used with `-p in_process`; `LEARNER` names the learner's folder, `MODULE` its module, `SELECTED` the checks.
"""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType
from typing import Any

import pytest


class InProcess:
    """Looks like the proxy of a Python-like learner, and is the modules themselves."""

    def __init__(self) -> None:
        self._module = importlib.import_module(os.environ["MODULE"])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def harness(self, name: str) -> ModuleType:
        """A module of the harness."""
        return importlib.import_module(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the checks that the warm run runs too."""
    selected = os.environ["SELECTED"].split(",")
    items[:] = [item for item in items if item.name in selected]


@pytest.fixture
def learner() -> InProcess:
    """The learner's module, in this very process."""
    return InProcess()


def pytest_configure() -> None:
    """Make the learner's files and the harness importable, and hypothesis do what it does in a check."""
    from hypothesis import HealthCheck, settings

    sys.path[:0] = os.environ["LEARNER"].split(":")
    settings.register_profile(
        "bench", max_examples=50, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    settings.load_profile("bench")
