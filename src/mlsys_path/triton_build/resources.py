"""Memory and disk of this machine, and how many jobs they allow."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

# the largest compile of Triton was measured at 1.29 GB, of LLVM and MLIR at somewhat less
COMPILE_MB = 1500
# linking static LLVM into one library; with a shared LLVM and lld it was 0.6 GB
LINK_MB = 4000
RESERVE_MB = 1024  # for everything else that the learner has open


def memory_mb(root: Path = Path("/")) -> int:
    """What may be used now: the memory that is available, or less where a container limits it."""
    available = 0
    with contextlib.suppress(OSError, ValueError, IndexError):
        words = (root / "proc/meminfo").read_text().split()
        available = int(words[words.index("MemAvailable:") + 1]) >> 10
    if not available:
        available = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    limits = (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    )
    for limit, used in limits:
        with contextlib.suppress(OSError, ValueError):
            group = root / "sys/fs/cgroup"
            free = int((group / limit).read_text()) - int((group / used).read_text())
            available = min(available, free >> 20)
    return max(available, 0)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


def compile_jobs(asked: int = 0, *, memory: int | None = None, cpus: int | None = None) -> int:
    """How many compilers may run at once: what was asked for, else as memory and cores allow, at least one."""
    if asked:
        return asked
    free = (memory_mb() if memory is None else memory) - RESERVE_MB
    return max(1, min(cores() if cpus is None else cpus, free // COMPILE_MB))


def link_jobs(jobs: int, *, memory: int | None = None) -> int:
    """How many linkers may run at once."""
    free = (memory_mb() if memory is None else memory) - RESERVE_MB
    return max(1, min(jobs, free // LINK_MB))


def disk_free_mb(folder: Path) -> int:
    """Free space where a folder is, or will be."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(there).free >> 20


def disk_used_mb(folder: Path) -> int:
    """What a folder takes, hard links once."""
    seen, total = set(), 0
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with contextlib.suppress(OSError):
                stat = os.lstat(os.path.join(path, name))  # noqa: PTH118  (a hundred thousand of them)
                if stat.st_ino not in seen:
                    seen.add(stat.st_ino)
                    total += stat.st_blocks
    return total >> 11
