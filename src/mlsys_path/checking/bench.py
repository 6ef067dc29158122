"""What one run of an exercise's checks works with: its files, its sandboxes, its log of calls, its measurements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlsys_path.checking.box import Box, Output
from mlsys_path.checking.calls import Calls
from mlsys_path.checking.events import Compiled, Measurement
from mlsys_path.checking.failures import Open, RunOver
from mlsys_path.checking.sandbox import Profile, Sandbox
from mlsys_path.language import _
from mlsys_path.levels import Level
from mlsys_path.roadmap.model import Exercise

TIMING_HEADER = Path(__file__).with_name("timing") / "timing.cuh"

if TYPE_CHECKING:
    from mlsys_path.checking.languages import Adapter


@dataclass
class Bench:
    """Holds the state of a run; the fixtures and the learner's proxies work on it."""

    exercise: Exercise
    folder: Path
    files: Mapping[str, bytes]  # the learner's, by relative name
    adapter: Adapter
    sandboxes: dict[Profile, Sandbox]
    warm: frozenset[Profile]  # those that have already said that they are ready
    emit: Callable[[Measurement | Compiled], None]
    calls: Calls = field(default_factory=Calls)
    output: Output = field(default_factory=Output)
    deadline: float = float("inf")
    _boxes: dict[Profile, Box] = field(default_factory=dict)
    builds: dict[Any, Any] = field(default_factory=dict)
    _shared: dict[str, Any] = field(default_factory=dict)

    def box(self, level: Level) -> Box:
        """The sandbox that checks of a level run in, with the learner's and the harness's files in it."""
        return self.box_of(self.adapter.profile(self.exercise, level), with_files=True)

    def box_of(self, profile: Profile, *, with_files: bool) -> Box:
        """The sandbox of a profile."""
        if profile not in self._boxes:
            box = Box(self.sandboxes[profile], self.exercise.limits, self.output)
            if profile in self.warm:
                box.adopt()
            box.begin(self.all_files() if with_files else {})
            self._boxes[profile] = box
        box = self._boxes[profile]
        # one budget of time for the whole run, whichever sandbox it is spent in
        self.deadline = min(self.deadline, box.deadline)
        box.deadline = self.deadline
        return box

    def shared(self, name: str, make: Callable[[], Any]) -> Any:
        """Something that is made once for a run, when first asked for."""
        if name not in self._shared:
            self._shared[name] = make()
        return self._shared[name]

    def extend(self, seconds: float) -> None:
        """Give back time that was the checker's own: drawing inputs, computing what is expected."""
        if self.deadline != float("inf"):
            self.deadline += max(0.0, seconds)
            for box in self._boxes.values():
                box.deadline = self.deadline

    def all_files(self) -> dict[str, bytes]:
        """The learner's files and the harness, which wins where both claim a name."""
        harness = harness_files(self.folder)
        stems = {name.partition(".")[0] for name in harness if "/" not in name}
        mine = {
            n: d
            for n, d in self.files.items()
            if n in self.exercise.files or n.split("/")[0].partition(".")[0] not in stems
        }
        given = {TIMING_HEADER.name: TIMING_HEADER.read_bytes()} if self.exercise.language == "cuda" else {}
        return {**mine, **given, **harness}

    def on_gpu(self, level: Level) -> bool:
        """Whether checks of a level run on a GPU."""
        return self.adapter.profile(self.exercise, level).gpu

    def traffic(self, level: Level) -> int:
        """Bytes sent over the sandbox's loopback; raises Open where the sandbox has no network of its own."""
        count = self.box(level).sandbox.network_bytes()
        if count is None:
            raise Open(_("counting bytes needs a sandbox with a network of its own: install bubblewrap"))
        return count

    def finish(self) -> bool:
        """End everything; True when every sandbox is as clean as before the run."""
        clean = [box.end() for box in self._boxes.values()]
        return all(clean)

    @property
    def over(self) -> RunOver | None:
        """Why the run's time is used up, once it is: whatever hypothesis makes of the exception."""
        return next((box.run_over for box in self._boxes.values() if box.run_over), None)

    @property
    def used(self) -> frozenset[Profile]:
        """The profiles whose sandboxes this run has touched."""
        return frozenset(self._boxes)


def harness_files(folder: Path) -> dict[str, bytes]:
    """The files of an exercise's `harness/`, by name relative to it."""
    root = folder / "harness"
    if not root.is_dir():
        return {}
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
