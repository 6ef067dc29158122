"""Learners made up of a few words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mlsys_path.language import Text
from mlsys_path.levels import Level, Outcome
from mlsys_path.mentoring.assignment import FORMAT, Assignment
from mlsys_path.mentoring.history import Learner
from mlsys_path.progress.records import Attempt, Event, new_id
from mlsys_path.roadmap.model import Step, Track

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def attempt(days_ago: float, verdict: str = "failed", exercise: str = "add-one", **changes) -> Attempt:
    values = {
        "exercise": exercise,
        "started_at": NOW - timedelta(days=days_ago),
        "seconds": 0.25,
        "verdict": Outcome(verdict),
        "levels": {Level.CORRECT: Outcome(verdict)},
        "files_hash": "f" * 64,
        "exercise_hash": "e" * 64,
        "failing_check": "" if verdict == "passed" else "test_adds",
        "message": "" if verdict == "passed" else "1 is not 2\nat all",
    }
    return Attempt.new(**(values | changes))


def event(days_ago: float, kind: str, detail: str = "", exercise: str = "add-one") -> Event:
    return Event(new_id(), exercise, kind, NOW - timedelta(days=days_ago), detail)


def assignment(*exercises: str, days_ago: float = 30, **changes) -> Assignment:
    values = {
        "format": FORMAT,
        "version": 1,
        "id": new_id(NOW - timedelta(days=days_ago)),
        "mentor": "Bob",
        "learner": "Alice",
        "assigned_at": (NOW - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "track": Track(
            "sums",
            Text("Sums", "加法"),
            Text("Sums", "加法"),
            tuple(Step(exercise=name) for name in exercises),
        ),
    }
    return Assignment(**(values | changes))


def learner(*attempts: Attempt, name: str = "Alice", **changes) -> Learner:
    return Learner(
        name.lower(), name, attempts=tuple(sorted(attempts, key=lambda each: each.started_at)), **changes
    )
