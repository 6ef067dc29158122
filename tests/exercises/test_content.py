"""What holds for all exercises that are shipped, beyond what `author verify` proves."""

from __future__ import annotations

from mlsys_path import locations


def test_support_files_that_learners_read_are_those_that_run():
    for harness in locations.exercises_dir().glob("*/*/harness"):
        for file in harness.iterdir():
            for part in ("starter", "solution"):
                shown = harness.parent / part / file.name
                if shown.is_file():
                    assert shown.read_bytes() == file.read_bytes(), f"{shown} differs from {file}"
