"""Carries folders in and out of the sandbox, and calls checkout() in a process that may be killed."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

# the git of an attempt: it counts its calls, and at one of them ends the whole process group
GIT = """#!/bin/sh
n=$(($(cat "$COUNTER") + 1)); echo $n > "$COUNTER"
if [ $n = "$KILL_AT" ]; then
  case $KILL_HOW in
    before) ;;
    locked) case " $* " in *" checkout "*|*" reset "*) [ -d "$FOLDER/.git" ] && : > "$FOLDER/.git/index.lock" ;; esac ;;
    after) "$REAL_GIT" "$@" >/dev/null 2>&1 ;;
    *) "$REAL_GIT" "$@" >/dev/null 2>&1 & sleep "$KILL_HOW" ;;
  esac
  kill -9 0
fi
exec "$REAL_GIT" "$@"
"""


def place(archive):
    """Unpack an archive in a new folder and return its path."""
    folder = tempfile.mkdtemp()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def pack(folder):
    """The archive of a folder; b"" where none is."""
    if not Path(folder).is_dir():
        return b""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in sorted(os.listdir(folder)):
            tar.add(Path(folder, name), arcname=name)
    return buffer.getvalue()


def write(folder, files):
    """Write files, by path in a folder; None removes one."""
    for name, text in files.items():
        path = Path(folder, name)
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def names(folder):
    """The names in a folder."""
    return sorted(os.listdir(folder))


def remove(folder):
    shutil.rmtree(folder)


def git(folder, *words):
    """Run git in a folder."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {
        "GIT_CONFIG_GLOBAL": os.devnull
    }
    subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, env=clean)


def settings(text, variables):
    """Give the user a ~/.gitconfig, and the process variables."""
    Path.home().joinpath(".gitconfig").write_text(text)
    os.environ.update(variables)


def attempt(mirror, ref, folder, at, how):
    """checkout() in a process that dies at the `at`-th call of git: (calls of git, how the process ended)."""
    own = Path(tempfile.mkdtemp())
    script = own / "git"
    script.write_text(GIT)
    script.chmod(0o755)
    counter = own / "counter"
    counter.write_text("0")
    real = shutil.which("git")
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            os.environ.update(
                PATH=f"{own}:{os.environ['PATH']}",
                COUNTER=str(counter),
                KILL_AT=str(at),
                KILL_HOW=how,
                FOLDER=folder,
                REAL_GIT=real,
            )
            import source_checkout

            source_checkout.checkout(mirror, ref, folder)
        except BaseException:
            os._exit(1)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended < 0:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    return int(counter.read_text() or 0), ended
