"""`--json` and `--junit` hold whatever a run may say."""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from mlsys_path.checking.events import CheckResult, Counterexample, Mismatch, Verdict
from mlsys_path.cli.check_report import document, write_junit
from mlsys_path.errors import UserError
from mlsys_path.levels import Level, Outcome


def verdict(outcome: Outcome, *checks: CheckResult, message: str = "") -> Verdict:
    return Verdict("adding", outcome, {Level.CORRECT: outcome}, checks, seconds=1.5, message=message)


def check(outcome: Outcome, **more) -> CheckResult:
    return CheckResult("test_it", Level.CORRECT, outcome, **more)


def test_json_has_no_nan():
    nan = float("nan")
    wrong = check(
        Outcome.FAILED,
        counterexample=Counterexample(mismatch=Mismatch((1,), "float32", 1, 1, (0,), "nan", "1.0", nan)),
        seconds=float("inf"),
    )
    text = json.dumps(document([verdict(Outcome.FAILED, wrong)]), allow_nan=False)
    [result] = json.loads(text)["results"]
    assert result["checks"][0]["counterexample"]["mismatch"]["largest_error"] is None
    assert result["levels"] == {"correct": "failed"}


def test_junit_tells_failures_errors_and_skips_apart(tmp_path: Path):
    path = tmp_path / "report.xml"
    outcomes = [check(o, message="why <&>\x00\x1b\ud800") for o in Outcome]
    write_junit(path, [verdict(Outcome.ERROR, *outcomes)])
    root = ET.parse(path).getroot()
    totals = {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")}
    assert totals == {"tests": "4", "failures": "1", "errors": "1", "skipped": "1"}
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("message", "").startswith("why <&>")
    assert oct(path.stat().st_mode & 0o777) == oct(0o666 & ~current_umask())


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_run_that_broke_before_its_checks_is_an_error_in_junit(tmp_path: Path):
    path = tmp_path / "report.xml"
    write_junit(path, [verdict(Outcome.ERROR, message="the checker ended")])
    root = ET.parse(path).getroot()
    assert root.get("errors") == "1"
    error = root.find(".//error")
    assert error is not None
    assert error.get("message") == "the checker ended"


def test_a_report_that_cannot_be_written_leaves_what_was_there(tmp_path: Path, monkeypatch):
    path = tmp_path / "report.xml"
    path.write_text("of an earlier run")
    monkeypatch.setattr(
        Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(UserError, match="No space left"):
        write_junit(path, [verdict(Outcome.PASSED, check(Outcome.PASSED))])
    assert path.read_text() == "of an earlier run"
    assert list(tmp_path.iterdir()) == [path]
