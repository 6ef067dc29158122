"""A tiny roadmap in files of its own, a checker that plays a script, and an app to press keys in."""

from __future__ import annotations

import asyncio
import contextlib
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from mlsys_path import language
from mlsys_path.checking.events import (
    CheckEvent,
    CheckResult,
    CheckStarted,
    Counterexample,
    Finished,
    Measurement,
    Started,
)
from mlsys_path.checking.session import CheckRequest
from mlsys_path.levels import Level, Outcome
from mlsys_path.machine.inspect import Machine
from mlsys_path.roadmap.load import load
from mlsys_path.roadmap.model import Exercise
from mlsys_path.tui.app import PathApp
from mlsys_path.tui.services import Services

DEADLINE = 30.0  # of a condition that never comes true

EXERCISE = """\
id: {id}
title: {{en: "{title}", zh: "{zh}"}}
summary: {{en: "About {title}", zh: "关于{zh}"}}
language: python
files: [{file}]
difficulty: 1
minutes: 5
requires: [{requires}]
limits: {{seconds: 10, memory_mb: 512}}
hints:
  - {{en: "First hint, a `list[int]`", zh: "第一条提示"}}
  - {{en: "Second hint", zh: "第二条提示"}}
checks:
  test_small:
    title: {{en: "Doubles a small number", zh: "小的数翻倍"}}
    cause: {{en: "It adds where it should multiply [/b]", zh: "该乘的地方用了加"}}
  test_large:
    title: {{en: "Doubles a large number", zh: "大的数翻倍"}}
  test_speed:
    level: gpu
    title: {{en: "Doubles on a GPU", zh: "在 GPU 上翻倍"}}
wrong:
  adds: {{fails: test_small}}
"""
LESSON = """\
# {title}

## {why}

{word} text of the lesson with `list[int]` and [/x].

```python
def double(x): ...
```

| call | result |
|---|---|
| `double([/b])` | [/x] |
"""
CHECKS = """\
from mlsys_path.checking.testing import assert_equal

def test_small(learner, rng):
    n = int(rng.integers(3, 9))
    assert_equal(learner.double(n), 2 * n, "double")

def test_large(learner, rng):
    n = int(rng.integers(1000, 9000))
    assert_equal(learner.double(n), 2 * n, "double")

def test_speed(learner):
    assert_equal(learner.double(1), 2, "double")
"""
STAGE = """\
id: {id}
order: {order}
title: {{en: "{title}", zh: "{zh}"}}
summary: {{en: "What {title} is about", zh: "关于{zh}"}}
topics:
  - id: {id}-topic
    title: {{en: "{title} topic", zh: "{zh}主题"}}
    summary: {{en: "A topic", zh: "一个主题"}}
    exercises: [{exercises}]
"""


PLANNED = """\
planned:
  - id: delta
    title: {en: "Delta, to come", zh: "丁：待做"}
    summary: {en: "Not yet", zh: "尚未"}
    language: c
    hardware: cpu
    difficulty: 1
    minutes: 60
"""


def write_exercise(root: Path, stage: str, name: str, title: str, zh: str, requires: str = "") -> None:
    """One complete exercise: doubling a number."""
    folder = root / "exercises" / stage / name
    for part in ("starter", "checks", "solution", "wrong/adds"):
        (folder / part).mkdir(parents=True)
    file = f"{name.replace('-', '_')}.py"
    spec = EXERCISE.format(id=name, title=title, zh=zh, file=file, requires=requires)
    (folder / "exercise.yaml").write_text(spec, encoding="utf-8")
    (folder / "README.md").write_text(LESSON.format(title=title, why="Why", word="English"), encoding="utf-8")
    (folder / "README.zh.md").write_text(
        LESSON.format(title=zh, why="为什么", word="中文课文"), encoding="utf-8"
    )
    (folder / "starter" / file).write_text("def double(x):\n    raise NotImplementedError('write double')\n")
    (folder / "solution" / file).write_text("def double(x):\n    return 2 * x  # the reference\n")
    (folder / "wrong/adds" / file).write_text("def double(x):\n    return x + 2\n")
    (folder / "checks" / "test_double.py").write_text(textwrap.dedent(CHECKS))


@pytest.fixture(scope="session")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`roadmap/` and `exercises/` with two stages and three exercises; `beta` builds on `alpha`."""
    root = tmp_path_factory.mktemp("content")
    write_exercise(root, "foundations", "alpha", "Alpha, the first", "甲：第一个")
    write_exercise(root, "foundations", "beta", "Beta, the second", "乙：第二个", requires="alpha")
    write_exercise(root, "os", "gamma", "Gamma, the third", "丙：第三个")
    stages = root / "roadmap" / "stages"
    stages.mkdir(parents=True)
    stages.joinpath("01.yaml").write_text(
        STAGE.format(id="foundations", order=1, title="Foundations", zh="基础", exercises="alpha, beta")
    )
    stages.joinpath("02.yaml").write_text(
        STAGE.format(id="os", order=2, title="Operating systems", zh="操作系统", exercises="gamma, delta")
    )
    planned = root / "roadmap" / "planned"
    planned.mkdir()
    planned.joinpath("os.yaml").write_text(PLANNED)
    return root


@pytest.fixture(autouse=True)
def _own_world(content: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MLSYS_PATH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MLSYS_PATH_ROADMAP", str(content / "roadmap"))
    monkeypatch.setenv("MLSYS_PATH_EXERCISES", str(content / "exercises"))
    for name in ("VISUAL", "EDITOR", "MLSYS_PATH_LANG", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    language.use("en")
    yield
    language.use("en")


def passed(name: str) -> CheckResult:
    """A check that passed."""
    return CheckResult(name, Level.CORRECT, Outcome.PASSED, seconds=0.01)


def failed(name: str, **facts: object) -> CheckResult:
    """A check that failed, with a whole failure to show unless `facts` say otherwise."""
    shown = {
        "message": "double gives the wrong number",
        "counterexample": Counterexample(("double(3)",), got="5", expected="6"),
        "traceback": "  alpha.py:2 in double\n    return x + 2",
        "output": "learner was here",
        "seconds": 0.02,
        **facts,
    }
    return CheckResult(name, Level.CORRECT, Outcome.FAILED, **shown)  # type: ignore[arg-type]


@dataclass
class ScriptedChecker:
    """Plays results one by one; with `step_by_step` each waits for `go`."""

    results: list[CheckResult | Measurement] = field(
        default_factory=lambda: [passed("test_small"), passed("test_large")]
    )
    step_by_step: bool = False
    requests: list[CheckRequest] = field(default_factory=list)
    warmed: list[str] = field(default_factory=list)
    cancelled: int = 0
    trouble: Exception | None = None
    finishes: bool = True

    def __post_init__(self) -> None:
        self.gate = asyncio.Semaphore(0)

    def go(self, steps: int = 1) -> None:
        """Let the next results out."""
        for _step in range(steps):
            self.gate.release()

    def warm(self, exercise: Exercise) -> None:
        self.warmed.append(exercise.id)

    async def check(self, request: CheckRequest) -> AsyncIterator[CheckEvent]:
        self.requests.append(request)
        if self.trouble is not None:
            raise self.trouble
        try:
            yield Started(request.exercise.id, request.declared(), "bubblewrap", "a machine")
            for result in self.results:
                if isinstance(result, CheckResult):
                    yield CheckStarted(result.name)
                if self.step_by_step:
                    await self.gate.acquire()
                yield result
            if self.finishes:
                yield Finished(0.12)
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise


@pytest.fixture
def checker() -> ScriptedChecker:
    return ScriptedChecker()


class Running:
    """An open app, with keys to press and a screen to read."""

    def __init__(self, app: PathApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def screen(self) -> str:
        """All the text that is shown, line by line."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line) for line in lines)

    @property
    def said(self) -> str:
        """All notifications."""
        return "\n".join(notification.message for notification in self.app._notifications)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Let the app work until something is so."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"{what or 'the condition'} never came true; said: {self.said!r}; screen:\n{self.screen}"
                )
            # a look at the screen costs more than the work that it waits for
            await asyncio.sleep(0.01)

    async def sees(self, *texts: str) -> None:
        """Let the app work until all texts are on the screen."""
        await self.until(lambda: all(text in self.screen for text in texts), f"{texts} on the screen")

    async def hears(self, text: str) -> None:
        """Let the app work until it has said something."""
        await self.until(lambda: text in self.said, f"{text!r} said")

    async def settles(self) -> None:
        """Let the app work until it waits for a key."""
        await self.until(
            lambda: not any(w.is_running for w in self.app.workers if w.group != "watch"), "rest"
        )

    async def open(self, exercise: str = "alpha") -> None:
        """Open an exercise and wait for its lesson."""
        self.app.open_exercise(exercise)
        await self.sees("Why" if language.current() == "en" else "为什么")
        await self.settles()

    def card(self, name: str) -> str:
        """The whole text of a part of the check panel, scrolled out of sight or not."""
        widget = self.app.screen.query_one(f"#{name}", Static)
        return str(widget.content) if widget.display else ""


Open = Callable[..., contextlib.AbstractAsyncContextManager[Running]]


@pytest.fixture
def opened(checker: ScriptedChecker) -> Open:
    """`async with opened(size=(80, 24)) as ui:` runs the app with the scripted checker, or with another.

    Unless `defects` are expected, none may have been told.
    """

    @contextlib.asynccontextmanager
    async def run(
        size: tuple[int, int] = (80, 24),
        with_checker: object = None,
        notifications: bool = False,
        defects: bool = False,
        **options: str,
    ) -> AsyncIterator[Running]:
        services = Services(load(), with_checker or checker, Machine(modules=frozenset()))  # type: ignore[arg-type]
        app = PathApp(services, **options)
        app.animation_level = "none"
        async with app.run_test(size=size, notifications=notifications) as pilot:
            ui = Running(app, pilot)
            await ui.until(lambda: ui.app.screen.query("RoadmapTree") and ui.app.screen.placed, "the roadmap")
            await ui.settles()
            yield ui
        assert defects or not app.defects.written, app.defects.written[0].text

    return run


@pytest.fixture
def make_failed() -> Callable[..., CheckResult]:
    return failed
