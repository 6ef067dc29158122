"""`roadmap check-links`: which addresses of the resources are dead, moved or redirected. A report, never an edit."""

from __future__ import annotations

import contextlib
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from mlsys_path import language, locations
from mlsys_path.cli.lookup import find
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.program import INTERRUPTED
from mlsys_path.cli.terminal import cut, stderr_line, style
from mlsys_path.language import N_, _, ngettext
from mlsys_path.roadmap import readings
from mlsys_path.roadmap.load import load

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from mlsys_path.links.records import Cause, LinkResult, Settings
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Resource

NONE_DEAD, SOME_DEAD, OFFLINE = 0, 1, 3

# in the order of the report; what is ok is only counted
_GROUPS = {
    "dead": (N_("Dead"), "red"),
    "moved": (N_("Moved"), "yellow"),
    "redirected": (N_("Redirected"), "cyan"),
    "unsure": (N_("Unsure"), "magenta"),
}
_WIDEST = 400  # of a line: an address may be as long as a server likes


class _Seconds(click.FloatRange):
    """A range of seconds that holds no "nan", which is neither below nor above anything."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Turn what was typed into a number within the range."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(_("{value} is no number of seconds").format(value=value), param, ctx)
        return number


def _resource_ids(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    try:
        resources = load().resources.values()
    except Exception:
        return []
    return [
        CompletionItem(each.id, help=each.title[language.current()])
        for each in resources
        if each.id.startswith(incomplete)
    ]


@dataclass(slots=True)
class _Outcome:
    """How a run ended: what was found, and why it ended early when it did."""

    results: list[LinkResult]
    interrupted: bool = False
    offline: Cause | None = None


@click.command(
    "check-links",
    help=_(
        "Find the addresses of the resources that are dead, moved or redirected, by asking for each of them, "
        "politely. Run again after Ctrl-C, it goes on where it stopped. "
        "Exit code: 0 no address is dead, 1 one is, 2 bad input, 3 there is no network."
    ),
)
@click.option(
    "--resource",
    "ids",
    multiple=True,
    metavar="ID",
    shell_complete=_resource_ids,
    help=_("Only the addresses of this resource (may be repeated)."),
)
@click.option("--fresh", is_flag=True, help=_("Ask for every address, also for what earlier runs found."))
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    default=8,
    show_default=True,
    metavar="N",
    help=_("Hosts asked at once; each gets one request at a time."),
)
@click.option(
    "--pause",
    type=_Seconds(0, 600),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help=_("The least time between two requests to one host."),
)
@click.option(
    "--timeout",
    type=_Seconds(0.1, 600),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help=_("The most time that the requests for one address take together."),
)
@json_option
@click.pass_context
def check_links_command(
    ctx: click.Context,
    /,
    *,
    ids: tuple[str, ...],
    fresh: bool,
    concurrency: int,
    pause: float,
    timeout: float,
    as_json: bool,
) -> None:
    """Ask for the addresses, and print what was found."""
    from mlsys_path.links.records import Settings
    from mlsys_path.links.words import sentence

    roadmap = load()
    resources = roadmap.resources
    chosen = [find(resources, each, _("resource")) for each in dict.fromkeys(ids)] or [*resources.values()]
    urls = _citations(roadmap, chosen)
    settings = Settings(hosts=concurrency, pause=pause, timeout=timeout)
    outcome = _check(urls, settings, fresh=fresh, witnesses=[*_citations(roadmap, resources.values())])
    left = len(urls) - len(outcome.results)
    if outcome.interrupted:
        text = ngettext(
            "stopped with {n} address left: run it again, and it goes on from there",
            "stopped with {n} addresses left: run it again, and it goes on from there",
            left,
        )
        stderr_line(text.format(n=left))
        ctx.exit(INTERRUPTED)
    if as_json:
        print_json(_document(outcome, left))
    elif outcome.results:
        _print(outcome.results)
    if outcome.offline is not None:
        why = sentence(outcome.offline)
        text = _("no host could be reached ({reason}), so nothing was marked dead: is there a network?")
        stderr_line(text.format(reason=why))
    elif lost := sum(each.cause == "offline" for each in outcome.results):
        text = ngettext(
            "the network went away with {n} address left: run it again later, and it goes on from there",
            "the network went away with {n} addresses left: run it again later, and it goes on from there",
            lost,
        )
        stderr_line(text.format(n=lost))
    ctx.exit(_exit_code(outcome))


def _exit_code(outcome: _Outcome) -> int:
    if outcome.offline is not None or any(each.cause == "offline" for each in outcome.results):
        return OFFLINE
    return SOME_DEAD if any(each.outcome == "dead" for each in outcome.results) else NONE_DEAD


def _citations(roadmap: Roadmap, resources: Iterable[Resource]) -> dict[str, list[str]]:
    """Every address of resources and of their parts, and the ids of the resources that cite it."""
    of_parts: dict[str, list[str]] = {}
    for reading in readings.all_of(roadmap):
        if reading.url:
            of_parts.setdefault(reading.resource, []).append(reading.url)
    urls: dict[str, list[str]] = {}
    for resource in resources:
        for url in (*resource.urls, *of_parts.get(resource.id, ())):
            cited = urls.setdefault(url, [])
            if resource.id not in cited:
                cited.append(resource.id)
    return urls


def _check(
    urls: Mapping[str, Sequence[str]], settings: Settings, *, fresh: bool, witnesses: Sequence[str]
) -> _Outcome:
    import asyncio

    from mlsys_path.links.asking import OfflineError
    from mlsys_path.links.cache import Cache
    from mlsys_path.links.engine import check
    from mlsys_path.links.lookups import abandon_lookups_at_end

    outcome = _Outcome([])

    async def collect(cache: Cache, step: Callable[[], None]) -> None:
        abandon_lookups_at_end()
        found = check(urls, settings, cache=cache, fresh=fresh, witnesses=witnesses)
        async with contextlib.aclosing(found):
            async for result in found:
                outcome.results.append(result)
                step()

    try:
        with Cache() as cache, _bar(len(urls)) as step:
            asyncio.run(collect(cache, step))
    except KeyboardInterrupt:
        outcome.interrupted = True
    except OfflineError as error:
        outcome.offline = error.cause
    order = {url: number for number, url in enumerate(urls)}
    outcome.results.sort(key=lambda each: order[each.url])
    return outcome


@contextlib.contextmanager
def _bar(total: int) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr, where that is a terminal that can take a line back."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=4) as progress:
        task = progress.add_task(_("checking links"), total=total)
        yield lambda: progress.advance(task)


def _print(results: Sequence[LinkResult]) -> None:
    from mlsys_path.links.places import places

    where = places([each.url for each in results if each.outcome != "ok"], locations.roadmap_dir())
    for name, (title, colour) in _GROUPS.items():
        group = [each for each in results if each.outcome == name]
        if not group:
            continue
        click.echo(style(f"{_(title)} ({len(group)})", fg=colour, bold=True))
        for each in group:
            place = f"  [{where[each.url]}]" if each.url in where else ""
            line = f"  {', '.join(each.resources)}  {each.url}  {each.reason}"
            # an address that a pack of others brought may hold what a terminal obeys
            click.echo("".join(c if c.isprintable() else "?" for c in cut(line, _WIDEST)) + place)
        click.echo()
    fine = sum(each.outcome == "ok" for each in results)
    text = ngettext("{n} address is fine", "{n} addresses are fine", fine).format(n=fine)
    known = sum(each.from_cache for each in results)
    click.echo(_("{text}; {n} of {all} known from before").format(text=text, n=known, all=len(results)))


def _document(outcome: _Outcome, left: int) -> dict[str, Any]:
    from mlsys_path.links.places import places

    where = places([each.url for each in outcome.results], locations.roadmap_dir())
    return {
        "results": [
            {
                "url": each.url,
                "resources": list(each.resources),
                "outcome": each.outcome,
                "cause": each.cause,
                "reason": each.reason,
                "status": each.status,
                "final_url": each.final_url,
                "moved_to": each.moved_to,
                "attempts": each.attempts,
                "seconds": each.seconds,
                "checked_at": _moment(each.checked_at),
                "from_cache": each.from_cache,
                "where": where.get(each.url, ""),
            }
            for each in outcome.results
        ],
        "counts": {name: sum(each.outcome == name for each in outcome.results) for name in (*_GROUPS, "ok")},
        "offline": _exit_code(outcome) == OFFLINE,
        "left": left,
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
