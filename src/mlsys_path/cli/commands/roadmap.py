"""`roadmap`: the whole of it as a drawing, and the state of its links."""

from __future__ import annotations

import click

from mlsys_path.cli.commands.check_links import check_links_command
from mlsys_path.cli.completing import stage_ids
from mlsys_path.cli.lookup import find
from mlsys_path.cli.output import print_json
from mlsys_path.cli.standing import learners_word
from mlsys_path.language import _
from mlsys_path.roadmap import drawing
from mlsys_path.roadmap.load import load


@click.group(
    "roadmap",
    invoke_without_command=True,
    help=_("Print the roadmap: stages, topics and exercises, and what builds on what."),
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["tree", "dot", "mermaid", "json"]),
    default="tree",
    help=_("As an outline, for Graphviz, for Mermaid, or as one JSON object."),
)
@click.option(
    "--stage", "stages", metavar="ID", multiple=True, shell_complete=stage_ids, help=_("Only this stage.")
)
@click.pass_context
def roadmap_group(ctx: click.Context, /, *, format_: str, stages: tuple[str, ...]) -> None:
    """Draw what was asked for."""
    if ctx.invoked_subcommand is not None:
        return
    roadmap = load()
    chosen = [find(roadmap.stages, name, _("stage")) for name in stages] or list(roadmap.stages.values())
    match format_:
        case "dot":
            click.echo(drawing.dot(roadmap, chosen))
        case "mermaid":
            click.echo(drawing.mermaid(roadmap, chosen))
        case "json":
            print_json(drawing.data(roadmap, chosen))
        case _tree:
            click.echo("\n".join(drawing.outline(roadmap, chosen, learners_word(roadmap))))


roadmap_group.add_command(check_links_command)
