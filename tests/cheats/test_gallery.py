"""Submissions that try to pass without solving, and honest oddities that must pass.

Each folder holds `cheat.yaml` (the exercise, what it tries, how it must end: the verdict, and optionally the check
that fails first and a pattern in what is said) and the files of the submission. Files not given come from the
starter.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
import yaml

from mlsys_path import locations
from mlsys_path.checking.session import Checker
from mlsys_path.checking.submission import Submission
from mlsys_path.checking.verdict import Tally
from mlsys_path.exercises.folder import read_files
from mlsys_path.levels import Level, Outcome
from mlsys_path.machine.inspect import inspect
from mlsys_path.roadmap.load import load

GALLERY = Path(__file__).parent
CHEATS = sorted(path.parent.name for path in GALLERY.glob("*/cheat.yaml"))
HONEST = [name for name in CHEATS if name.startswith("honest-")]


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    with Checker() as it:
        yield it


@pytest.fixture(scope="module")
def roadmap():
    return load()


def texts(value: object) -> Iterator[str]:
    """Every string in an event or verdict."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts(getattr(value, field.name))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from texts(item)


def verdict_of(checker: Checker, roadmap, name: str):
    spec = yaml.safe_load((GALLERY / name / "cheat.yaml").read_text())
    exercise = roadmap.exercise(spec["exercise"].rpartition("/")[2])
    folder = locations.exercises_dir() / spec["exercise"]
    files = {**read_files(folder / "starter"), **read_files(GALLERY / name)}
    del files["cheat.yaml"]
    request = Submission(exercise, folder, files).request(inspect())

    async def run():
        tally = Tally(exercise.id)
        async for event in checker.check(request):
            tally.add(event)
        return tally.verdict()

    return spec, asyncio.run(run())


@pytest.mark.parametrize("name", CHEATS)
def test_ends_as_its_spec_says(checker, roadmap, name):
    spec, verdict = verdict_of(checker, roadmap, name)
    first = verdict.first_failure
    told = "\n".join([verdict.message, *([first.message, first.traceback] if first else [])])
    assert verdict.verdict.value in spec["expect"], told
    if "check" in spec:
        assert first.name == spec["check"], told
    if "says" in spec:
        assert re.search(spec["says"], told, re.DOTALL), told
    if verdict.verdict is not Outcome.PASSED:
        assert told.strip(), "a verdict without a word"
    else:
        assert verdict.levels[Level.CORRECT] is Outcome.PASSED
    odd = {
        c
        for text in texts(verdict)
        for c in text
        if unicodedata.category(c) in ("Cc", "Cf") and c not in "\n\t"
    }
    assert not odd, "nothing in a verdict may steer a terminal"


def test_the_gallery_is_large_enough():
    assert len(CHEATS) - len(HONEST) >= 30
    assert len(HONEST) >= 10
