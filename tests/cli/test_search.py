"""`search`: what it prints in either language, on a terminal and off it, and its JSON."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from mlsys_path.cli.program import build


def coloured(*args: str) -> str:
    """What a terminal gets."""
    return CliRunner().invoke(build(), ["search", *args], color=True).stdout


def test_kind_id_title_and_the_line_that_shows_why(invoke):
    done = invoke("search", "sums")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == (
        "resource  a-book      A book of sums\n"
        "          All about sums.\n"
        "topic     adding      Adding\n"
        "          Sums of two.\n"
        "track     arithmetic  The arithmetic track\n"
        "          Sums and nothing else.\n"
        "\n"
        "Found: 3. `mlsys-path show ID` opens one.\n"
    )


def test_titles_are_of_the_language_in_use_whatever_was_asked(invoke):
    english, chinese = invoke("search", "加法之书"), invoke("--lang", "zh", "search", "sums")
    assert english.stdout.splitlines()[:2] == ["resource  a-book  A book of sums", "          加法之书"]
    assert "a-book      加法之书" in chinese.stdout
    assert "A book of sums" in chinese.stdout


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("query", ["sums", "加", "number 数", "the"])
@pytest.mark.parametrize("width", [40, 80])
def test_lines_fit_and_columns_align_in_either_language(invoke, monkeypatch, lang, query, width):
    monkeypatch.setenv("COLUMNS", str(width))
    done = invoke("--lang", lang, "search", query)
    rows = done.stdout.split("\n\n")[-2].splitlines()
    assert rows
    assert all(cell_len(line) <= width for line in rows)
    indents = {cell_len(line) - cell_len(line.lstrip()) for line in rows[1::2]}
    assert len(indents) == 1
    heads = [line for line in rows if not line.startswith(" ")]
    ids = {cell_len(line[: line.index(id_)]) for line in heads for id_ in [line.split()[1]]}
    assert ids == indents


def test_words_are_bold_on_a_terminal_and_nothing_else_is(invoke, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    bold = coloured("sums")
    assert "All about \x1b[1msums\x1b[0m." in bold
    assert bold.count("\x1b") == 6
    assert "\x1b" not in invoke("search", "sums").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in coloured("sums")


def test_several_arguments_are_one_query(invoke):
    assert invoke("search", "adding", "Line").stdout == invoke("search", "adding Line").stdout


def test_of_one_kind_or_several(invoke):
    kinds = ["--kind", "topic", "--kind", "track"]
    rows = invoke("search", "sums", *kinds).stdout.splitlines()
    assert [row.split()[0] for row in rows[:4:2]] == ["topic", "track"]
    assert invoke("search", "sums", "--kind", "nonsense").exit_code == 2


def test_only_so_many(invoke):
    done = invoke("search", "sums", "--limit", "1")
    assert done.stdout.splitlines()[-1] == "These are the best 1: `--limit` shows more."
    assert invoke("search", "sums", "--limit", "0").exit_code == 2


def test_json(invoke):
    done = invoke("search", "sums", "--kind", "resource", "--json")
    document = json.loads(done.stdout)
    (hit,) = document.pop("hits")
    assert document == {"schema": 1, "query": "sums", "relaxed": False}
    assert hit.pop("score") > 0
    assert hit == {
        "kind": "resource",
        "id": "a-book",
        "title": "A book of sums",
        "snippet": "All about sums.",
        "marks": [[10, 14]],
        "language": "en",
    }
    assert json.loads(invoke("search", "qzxvw", "--json").stdout) == {
        "schema": 1,
        "query": "qzxvw",
        "hits": [],
        "relaxed": False,
    }
    assert json.loads(invoke("search", "sums qzxvw", "--json").stdout)["relaxed"]


def test_relaxed_words_are_said_to_be_so(invoke):
    done = invoke("search", "sums", "of", "unicorns")
    assert done.exit_code == 0
    assert done.stdout.startswith("Nothing has all of this. With parts of it:\n\nresource")


def test_a_name_that_was_nearly_written_is_named_where_only_parts_are_found(invoke):
    lines = invoke("search", "book of suns").stdout.splitlines()
    assert lines[0] == "Nothing has all of this. With parts of it:"
    assert lines[-1] == "Did you mean A book of sums? `mlsys-path show a-book`"


def test_nothing_found_is_no_error_and_names_the_next_step(invoke):
    done = invoke("search", "qzxvw")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == "Nothing has 'qzxvw'. `mlsys-path roadmap` shows all that there is.\n"
    done = invoke("search", "arithmetik")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("Nothing has 'arithmetik'. Did you mean this?\n\ntrack     arithmetic")
    assert done.stdout.endswith("`mlsys-path show arithmetic` opens it.\n")
    done = invoke("search", "arithmetic", "--kind", "resource")
    assert done.stdout == "Nothing of this kind has 'arithmetic': leave out --kind.\n"


@pytest.mark.parametrize("words", [[], [""], ["  "], ["***"], ["。"], ["\udcff"]])
def test_an_empty_query_is_one_line_and_2(invoke, words):
    done = invoke("search", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "mlsys-path: nothing to search for: `mlsys-path search WORDS` needs a word\n"


def test_foreign_text_never_carries_escapes(content):
    lesson = content / "exercises" / "foundations" / "add-one" / "README.md"
    lesson.write_text("# One\n\nA walrus \x1b]0;title\x07 and \x1b[2J more \u202eback\n")
    for query in ("walrus", "walrus\x1b[31m", "\x1b]0;x\x07qzxvw\u202e", "wal\udcffrus"):
        for arguments in ((), ("--json",)):
            out = coloured(query, *arguments)
            assert all(
                c.isprintable() or c == "\n" for c in out.replace("\x1b[1m", "").replace("\x1b[0m", "")
            )


def test_a_dash_at_the_beginning(invoke):
    assert invoke("search", "--", "--sums").stdout == invoke("search", "sums").stdout
