"""A defect of the program: a report in a file, and one line that says where it is."""

from __future__ import annotations

from mlsys_path import crash_report
from mlsys_path.language import _


def report(error: BaseException, args: list[str]) -> str:
    """Write a crash report into the log folder, or a temporary one; returns the line to show."""
    path = crash_report.write(crash_report.text_of(error, args))
    return _("a defect of mlsys-path ({kind}). Report: {path}").format(
        kind=type(error).__name__, path=path or _("(it could not be written)")
    )
