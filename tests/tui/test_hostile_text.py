"""Whatever a learner's code says is shown as text: never as markup, never as an escape, never without bounds."""

from __future__ import annotations

from unicodedata import category

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.content import Content

from mlsys_path.checking.events import CheckResult, Counterexample, HeatMap, Measurement, Mismatch
from mlsys_path.levels import Level, Outcome
from mlsys_path.tui.foreign import MAX_LINE, MAX_LINES, foreign

MARKUP = "[/x] list[int] [b]bold[/b] [@click=app.exit]now[/] $success [link=x]"
ESCAPES = "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J \x9b31m \x00 \x08\x7f"
PROGRESS = "  0%\r 50%\r100%\r\n"
BIDI = "abc\u202edcba\u202c \u2066x\u2069 \u200b\u2028\u2029\ufeff"
COMBINING = "e" + "\u0301" * 5000
STEERING = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
HOSTILE = {
    "markup": MARKUP,
    "escapes": ESCAPES,
    "progress": PROGRESS,
    "bidi": BIDI,
    "combining": COMBINING,
    "wide": "好" * 3000,
    "lone surrogate": "\ud800",
    "a 10 MB line": "x" * 10_000_000,
    "100k lines": "line [/x]\n" * 100_000,
    "nothing but line ends": "\n" * 5000,
}


def results(text: str) -> list[CheckResult | Measurement]:
    """A failing run in which everything that others can write is `text`."""
    mismatch = Mismatch(
        (2, 3),
        text,
        1,
        6,
        (0, 1),
        got=text,
        expected=text,
        largest_error=1.0,
        tile=text,
        heat=HeatMap(((1, 0),), 1, 2, (1, 1)),
    )
    failure = CheckResult(
        "test_small",
        Level.CORRECT,
        Outcome.FAILED,
        message=text,
        counterexample=Counterexample((text, text), got=text, expected=text, mismatch=mismatch),
        traceback=text + "\nend",
        output=text,
    )
    return [
        failure,
        CheckResult("test_large", Level.CORRECT, Outcome.OPEN, message=text),
        Measurement(text, 1.0, text),
    ]


async def test_everything_that_is_shown_of_a_run_takes_it(opened, checker):
    async with opened() as ui:
        await ui.open()
        for name, text in HOSTILE.items():
            checker.results = results(text)
            await ui.press("c")
            await ui.settles()
            shown = "\n".join(ui.card(card) for card in ("headline", "failure", "rows", "levels", "measured"))
            assert "✗ failed" in ui.screen and "✗ Doubles a small number" in ui.screen, name
            assert len(shown) < 500_000, name
            assert not any(category(c) in STEERING for c in shown.replace("\n", "")), name
            if text is MARKUP:
                # wrapped to the width, and every character of it is there
                assert MARKUP.replace(" ", "") in "".join(ui.card("failure").split())
            await ui.press("end", "home")
            assert "✗ failed" in ui.screen, name


async def test_a_notification_is_no_markup(opened, checker):
    async with opened(notifications=True) as ui:
        ui.app.say(MARKUP, bad=True)
        await ui.sees("[/x] list[int]")


async def test_the_editors_words_are_no_markup(opened, monkeypatch):
    monkeypatch.setenv("EDITOR", "[/x] [b]")
    async with opened(notifications=True) as ui:
        await ui.open()
        await ui.press("e")
        await ui.sees("'[/x] [b]'")


async def test_hovering_a_table_of_a_lesson_parses_no_markup(opened):
    async with opened() as ui:
        await ui.open()
        cell = next(w for w in ui.app.screen.query(".cell") if "[/x]" in str(w.content))
        await ui.pilot.hover(cell)
        await ui.pilot.pause(ui.app.TOOLTIP_DELAY + 0.1)
        await ui.sees("English text")


def test_a_long_text_keeps_its_beginning_and_its_end():
    shown = foreign("\n".join(str(n) for n in range(100_000))).plain.split("\n")
    assert len(shown) == MAX_LINES + 1
    assert shown[0] == "0" and shown[-1] == "99999"
    assert "99940 lines left out" in shown[MAX_LINES // 2]


def test_a_long_line_says_how_much_is_missing():
    shown = foreign("y" * 10_000_000).plain
    assert shown.startswith("y" * MAX_LINE) and "9999600 more characters" in shown


def test_characters_that_steer_a_terminal_are_shown_as_codes():
    assert foreign("\x1b[31m\u202e").plain == "\\x1b[31m\\x202e"


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_any_text_is_bounded_and_has_only_characters_that_can_be_shown(text):
    shown = foreign(text)
    assert isinstance(shown, Content) and not shown.spans
    assert not any(category(c) in STEERING for c in shown.plain.replace("\n", ""))
    assert all(cell_len(line) <= 8 * (MAX_LINE + 40) for line in shown.plain.split("\n"))
