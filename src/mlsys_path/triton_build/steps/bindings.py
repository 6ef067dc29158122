"""Step 4: a Python environment of the build's own, with what the commit asks for to be built."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import shutil
import subprocess
import sys
import venv
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from mlsys_path.language import N_, _
from mlsys_path.triton_build import tools
from mlsys_path.triton_build.events import Facts
from mlsys_path.triton_build.failures import name_of
from mlsys_path.triton_build.process import Stall
from mlsys_path.triton_build.resources import disk_used_mb
from mlsys_path.triton_build.settings import Settings
from mlsys_path.triton_build.steps.step import Step
from mlsys_path.triton_build.work import StepRefused, Work

_STALL_SECONDS = 90.0
_PROGRAMS = ("cmake", "ninja")
_LIST = (
    "import importlib.metadata as m, json;"
    "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))"
)


async def _run(work: Work) -> Facts:
    _demand_python(work)
    if not work.layout.python.exists():
        shutil.rmtree(work.layout.venv, ignore_errors=True)
        has_pip = importlib.util.find_spec("pip") is not None
        await asyncio.to_thread(venv.create, work.layout.venv, symlinks=True, with_pip=not has_pip)
    wanted = [each for each in _requirements(work) if each.marker is None or each.marker.evaluate()]
    here = await asyncio.to_thread(_installed, work)
    lacking = [each for each in wanted if not await _satisfied(work, each, here)]
    copied = [each for each in lacking if await asyncio.to_thread(_copy, each, work)]
    rest = [str(each) for each in lacking if each not in copied]
    if rest:
        await work.command(
            [*pip(work), "install", "--progress-bar", "off", *rest],
            stall=Stall(_STALL_SECONDS, lambda: disk_used_mb(work.layout.caches)),
        )
    here = await asyncio.to_thread(_installed, work)
    binding = work.fact("source", "binding", "pybind11")
    found = here.get(canonicalize_name(binding), "")
    if not found:
        raise StepRefused(
            name_of("binding"),
            _("setup.py imports {binding}, and the build requirements do not bring it").format(
                binding=binding
            ),
            _("is this the commit that you meant?"),
        )
    return {
        "binding": binding,
        "version": found,
        "packages": {
            str(each.name): here.get(canonicalize_name(each.name), "")
            for each in wanted
            if canonicalize_name(each.name) in here
        },
        "copied": [each.name for each in copied],
        "fetched": rest,
    }


def pip(work: Work) -> list[str]:
    """The command that installs into the build's environment: this program's pip, or the environment's own."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "--python", str(work.layout.python)]
    return [str(work.layout.python), "-m", "pip"]


def _demand_python(work: Work) -> None:
    known = work.fact("source", "pythons", [])
    if known and not tuple(known[0]) <= sys.version_info[:2] <= tuple(known[1]):
        oldest, newest = (".".join(map(str, each)) for each in known)
        raise StepRefused(
            name_of("wrong-python"),
            _("this commit takes Python {oldest} to {newest}, and this is {here}").format(
                oldest=oldest, newest=newest, here=".".join(map(str, sys.version_info[:2]))
            ),
            _("install mlsys-path with one of those, and `--resume` with it"),
        )


def _requirements(work: Work) -> list[Requirement]:
    wanted: list[Requirement] = []
    for text in work.fact("source", "requirements", []):
        try:
            wanted.append(Requirement(text))
        except InvalidRequirement as error:
            work.note(_("a build requirement cannot be read: {why}").format(why=error))
    return wanted


def _installed(work: Work) -> dict[str, str]:
    """What the build's environment has."""
    said = subprocess.run(
        [str(work.layout.python), "-I", "-c", _LIST], capture_output=True, text=True, check=False
    )
    if said.returncode:
        return {}
    found: dict[str, str] = json.loads(said.stdout)
    return {canonicalize_name(name): version for name, version in found.items() if name}


async def _satisfied(work: Work, wanted: Requirement, here: dict[str, str]) -> bool:
    name = canonicalize_name(wanted.name)
    if name in here:
        return _fits(wanted, here[name])
    # a program is taken from the system, where its version is right
    if name in _PROGRAMS and (said := await work.ask([name, "--version"])):
        return _fits(wanted, ".".join(map(str, tools.version(said))))
    return False


def _fits(wanted: Requirement, version: str) -> bool:
    try:
        return wanted.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def _copy(wanted: Requirement, work: Work) -> bool:
    """Take a package from the environment of this program, where it has one that fits: needs no network."""
    found = _own(wanted)
    if found is None or not found.files or wanted.extras:
        return False
    target = next((work.layout.venv / "lib").glob("python*/site-packages"))
    for file in found.files:
        if ".." in file.parts or "__pycache__" in file.parts:
            continue
        source = Path(str(found.locate_file(file)))
        if not source.is_file():
            return False
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target / file)
    work.write(f"{found.metadata['Name']} {found.version}: from this program's environment")
    return True


def _own(wanted: Requirement) -> Distribution | None:
    try:
        found = distribution(wanted.name)
    except PackageNotFoundError:
        return None
    return found if _fits(wanted, found.version) and canonicalize_name(wanted.name) not in _PROGRAMS else None


def _holds(work: Work, facts: Facts) -> bool:
    here = _installed(work) if work.layout.python.exists() else {}
    return all(here.get(canonicalize_name(name)) == version for name, version in facts["packages"].items())


def _preview(work: Work) -> list[str]:
    wanted = " ".join(f"'{each}'" for each in work.fact("source", "requirements", [])) or _(
        "(what pyproject.toml asks for)"
    )
    return [f"python -m venv {work.layout.venv}", f"{' '.join(pip(work))} install {wanted}"]


def _settings(settings: Settings) -> object:
    return (settings.ref, settings.source)


def _say(facts: Facts) -> str:
    return _("{binding} {version}, and {packages}").format(
        binding=facts["binding"],
        version=facts["version"],
        packages=", ".join(
            f"{name} {version}" for name, version in facts["packages"].items() if name != facts["binding"]
        )
        or _("nothing else"),
    )


STEP = Step(
    name="pybind11",
    title=N_("Bindings and build requirements"),
    what=N_(
        "Makes a virtual environment in this folder, with pybind11 (or nanobind) and the rest at the versions that the commit asks for."
    ),
    why=N_(
        "The library is a Python module in C++: another version of the binding, or of Python, gives another ABI."
    ),
    run=_run,
    say=_say,
    holds=_holds,
    preview=_preview,
    settings=_settings,
)
