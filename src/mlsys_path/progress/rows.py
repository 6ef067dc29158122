"""Attempts, events and claims as rows of the database, which are also the objects of an export."""

from __future__ import annotations

import json
from typing import Any, cast

from mlsys_path.levels import Level, Outcome
from mlsys_path.progress.records import (
    CLAIM_KINDS,
    CLAIM_WORDS,
    EVENT_KINDS,
    Attempt,
    Claim,
    Event,
    EventKind,
    from_text,
    plain,
    to_text,
)

ATTEMPT_COLUMNS = (
    "id", "exercise", "started_at", "seconds", "verdict", "levels", "files_hash", "exercise_hash",
    "measurements", "machine", "sandbox", "failing_check", "message",
)  # fmt: skip
EVENT_COLUMNS = ("id", "exercise", "kind", "at", "detail")
CLAIM_COLUMNS = ("id", "kind", "subject", "claim", "at", "detail")


def attempt_to_row(attempt: Attempt) -> dict[str, Any]:
    """The columns of `attempts`."""
    return {
        "id": attempt.id,
        "exercise": attempt.exercise,
        "started_at": to_text(attempt.started_at),
        "seconds": attempt.seconds,
        "verdict": str(attempt.verdict),
        "levels": json.dumps({str(level): str(outcome) for level, outcome in attempt.levels.items()}),
        "files_hash": attempt.files_hash,
        "exercise_hash": attempt.exercise_hash,
        "measurements": json.dumps(plain(attempt.measurements), ensure_ascii=False, allow_nan=False),
        "machine": attempt.machine,
        "sandbox": attempt.sandbox,
        "failing_check": attempt.failing_check,
        "message": attempt.message,
    }


def attempt_from_row(row: dict[str, Any]) -> Attempt:
    """The attempt of a row; raises ValueError or KeyError for a row that this program cannot have written."""
    return Attempt(
        **{
            **row,
            "started_at": from_text(row["started_at"]),
            "verdict": Outcome(row["verdict"]),
            "levels": {
                Level(level): Outcome(outcome) for level, outcome in json.loads(row["levels"]).items()
            },
            "measurements": tuple(json.loads(row["measurements"])),
        }
    )


def event_to_row(event: Event) -> dict[str, Any]:
    """The columns of `events`."""
    return {
        "id": event.id,
        "exercise": event.exercise,
        "kind": event.kind,
        "at": to_text(event.at),
        "detail": event.detail,
    }


def event_from_row(row: dict[str, Any]) -> Event:
    """The event of a row; raises ValueError or KeyError for a row that this program cannot have written."""
    if row["kind"] not in EVENT_KINDS:
        raise ValueError(f"unknown kind of event: {row['kind']!r}")
    return Event(**{**row, "kind": cast(EventKind, row["kind"]), "at": from_text(row["at"])})


def claim_to_row(claim: Claim) -> dict[str, Any]:
    """The columns of `claims`."""
    return {
        "id": claim.id,
        "kind": claim.kind,
        "subject": claim.subject,
        "claim": claim.claim,
        "at": to_text(claim.at),
        "detail": json.dumps(plain(claim.detail), ensure_ascii=False, allow_nan=False),
    }


def claim_from_row(row: dict[str, Any]) -> Claim:
    """The claim of a row; raises ValueError or KeyError for a row that this program cannot have written."""
    claim = Claim(**{**row, "at": from_text(row["at"]), "detail": json.loads(row["detail"])})
    if claim.kind not in CLAIM_KINDS or claim.claim not in CLAIM_WORDS or not isinstance(claim.detail, dict):
        raise ValueError(f"no claim of ours: {row!r}")
    if claim.claim == "diagnostic":
        right, of = claim.detail.get("right"), claim.detail.get("of")
        if claim.kind != "stage" or type(right) is not int or type(of) is not int or not 0 <= right <= of:
            raise ValueError(f"no diagnostic of ours: {row!r}")
    return claim
