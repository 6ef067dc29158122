"""Step 7: kernels through the compiler that was built."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from mlsys_path.language import N_, _
from mlsys_path.machine.inspect import glance
from mlsys_path.triton_build import proof, tutorial
from mlsys_path.triton_build.events import Facts
from mlsys_path.triton_build.failures import name_of
from mlsys_path.triton_build.settings import Settings
from mlsys_path.triton_build.steps import libtriton
from mlsys_path.triton_build.steps.step import Step
from mlsys_path.triton_build.tree import Tree
from mlsys_path.triton_build.work import StepRefused, Work

_GPU_SECONDS = 1800.0


async def _run(work: Work) -> Facts:
    tree, out = Tree(work.layout.tree, work.project), work.layout.artefacts
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    results: list[Facts] = []
    for task in ("interpret", "compile"):
        results += await _task(work, tree, task)
    if glance().gpus and work.project.tutorial:
        results += await _task(work, tree, "gpu")
    library = tree.library()
    failed = [each for each in results if each["outcome"] == "failed"]
    if failed or library is None:
        raise StepRefused(
            name_of("run-failed"),
            _("{name}: {what}").format(name=failed[0]["name"], what=failed[0]["what"])
            if failed
            else _("the library is gone"),
            _("the log has what it computed; a changed pass of yours may be the reason"),
        )
    for each in results:
        if each["outcome"] == "open":
            work.note(_("{name} was not run: {what}").format(name=each["name"], what=each["what"]))
    table = out / "03-matrix-multiplication.txt"
    name, rows = tutorial.parse(table.read_text()) if table.is_file() else ("", ())
    return {
        "results": results,
        "table": {"library": name, "rows": [asdict(row) for row in rows]},
        "artefacts": sorted(
            str(path.relative_to(work.layout.folder)) for path in out.rglob("*") if path.is_file()
        ),
        "sha256": proof.digest(library),
    }


async def _task(work: Work, tree: Tree, task: str) -> list[Facts]:
    results: list[Facts] = []

    def heard(line: str) -> None:
        # its results are JSON objects, the rest is the programs' own
        if line.startswith('{"name"'):
            results.append(json.loads(line))
            work.progress(len(results), 0, "steps", results[-1]["name"])

    environment = {
        **libtriton.environment(work, tree),
        "PATH": os.environ.get("PATH", ""),
        "TRITON_CACHE_DIR": str(work.layout.caches / "triton"),
        # the backends of this tree, and not those that another installed Triton announces
        "TRITON_BACKENDS_IN_TREE": "1",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": str(work.layout.caches / "matplotlib"),
    }
    environment.pop("TRITON_INTERPRET", None)
    # this program's interpreter, for its torch and numpy; the tree comes first on the path, and is looked for there
    await work.command(
        [
            sys.executable,
            "-I",
            work.project.run_program,
            task,
            tree.python,
            work.layout.artefacts,
            ",".join(work.settings.targets),
            tree.root / work.project.tutorial,
        ],
        folder=work.layout.artefacts,
        environment=environment,
        heard=heard,
    )
    return results


def _holds(work: Work, facts: Facts) -> bool:
    return facts["sha256"] == work.fact("import", "sha256") and all(
        (work.layout.folder / name).is_file() for name in facts["artefacts"]
    )


def _preview(work: Work) -> list[str]:
    tree = Tree(work.layout.tree, work.project)
    tasks = ("interpret", "compile", *(("gpu",) if glance().gpus and work.project.tutorial else ()))
    return [
        f"{sys.executable} -I {Path(work.project.run_program).name} {task} {tree.python} {work.layout.artefacts}"
        for task in tasks
    ]


def _settings(settings: Settings) -> object:
    return (settings.ref, settings.source, settings.llvm, settings.targets)


def _say(facts: Facts) -> str:
    done = [f"{each['name']}: {each['what']}" for each in facts["results"] if each["outcome"] == "passed"]
    return _("{results}; {count} files kept").format(results="; ".join(done), count=len(facts["artefacts"]))


STEP = Step(
    name="run",
    title=N_("Run kernels through it"),
    what=N_(
        "A vector add in the interpreter; a vector add and a matrix multiply compiled through every stage, which are kept; on a GPU the tutorial of that checkout."
    ),
    why=N_(
        "A library that is imported may still compile nothing: this goes through all of it, to machine code."
    ),
    run=_run,
    say=_say,
    holds=_holds,
    preview=_preview,
    settings=_settings,
)
