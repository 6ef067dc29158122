"""One build of the small project that is stopped in every step, and resumed each time, until it is done.

It is made once for all tests, as compiling takes seconds, and what was seen on the way is kept in a file.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEADLINE = 280.0  # less than the gate of the small project holds; machines are busy


@dataclass
class Run:
    """One run of the program: its events, its exit code, and what it had started that lived on."""

    events: list[dict] = field(default_factory=list)
    code: int = 0
    error: str = ""
    left: list[str] = field(default_factory=list)

    def of(self, event: str, step: str = "") -> list[dict]:
        """The events of one kind, of one step."""
        return [e for e in self.events if e["event"] == event and (not step or e.get("step") == step)]


@dataclass
class Story:
    """The folder, and all runs by their names."""

    folder: str
    source: str
    runs: dict[str, Run]
    seen: dict[str, object]

    @property
    def path(self) -> Path:
        """The folder of the build."""
        return Path(self.folder)


def little_repository(target: Path) -> Path:
    """A git repository of the small project."""
    shutil.copytree(HERE / "project", target)
    for words in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        ["commit", "-q", "-m", "The small project"],
        ["tag", "v1"],
    ):
        git(target, *words)
    return target


def git(folder: Path, *words: str) -> str:
    """What git says."""
    names = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    done = subprocess.run(["git", *names, "-C", folder, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def start(folder: Path, *words: str, **variables: str) -> subprocess.Popen[str]:
    """The program at work on a folder, in a session of its own."""
    environment = {**os.environ, "MLSYS_PATH_HOME": str(folder.parent / "home"), **variables}
    return subprocess.Popen(
        [sys.executable, HERE / "drive.py", "build", "little", "--dir", folder, "--json", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str], run: Run, folder: Path) -> Run:
    """The rest of its events, its end, and who lives on."""
    out, run.error = process.communicate(timeout=DEADLINE)
    run.events += [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    run.code = process.returncode
    until = time.monotonic() + 15
    while (left := started_by(folder)) and time.monotonic() < until:
        time.sleep(0.02)
    run.left = left
    return run


def started_by(folder: Path) -> list[str]:
    """Processes that were started for a folder: their TMPDIR lies in it."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"TMPDIR={folder}/tmp".encode() in environ.read_bytes():
                found.append((environ.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def stop_at(
    folder: Path, number: signal.Signals, reached: Callable[[dict], bool], *words: str, **variables: str
) -> Run:
    """Run until an event, and end it by a signal there and then."""
    process, run = start(folder, *words, **variables), Run()
    assert process.stdout is not None
    for line in process.stdout:
        run.events.append(json.loads(line))
        if reached(run.events[-1]):
            os.kill(process.pid, number)
            break
    return finish(process, run, folder)


def is_(event: str, step: str) -> Callable[[dict], bool]:
    """Whether an event is of a kind and a step."""
    return lambda e: e["event"] == event and e.get("step") == step


def tell(folder: Path) -> Story:
    """The whole story."""
    source = little_repository(folder / "little")
    at, kill = folder / "build", signal.SIGKILL
    options = ["--source", str(source), "--llvm", "system", "--ref", "v1"]
    runs: dict[str, Run] = {}
    seen: dict[str, object] = {}
    runs["preflight"] = stop_at(at, kill, is_("step-started", "preflight"), *options)
    # killed before it had written anything: there may be nothing to resume
    again = ["--resume"] if (at / "state.json").exists() else options
    runs["source"] = stop_at(at, kill, is_("ran", "source"), *again)
    runs["llvm"] = stop_at(at, kill, is_("ran", "llvm"), "--resume")
    runs["pybind11"] = stop_at(at, kill, is_("step-started", "pybind11"), "--resume")

    gate = folder / "gate"
    gate.touch()
    held = {"LITTLE_GATE": str(gate)}

    def at_the_gate(event: dict) -> bool:
        """The making of a source is held up, and another one is compiled: ninja and its children are alive."""
        if not is_("ran", "libtriton")(event):
            return False
        until = time.monotonic() + DEADLINE
        while not (Path(f"{gate}.reached").exists() and objects(at)) and time.monotonic() < until:
            time.sleep(0.01)
        return True

    def with_a_second(event: dict) -> bool:
        if at_the_gate(event):
            seen["second"] = finish_plain(start(at, "--resume"))
            return True
        return False

    runs["ctrl-c"] = stop_at(at, signal.SIGINT, with_a_second, "--resume", **held)
    seen["objects"] = objects(at)
    Path(f"{gate}.reached").unlink()
    runs["libtriton"] = stop_at(at, kill, at_the_gate, "--resume", **held)
    gate.unlink()
    runs["import"] = stop_at(at, kill, is_("ran", "import"), "--resume")
    seen["objects after"] = objects(at)
    main = at / "source/python/src/main.cc"
    seen["marked"] = "mlsys_path_marker" in main.read_text()
    runs["run"] = stop_at(at, kill, is_("ran", "run"), "--resume")
    runs["done"] = finish(start(at, "--resume"), Run(), at)
    return Story(str(at), str(source), runs, seen)


def finish_plain(process: subprocess.Popen[str]) -> list[object]:
    """Exit code and error of a run that is refused."""
    _out, error = process.communicate(timeout=DEADLINE)
    return [process.returncode, error]


def objects(folder: Path) -> dict[str, int]:
    """The compiled objects of the parts, with their times."""
    found = (folder / "source/build").glob("cmake*/CMakeFiles/parts.dir/lib/*.o")
    return {path.name: path.stat().st_mtime_ns for path in found}


def keep(story: Story, file: Path) -> None:
    """Write it for other workers."""
    document = {**vars(story), "runs": {name: vars(run) for name, run in story.runs.items()}}
    file.write_text(json.dumps(document))


def kept(file: Path) -> Story:
    """Read what another worker wrote."""
    document = json.loads(file.read_text())
    document["runs"] = {name: Run(**run) for name, run in document["runs"].items()}
    return Story(**document)
