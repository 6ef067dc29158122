"""The screens over the real checker: one exercise, wrong and then right."""

from __future__ import annotations

from mlsys_path.checking.session import Checker
from mlsys_path.exercises.workspace import workspace_of
from mlsys_path.progress import queries


async def test_a_wrong_and_then_a_right_solution(opened):
    with Checker() as checker:
        async with opened(size=(120, 40), with_checker=checker) as ui:
            await ui.open()
            await ui.press("c")
            await ui.sees(
                "✗ failed  0 of 3 checks passed", "NotImplementedError: write double", "alpha.py:2 in double"
            )
            await ui.settles()
            (workspace_of("alpha") / "alpha.py").write_text("def double(x):\n    return 2 * x\n")
            await ui.press("c")
            await ui.sees("✓ passed  level correct · 2 of 3 checks passed")
            await ui.settles()
    assert [a.verdict for a in queries.attempts("alpha")] == ["passed", "failed"]
