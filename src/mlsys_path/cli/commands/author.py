"""`author new` and `author verify`: for those who write exercises."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import click

from mlsys_path.cli.completing import exercise_ids, stage_ids
from mlsys_path.cli.lookup import find
from mlsys_path.cli.proving import verify_all
from mlsys_path.cli.terminal import style
from mlsys_path.exercises.registry import registered, registry_problems
from mlsys_path.exercises.scaffold import scaffold
from mlsys_path.exercises.verification import Problem, Report
from mlsys_path.language import _, ngettext
from mlsys_path.levels import LEVELS, Level
from mlsys_path.machine.inspect import glance
from mlsys_path.roadmap import documents
from mlsys_path.roadmap.content import Content, exercise_files, read_all
from mlsys_path.roadmap.model import AdapterName
from mlsys_path.roadmap.sources import Source, ours, pack, sources

PROBLEMS_FOUND = 1
SCHEMA = 1


@click.group(
    "author", help=_("For authors of exercises: scaffold one, and prove that it keeps its promises.")
)
def author_group() -> None:
    """Hold the two commands."""


@author_group.command(
    "verify",
    help=_(
        "Prove exercises: the solution passes within half of its limits, the starter fails with a helpful "
        "word, each wrong solution fails first where its entry says, texts are complete in both languages. "
        "All problems are listed; the exit code is 1 when there is one."
    ),
)
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=exercise_ids)
@click.option(
    "--stage",
    "stages",
    multiple=True,
    metavar="ID",
    shell_complete=stage_ids,
    help=_("The exercises of this stage (may be repeated)."),
)
@click.option(
    "--level",
    type=click.Choice([*map(str, LEVELS)]),
    help=_("Only what this level proves: its checks, after those of weaker levels, which must pass first."),
)
@click.option(
    "--roadmap", "only_roadmap", is_flag=True, help=_("Only the YAML: list every problem of the roadmap.")
)
@click.option("--json", "as_json", is_flag=True, help=_("Print one JSON object and nothing else."))
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help=_("Runs at once (else by cores and memory).")
)
@click.option(
    "--repeat",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help=_("Make each run N times: inputs are random."),
)
@click.pass_context
def verify_command(
    ctx: click.Context,
    /,
    *,
    ids: tuple[str, ...],
    stages: tuple[str, ...],
    level: str | None,
    only_roadmap: bool,
    as_json: bool,
    jobs: int | None,
    repeat: int,
) -> None:
    """List every problem, of the roadmap or of exercises."""
    everything = sources()
    content = read_all(everything)
    ids = (*ids, *_of_stages(content, stages))
    problems = [Problem("", "", str(problem)) for problem in content.problems if _concerns(problem, ids)]
    reports: list[Report] = []
    without = 0
    if not only_roadmap:
        names = _names(content, everything, ids)
        only = Level(level) if level else None
        exercises = [
            (content.exercises[name], content.folders[name])
            for name in names
            if only is None or any(check.level is only for check in content.exercises[name].checks.values())
        ]
        without = len(names) - len(exercises)
        problems += [problem for source in everything for problem in _registry(source, content, ids)]
        reports = asyncio.run(
            verify_all(exercises, glance(), jobs, repeat, only, tell=None if as_json else _line)
        )
    problems += [problem for report in reports for problem in report.problems]
    if as_json:
        click.echo(json.dumps(_document(problems, reports), ensure_ascii=False, indent=2))
    else:
        if without:
            click.echo(
                ngettext(
                    "{n} exercise has no checks of level {level}",
                    "{n} exercises have no checks of level {level}",
                    without,
                ).format(n=without, level=level)
            )
        _print(problems, reports)
    ctx.exit(PROBLEMS_FOUND if problems else 0)


@author_group.command(
    "new",
    help=_(
        "Scaffold an exercise, STAGE/ID such as distributed/ring-allreduce: a small task that runs, to be "
        "turned into yours. `author verify ID` lists what is left to write."
    ),
)
@click.argument("name", metavar="STAGE/ID")
@click.option(
    "--language",
    required=True,
    type=click.Choice(get_args(AdapterName)),
    help=_("What learners write it in."),
)
@click.option(
    "--pack",
    "pack_folder",
    metavar="FOLDER",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help=_("Make it in this content pack."),
)
def new_command(name: str, language: AdapterName, pack_folder: Path | None) -> None:
    """Make the folder and say what comes next."""
    source = pack(pack_folder) if pack_folder else ours()
    stages = read_all(list(dict.fromkeys([*sources(), source]))).stages
    folder = scaffold(source.exercises, name, language, stages)
    click.echo(folder)
    click.echo(
        _(
            "Next: list it in a topic of roadmap/stages, write it, "
            "and prove it with `mlsys-path author verify {id}`."
        ).format(id=folder.name)
    )


def _concerns(problem: documents.Problem, ids: Sequence[str]) -> bool:
    """Whether a problem of the YAML is one of the named exercises, or of anything when none is named."""
    return not ids or problem.file.parent.name in ids


def _names(content: Content, everything: Sequence[Source], ids: Sequence[str]) -> list[str]:
    """The exercises to run: those whose spec can be read; a broken spec is among the problems already."""
    on_disk = {path.parent.name for source in everything for path in exercise_files(source.exercises)}
    broken = on_disk - set(content.exercises)
    return [
        find(content.exercises, name, _("exercise")).id
        for name in ids or content.exercises
        if name not in broken
    ]


def _of_stages(content: Content, stages: Sequence[str]) -> list[str]:
    """The exercises of some stages, those too that no topic lists yet; raises UserError for an unknown stage."""
    wanted = {find(content.stages, stage, _("stage")).id for stage in stages}
    return [
        name
        for name, folder in content.folders.items()
        if content.exercise_stage.get(name, folder.parent.name) in wanted
    ]


def _registry(source: Source, content: Content, ids: Sequence[str]) -> list[Problem]:
    on_disk = [spec.parent.name for spec in source.exercises.glob("*/*/exercise.yaml")]
    found = registry_problems(on_disk, registered(source.exercises), content.renames.exercises)
    where = "registry.txt" if source.pack is None else str(source.exercises / "registry.txt")
    return [Problem(name, where, message) for name, message in found.items() if not ids or name in ids]


def _line(report: Report) -> str:
    mark = style("✗", fg="red") if report.problems else style("✓", fg="green")
    seconds = next((v.run.seconds for v in report.variants if v.name == "solution"), 0.0)
    runs = ngettext("{n} run", "{n} runs", len(report.variants)).format(n=len(report.variants))
    lines = [f"{mark} {report.exercise}  ({runs}, {_('solution')} {seconds:.2f} s)"]
    lines += [
        f"    {_('{level} is open here: {why}').format(level=level, why=why)}"
        for level, why in report.open_because.items()
    ]
    if report.left_out:
        lines.append(
            "    "
            + _("left out, as another level catches them: {names}").format(names=", ".join(report.left_out))
        )
    return "\n".join(lines)


def _print(problems: Sequence[Problem], reports: Sequence[Report]) -> None:
    for problem in problems:
        click.echo(": ".join(part for part in (problem.exercise, problem.where, problem.message) if part))
    found = ngettext("{n} problem", "{n} problems", len(problems)).format(n=len(problems))
    verified = ngettext("{n} exercise", "{n} exercises", len(reports)).format(n=len(reports))
    click.echo(_("{exercises} verified, {problems}").format(exercises=verified, problems=found))


def _document(problems: Sequence[Problem], reports: Sequence[Report]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "problems": [{"exercise": p.exercise, "where": p.where, "message": p.message} for p in problems],
        "exercises": [
            {
                "exercise": report.exercise,
                "open": dict(report.open_because),
                "left_out": list(report.left_out),
                "runs": [
                    {
                        "name": variant.name,
                        "verdict": variant.run.verdict,
                        "failing_check": variant.run.failing_check,
                        "message": variant.run.message,
                        "seconds": variant.run.seconds,
                    }
                    for variant in report.variants
                ],
            }
            for report in reports
        ],
    }
