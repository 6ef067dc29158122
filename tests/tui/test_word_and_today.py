"""The day's work, the learner's own word, and a stage's questions, on the first screen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mlsys_path.progress import queries
from mlsys_path.progress.diagnostic import draw
from mlsys_path.progress.store import Store
from mlsys_path.roadmap.load import load
from mlsys_path.tui.widgets.roadmap_tree import Place

RESOURCES = """\
resources:
- id: a-book
  title: {en: A book, zh: 一本书}
  kind: book
  urls: ["https://example.org/"]
  summary: {en: Read it, zh: 读它}
"""
READS = """\
    reads: [{resource: a-book, parts: {en: Chapter 1, zh: 第 1 章}, hours: 1}]
    exercises: [alpha, beta]
diagnostic:
- id: how-many
  ask: {en: "What is {n} times two?", zh: "{n} 的两倍是多少？"}
  draw: {n: [2, 3]}
  answer: "n * 2"
  because: {en: "Twice {n} is {answer}.", zh: "{n} 的两倍是 {answer}。"}
- id: which
  ask: {en: "Which is right?", zh: "哪个对？"}
  options: [{text: {en: this one, zh: 这个}, right: true}, {text: {en: that one, zh: 那个}}]
  because: {en: "It is this one.", zh: "是这个。"}
"""
WIDE, NARROW = (120, 36), (80, 24)


@pytest.fixture(autouse=True)
def _more_content(content: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(content / "roadmap", tmp_path / "roadmap")
    stage = tmp_path / "roadmap" / "stages" / "01.yaml"
    stage.write_text(stage.read_text().replace("    exercises: [alpha, beta]\n", READS))
    (tmp_path / "roadmap" / "resources").mkdir()
    (tmp_path / "roadmap" / "resources" / "books.yaml").write_text(RESOURCES)
    monkeypatch.setenv("MLSYS_PATH_ROADMAP", str(tmp_path / "roadmap"))


def hours(week: str = "14") -> None:
    with Store.open() as store:
        store.set_setting(queries.HOURS_SETTING, week)


def words() -> dict[tuple[str, str], str]:
    return {key: claim.claim for key, claim in queries.claims().words.items()}


async def go_to(ui, kind: str, name: str) -> None:
    tree = ui.app.screen.tree_of_exercises
    node = tree.nodes[Place(kind, name)]
    if node.parent is not None:
        node.parent.expand()
    await ui.pilot.pause()
    tree.move_cursor(node)
    await ui.pilot.pause()


class TestToday:
    async def test_says_what_why_and_how_long_in_order(self, opened):
        hours()
        async with opened(size=WIDE) as ui:
            await ui.sees("Today  2 h", "Today: 2 h of 14 h a week")
            await ui.sees("1. 1 h  read  A book: Chapter 1", "It is read for the topic")
            await ui.sees("2. 5 min  solve  Alpha, the first", "It needs nothing before it.")
            await ui.sees("3. 5 min  solve  Beta, the second")

    async def test_has_the_room_of_a_small_terminal_while_the_cursor_is_on_it(self, opened):
        hours()
        async with opened(size=NARROW) as ui:
            await ui.sees("Welcome", "Today  2 h")
            assert "Today: 2 h of 14 h a week" not in ui.screen
            await ui.press("home")
            await ui.sees("Today: 2 h of 14 h a week", "1. 1 h  read")
            assert "Welcome" not in ui.screen
            await ui.press("enter")
            assert len(ui.app.screen_stack) == 2, "there is nothing to open"

    async def test_needs_hours_a_week(self, opened):
        async with opened(size=WIDE) as ui:
            await ui.sees("Welcome")
            assert "Today" not in ui.screen

    async def test_that_is_done_says_so(self, opened):
        hours("0.5")
        with Store.open() as store:
            store.claim("resource", "a-book", "read")
        async with opened(size=WIDE) as ui:
            await ui.sees("Today  ✓", "This week's 30 min are done, by estimate.")

    async def test_a_first_visit_is_no_reading_list(self, opened):
        async with opened(size=WIDE) as ui:
            await ui.sees("Welcome")
            assert "Read first" not in ui.screen

    async def test_what_is_to_be_read_first_is_said_with_what_is_next(self, opened):
        hours("5")
        async with opened(size=WIDE) as ui:
            await ui.sees("Read first: “A book”, Chapter 1 (1 h)")


class TestMarks:
    async def test_a_topic_is_known_and_that_is_taken_back(self, opened):
        async with opened(size=WIDE) as ui:
            await go_to(ui, "topic", "foundations-topic")
            await ui.press("m")
            await ui.sees("Your own word", "All of the topic: Foundations topic", "A book: Chapter 1")
            assert "x take back" not in ui.screen
            await ui.press("k")
            await ui.sees("~ known  All of the topic", "~ known  A book: Chapter 1", "x take back")
            assert words() == {("topic", "foundations-topic"): "known"}
            await ui.press("q")
            await ui.sees("Foundations topic  ~ known  0/2", "~ known, by your word", "~ known      Alpha")
            await ui.sees("0 of 3 passed")
            await ui.press("m", "x")
            await ui.until(lambda: words() == {("topic", "foundations-topic"): "none"})
            await ui.press("q")
            await ui.sees("· new        Alpha")

    async def test_a_part_of_a_resource(self, opened):
        async with opened(size=NARROW) as ui:
            await go_to(ui, "topic", "foundations-topic")
            await ui.sees("· A book: Chapter 1 (1 h)")
            await ui.press("m", "down", "r")
            await ui.sees("~ have read  A book: Chapter 1")
            assert words() == {("reading", "foundations-topic/a-book"): "read"}
            await ui.press("q")
            await ui.sees("~ have read  A book: Chapter 1 (1 h)")

    async def test_an_exercise_is_known_and_not_read(self, opened):
        async with opened(size=WIDE) as ui:
            await ui.press("m")
            await ui.sees("k known")
            assert "r have read" not in ui.screen
            await ui.press("r")
            assert words() == {}
            await ui.press("k")
            await ui.until(words)
            await ui.press("q")
            await ui.sees(
                "~ known      Alpha, the first", "~ known, by your word", "begin with Beta, the second"
            )

    async def test_a_planned_exercise_has_nothing_to_mark(self, opened):
        async with opened(size=WIDE) as ui:
            await go_to(ui, "planned", "delta")
            await ui.press("m")
            assert len(ui.app.screen_stack) == 2
            assert "m mark" not in ui.screen

    async def test_a_word_that_cannot_be_stored_is_a_notification(self, opened, tmp_path):
        async with opened(size=WIDE, notifications=True) as ui:
            await ui.press("m")
            (tmp_path / "home").mkdir(exist_ok=True)
            (tmp_path / "home" / "progress.db").write_bytes(b"this is no database" * 100)
            await ui.press("k")
            await ui.hears("progress database")


class TestQuestions:
    async def answer(self, ui, *, right: bool) -> None:
        asked = ui.app.screen.asked[len(ui.app.screen.answered)]
        if asked.answer is not None:
            reply = f"{asked.answer if right else asked.answer + 1:g}"
        else:
            reply = str(1 + [option.right for option in asked.options].index(right))
        await ui.press(*reply, "enter")

    async def test_are_answered_judged_and_kept_as_a_word(self, opened):
        async with opened(size=NARROW) as ui:
            await ui.press("d")
            await ui.sees("Question 1 of 2", "times two?", "? says that you do")
            await self.answer(ui, right=True)
            await ui.sees("✓ right", "Twice")
            await ui.press("enter")
            await ui.sees("Question 2 of 2", "Which is right?", "1. ", "2. ")
            await self.answer(ui, right=False)
            await ui.sees("✗ not right: this one")
            assert queries.claims().diagnostics == {}
            await ui.press("enter")
            await ui.sees("1 of 2: begin with the topic “Foundations topic”", "it proves nothing")
            assert queries.claims().diagnostics["foundations"].score == (1, 2)
            await ui.press("enter")
            await go_to(ui, "stage", "foundations")
            await ui.sees("~ 1 of 2 questions right")

    async def test_are_those_of_the_command(self, opened):
        async with opened() as ui:
            await ui.press("d")
            screen = ui.app.screen
            assert screen.asked == draw(load().stages["foundations"], screen.seed)

    async def test_what_has_not_the_form_of_an_answer_is_asked_again(self, opened):
        async with opened() as ui:
            await ui.press("d", "w", "h", "y", "enter")
            await ui.sees("Question 1 of 2", "why")
            assert ui.app.screen.answered == []

    async def test_who_leaves_has_answered_nothing(self, opened):
        async with opened() as ui:
            await ui.press("d")
            await self.answer(ui, right=True)
            await ui.press("escape")
            await ui.sees("Welcome")
            assert queries.claims().diagnostics == {}

    async def test_a_stage_without_any_has_no_key_for_them(self, opened):
        async with opened(size=WIDE) as ui:
            await go_to(ui, "exercise", "gamma")
            assert "d questions" not in ui.screen
            await ui.press("d")
            assert len(ui.app.screen_stack) == 2
