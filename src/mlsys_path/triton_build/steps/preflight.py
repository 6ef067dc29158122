"""Step 1: whether this machine can build it, with the command that mends each lack."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mlsys_path.language import N_, _
from mlsys_path.machine.inspect import Machine, glance
from mlsys_path.triton_build import llvm_installed, resources, tools
from mlsys_path.triton_build.events import Facts
from mlsys_path.triton_build.failures import name_of
from mlsys_path.triton_build.steps.step import Step
from mlsys_path.triton_build.work import StepRefused, Work

# what a whole build takes: the checkout and its build, and LLVM
_DISK_MB = {"system": 3_000, "prebuilt": 8_000, "source": 40_000}
_LOOK_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class _Lack:
    what: str
    cure: str


async def _run(work: Work) -> Facts:
    machine = glance()
    chosen = tools.compiler(os.environ)
    lacks = _programs(work, machine, chosen)
    online = await _online(work)
    memory, free = resources.memory_mb(), resources.disk_free_mb(work.layout.folder)
    jobs = resources.compile_jobs(work.settings.jobs)
    facts: Facts = {
        "compiler": chosen.cxx if chosen else "",
        "c_compiler": chosen.c if chosen else "",
        "compiler_version": _dotted(tools.version(await work.ask([chosen.cxx, "--version"])))
        if chosen
        else "",
        "cmake": _dotted(tools.version(await work.ask(["cmake", "--version"]))),
        "ninja": (await work.ask(["ninja", "--version"])).strip(),
        "python": machine.python,
        "ccache": shutil.which("ccache") or "",
        "linker": tools.linker(),
        "ptxas": tools.ptxas(os.environ),
        "memory_mb": memory,
        "disk_free_mb": free,
        "cores": resources.cores(),
        "jobs": jobs,
        "link_jobs": resources.link_jobs(jobs),
        "online": online,
        "numpy": _module_version("numpy"),
    }
    if free < (wanted := _DISK_MB[work.settings.llvm]) and work.project.repository:
        lacks.append(
            _Lack(
                _("{free} GB of disk free in {folder}, where about {wanted} GB are needed").format(
                    free=free >> 10, folder=work.layout.folder, wanted=wanted >> 10
                ),
                _("choose another folder with --dir, or free some space"),
            )
        )
    _tell(work, facts, machine)
    if lacks:
        raise StepRefused(
            name_of("missing"),
            _("this machine lacks: {what}").format(what="; ".join(lack.what for lack in lacks)),
            *dict.fromkeys(lack.cure for lack in lacks if lack.cure),
        )
    return facts


def _programs(work: Work, machine: Machine, chosen: tools.Compiler | None) -> list[_Lack]:
    lacks = [
        _Lack(name, tools.cure(name, machine)) for name in ("cmake", "ninja", "git") if not shutil.which(name)
    ]
    if chosen is None:
        lacks.append(_Lack(_("a C++ compiler"), tools.cure("c++", machine)))
    if not tools.python_headers():
        lacks.append(_Lack(_("Python's headers (Python.h)"), tools.cure("python headers", machine)))
    if not any(map(importlib.util.find_spec, ("pip", "ensurepip"))):
        lacks.append(_Lack(_("pip, or the Python module ensurepip"), tools.cure("venv", machine)))
    if not tools.header("zlib.h"):
        lacks.append(_Lack(_("zlib's headers (zlib.h)"), tools.cure("zlib", machine)))
    if work.settings.llvm == "system" and not llvm_installed.find():
        lacks.append(_Lack(_("an installed LLVM with its CMake files"), tools.cure("llvm", machine)))
    return lacks


def _tell(work: Work, facts: Facts, machine: Machine) -> None:
    """What stops nothing, and is good to know before an hour has gone by."""
    if not facts["ccache"]:
        work.note(
            _("no ccache: what was compiled before is compiled again. {cure}").format(
                cure=tools.cure("ccache", machine)
            )
        )
    if not facts["linker"]:
        work.note(
            _("no lld: linking takes longer and more memory. {cure}").format(cure=tools.cure("lld", machine))
        )
    if not facts["ptxas"] and not facts["online"]:
        work.note(
            _(
                "no ptxas, and no network to fetch one: the last step will stop before the cubin. {cure}"
            ).format(cure=tools.cure("ptxas", machine))
        )
    if facts["memory_mb"] < resources.COMPILE_MB + resources.RESERVE_MB:
        work.note(
            _(
                "{memory} MB of memory are free, and one compiler takes up to {one} MB: close what you can"
            ).format(memory=facts["memory_mb"], one=resources.COMPILE_MB)
        )
    if not facts["numpy"]:
        work.note(_("no numpy in this environment: the last step cannot use the interpreter"))


async def _online(work: Work) -> bool:
    """Whether the network is there: the host of the repository is asked for a connection, and nothing else."""
    if any(os.environ.get(name) for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")):
        return True  # what is behind a proxy is seen when it is used
    if os.environ.get("TRITON_OFFLINE_BUILD", "").upper() in ("1", "ON", "TRUE", "YES", "Y"):
        return False
    asked = work.settings.source if re.match(r"https?://", work.settings.source) else work.project.repository
    host = urlsplit(asked).hostname
    if not host:
        return False
    try:
        _reader, writer = await asyncio.wait_for(
            asyncio.open_connection(host, urlsplit(asked).port or 443), _LOOK_SECONDS
        )
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def _module_version(name: str) -> str:
    from mlsys_path.machine.inspect import module_version

    return module_version(name)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _say(facts: Facts) -> str:
    return _(
        "{compiler} {version}, cmake {cmake}, ninja {ninja}, Python {python}, numpy {numpy}; {jobs} compile and {links} link jobs "
        "by {memory} GB of memory and {cores} cores; {network}"
    ).format(
        compiler=Path(facts["compiler"]).name,
        version=facts["compiler_version"],
        cmake=facts["cmake"],
        ninja=facts["ninja"],
        python=facts["python"],
        numpy=facts["numpy"] or "-",
        jobs=facts["jobs"],
        links=facts["link_jobs"],
        memory=round(facts["memory_mb"] / 1024),
        cores=facts["cores"],
        network=_("with a network") if facts["online"] else _("offline"),
    )


STEP = Step(
    name="preflight",
    title=N_("Look at this machine"),
    what=N_("Looks for a compiler, cmake, ninja, Python's headers, memory, disk and the network."),
    why=N_("What is missing shows after an hour otherwise, as an error of something else."),
    run=_run,
    say=_say,
    # a machine changes between two runs, and looking takes a second
    holds=lambda work, facts: False,
    preview=lambda work: [],
)
