"""What was measured crosses to the app and lies in the database as it was."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from mlsys_path.checking.codec import from_document, to_document
from mlsys_path.checking.events import Measurement, Verdict
from mlsys_path.checking.submission import Submission
from mlsys_path.checking.timing.roofline import place
from mlsys_path.language import Text
from mlsys_path.levels import Level, Outcome
from mlsys_path.progress import queries
from mlsys_path.progress.store import Store
from mlsys_path.roadmap.model import Check, Exercise

WORD = Text("a word", "词语")
ROOF = place(1e-3, moved=2e9, flops=1e9, bandwidth=4e12, peak=6e13, dtype="float32", device="NVIDIA H200")
TIMED = Measurement("softmax", 1e-3, "s", 2e-3, 2.0, 1.9, 2.1, "copy", 0.6, 1.8, True, ROOF)


@pytest.mark.parametrize("measurement", [TIMED, Measurement("utilisation", 0.8, "")])
def test_it_crosses_as_it_is(measurement):
    assert from_document(json.loads(json.dumps(to_document(measurement)))) == measurement


def test_an_attempt_keeps_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MLSYS_PATH_HOME", str(tmp_path))
    checks = {"test_fast": Check(WORD, Level.FAST)}
    exercise = Exercise("softmax", WORD, WORD, "python", ("softmax.py",), 1, 5, checks, (WORD,))
    verdict = Verdict(
        "softmax", Outcome.PASSED, {Level.FAST: Outcome.PASSED}, (), (TIMED,), sandbox="bubblewrap"
    )
    (tmp_path / "exercise").mkdir()
    submission = Submission(exercise, tmp_path / "exercise", {"softmax.py": b""})
    with Store.open() as store:
        store.record(submission.attempt(verdict, datetime.now(UTC)))
    (attempt,) = queries.attempts("softmax")
    (kept,) = attempt.measurements
    assert (kept["star"], kept["star_bar"], kept["bar"], kept["against"]) == (True, 1.8, 0.6, "copy")
    assert kept["roofline"]["ceiling"] == pytest.approx(2e12)
    assert kept["roofline"]["device"] == "NVIDIA H200"
    assert queries.best_ratio("softmax", "softmax") == 2.0
