"""Why a machine cannot check an exercise at all: what the weakest of its levels lacks."""

from __future__ import annotations

import pytest

from mlsys_path.language import Text
from mlsys_path.levels import Level
from mlsys_path.machine.inspect import Machine
from mlsys_path.machine.requirements import checkable
from mlsys_path.machine.uncheckable import why_uncheckable
from mlsys_path.roadmap.model import Check, Exercise

NAME = Text("name", "名字")


def exercise(language: str, *levels: Level) -> Exercise:
    checks = {f"test_{level}": Check(NAME, level) for level in levels}
    return Exercise("e", NAME, NAME, language, ("a.py",), 1, 5, checks, (NAME,))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (exercise("python", Level.CORRECT), ""),
        (exercise("python", Level.CORRECT, Level.GPU), ""),
        (exercise("python", Level.GPU), "needs an NVIDIA GPU"),
        (exercise("c", Level.CORRECT), "needs gcc"),
        (exercise("c", Level.GPU, Level.CORRECT), "needs gcc"),
    ],
)
def test_a_bare_machine(given, words):
    machine = Machine(modules=frozenset())
    why = why_uncheckable(given, machine)
    assert why.startswith(words)
    assert bool(why) == bool(words) == (not checkable(given, machine))
    assert "GPU" not in why or words.endswith("GPU")
