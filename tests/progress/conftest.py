"""Attempts to store, and programs that use the store in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mlsys_path import locations
from mlsys_path.levels import Level, Outcome
from mlsys_path.progress.records import Attempt

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


@pytest.fixture
def database() -> Path:
    """Where the store is in this test; nothing is there yet."""
    return locations.database_path()


@pytest.fixture
def make_attempt() -> Callable[..., Attempt]:
    def make(exercise: str = "lru-cache", verdict: Outcome = Outcome.PASSED, **changes: Any) -> Attempt:
        values: dict[str, Any] = {
            "exercise": exercise,
            "started_at": NOON,
            "seconds": 0.25,
            "verdict": verdict,
            "levels": {Level.CORRECT: verdict},
            "files_hash": "f" * 64,
            "exercise_hash": "e" * 64,
            "measurements": (),
            "machine": "x86_64, 2 cores, 24 GB, no GPU, Linux 6.18",
            "sandbox": "bubblewrap",
        }
        return Attempt.new(**(values | changes))

    return make


@pytest.fixture
def run_python(database: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program in a fresh Python that uses this test's database."""

    def run(program: str, *args: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        command = [*before, sys.executable, "-c", program, str(database), *args]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    return run
