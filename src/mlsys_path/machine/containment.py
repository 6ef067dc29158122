"""Which sandbox really works on this machine, and why not a stronger one."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from mlsys_path.language import _

# the names that an attempt records, the strongest first
KINDS = ("bubblewrap", "landlock", "rlimits")

_TRIAL = (
    "--unshare-all",
    "--unshare-user",
    "--ro-bind",
    "/",
    "/",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "true",
)
_TRIAL_SECONDS = 10.0
_LANDLOCK_CREATE_RULESET = 444  # the same number on every architecture
_LANDLOCK_CREATE_RULESET_VERSION = 1


@dataclass(frozen=True, slots=True)
class Containment:
    """The sandbox that checks get, what stands in the way of bubblewrap, and the command against that."""

    kind: str
    landlock_abi: int = 0
    lacks: str = ""
    command: str = ""


def probe() -> Containment:
    """Try what works here; `MLSYS_PATH_SANDBOX` may name a weaker kind to use instead."""
    asked = os.environ.get("MLSYS_PATH_SANDBOX", "")
    abi = landlock_abi()
    if asked in KINDS[1:]:
        lacks, command = (
            _("MLSYS_PATH_SANDBOX asks for {kind}").format(kind=asked),
            "unset MLSYS_PATH_SANDBOX",
        )
    else:
        lacks, command = bubblewrap_trouble()
        if not lacks:
            return Containment("bubblewrap", abi)
    return Containment("landlock" if abi > 0 and asked != "rlimits" else "rlimits", abi, lacks, command)


def landlock_abi() -> int:
    """The kernel's Landlock version, 0 where there is none."""
    if sys.platform != "linux":
        return 0
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, int(libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_CREATE_RULESET_VERSION)))


def bubblewrap_trouble() -> tuple[str, str]:
    """Why bubblewrap cannot make a sandbox here and the command against it; ("", "") when it just did."""
    import shutil
    import subprocess

    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return _("bubblewrap is not installed"), ""
    try:
        done = subprocess.run(
            [bwrap, *_TRIAL],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_TRIAL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _("bubblewrap does not answer"), ""
    except OSError as error:
        return _("bubblewrap cannot be started: {reason}").format(reason=error.strerror), ""
    if done.returncode == 0:
        return "", ""
    reason = (done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"])[
        0
    ]
    return _("bubblewrap does not work here: {reason}").format(reason=reason), _unlock()


def _unlock(root: Path = Path("/proc/sys")) -> str:
    """The command that allows user namespaces where a kernel setting forbids them."""
    for name, forbids, allowed in (
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
        ("kernel/unprivileged_userns_clone", "0", "1"),
        ("user/max_user_namespaces", "0", "65536"),
    ):
        with contextlib.suppress(OSError):
            if (root / name).read_text().strip() == forbids:
                return f"sudo sysctl -w {name.replace('/', '.')}={allowed}"
    return ""
