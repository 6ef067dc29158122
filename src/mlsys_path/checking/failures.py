"""Every way in which a check can end without a pass."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from mlsys_path.checking.events import Mismatch, Obstacle
from mlsys_path.language import _
from mlsys_path.roadmap.model import Limits


class CheckFailed(AssertionError):
    """The learner's code is wrong; the message is for the learner."""

    def __init__(
        self, message: str, *, got: str = "", expected: str = "", mismatch: Mismatch | None = None
    ) -> None:
        super().__init__(message)
        self.got = got
        self.expected = expected
        self.mismatch = mismatch


class NotBuilt(CheckFailed):
    """The learner's files, or this system's, did not make a program."""


class TimingRefused(Exception):
    """A time that cannot be believed: nothing is said of the code but why."""


class Disturbed(TimingRefused):
    """A time that something ran beside: the learner's work outside of the call, or others on the machine."""


class MissingName(CheckFailed, AttributeError):
    """The learner's module lacks a name; an AttributeError too, as hypothesis asks its arguments for optional ones."""


class Open(Exception):
    """This machine cannot check it; the message says what it lacks."""


@dataclass(frozen=True)
class Frame:
    """A line of the learner's own code in a traceback."""

    file: str
    line: int
    function: str
    text: str

    def __str__(self) -> str:
        where = f"  {self.file}:{self.line} in {self.function}"
        return f"{where}\n    {self.text}" if self.text else where


class LearnerError(Exception):
    """An exception left the learner's code."""

    def __init__(self, kind: str, classes: tuple[str, ...], message: str, frames: tuple[Frame, ...]) -> None:
        super().__init__(f"{kind}: {message}" if message else kind)
        self.kind = kind
        self.classes = classes
        self.message = message
        self.frames = frames
        self.loading = False  # whether it kept their module from being loaded

    @property
    def traceback(self) -> str:
        """The learner's frames and the exception, innermost last."""
        return "\n".join([*map(str, self.frames), str(self)])


class WatchedError(LearnerError):
    """Something that the worker's watch saw, in our own words: a stray access, a damaged band, a GPU that is absent."""

    def __init__(self, kind: str, classes: tuple[str, ...], message: str, frames: tuple[Frame, ...]) -> None:
        super().__init__(kind, classes, message, frames)
        self.args = (message,)


class LearnerDied(Exception):
    """The learner's process ended while an answer was expected of it."""

    @classmethod
    def of(cls, status: int | None, reason: str, doing: str, limits: Limits) -> LearnerDied:
        """Say why, from the exit status and the limit that was reached."""
        if reason == "memory":
            why = _("used more than {mb} MB of memory").format(mb=limits.memory_mb)
        elif reason == "processes":
            why = _("started more than {n} processes").format(n=limits.processes)
        elif status is None:
            why = _("closed its channel to the checker")
        elif status == -signal.SIGXCPU:
            why = _("used up its CPU time")
        elif status == -signal.SIGXFSZ:
            why = _("wrote a file that is too large")
        elif status < 0:
            why = _("was ended by {signal}").format(signal=signal_name(-status))
        else:
            why = _("ended itself with exit code {status}").format(status=status)
        text = _("Your code {why}").format(why=why)
        return cls(_("{text} during {doing}").format(text=text, doing=doing) if doing else text)


def obstacle(error: BaseException | None) -> Obstacle:
    """What kept a check from seeing what the code does: then nothing that it looks for is the cause."""
    match error:
        case NotBuilt():
            return "unbuilt"
        case MissingName():
            return "unwritten"
        case LearnerError() if "NotImplementedError" in error.classes:
            return "unwritten"
        case LearnerError() if error.loading or {"SyntaxError", "ImportError"} & set(error.classes):
            return "unloaded"
    return ""


class RunOver(BaseException):
    """The time of the whole run is used up.

    A BaseException, so that hypothesis does not take it for one more failing example.
    """

    def __init__(self, doing: str, seconds: float) -> None:
        text = _("Your code was not done within the limit of {seconds:g} s").format(seconds=seconds)
        super().__init__(_("{text}: {doing}").format(text=text, doing=doing) if doing else text)


def signal_name(number: int) -> str:
    """'SIGSEGV (invalid memory access)' for 11, and so on."""
    meanings = {
        signal.SIGSEGV: _("invalid memory access"),
        signal.SIGABRT: _("abort"),
        signal.SIGFPE: _("arithmetic error, such as an integer division by zero"),
        signal.SIGILL: _("illegal instruction"),
        signal.SIGBUS: _("bus error"),
        signal.SIGKILL: _("kill"),
    }
    try:
        name = signal.Signals(number)
    except ValueError:
        return str(number)
    return f"{name.name} ({meanings[name]})" if name in meanings else name.name
