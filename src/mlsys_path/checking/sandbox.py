"""Starts the warm parent of learners' code inside the strongest sandbox that works here.

bubblewrap: own user, pid, network, ipc and mount namespaces; a read-only system without this package, the
exercises, the database or the home folder; private /tmp and work folder in memory. Landlock, where namespaces are not to be
had: the same folders by kernel rules, a scratch folder on disk, no TCP. Neither: resource limits alone. An attempt records which.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlsys_path import locations
from mlsys_path.checking import precompiled
from mlsys_path.machine import containment
from mlsys_path.roadmap.sources import sources

WORKER_DIR = Path(__file__).resolve().parent / "worker"
SCRATCH_BYTES = 512 << 20
INSIDE_WORK = "/run/mlsys-path/work"
INSIDE_WORKER = "/run/mlsys-path/worker"
INSIDE_PRECOMPILED = "/run/mlsys-path/precompiled"

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store")
_ETC = (
    "alternatives",
    "group",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "nsswitch.conf",
    "OpenCL",
    "openmpi",
    "passwd",
    "pmix",
    "prte",
)
_GPU = ("/dev/nvidia*", "/dev/dxg", "/dev/kfd", "/dev/dri")


@dataclass(frozen=True)
class Profile:
    """What a warm parent has imported and may touch; one parent serves all exercises of the same profile."""

    preload: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    gpu: bool = False


@dataclass
class Sandbox:
    """A running warm parent: its process and our end of its control channel."""

    kind: str
    process: subprocess.Popen[bytes]
    control: socket.socket
    work: str
    folders: list[Path] = field(default_factory=list)

    @property
    def precompiled(self) -> str:
        """The folder of precompiled headers, as programs inside see it."""
        return INSIDE_PRECOMPILED if self.kind == "bubblewrap" else str(precompiled.folder())

    def network_bytes(self) -> int | None:
        """Bytes sent over the sandbox's loopback, by the kernel's count; None where the network is shared."""
        if self.kind != "bubblewrap":
            return None
        child = _first_child(self.process.pid)
        if child is None:
            return None
        for line in Path(f"/proc/{child}/net/dev").read_text().splitlines():
            name, _, counters = line.partition(":")
            if name.strip() == "lo":
                return int(counters.split()[8])
        return None

    def kill(self) -> None:
        """End the parent and everything in it, at once."""
        with contextlib.suppress(OSError):
            self.control.close()
        if self.kind != "bubblewrap":
            # no namespace dies with it: its descendants are killed one by one
            _kill_descendants(self.process.pid)
        # the group, as a bwrap that is still setting up has a child that waits for it
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)


@functools.cache
def kind() -> str:
    """'bubblewrap', 'landlock' or 'rlimits': the strongest that works on this machine."""
    return containment.probe().kind


def start(profile: Profile, sandbox_kind: str | None = None) -> Sandbox:
    """Start a warm parent; it sends `{"ready": pid}` when its imports are done."""
    sandbox_kind = sandbox_kind or kind()
    ours, theirs = socket.socketpair()
    folders: list[Path] = []
    if sandbox_kind == "bubblewrap":
        worker, work, scratch = INSIDE_WORKER, INSIDE_WORK, ["/tmp", "/dev/shm"]
    else:
        base = Path(tempfile.mkdtemp(prefix="mlsys-path-"))
        folders.append(base)
        for name in ("work", "tmp"):
            (base / name).mkdir()
        worker, work, scratch = str(WORKER_DIR), str(base / "work"), [str(base / "tmp")]
    config = {
        "fd": theirs.fileno(),
        "work": work,
        "scratch": scratch,
        "contained": sandbox_kind == "bubblewrap",
        "paths": list(_site_paths()),
        "preload": list(profile.preload),
    }
    command = [sys.executable, "-I", "-S", f"{worker}/main.py", json.dumps(config)]
    environment = _environment(profile, scratch[0], work)
    if sandbox_kind == "bubblewrap":
        command = [*bubblewrap_command(profile), "--", *command]
    elif sandbox_kind == "landlock":
        rules = json.dumps(
            {
                "read": [*map(str, _visible(())), str(WORKER_DIR), str(precompiled.folder())],
                "hidden": [str(p) for p in _hidden()],
                "write": [str(folders[0])],
            }
        )
        command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("landlock.py")), rules, *command]
    try:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if not os.environ.get("MLSYS_PATH_DEBUG") else None,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    finally:
        theirs.close()
    return Sandbox(sandbox_kind, process, ours, work, folders)


def bubblewrap_command(profile: Profile) -> list[str]:
    """The `bwrap` command line up to the program."""
    bwrap = shutil.which("bwrap") or "bwrap"
    command = [bwrap, "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"]
    command += ["--uid", "65534", "--gid", "65534", "--hostname", "sandbox", "--cap-drop", "ALL"]
    if _has_option(bwrap, "--disable-userns"):
        command += ["--disable-userns"]
    command += ["--proc", "/proc", "--dev", "/dev"]
    # before what is shown: a Python that lives below /tmp must be seen in it
    for mount in ("/tmp", "/dev/shm", INSIDE_WORK):
        if _has_option(bwrap, "--size"):
            command += ["--size", str(SCRATCH_BYTES)]
        command += ["--tmpfs", mount]
    shown = list(_visible(_hidden()))
    for folder in _SYSTEM:
        if os.path.islink(folder):
            command += ["--symlink", os.readlink(folder), folder]
    for path in shown:
        command += ["--ro-bind", str(path), str(path)]
    if profile.gpu:
        for device in _expand(_GPU):
            command += ["--dev-bind", device, device]
    # the processor's topology, which MPI and PoCL want; drivers want the devices too
    for entry in ("/sys",) if profile.gpu else ("/sys/devices/system",):
        if os.path.isdir(entry):
            command += ["--ro-bind", entry, entry]
    for path in _hidden():
        if any(path.is_relative_to(top) and path != top for top in shown) and path.is_dir():
            command += ["--tmpfs", str(path), "--remount-ro", str(path)]
    command += ["--ro-bind-try", str(precompiled.folder()), INSIDE_PRECOMPILED]
    command += ["--ro-bind", str(WORKER_DIR), INSIDE_WORKER, "--chdir", INSIDE_WORK]
    # the folders that bwrap itself made lie in memory: what is written there would outlive the job
    command += ["--remount-ro", "/dev", "--remount-ro", "/"]
    return command


def _environment(profile: Profile, tmp: str, work: str) -> dict[str, str]:
    path = os.environ.get("PATH", os.defpath)
    # which GPU is the first must be the same here and in the checker
    names = ("CUDA_HOME", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")
    # nvidia-smi counts by bus, and an attempt is named after the GPU that is its first
    cuda = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    cuda |= {name: os.environ[name] for name in names if name in os.environ}
    return {
        "PATH": path,
        "HOME": tmp,
        "TMPDIR": tmp,
        "USER": "learner",
        "LOGNAME": "learner",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TRITON_HOME": tmp,
        "TORCHINDUCTOR_CACHE_DIR": f"{tmp}/inductor",
        "POCL_CACHE_DIR": f"{tmp}/pocl",
        "MLSYS_PATH_WORK": work,
        **cuda,
        **dict(profile.environment),
    }


@functools.cache
def _site_paths() -> tuple[str, ...]:
    """The folders that packages were installed into, and no other entry of sys.path: that may be any folder.

    The worker is told of them, as it skips `site`, whose .pth files may run code.
    """
    return tuple(p for p in sys.path if any(Path(p).glob("*.dist-info")))


def _hidden() -> list[Path]:
    """What no learner's code may read, wherever it lies."""
    paths = [
        locations.package_dir(),
        *(path for source in sources() for path in (source.root, source.exercises)),
        locations.database_path().parent,
        locations.workspace_dir(),
        locations.cache_dir(),
        locations.log_dir(),
        # another copy of this package may be installed beside the one that runs
        *(Path(p) / "mlsys_path" for p in _site_paths()),
    ]
    resolved = list(dict.fromkeys(path.resolve() for path in paths))
    return [path for path in resolved if not any(path.is_relative_to(o) for o in resolved if o != path)]


def _visible(hidden: Sequence[Path]) -> Iterable[Path]:
    """The read-only view of the machine: system folders, this Python and its packages."""
    wanted = [Path(p) for p in _SYSTEM if os.path.isdir(p) and not os.path.islink(p)]
    wanted += [Path("/etc") / name for name in _ETC]
    wanted += [Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parents[1]]
    wanted += [Path(p) for p in _site_paths()]
    wanted += [Path(tool).resolve().parent for name in ("nvcc", "gcc") if (tool := shutil.which(name))]
    shown: list[Path] = []
    for path in wanted:
        if not path.exists() or any(path.is_relative_to(entry) for entry in shown):
            continue
        if path.parent == path or path in hidden:
            continue
        shown.append(path)
    return shown


def _expand(patterns: Iterable[str]) -> list[str]:
    import glob

    return [match for pattern in patterns for match in sorted(glob.glob(pattern))]


@functools.cache
def _has_option(bwrap: str, option: str) -> bool:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        text = subprocess.run([bwrap, "--help"], capture_output=True, timeout=10, check=False)
        return option.encode() in text.stdout + text.stderr
    return False


def _first_child(pid: int) -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
    return None


def _kill_descendants(pid: int) -> None:
    import psutil

    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        process.suspend()
        for child in process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.send_signal(signal.SIGKILL)
