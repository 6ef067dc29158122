"""What a step is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mlsys_path.triton_build.events import Facts
from mlsys_path.triton_build.settings import Settings
from mlsys_path.triton_build.work import Work


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it is called and why there is one, how it runs, and when an earlier run of it still counts.

    Texts are marked for the catalogue, and translated when they are shown.
    """

    name: str
    title: str
    what: str
    why: str
    run: Callable[[Work], Awaitable[Facts]]
    say: Callable[[Facts], str]  # the proof as a sentence
    holds: Callable[[Work, Facts], bool]  # whether what it left is still there
    preview: Callable[[Work], list[str]]  # the commands that it would run, as far as they are known before
    settings: Callable[[Settings], object] = lambda settings: None  # those of the options that change it
