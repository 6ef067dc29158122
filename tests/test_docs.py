"""Every command, option and variable is documented, and nothing is documented that there is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mlsys_path.cli.program import Program, build

ROOT = Path(__file__).parents[1]
CLI = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by all of its words."""
    program = build()
    context = click.Context(program)
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        if isinstance(command, click.Group) and command.invoke_without_command:
            yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", each) for inner, each in command.commands.items())
        elif command is not None:
            yield name, command


COMMANDS = dict(commands())


def section(name: str) -> str:
    """The part of docs/cli.md below a command's heading."""
    found = re.search(rf"^### `mlsys-path {re.escape(name)}[ `].*?(?=^##)", CLI, re.DOTALL | re.MULTILINE)
    return found[0] if found else ""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name):
    text = section(name)
    assert text, f"docs/cli.md has no heading for `mlsys-path {name}`"
    for parameter in COMMANDS[name].params:
        for option in parameter.opts:
            if option.startswith("--") and option not in ("--help", "--lang"):
                assert f"`{option}" in text, f"{option} of `{name}` is not in its section of docs/cli.md"


def test_every_documented_command_exists():
    headings = re.findall(r"^### `mlsys-path ?([a-z -]*)", CLI, re.MULTILINE)
    assert {h.strip() for h in headings} - {""} == set(COMMANDS)


def test_every_command_takes_the_language():
    assert not [
        name for name, each in COMMANDS.items() if "--lang" not in {o for p in each.params for o in p.opts}
    ]


def test_every_global_option_is_documented():
    for parameter in build().params:
        assert f"`{parameter.opts[0]}" in CLI


def test_every_variable_is_documented_and_no_other():
    used = {
        name
        for path in (ROOT / "src").rglob("*.py")
        for name in re.findall(r"MLSYS_PATH_[A-Z]+", path.read_text(encoding="utf-8"))
    }
    # click makes this one of the program's name
    used.add("MLSYS_PATH_COMPLETE")
    assert set(re.findall(r"MLSYS_PATH_[A-Z]+", CLI)) == used


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_pages_mention_exist(page):
    text = page.read_text(encoding="utf-8")
    groups = {name.partition(" ")[0] for name in COMMANDS if " " in name}
    # in a span of code, or a line of a code block
    for words in re.findall(r"(?:`|^)mlsys-path ([a-z][a-z -]*)", text, re.MULTILINE):
        first, *rest = words.split()
        if first in groups and rest:
            first = f"{first} {rest[0]}"
        assert first in {*COMMANDS, *groups}, f"{page.name} mentions `mlsys-path {words}`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_make_targets_that_the_readme_names_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        assert set(re.findall(r"`make ([a-z]+)", page.read_text(encoding="utf-8"))) <= targets


def test_help_texts_say_what_the_program_is():
    assert isinstance(build(), Program)
    assert "ML-systems" in (build().help or "")
