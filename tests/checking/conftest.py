"""A tiny exercise made on the spot, and one warm checker for all tests of this folder."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from mlsys_path.checking.events import Verdict
from mlsys_path.checking.session import Checker, CheckRequest
from mlsys_path.checking.verdict import Tally
from mlsys_path.language import Text
from mlsys_path.levels import Level
from mlsys_path.roadmap.model import Check, Exercise, Limits, Needs

TEXT = Text("text", "文字")


@pytest.fixture(scope="session")
def checker() -> Iterator[Checker]:
    with Checker() as it:
        yield it


Judge = Callable[..., Verdict]


@pytest.fixture
def judge(checker: Checker, tmp_path: Path) -> Judge:
    """`judge(checks, files)` runs check functions, given as source, against a learner's files."""

    def run(
        checks: str,
        files: Mapping[str, str] | str,
        *,
        language: str = "python",
        harness: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        levels: Mapping[str, Level] | None = None,
        open_levels: Mapping[Level, str] | None = None,
        needs: tuple[str, ...] = (),
        by: Checker | None = None,
    ) -> Verdict:
        sources = {"code.py": files} if isinstance(files, str) else dict(files)
        folder = tmp_path / "exercise"
        for part, contents in (
            ("checks", {"test_it.py": _HEADER + textwrap.dedent(checks)}),
            ("harness", harness or {}),
        ):
            (folder / part).mkdir(parents=True, exist_ok=True)
            for name, text in contents.items():
                (folder / part / name).write_text(textwrap.dedent(text))
        names = [
            line.split("(")[0].removeprefix("def ")
            for line in textwrap.dedent(checks).splitlines()
            if line.startswith("def test_")
        ]
        exercise = Exercise(
            id="exercise",
            title=TEXT,
            summary=TEXT,
            language=language,
            files=tuple(sources)[:1],
            difficulty=1,
            minutes=1,
            checks={name: Check(TEXT, (levels or {}).get(name, Level.CORRECT)) for name in names},
            hints=(TEXT,),
            limits=limits or Limits(seconds=20, memory_mb=512),
            needs=Needs(python=needs),
        )
        data = {name: textwrap.dedent(text).encode() for name, text in sources.items()}
        request = CheckRequest(exercise, folder, data, open_levels or {})

        async def collect() -> Verdict:
            tally = Tally(exercise.id)
            async for event in (by or checker).check(request):
                tally.add(event)
            return tally.verdict()

        return asyncio.run(collect())

    return run


_HEADER = """\
import numpy as np
from hypothesis import given, settings, strategies as st
from mlsys_path.checking.testing import assert_close, assert_equal, fail
"""
