"""Step 3: an LLVM with MLIR: fetched, installed already, or built."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType

from mlsys_path.language import N_, _
from mlsys_path.triton_build.events import Facts
from mlsys_path.triton_build.failures import name_of
from mlsys_path.triton_build.settings import Settings
from mlsys_path.triton_build.steps import llvm_fetched, llvm_found, llvm_made
from mlsys_path.triton_build.steps.step import Step
from mlsys_path.triton_build.work import StepRefused, Work

_KINDS: dict[str, ModuleType] = {"prebuilt": llvm_fetched, "system": llvm_found, "source": llvm_made}


async def _run(work: Work) -> Facts:
    facts = await _KINDS[work.settings.llvm].run(work)
    facts = {"kind": work.settings.llvm, "wrapper": "", "verdict": {}, **facts}
    prefix = Path(facts["prefix"])
    await _prove(work, prefix)
    return facts


async def _prove(work: Work, prefix: Path) -> None:
    """That it is whole, and that its programs run here: a C library that is too old shows now, not after an hour."""
    config = (
        prefix
        / "lib/cmake"
        / ("mlir/MLIRConfig.cmake" if work.project.library_of_mlir else "llvm/LLVMConfig.cmake")
    )
    if not config.is_file():
        raise StepRefused(
            name_of("mlir-config"),
            _("{file} is not there: this LLVM is incomplete, or has no MLIR").format(file=config),
            _("remove {folder}, and `--resume --from llvm`").format(folder=prefix)
            if prefix.is_relative_to(work.layout.folder)
            else _("install MLIR's development package of the same version"),
        )
    program = prefix / "bin" / "mlir-tblgen"
    if not program.is_file():
        program = Path(shutil.which("mlir-tblgen") or program)
    if work.project.library_of_mlir:
        await work.command([program, "--version"])


def _holds(work: Work, facts: Facts) -> bool:
    wrapper = facts["wrapper"]
    return Path(facts["prefix"], "lib/cmake").is_dir() and (
        not wrapper or Path(wrapper, "LLVMConfig.cmake").is_file()
    )


def _say(facts: Facts) -> str:
    told = {
        "prebuilt": _("the LLVM that this commit pins, as Triton publishes it, at {prefix}"),
        "system": _("LLVM {version} of this system, at {prefix}: {distance}"),
        "source": _("LLVM and MLIR at {commit}, built at {prefix} in {steps} steps"),
    }[facts["kind"]]
    return told.format(
        prefix=facts["prefix"],
        version=facts.get("version", ""),
        commit=facts.get("commit", "")[:12],
        steps=facts.get("steps", 0),
        distance=llvm_found.distance(facts["verdict"]) if facts["verdict"] else "",
    )


def _preview(work: Work) -> list[str]:
    told: list[str] = _KINDS[work.settings.llvm].preview(work)
    return told


def _settings(settings: Settings) -> object:
    return (settings.llvm, settings.ref, settings.source)


STEP = Step(
    name="llvm",
    title=N_("LLVM and MLIR"),
    what=N_(
        "Brings the LLVM that the commit pins: the one Triton publishes, an installed one, or one built here."
    ),
    why=N_(
        "Triton is a set of MLIR dialects and passes; LLVM's API changes daily, so the distance decides whether it compiles."
    ),
    run=_run,
    say=_say,
    holds=_holds,
    preview=_preview,
    settings=_settings,
)
