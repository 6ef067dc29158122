"""What the screens are told of progress: the learner's word beside proof, today's work, and what was done under earlier ids."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mlsys_path.exercises.workspace import workspace_of
from mlsys_path.levels import Level, Outcome
from mlsys_path.machine.inspect import Machine
from mlsys_path.progress.records import Attempt
from mlsys_path.progress.store import Store
from mlsys_path.roadmap.load import load
from mlsys_path.roadmap.model import Renames
from mlsys_path.tui.services import Services


@pytest.fixture
def services(checker) -> Services:
    roadmap = replace(load(), renames=Renames(exercises={"first": "alpha"}))
    return Services(roadmap, checker, Machine(modules=frozenset()))


async def test_what_is_known_by_the_learners_word_is_no_pass(services):
    with Store.open() as store:
        store.claim("exercise", "alpha", "known")
    progress = await services.progress()
    beta = services.roadmap.exercises["beta"]
    assert (progress.known, progress.summary.passes) == ({"alpha"}, 0)
    assert not progress.status("alpha").passed
    assert (progress.missing(beta), progress.state(beta)) == ((), "new")
    assert [s.exercise for s in progress.suggestions] == ["beta", "gamma"]
    assert progress.claims.words["exercise", "alpha"].claim == "known"


async def test_today_with_hours_a_week(services):
    assert (await services.progress()).today is None
    with Store.open() as store:
        store.set_setting("hours-per-week", "7")
    today = (await services.progress()).today
    assert today is not None
    assert (today.minutes, [entry.id for entry in today.items]) == (60, ["alpha", "beta", "gamma"])


async def test_an_exercise_that_was_renamed_keeps_its_pass_and_its_folder(services):
    with Store.open() as store:
        store.record(
            Attempt.new(
                exercise="first",
                started_at=datetime(2026, 1, 1, tzinfo=UTC),
                seconds=1.0,
                verdict=Outcome.PASSED,
                levels={Level.CORRECT: Outcome.PASSED},
                files_hash="f",
                exercise_hash="e",
            )
        )
    workspace_of("first").mkdir(parents=True)
    (workspace_of("first") / "alpha.py").write_text("mine\n")
    alpha = services.roadmap.exercises["alpha"]
    assert (await services.progress()).summary.passes == 1
    assert (await services.status(alpha)).passed
    assert (workspace_of("alpha") / "alpha.py").read_text() == "mine\n"
    assert not workspace_of("first").exists()
