"""`--llvm system`: an installed LLVM, with a verdict on its distance from the pin."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from mlsys_path.language import _
from mlsys_path.machine.inspect import glance
from mlsys_path.triton_build import llvm_installed, one_llvm, tools
from mlsys_path.triton_build.events import Facts
from mlsys_path.triton_build.failures import name_of
from mlsys_path.triton_build.llvm_installed import Installed, Verdict
from mlsys_path.triton_build.tree import Tree
from mlsys_path.triton_build.work import StepRefused, Work

_SHOWN = 5


async def run(work: Work) -> Facts:
    """Choose it, judge it, and make it one where it is a shared library."""
    found = llvm_installed.find()
    if not found:
        raise StepRefused(
            name_of("no-llvm"),
            _("no LLVM with its CMake files is installed, and LLVM_SYSPATH names none"),
            tools.cure("llvm", glance()),
        )
    chosen, verdict = _best(work, found)
    _demand(work, chosen, verdict)
    _tell(work, chosen, verdict)
    wrapper = one_llvm.write(chosen, work.layout.llvm / "one")
    if wrapper:
        work.write(f"{chosen.prefix} is one shared library: its components resolve to it, by {wrapper}")
    return {
        "prefix": str(chosen.prefix),
        "version": chosen.version,
        "shared": chosen.shared,
        "wrapper": str(wrapper or ""),
        "verdict": as_facts(verdict),
    }


def _best(work: Work, found: list[Installed]) -> tuple[Installed, Verdict]:
    """The nearest to the pin, of those with what is needed."""
    tree = Tree(work.layout.tree, work.project)
    pinned = work.fact("source", "llvm_pinned_on", "")
    day = datetime.date.fromisoformat(pinned) if pinned else None
    commit = work.fact("source", "llvm_commit", "")
    judged = [(each, llvm_installed.verdict(each, tree, commit, day)) for each in found]

    def rank(pair: tuple[Installed, Verdict]) -> tuple[bool, int, int]:
        installed, verdict = pair
        needed = (installed.mlir and installed.lld) or not work.project.library_of_mlir
        distance = abs(verdict.days) if verdict.days is not None else 10_000
        return (not needed, distance, len(verdict.missing_headers))

    return min(judged, key=rank)


def _demand(work: Work, chosen: Installed, verdict: Verdict) -> None:
    machine = glance()
    if work.project.library_of_mlir and not chosen.mlir:
        raise StepRefused(
            name_of("mlir-config"),
            _("LLVM {version} at {prefix} has no MLIRConfig.cmake").format(
                version=chosen.version, prefix=chosen.prefix
            ),
            tools.cure("llvm", machine),
        )
    if work.project.library_of_mlir and not chosen.lld:
        raise StepRefused(
            name_of("mlir-config"),
            _("LLVM {version} at {prefix} has no LLDConfig.cmake; the AMD backend links with lld").format(
                version=chosen.version, prefix=chosen.prefix
            ),
            tools.cure("llvm", machine),
        )
    if verdict.missing_targets:
        raise StepRefused(
            name_of("llvm-targets"),
            _(
                "LLVM {version} was built without {targets}; parts of each backend include the other's headers, so both are needed"
            ).format(version=chosen.version, targets=", ".join(verdict.missing_targets)),
            _("take --llvm prebuilt or --llvm source, which have both"),
        )


def _tell(work: Work, chosen: Installed, verdict: Verdict) -> None:
    facts = as_facts(verdict)
    work.note(
        _("LLVM {version} at {prefix}: {distance}").format(
            version=chosen.version, prefix=chosen.prefix, distance=distance(facts)
        )
    )
    for name, count in verdict.missing_headers[:_SHOWN]:
        work.note(
            _("{count} sources include {header}, which this LLVM does not have").format(
                count=count, header=name
            )
        )
    if verdict.missing_components:
        work.note(
            _("its CMake files name components that this LLVM does not have: {names}").format(
                names=", ".join(verdict.missing_components[:_SHOWN])
            )
        )


def as_facts(verdict: Verdict) -> dict[str, Any]:
    """A verdict as it is kept."""
    return {
        "version": verdict.version,
        "pin": verdict.pin,
        "trunk": verdict.trunk,
        "days": verdict.days,
        "near": verdict.near,
        "fits": verdict.fits,
        "missing_headers": [list(each) for each in verdict.missing_headers],
        "missing_components": list(verdict.missing_components),
    }


def distance(verdict: Mapping[str, Any]) -> str:
    """How far a release is from a pin, in words that promise nothing."""
    days, trunk, pin = verdict["days"], verdict["trunk"], verdict["pin"][:12]
    if days is None:
        return _("how far it is from the pin {pin} cannot be told").format(pin=pin)
    side = _("before") if days < 0 else _("after")
    told = _("the pin {pin} was taken {days} days {side} this release left LLVM's trunk").format(
        pin=pin, days=abs(days), side=side
    )
    if trunk is not None and not verdict["near"]:
        told += _(" (the trunk was {trunk} then)").format(trunk=trunk)
    if not verdict["fits"]:
        return told + _("; it lacks what the checkout names, so it will not compile as it is")
    if verdict["near"]:
        return told + _("; expect to compile, or a handful of lines that differ")
    return told + _(
        "; expect errors of changed APIs: a commit whose pin is nearer, or --llvm prebuilt, spares them"
    )


def preview(work: Work) -> list[str]:
    """What it would do."""
    found = llvm_installed.find()
    told = [f"{each.prefix}: LLVM {each.version}" for each in found] or [_("(no LLVM is installed)")]
    return [_("use one of: {found}").format(found="; ".join(told))]
