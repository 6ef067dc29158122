"""Verdicts for machines: the object of `check --json`, and JUnit XML."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from mlsys_path.checking.events import SCHEMA, CheckResult, Verdict
from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.levels import Outcome
from mlsys_path.progress.records import plain

# XML 1.0 cannot hold these, not even escaped
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The one object that `check --json` prints; docs/cli.md holds its schema."""
    # JSON has no NaN and no infinity: such a number becomes null
    return {"schema": SCHEMA, "results": [plain(verdict.to_json()) for verdict in verdicts]}


def write_junit(path: Path, verdicts: Sequence[Verdict]) -> None:
    """Write JUnit XML, whole or not at all; raises UserError when the file cannot be written."""
    root = ET.Element("testsuites", name="mlsys-path")
    for verdict in verdicts:
        root.append(_suite(verdict))
    _totals(root, [suite.attrib for suite in root])
    ET.indent(root)
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")
            Path(temporary).chmod(0o666 & ~_umask())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UserError(_("{path}: cannot be written: {why}").format(path=path, why=error.strerror)) from None


def _suite(verdict: Verdict) -> ET.Element:
    suite = ET.Element("testsuite", name=verdict.exercise)
    for check in verdict.checks:
        suite.append(_case(verdict.exercise, check))
    if verdict.verdict is Outcome.ERROR and verdict.first_failure is None:
        # the run itself broke: no check can carry it
        broken = ET.SubElement(suite, "testcase", classname=verdict.exercise, name="run", time="0.000")
        ET.SubElement(broken, "error", message=_xml(verdict.message))
    cases = list(suite)
    suite.attrib |= {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": str(sum(case.find("error") is not None for case in cases)),
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
        "time": f"{verdict.seconds:.3f}",
    }
    return suite


def _case(exercise: str, check: CheckResult) -> ET.Element:
    case = ET.Element("testcase", classname=exercise, name=check.name, time=f"{check.seconds:.3f}")
    message = _xml(check.message)
    match check.outcome:
        case Outcome.FAILED:
            ET.SubElement(case, "failure", message=message, type=check.level).text = _xml(check.traceback)
        case Outcome.ERROR:
            ET.SubElement(case, "error", message=message, type=check.level).text = _xml(check.traceback)
        case Outcome.OPEN:
            ET.SubElement(case, "skipped", message=message)
        case Outcome.PASSED:
            pass
    if check.output:
        ET.SubElement(case, "system-out").text = _xml(check.output)
    return case


def _totals(root: ET.Element, suites: Sequence[dict[str, str]]) -> None:
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite[key]) for suite in suites)))
    root.set("time", f"{sum(float(suite['time']) for suite in suites):.3f}")


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
