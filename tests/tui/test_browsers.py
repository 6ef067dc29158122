"""The browsers of an exercise: what the compiler made of the kernels, the learner's files, what was changed in them."""

from __future__ import annotations

from dataclasses import replace
from unicodedata import category

import pytest
from rich.cells import cell_len

from mlsys_path import language
from mlsys_path.checking.events import Compiled
from mlsys_path.exercises.workspace import workspace_of
from mlsys_path.levels import Level
from mlsys_path.progress import queries
from mlsys_path.tui import actions, code_text, ir_text, themes
from mlsys_path.tui.sections import HEADING, MAX_LINE, Folds, Section, cleaned, matches, rows
from mlsys_path.tui.widgets.section_view import SectionView

from .conftest import failed
from .test_hostile_text import HOSTILE, STEERING
from .test_themes import unreadable

SHAPE = {"target": "sm_90", "warps": 4, "stages": 3, "registers": 32, "spills": 0, "shared": 512}


def kernel(name: str, words: str = "") -> Compiled:
    """A kernel whose IR says in each stage which it is."""
    ir = tuple(
        (stage, f"// {stage} of {name}\n" + "filler\n" * 60 + f"{words} end of {stage}\n")
        for stage in ir_text.STAGES
    )
    return Compiled(name=name, ir=ir, **SHAPE)


@pytest.fixture
def with_kernels(opened, checker):
    """`alpha` as a Triton exercise, the checks of which compile two kernels."""
    checker.results = [kernel("add_kernel"), kernel("mul_kernel", "needle"), *checker.results]

    def opening(**options):
        return opened(**options)

    return opening


def as_triton(ui) -> None:
    exercises = ui.app.services.roadmap.exercises
    alpha = exercises["alpha"]
    compiles = replace(alpha.checks["test_speed"], level=Level.COMPILES)
    exercises["alpha"] = replace(alpha, language="triton", checks={**alpha.checks, "test_compiles": compiles})


async def open_ir(ui) -> None:
    as_triton(ui)
    await ui.open()
    await ui.press("c")
    await ui.settles()
    await ui.press("i")
    await ui.sees("▾ add_kernel")
    await ui.settles()


async def start(ui) -> None:
    """Start `alpha`, as an edit would."""
    await ui.app.screen.start_exercise()
    await ui.app.screen.look()
    await ui.settles()


def pages(ui) -> list[str]:
    return [view.id for view in ui.app.screen.query(SectionView) if view.is_on_screen and view.region.area]


# the IR


async def test_ir_is_offered_where_kernels_are_compiled(opened):
    async with opened(size=(120, 36)) as ui:
        await ui.open()
        assert "i IR" not in ui.screen
        as_triton(ui)
        await ui.press("q")
        await ui.open()
        await ui.sees("i IR")


async def test_all_stages_stand_side_by_side_from_120_columns_on(with_kernels, checker):
    async with with_kernels(size=(120, 36)) as ui:
        await open_ir(ui)
        assert pages(ui) == list(ir_text.STAGES)
        await ui.sees("TTIR", "TTGIR", "LLIR", "PTX", "// ttgir of add_kernel", "// ptx of add_kernel")
        await ui.sees(
            "add_kernel 1 of 2", "sm_90 · 4 warps, 3 stages · 32 registers · 0 B spilled · 512 B shared"
        )
        assert len(checker.requests) == 1, "what the check kept is not compiled again"
        await ui.press("z")
        await ui.sees("1 TTIR", "z all stages")
        assert pages(ui) == ["ttir"]
        await ui.pilot.resize_terminal(119, 36)
        await ui.until(lambda: "z " not in ui.screen.split("\n")[-1], "no choice")
        await ui.press("q")
        await ui.sees("✓ passed")


async def test_one_stage_at_a_time_below_that(with_kernels):
    async with with_kernels(size=(80, 24)) as ui:
        await open_ir(ui)
        assert pages(ui) == ["ttir"]
        await ui.press("tab")
        await ui.sees("// ttgir of add_kernel")
        await ui.press("4")
        await ui.sees("// ptx of add_kernel")
        assert pages(ui) == ["ptx"]
        await ui.press("tab")
        await ui.sees("// ttir of add_kernel")
        await ui.pilot.click("#tabs", offset=(20, 0))
        await ui.sees("// llir of add_kernel")


async def test_kernels_fold_in_all_stages_at_once(with_kernels):
    async with with_kernels(size=(120, 36)) as ui:
        await open_ir(ui)
        await ui.press("space")
        await ui.sees("▸ add_kernel", "▾ mul_kernel", "// ttir of mul_kernel")
        assert "of add_kernel" not in ui.screen and ui.screen.count("▸ add_kernel") == 4
        await ui.press("j")
        await ui.sees("mul_kernel 2 of 2")
        await ui.press("a")
        await ui.sees("▸ mul_kernel")
        assert "filler" not in ui.screen
        await ui.press("a", "k")
        await ui.sees("▾ add_kernel", "add_kernel 1 of 2", "// llir of add_kernel")
        await ui.pilot.click("#llir", offset=(2, 0))
        await ui.sees("▸ add_kernel")


async def test_a_search_goes_through_all_stages_and_unfolds_what_it_finds(with_kernels):
    async with with_kernels(size=(80, 24)) as ui:
        await open_ir(ui)
        await ui.press("a", "slash", *"NEEDLE")
        await ui.sees("needle end of ttir", "1 of 4 lines with “NEEDLE”")
        await ui.press("enter", "n")
        await ui.sees("needle end of ttgir", "2 of 4 lines")
        await ui.press("N", "N")
        await ui.sees("needle end of ptx", "4 of 4 lines")
        await ui.press("slash", *"zzz")
        await ui.sees("no line with “zzz”")
        await ui.press("escape")
        await ui.until(lambda: "zzz" not in ui.screen)
        assert "n next match" not in ui.screen
        await ui.press("escape")
        await ui.sees("✓ passed")


async def test_what_no_check_has_kept_is_compiled_and_is_no_attempt(with_kernels, checker):
    async with with_kernels(size=(120, 36)) as ui:
        as_triton(ui)
        await ui.open()
        await start(ui)
        checker.step_by_step = True
        await ui.press("i")
        await ui.sees("The compiler is at work")
        checker.go(9)
        await ui.sees("// ttir of add_kernel")
        assert checker.requests[-1].only == {Level.COMPILES}
    assert queries.attempts("alpha") == ()


async def test_leaving_stops_the_compiler(with_kernels, checker):
    checker.step_by_step = True
    async with with_kernels() as ui:
        as_triton(ui)
        await ui.open()
        await start(ui)
        await ui.press("i")
        await ui.until(lambda: checker.requests)
        await ui.press("q")
        await ui.until(lambda: checker.cancelled == 1, "an end of the run")
        await ui.sees("English text")


async def test_why_nothing_was_compiled_is_told(opened, checker):
    async with opened() as ui:
        as_triton(ui)
        await ui.open()
        await ui.press("i")
        await ui.sees("alpha is not started")
        await ui.press("q")
        await start(ui)
        checker.results = [failed("test_small", traceback="alpha.py:9 [/x] in kernel")]
        await ui.press("i")
        await ui.sees("alpha.py:9 [/x] in kernel")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60), (20, 6)], ids=str)
async def test_a_browser_fills_the_screen_and_no_more(with_kernels, size, lang):
    language.use(lang)
    async with with_kernels(size=size) as ui:
        as_triton(ui)
        await ui.open()
        await ui.press("c")
        await ui.settles()
        for key in ("i", "f", "d"):
            await ui.press(key)
            await ui.settles()
            await ui.press("slash", *"e好", "enter")
            lines = ui.screen.split("\n")
            assert len(lines) == size[1] and all(cell_len(line) == size[0] for line in lines)
            await ui.press("escape")
            await ui.until(lambda: ui.app.screen.NAME == "exercise", "the exercise")


# files and changes


async def test_files_are_shown_in_colour_before_and_after_a_start(opened):
    async with opened() as ui:
        await ui.open()
        await ui.press("f")
        await ui.sees("▾ alpha.py", "1  def double(x):", "1 file · 0 changed since the starter")
        assert not workspace_of("alpha").exists(), "looking starts nothing"
        await ui.press("q")
        await start(ui)
        (workspace_of("alpha") / "alpha.py").write_text("def double(x):\n    return 2 * x  # [/x]\n")
        await ui.press("f")
        await ui.sees("2      return 2 * x  # [/x]", "1 changed since")
        styles = {str(span.style) for span in ui.app.screen.pages[0][0].paint(0, "def double(x):").spans}
        assert len(styles) > 1
        await ui.press("d")
        await ui.sees(
            "▾ alpha.py  +1 -1",
            "-    raise NotImplementedError",
            "+    return 2 * x  # [/x]",
            "d whole files",
        )
        await ui.press("d", "q")
        await ui.sees("English text")


async def test_the_changes_open_at_once_and_say_when_there_are_none(opened):
    async with opened() as ui:
        await ui.open()
        assert "d changes" not in ui.screen
        await start(ui)
        await ui.press("d")
        await ui.sees("Your files are those of the starter.")
        await ui.press("slash", "space", "n", "j")
        await ui.press("q")
        await ui.sees("English text")


async def test_a_file_that_is_missing_is_told(opened):
    async with opened() as ui:
        await ui.open()
        workspace_of("alpha").mkdir(parents=True)
        await ui.press("f")
        await ui.hears("alpha.py is missing")


async def test_a_reset_made_on_the_command_line_can_be_undone_here(opened):
    from mlsys_path.exercises import workspace

    async with opened() as ui:
        await ui.open()
        await start(ui)
        (workspace_of("alpha") / "alpha.py").write_text("mine\n")
        services = ui.app.services
        workspace.reset(services.roadmap.exercise("alpha"), services.roadmap.folder("alpha"))
        await ui.press("q")
        await ui.open()
        await ui.sees("u undo reset")
        await ui.press("u")
        await ui.hears("Your files are back")
        await ui.settles()
        assert (workspace_of("alpha") / "alpha.py").read_text() == "mine\n"
        await ui.press("r", "y")
        await ui.settles()
        await ui.press("c")
        await ui.settles()
        await ui.press("q")
        await ui.open()
        assert "u undo reset" not in ui.screen, "something was checked since"


# both languages, both themes, without colour; help and palette


async def browse_all(ui):
    """Each of the browsers, open, one after the other."""
    as_triton(ui)
    await ui.open()
    await ui.press("c")
    await ui.settles()
    (workspace_of("alpha") / "alpha.py").write_text(
        "@decorated\ndef double(x):\n    return 2 * len('x')  # x\n"
    )
    for key, text in (("i", "add_kernel"), ("f", "decorated"), ("d", "+@decorated")):
        if key == "i":
            await start(ui)
        await ui.press(key)
        await ui.sees(text)
        await ui.settles()
        yield key
        await ui.press("q")
        await ui.settles()


@pytest.mark.parametrize("theme", [themes.DARK, themes.LIGHT])
async def test_all_of_a_browser_can_be_read(with_kernels, theme):
    async with with_kernels(size=(120, 36), theme=theme) as ui:
        async for key in browse_all(ui):
            assert not unreadable(ui), key
            await ui.press("slash", "d", "enter", "t")
            await ui.settles()
            await ui.until(lambda: not unreadable(ui), "a readable other theme")
            await ui.press("t")
            await ui.settles()


async def test_without_colours_all_of_it_is_there(with_kernels, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with with_kernels(size=(120, 36)) as ui:
        seen = [key async for key in browse_all(ui)]
        assert ui.app.no_color and seen == ["i", "f", "d"]


async def test_a_browser_changes_its_language_while_it_is_open(with_kernels):
    async with with_kernels(size=(120, 36)) as ui:
        await open_ir(ui)
        await ui.press("l")
        await ui.sees("甲：第一个 › IR", "// ttir of add_kernel")
        await ui.press("l", "q", "f")
        await ui.sees("Alpha, the first › your files")
        await ui.press("l")
        await ui.sees("甲：第一个 › ", "alpha.py")
        assert "Alpha" not in ui.screen


async def test_help_and_palette_know_the_browsers(with_kernels):
    async with with_kernels(size=(120, 60)) as ui:
        await open_ir(ui)
        await ui.press("question_mark")
        await ui.sees("In the IR browser", *(a.help for a in actions.of_screen(actions.IR)))
        await ui.press("escape", "escape")
        await ui.sees("✓ passed")
        await ui.press("ctrl+p", *"compiler makes", "enter")
        await ui.sees("▾ add_kernel")
        await ui.press("ctrl+p", *"fold all parts", "enter")
        await ui.sees("▸ add_kernel", "▸ mul_kernel")


# hostile text


async def test_nothing_of_others_steers_a_browser(opened, checker):
    for name, text in HOSTILE.items():
        checker.results = [
            Compiled(name=text[:5000] or "x", ir=tuple((s, text) for s in ir_text.STAGES), **SHAPE)
        ]
        async with opened(size=(120, 24)) as ui:
            as_triton(ui)
            await ui.open()
            await start(ui)
            await ui.press("i")
            await ui.until(lambda ui=ui: not ui.app.screen.empty, name)
            await ui.press("end", "slash", *"[/x", "enter")
            lines = ui.screen.split("\n")
            assert all(cell_len(line) == 120 for line in lines), name
            assert not any(category(c) in STEERING for c in "".join(lines)), name


def test_a_file_of_others_is_bounded_and_harmless():
    for name, text in HOSTILE.items():
        section = code_text.file("x.py", text.encode("utf-8", "surrogatepass"))
        shown = "".join(section.paint(number, line).plain for number, line in enumerate(section.lines))
        assert not any(category(c) in STEERING for c in shown), name
        assert all(len(line) <= 5 * MAX_LINE for line in section.lines), name


# without a screen


def test_a_folded_section_is_its_heading():
    sections = (Section("one", ("a", "b")), Section("two", ("c",)))
    folds = Folds(2)
    assert rows(sections, folds) == [(0, HEADING), (0, 0), (0, 1), (1, HEADING), (1, 0)]
    folds.toggle(0)
    assert rows(sections, folds) == [(0, HEADING), (1, HEADING), (1, 0)]
    folds.toggle_all()
    assert rows(sections, folds) == [(0, HEADING), (1, HEADING)]
    folds.toggle_all()
    folds.move(-1)
    assert (folds.folded, folds.current) == (set(), 1)


def test_matches_come_by_section_and_then_by_page():
    page = (Section("one", ("x",)), Section("two", ("y", "X[")))
    assert [(m.section, m.page, m.line) for m in matches([page, page], "x")] == [
        (0, 0, 0),
        (0, 1, 0),
        (1, 0, 1),
        (1, 1, 1),
    ]
    assert len(matches([page], "x[")) == 1 and not matches([page], "")


def test_lines_have_no_tabs_and_end():
    assert cleaned("a\tb\r\n" + "y" * 5000)[0] == "a   b"
    assert "3000 more characters" in cleaned("y" * 5000)[0]


@pytest.mark.parametrize(
    ("stage", "line", "word", "style"),
    [
        ("ttir", "%x = tt.load %p : tensor<128x!tt.ptr<f32>> loc(#loc1)", "tt.load", "heading"),
        ("ttgir", "%0 = arith.constant 2 : i32 // two", "// two", "text-muted"),
        ("llir", "  %7 = tail call i32 @llvm.nvvm.read() ; x", "@llvm.nvvm.read", "state-open"),
        ("ptx", "    ld.global.b32 %r1, [%rd1];  // x", "ld.global.b32", "heading"),
    ],
)
def test_ir_is_coloured(stage, line, word, style):
    content = ir_text._PAINT[stage](0, line)
    assert any(content.plain[s.start : s.end] == word and style in str(s.style) for s in content.spans)
