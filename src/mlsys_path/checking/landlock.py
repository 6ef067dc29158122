"""Landlock (Linux 5.13 and later): restrict a process by kernel rules, then become the program.

Run as a script, `landlock.py RULES PROGRAM ARG…`: standard library only. Numbers and structures are those of
linux/landlock.h; see landlock(7).
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
import sys
from collections.abc import Iterable

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION_FLAG = 1
_RULE_PATH = 1
_NO_NEW_PRIVS = 38

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_FILE_ONLY = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_FS_BITS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_BIND_TCP, _CONNECT_TCP = 1, 2
_SCOPE_ABSTRACT_SOCKET, _SCOPE_SIGNAL = 1, 2

_libc = ctypes.CDLL(None, use_errno=True)


def abi() -> int:
    """The kernel's Landlock version, 0 where there is none."""
    return max(0, int(_libc.syscall(_CREATE, None, 0, _VERSION_FLAG)))


def restrict(read: Iterable[str], write: Iterable[str]) -> None:
    """Allow this process and its children to read `read`, to change `write`, and nothing else of the disk.

    From ABI 4 on TCP is denied, from 6 on signals to processes outside. Raises OSError when the kernel refuses.
    """
    version = abi()
    handled = (1 << _FS_BITS.get(version, 16)) - 1
    network = _BIND_TCP | _CONNECT_TCP if version >= 4 else 0
    scoped = _SCOPE_ABSTRACT_SOCKET | _SCOPE_SIGNAL if version >= 6 else 0
    attributes = struct.pack("<QQQ", handled, network, scoped)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = _libc.syscall(_CREATE, attributes, ctypes.c_size_t(size), 0)
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    for paths, access in ((read, _READ), (write, handled)):
        for path in paths:
            _allow(ruleset, path, access & handled)
    _libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    if _libc.syscall(_RESTRICT, ruleset, 0):
        raise OSError(ctypes.get_errno(), "landlock_restrict_self")
    os.close(ruleset)


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(path):
        access &= _FILE_ONLY
    rule = struct.pack("<Qi", access, parent)
    if _libc.syscall(_ADD_RULE, ruleset, _RULE_PATH, rule, 0):
        raise OSError(ctypes.get_errno(), "landlock_add_rule", path)
    os.close(parent)


def expose(path: str, hidden: list[str]) -> list[str]:
    """`path`, or its parts when something hidden lies below it: Landlock can grant a folder, not except one."""
    if path in hidden:
        return []
    if not any(secret.startswith(path.rstrip("/") + "/") for secret in hidden) or not os.path.isdir(path):
        return [path]
    return [shown for entry in os.scandir(path) for shown in expose(entry.path, hidden)]


def main() -> None:
    """Apply the rules of argv[1] and become argv[2:]."""
    rules = json.loads(sys.argv[1])
    _libc.prctl(1, 9)  # PR_SET_PDEATHSIG: die with the checker
    read = [shown for path in rules["read"] for shown in expose(path, rules["hidden"])]
    devices = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/full"]
    restrict([*read, "/proc"], [*rules["write"], "/dev/shm", *devices])
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
