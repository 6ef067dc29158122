"""The warm parent inside a sandbox: imports what learners' code imports, then forks a process per job.

Started as `python -I -S main.py CONFIG`, with one inherited descriptor: the control channel to the checker.
It is on the untrusted side: it holds no input, no expected value and no verdict, and the checker discards the
whole sandbox when it misbehaves.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
POLL_SECONDS = 0.05
MAX_READ = 64 << 20

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Job:
    """A process that was started for the checker, and all that descends from it."""

    number: int
    pid: int
    forked: bool  # shares the parent's memory until it writes: that part is not its own
    reason: str = ""


class Parent:
    """Serves one control channel until it closes."""

    def __init__(self, config: dict[str, Any]) -> None:
        from wire import Channel

        self.channel = Channel(socket.socket(fileno=config["fd"]))
        self.work = Path(config["work"])
        self.scratch = [Path(p) for p in config["scratch"]]
        self.contained: bool = config["contained"]  # in a pid namespace of our own
        self.limits: dict[str, Any] = {}
        self.jobs: dict[int, Job] = {}
        self.baseline_kb = 0
        self.wake, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.wake_write = wake_write
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)

    # -- the loop

    def run(self) -> None:
        """Answer requests and watch jobs until the checker closes the channel."""
        from wire import ChannelClosed

        with contextlib.suppress(ChannelClosed):
            while True:
                timeout = POLL_SECONDS if self.jobs else None
                ready, _, _ = select.select([self.channel, self.wake], [], [], timeout)
                if self.wake in ready:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self.wake, 4096)
                self.reap()
                self.watch()
                if self.channel in ready:
                    request, blob, fds = self.channel.receive()
                    answer, out = self.handle(request, blob, fds)
                    for fd in fds:
                        os.close(fd)
                    self.channel.send(answer, out)
        self.kill_everything()

    def handle(self, request: dict[str, Any], blob: bytes, fds: list[int]) -> tuple[dict[str, Any], bytes]:
        """The answer to one request."""
        try:
            match request["op"]:
                case "begin":
                    self.limits = request["limits"]
                    self.baseline_kb = anonymous_kb("self")
                case "write":
                    write_files(self.work, request["files"])
                case "worker":
                    self.fork(request, fds)
                case "exec":
                    self.execute(request, fds)
                case "kill":
                    self.kill_job(request["job"])
                case "read":
                    return {"ok": True}, read_file(self.work, request["name"])
                case "end":
                    clean = self.kill_everything()
                    self.wipe()
                    return {"clean": clean}, b""
            return {"ok": True}, b""
        except OSError as error:
            return {"error": f"{type(error).__name__}: {error}"}, b""

    # -- jobs

    def fork(self, request: dict[str, Any], fds: list[int]) -> None:
        """Fork a process that serves the learner's Python code over a channel of its own."""
        channel, out, err = fds
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                null = os.open(os.devnull, os.O_RDONLY)
                self.become_job(null, out, err, keep=channel, data_limit=request["data_limit"])
                os.environ.update(request["env"])
                os.chdir(self.work)
                from serve import serve

                serve(channel + 0, request)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                with contextlib.suppress(Exception):
                    sys.stdout.flush()
                    sys.stderr.flush()
                os._exit(code)
        self.jobs[request["job"]] = Job(request["job"], pid, forked=True)

    def execute(self, request: dict[str, Any], fds: list[int]) -> None:
        """Start a program in the work folder with the three descriptors given."""
        pid = os.fork()
        if pid == 0:
            try:
                self.become_job(*fds, keep=-1, data_limit=request["data_limit"])
                os.chdir(self.work / request.get("cwd", "."))
                environment = {**os.environ, **request["env"]}
                os.execvpe(request["argv"][0], request["argv"], environment)
            except BaseException as error:
                os.write(2, f"cannot start {request['argv'][0]}: {error}\n".encode())
            os._exit(127)
        self.jobs[request["job"]] = Job(request["job"], pid, forked=False)

    def become_job(self, stdin: int, out: int, err: int, *, keep: int, data_limit: bool) -> None:
        """In a forked child: own session, standard streams, no other descriptors, limits."""
        os.setsid()
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        for target, source in enumerate((stdin, out, err)):
            os.dup2(source, target)
        top = 3
        if keep >= 0:
            # its number must not lie among those that are closed
            os.set_inheritable(keep, False)
            top = keep + 1
            os.closerange(3, keep)
        os.closerange(top, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        apply_limits(self.limits, data_limit=data_limit)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")
        _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)

    def reap(self) -> None:
        """Collect ended processes and tell the checker of those that were jobs."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            job = next((j for j in self.jobs.values() if j.pid == pid), None)
            if job is not None:
                del self.jobs[job.number]
                self.channel.send(
                    {
                        "ended": job.number,
                        "status": os.waitstatus_to_exitcode(status),
                        "reason": job.reason,
                        "cpu": usage.ru_utime + usage.ru_stime,
                        "peak_kb": usage.ru_maxrss,
                    }
                )

    def watch(self) -> None:
        """Hold all processes of the jobs together to the limits on memory and on processes."""
        if not self.jobs:
            return
        groups = {job.pid for job in self.jobs.values() if job.forked}
        total_kb, count = 0, 0
        for pid in self.others():
            count += 1
            if count > self.limits["processes"]:
                break
            with contextlib.suppress(OSError, ValueError, IndexError):
                own = anonymous_kb(pid)
                if groups and process_group(pid) in groups:
                    own = max(0, own - self.baseline_kb)
                total_kb += own
        reason = ""
        if count > self.limits["processes"]:
            reason = "processes"
        elif total_kb > self.limits["memory_mb"] * 1024:
            reason = "memory"
        if reason:
            for job in self.jobs.values():
                job.reason = reason
            self.kill_everything(wait=False)

    def others(self) -> list[int]:
        """Every process of the jobs: all but us in our own namespace, our descendants where we share one."""
        me = os.getpid()
        pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
        if self.contained:
            return [pid for pid in pids if pid not in (1, me)]
        parents = {}
        for pid in pids:
            with contextlib.suppress(OSError, ValueError, IndexError):
                parents[pid] = int(stat_fields(pid)[1])
        found: set[int] = set()
        frontier = {me}
        while frontier:
            frontier = {pid for pid, parent in parents.items() if parent in frontier} - found
            found |= frontier
        return sorted(found)

    def kill_job(self, number: int) -> None:
        """Kill one job's process group."""
        if job := self.jobs.get(number):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(job.pid, signal.SIGKILL)

    def kill_everything(self, *, wait: bool = True) -> bool:
        """Kill all processes of all jobs, daemonised ones too; True when none is left."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if self.contained:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(-1, signal.SIGKILL)
            else:
                for pid in self.others():
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, signal.SIGKILL)
            self.reap()
            if not wait or not self.others():
                return True
            time.sleep(0.001)
        return False

    def wipe(self) -> None:
        """Empty every writable folder."""
        for folder in [self.work, *self.scratch]:
            for entry in list(folder.iterdir()) if folder.is_dir() else []:
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    with contextlib.suppress(OSError):
                        entry.unlink()


def apply_limits(limits: dict[str, Any], *, data_limit: bool) -> None:
    """Set this process's rlimits; `data_limit=False` for what reserves address space beyond all memory."""
    seconds = int(limits["seconds"] * (os.cpu_count() or 1)) + 1
    lower(resource.RLIMIT_CPU, seconds)
    lower(resource.RLIMIT_FSIZE, limits["file_mb"] << 20)
    lower(resource.RLIMIT_NOFILE, limits["open_files"])
    lower(resource.RLIMIT_CORE, 0)
    if limits["count_threads"]:
        lower(resource.RLIMIT_NPROC, limits["processes"] + limits["count_threads"])
    if data_limit:
        # what the parent has mapped already is not the learner's
        lower(resource.RLIMIT_DATA, (limits["memory_mb"] << 20) + (data_kb("self") << 10))


def lower(limit: int, value: int) -> None:
    """Set a soft and hard limit, never above the hard one in force."""
    _, hard = resource.getrlimit(limit)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (value, value))


def status_kb(pid: int | str, *names: str) -> int:
    """The sum of some memory lines of /proc/PID/status, in KiB."""
    total = 0
    with open(f"/proc/{pid}/status") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            if name in names:
                total += int(value.split()[0])
    return total


def anonymous_kb(pid: int | str) -> int:
    """Resident memory that is no file's: private and shared."""
    return status_kb(pid, "RssAnon", "RssShmem")


def data_kb(pid: int | str) -> int:
    """What RLIMIT_DATA counts."""
    return status_kb(pid, "VmData")


def stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command's name: state, parent, process group, …"""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def process_group(pid: int) -> int:
    """The process group of a process."""
    return int(stat_fields(pid)[2])


def write_files(work: Path, files: dict[str, str]) -> None:
    """Write base64 files below the work folder; names were checked by the sender."""
    for name, data in files.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(data))


def read_file(work: Path, name: str) -> bytes:
    """A file below the work folder."""
    with (work / name).open("rb") as file:
        return file.read(MAX_READ)


def warm(modules: list[str]) -> None:
    """Import what jobs will import, so that their forks share it."""
    import wire

    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    wire.warm_up()


def main() -> None:
    """Become the parent."""
    config = json.loads(sys.argv[1])
    folder = str(Path(__file__).parent)
    sys.path = [folder, *[p for p in sys.path if p != folder], *config["paths"]]
    sys.dont_write_bytecode = True
    _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # writing to a dead pipe must be an error and not the end
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = Parent(config)
    # `timed_calls` and the like too: a file of the learner's may have the name, and would be found first
    warm(["serve", "stopwatch", "timed_calls", "recording", "ranks", *config["preload"]])
    gc.collect()
    gc.freeze()
    parent.channel.send({"ready": os.getpid()})
    parent.run()


if __name__ == "__main__":
    main()
