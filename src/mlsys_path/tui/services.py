"""What the screens work with: the roadmap, the checker, this machine, the learner's progress. No widget here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlsys_path.progress import queries
from mlsys_path.progress.outlook import outlook, pace_of
from mlsys_path.progress.records import Attempt, Claims, Status, Summary
from mlsys_path.progress.suggest import Suggestion
from mlsys_path.progress.word import Said, Word

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Protocol

    from mlsys_path.checking.events import CheckEvent, Compiled, Verdict
    from mlsys_path.checking.session import CheckRequest
    from mlsys_path.checking.submission import Submission
    from mlsys_path.levels import Level
    from mlsys_path.machine.inspect import Machine
    from mlsys_path.progress.diagnostic import Answered
    from mlsys_path.progress.records import ClaimKind, ClaimWord, EventKind
    from mlsys_path.progress.store import Store
    from mlsys_path.progress.today import Today
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Exercise, Stage

    class Checks(Protocol):
        """What is needed of `checking.session.Checker`."""

        def check(self, request: CheckRequest) -> AsyncIterator[CheckEvent]: ...  # noqa: D102
        def warm(self, exercise: Exercise) -> None: ...  # noqa: D102


SHOWN_ATTEMPTS = 60  # of one exercise, when its own history is shown


@dataclass(frozen=True)
class Progress:
    """How the learner stands at one moment."""

    statuses: Mapping[str, Status] = field(default_factory=dict)
    summary: Summary = field(default_factory=lambda: Summary(0, 0, 0))
    suggestions: tuple[Suggestion, ...] = ()
    today: Today | None = None  # of the hours a week that were set, or of the followed track
    known: frozenset[str] = frozenset()  # exercises, by the learner's word, which is no pass
    claims: Claims = field(default_factory=Claims)  # all that they say
    word: Word | None = None  # what that comes to

    def status(self, exercise: str) -> Status:
        """The status of an exercise, touched or not."""
        return self.statuses.get(exercise) or Status(exercise)

    def missing(self, exercise: Exercise) -> tuple[str, ...]:
        """The prerequisites that have not passed and are not known by the learner's word."""
        return tuple(
            name for name in exercise.requires if not self.status(name).passed and name not in self.known
        )

    def state(self, exercise: Exercise) -> str:
        """A key of `words.STATES`: what was tried, else the learner's word, else "blocked" where something comes first."""
        state = self.status(exercise.id).state
        if state in ("new", "started") and exercise.id in self.known:
            return "known"
        return "blocked" if state == "new" and self.missing(exercise) else state

    def said(self, kind: str, id_: str) -> Said:
        """The learner's word on a thing."""
        return self.word.of(kind, id_) if self.word else ""

    @property
    def empty(self) -> bool:
        """Whether nothing was ever done."""
        return not self.statuses


class Services:
    """Held by the app for its life. Whatever may take time is a coroutine and leaves the event loop free."""

    def __init__(self, roadmap: Roadmap, checker: Checks, machine: Machine | None = None) -> None:
        self.roadmap = roadmap
        self.checker = checker
        self._machine = machine
        self._inspecting = asyncio.Lock()
        self._warming = asyncio.Lock()
        self._starting = asyncio.Lock()
        self._preferring = asyncio.Lock()

    async def machine(self, *, again: bool = False) -> Machine:
        """What this computer has, looked at once, or again."""
        from mlsys_path.machine.inspect import inspect

        async with self._inspecting:
            if self._machine is None or again:
                self._machine = await asyncio.to_thread(inspect)
            return self._machine

    async def open_levels(self, exercise: Exercise) -> dict[Level, str]:
        """The levels of an exercise that this machine cannot check, and what each needs."""
        from mlsys_path.machine.requirements import open_because

        machine = await self.machine()
        levels = {check.level for check in exercise.checks.values()}
        reasons = {level: open_because(exercise, level, machine) for level in levels}
        return {level: why for level, why in reasons.items() if why}

    async def progress(self) -> Progress:
        """How the learner stands. Raises UserError when the database cannot be read."""
        from mlsys_path.machine.uncheckable import why_uncheckable

        machine = await self.machine()
        return await asyncio.to_thread(
            self._progress, lambda name: why_uncheckable(self.roadmap.exercises[name], machine)
        )

    def _progress(self, trouble: Callable[[str], str]) -> Progress:
        roadmap, renames = self.roadmap, self.roadmap.renames
        statuses = queries.statuses(renames=renames)
        word = Word(roadmap, queries.claims(renames))
        track = queries.followed_track(renames)
        pace = pace_of(roadmap, track, queries.setting(queries.HOURS_SETTING))
        day = now().astimezone().date()
        ahead = outlook(roadmap, statuses, word, track, pace, day, trouble)
        summary = queries.summary(renames=renames)
        return Progress(statuses, summary, ahead.suggestions, ahead.today, word.known, word.claims, word)

    async def word(self) -> Word:
        """What the learner says of everything. Raises UserError when the database cannot be read."""
        renames = self.roadmap.renames
        return await asyncio.to_thread(lambda: Word(self.roadmap, queries.claims(renames)))

    async def claim(self, kind: ClaimKind, subject: str, claim: ClaimWord) -> None:
        """Store what the learner says of a thing. Raises UserError when it cannot be stored."""
        await self._write(lambda store: store.claim(kind, subject, claim))

    async def advice(self, stage: Stage, answered: Sequence[Answered]) -> str:
        """What comes of the answers to a stage's questions. Raises UserError when the database cannot be read."""
        from mlsys_path.progress.diagnostic import advice

        word = await self.word()
        statuses = await asyncio.to_thread(lambda: queries.statuses(renames=self.roadmap.renames))
        passed = {name for name, status in statuses.items() if status.passed}
        return advice(self.roadmap, stage, answered, passed, word)

    async def remember_diagnostic(self, stage: Stage, detail: Mapping[str, Any]) -> None:
        """Store how a stage's questions were answered. Raises UserError when it cannot be stored."""
        await self._write(lambda store: store.claim("stage", stage.id, "diagnostic", detail))

    async def status(self, exercise: Exercise) -> Status:
        """How the learner stands with one exercise, and whether it changed since they passed.

        Their folder of an earlier id becomes that of the present one.
        """
        from mlsys_path.exercises.folder import exercise_hash
        from mlsys_path.exercises.workspace import adopt

        renames = self.roadmap.renames

        def look() -> Status:
            adopt(exercise.id, renames)
            hashes = {exercise.id: exercise_hash(self.roadmap.folder(exercise.id))}
            found = queries.statuses(hashes, renames)
            return found.get(exercise.id) or Status(exercise.id)

        return await asyncio.to_thread(look)

    async def attempts(self, exercise: Exercise) -> tuple[Attempt, ...]:
        """The last attempts at an exercise, newest first. Raises UserError when the database cannot be read."""
        renames = self.roadmap.renames
        return await asyncio.to_thread(queries.attempts, exercise.id, SHOWN_ATTEMPTS, renames)

    async def warm(self, exercise: Exercise) -> None:
        """Start what the exercise's first check will want. A failure is met, and told, by the check itself."""
        async with self._warming:
            with contextlib.suppress(Exception):
                await asyncio.to_thread(self.checker.warm, exercise)

    async def submission(self, exercise: Exercise) -> Submission:
        """The learner's files as they are. Raises UserError when one is missing."""
        from mlsys_path.checking.submission import Submission
        from mlsys_path.exercises.workspace import learner_files

        folder = self.roadmap.folder(exercise.id)
        files = await asyncio.to_thread(learner_files, exercise)
        return Submission(exercise, folder, files)

    async def files(self, exercise: Exercise) -> tuple[dict[str, bytes], dict[str, str]]:
        """The learner's files, and for those that differ from the starter's their diffs; before a start the starter's.

        Raises UserError when a file is missing or cannot be read.
        """
        from mlsys_path.exercises import workspace
        from mlsys_path.exercises.folder import read_files

        folder = self.roadmap.folder(exercise.id)
        if not workspace.workspace_of(exercise.id).is_dir():
            return await asyncio.to_thread(read_files, folder / "starter"), {}
        files = await asyncio.to_thread(workspace.learner_files, exercise)
        return files, await asyncio.to_thread(workspace.changes, exercise, folder)

    async def check(
        self,
        submission: Submission,
        told: Callable[[CheckEvent], None],
        *,
        only: frozenset[Level] | None = None,
    ) -> None:
        """Make one run, of all levels or some, and tell each event; cancelling it leaves no process behind."""
        from mlsys_path.checking.events import Compiled

        request = await asyncio.to_thread(submission.request, await self.machine(), only=only)
        # the parent that is being warmed is the one that this run wants
        async with self._warming:
            events = self.checker.check(request)
        compiled: list[Compiled] = []
        async with contextlib.aclosing(events) as stream:  # type: ignore[type-var]
            async for event in stream:
                if isinstance(event, Compiled):
                    compiled.append(event)
                told(event)
        if compiled:
            from mlsys_path.checking import artefacts

            await asyncio.to_thread(artefacts.keep, submission, compiled)

    async def kept_kernels(self, submission: Submission) -> tuple[Compiled, ...]:
        """What the compiler made of exactly these files in an earlier run; nothing where that was not kept."""
        from mlsys_path.checking import artefacts

        return await asyncio.to_thread(artefacts.kept, submission)

    async def compile_kernels(self, submission: Submission) -> tuple[tuple[Compiled, ...], str]:
        """Run the checks of level `compiles`: the kernels, and why there are none. Nothing of it is an attempt."""
        from mlsys_path.checking.verdict import Tally
        from mlsys_path.levels import Level

        tally = Tally(submission.exercise.id)
        await self.check(submission, tally.add, only=frozenset({Level.COMPILES}))
        if tally.compiled:
            return tuple(tally.compiled), ""
        verdict = tally.verdict()
        if (failure := verdict.first_failure) is not None:
            return (), failure.traceback or failure.message
        return (), verdict.message or verdict.open_because.get(Level.COMPILES, "")

    async def remember(self, submission: Submission, verdict: Verdict, started_at: datetime) -> None:
        """Store the attempt. Raises UserError when it cannot be stored."""
        await self._write(
            lambda store: store.record(submission.attempt(verdict, started_at), submission.files)
        )

    async def remember_event(self, exercise: Exercise, kind: EventKind, detail: str = "") -> None:
        """Store what else the learner did. Raises UserError when it cannot be stored."""
        await self._write(lambda store: store.record_event(exercise.id, kind, detail))

    async def prefer(self, key: str, value: str) -> None:
        """Keep a setting in the file of settings. Raises UserError when it cannot be kept."""
        from mlsys_path import preferences

        async with self._preferring:
            await asyncio.to_thread(preferences.store, key, value)

    async def _write(self, write: Callable[[Store], object]) -> None:
        def work() -> None:
            from mlsys_path.progress.store import Store

            with Store.open() as store:
                write(store)

        # a thread that has begun ends its work even when what waits for it is cancelled
        await asyncio.to_thread(work)

    async def start(self, exercise: Exercise) -> bool:
        """Copy the starter where files are missing; whether the exercise was not started before."""
        from mlsys_path.exercises import workspace

        # of two that want it started at once, one finds it new
        async with self._starting:
            _folder, new = await asyncio.to_thread(
                workspace.start, exercise, self.roadmap.folder(exercise.id)
            )
        return new


def now() -> datetime:
    """This moment in UTC, as attempts are dated."""
    return datetime.now(UTC)
