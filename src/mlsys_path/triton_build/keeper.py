"""Runs one command, and sees to it that nothing of it outlives the build: a process of its own, standard library only.

    python -I -S keeper.py STATUS_FD COMMAND...

Its standard input is a pipe whose other end the build holds. When that closes, however the build ended, all that the
command started is ended: this process is a "subreaper", to which whatever loses its parent is given. When the command
ends by itself, its exit and what it took are written to STATUS_FD as one JSON object.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
GRACE_SECONDS = 2.0


def main() -> int:
    """Run the command of the arguments; the exit code is of no interest."""
    status, command = int(sys.argv[1]), sys.argv[2:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    kills, began = oom_kills(), time.monotonic()

    def prepare() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509  (one thread)
        )
    except OSError as error:
        tell(status, {"error": error.strerror or str(error), "errno": error.errno})
        return 1
    ended = os.pidfd_open(child.pid)
    ready, _, _ = select.select([0, ended], [], [])
    cancelled = ended not in ready
    if cancelled:
        end_group(child, ended)
    code = child.wait()
    end_all()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not cancelled:
        tell(
            status,
            {
                "exit": code if code >= 0 else None,
                "signal": -code if code < 0 else 0,
                "seconds": time.monotonic() - began,
                "peak_mb": used.ru_maxrss >> 10,
                "cpu_seconds": used.ru_utime + used.ru_stime,
                "oom_kills": max(0, oom_kills() - kills),
            },
        )
    return 0


def tell(status: int, message: dict[str, object]) -> None:
    """The one message; a build that has gone needs none."""
    with contextlib.suppress(OSError):
        os.write(status, json.dumps(message).encode())


def end_group(child: subprocess.Popen[bytes], ended: int) -> None:
    """Ask the command's group to end, and make it."""
    for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, GRACE_SECONDS)):
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            return
        if select.select([ended], [], [], seconds)[0]:
            return


def end_all() -> None:
    """End what is left: those whose parent has gone are this process's children by now."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for pid in children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.005)


def children() -> list[int]:
    """The processes whose parent this one is."""
    me, found = os.getpid(), []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == me:
            found.append(int(stat.parent.name))
    return found


def oom_kills() -> int:
    """How many processes the kernel has ended for want of memory, on this machine or in this control group."""
    counts = [0]
    places = [Path("/proc/vmstat"), Path("/sys/fs/cgroup/memory.events")]
    try:
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            if number == "0":
                places.append(Path("/sys/fs/cgroup" + path, "memory.events"))
            elif "memory" in controllers.split(","):
                places.append(Path("/sys/fs/cgroup/memory" + path, "memory.oom_control"))
    except (OSError, ValueError):
        pass
    for place in places:
        try:
            words = place.read_text().split()
            counts.append(int(words[words.index("oom_kill") + 1]))
        except (OSError, ValueError, IndexError):
            continue
    return max(counts)


if __name__ == "__main__":
    sys.exit(main())
