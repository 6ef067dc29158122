"""`roadmap check-links`: what it prints, its exit codes, and what is left when it is stopped."""

from __future__ import annotations

import importlib.util
import json
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mlsys_path import language
from mlsys_path.cli.commands.check_links import check_links_command

COMMAND = "from mlsys_path.cli.commands.check_links import check_links_command; check_links_command()"
LONG = 120.0


def _load(name: str):
    if name not in sys.modules:
        file = Path(__file__).parents[1] / "links" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(name, file)
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


wild = _load("misbehaving")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in list(os.environ):
        if variable.lower().endswith("_proxy"):
            monkeypatch.delenv(variable)


@pytest.fixture
def server() -> Iterator[object]:
    with wild.serving() as server:
        yield server


@pytest.fixture
def cite(content: Path) -> Callable[..., None]:
    """Write resources that cite addresses: `cite(a_book=[...])`."""

    def write(**resources: list[str]) -> None:
        lines = ["resources:"]
        for name, urls in {"a_book": ["http://127.0.0.1:1/"], **resources}.items():
            lines += [
                f"  - id: {name.replace('_', '-')}",
                "    title: {en: A book, zh: 一本书}",
                "    kind: book",
                "    summary: {en: About it., zh: 关于它。}",
                "    urls:",
                *(f"    - {url}" for url in urls),
            ]
        (content / "roadmap" / "resources" / "books.yaml").write_text("\n".join(lines) + "\n", "utf-8")

    return write


@pytest.fixture
def links(content: Path) -> Callable[..., Result]:
    """Run the command in this process, without pauses."""

    def call(*args: str) -> Result:
        language.use("en")
        return CliRunner().invoke(check_links_command, ["--pause", "0", *args])

    return call


@pytest.fixture
def spawn_links(content: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Run it as a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(*args: str, code: str = COMMAND, **options: object) -> subprocess.Popen[str]:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
        process = subprocess.Popen([sys.executable, "-c", code, "--pause", "0", *args], **streams)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_report(server, cite, links):
    good = server.on("/good", wild.answer(200))
    gone = server.url("/gone", 2)
    moved = server.on("/moved", wild.answer(301, "Location: /good"), 3)
    server.on("/good", wild.answer(200))
    slash = server.on("/slash", wild.answer(302, "Location: /slash/"), 4)
    server.on("/slash/", wild.answer(200))
    unsure = server.on("/denied", wild.answer(403), 5)
    cite(a_book=[good, gone], another=[moved, slash, unsure, gone])
    result = links()
    assert result.exit_code == 1, result.output
    assert result.stderr == ""
    assert result.stdout.splitlines() == [
        "Dead (1)",
        f"  a-book, another  {gone}  answers 404: there is no such page  [resources/books.yaml:8]",
        "",
        "Moved (1)",
        f"  another  {moved}  has moved for good to {server.url('/good', 3)}  [resources/books.yaml:14]",
        "",
        "Redirected (1)",
        f"  another  {slash}  is the same page at {slash}/  [resources/books.yaml:15]",
        "",
        "Unsure (1)",
        f"  another  {unsure}  answers 403: it may only dislike robots  [resources/books.yaml:16]",
        "",
        "1 address is fine; 0 of 5 known from before",
    ]


def test_a_part_with_an_address_of_its_own_is_asked_for_too(server, cite, links, content):
    good, gone = server.on("/good", wild.answer(200)), server.on("/chapter-1", wild.answer(404))
    cite(a_book=[good])
    stage = content / "roadmap" / "stages" / "01-foundations.yaml"
    stage.write_text(stage.read_text().replace("hours: 2}]", f"hours: 2, url: '{gone}'}}]"))
    result = links("--resource", "a-book")
    assert result.exit_code == 1, result.stderr
    assert (
        f"a-book  {gone}  answers 404: there is no such page  [stages/01-foundations.yaml:9]" in result.stdout
    )


def test_nothing_dead_is_exit_code_0_and_a_second_run_asks_for_nothing(server, cite, links):
    cite(a_book=[server.on("/good", wild.answer(200)), server.on("/denied", wild.answer(403), 2)])
    assert links().exit_code == 0
    again = links()
    assert again.exit_code == 0
    assert "1 of 2 known from before" in again.stdout
    assert server.asked("/good") == ["HEAD"]
    assert server.asked("/denied") == ["HEAD", "GET"] * 2
    assert links("--fresh").exit_code == 0
    assert server.asked("/good") == ["HEAD", "HEAD"]


def test_json(server, cite, links):
    good, gone = server.on("/good", wild.answer(200)), server.url("/gone")
    cite(a_book=[good, gone, f"{good}#part"])
    result = links("--json")
    assert (result.exit_code, result.stderr) == (1, "")
    told = json.loads(result.stdout)
    assert list(told) == ["schema", "results", "counts", "offline", "left"]
    assert told["schema"] == 1
    assert told["counts"] == {"dead": 1, "moved": 0, "redirected": 0, "unsure": 0, "ok": 2}
    assert [each["url"] for each in told["results"]] == [good, gone, f"{good}#part"]
    dead = told["results"][1]
    assert dead["checked_at"].endswith("Z")
    assert isinstance(dead["seconds"], float)
    assert {key: value for key, value in dead.items() if key not in ("checked_at", "seconds")} == {
        "url": gone,
        "resources": ["a-book"],
        "outcome": "dead",
        "cause": "gone",
        "reason": "answers 404: there is no such page",
        "status": 404,
        "final_url": gone,
        "moved_to": "",
        "attempts": 2,
        "from_cache": False,
        "where": "resources/books.yaml:8",
    }


def test_an_address_cannot_speak_to_the_terminal(cite, links):
    cite(a_book=[r'"http://127.0.0.1/\e[2Jx"'])
    result = links()
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout
    assert "http://127.0.0.1/?[2Jx  is not a valid address" in result.stdout


def test_a_long_address_is_cut(server, cite, links):
    server.on(f"/{'a' * 9000}", wild.answer(200))
    cite(a_book=[server.on("/old", wild.answer(301, f"Location: /{'a' * 9000}"))])
    result = links()
    assert all(len(line) < 500 for line in result.stdout.splitlines())
    assert json.loads(links("--json").stdout)["results"][0]["moved_to"].endswith("a" * 9000)


def test_only_some_resources(server, cite, links):
    cite(a_book=[server.url("/a")], b_book=[server.url("/b")], c_book=[server.url("/c")])
    links("--resource", "b-book", "--resource", "c-book", "--resource", "b-book")
    assert {path for _host, _method, path in server.log} == {"/b", "/c"}


def test_a_single_address_is_dead_when_another_resource_answers(server, cite, links):
    with socket.socket() as closed:
        closed.bind(("127.0.0.3", 0))
        cite(
            a_book=[server.on("/good", wild.answer(200))],
            b_book=[f"http://127.0.0.3:{closed.getsockname()[1]}/"],
        )
        assert links("--resource", "b-book").exit_code == 1


def test_an_unknown_resource_gets_the_nearest(content, links):
    result = links("--resource", "a-bok")
    assert "did you mean 'a-book'?" in str(result.exception)


@pytest.mark.parametrize(
    "args",
    [
        ["--pause", "nan"], ["--pause", "-1"], ["--pause", "inf"], ["--timeout", "0"], ["--timeout", "nan"],
        ["--concurrency", "0"], ["--concurrency", "1000"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_numbers_out_of_range(content, links, args):
    result = links(*args)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_without_a_network_nothing_is_dead(server, cite, links, monkeypatch):
    def no_network(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "no name server")

    def here(_host: object, port: object, *_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    server.on("/good", wild.answer(200))
    cite(a_book=[good := server.url("/good", name="good.test")])
    monkeypatch.setattr(socket, "getaddrinfo", here)
    assert links().exit_code == 0
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    cite(a_book=[good], b_book=[f"http://h{n}.test/" for n in range(10)])
    told = links()
    assert told.exit_code == 3
    assert told.stdout == "1 address is fine; 1 of 1 known from before\n"
    assert told.stderr == (
        "mlsys-path: no host could be reached (the host's name could not be looked up just now), "
        "so nothing was marked dead: is there a network?\n"
    )
    as_json = json.loads(links("--json").stdout)
    assert (as_json["offline"], as_json["left"], as_json["counts"]["dead"]) == (True, 10, 0)


def test_in_chinese(server, cite):
    cite(a_book=[server.url("/gone")])
    language.use("zh")
    result = CliRunner().invoke(check_links_command, ["--pause", "0"])
    assert result.exit_code == 1
    assert "404" in result.stdout


def test_help_imports_no_httpx(content):
    code = f"import sys; sys.argv[1:] = ['--help']\ntry:\n    {COMMAND}\nexcept SystemExit: pass\n"
    code += "sys.exit(bool({'httpx', 'asyncio', 'rich'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], check=False, stdout=subprocess.DEVNULL).returncode == 0
    )


def test_ctrl_c_says_how_much_is_left_and_the_next_run_goes_on(server, cite, spawn_links, links):
    good, slow = server.on("/good", wild.answer(200)), server.on("/slow", wild.hang)
    cite(a_book=[good, slow, server.url("/later")])
    process = spawn_links()
    server.wait_for("/slow")
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=LONG)
    assert process.returncode == 130
    assert stdout == ""
    assert stderr == "mlsys-path: stopped with 2 addresses left: run it again, and it goes on from there\n"
    server.on("/slow", wild.answer(200))
    assert "2 addresses are fine; 1 of 3 known from before" in links().stdout
    assert server.asked("/good") == ["HEAD"]


def test_ctrl_c_does_not_wait_for_a_name_server(cite, spawn_links):
    cite(a_book=["http://never.test/"])
    code = (
        "import socket, threading\n"
        "def never(*_, **__):\n    print('looking', flush=True)\n    threading.Event().wait()\n"
        f"socket.getaddrinfo = never\n{COMMAND}"
    )
    process = spawn_links(code=code)
    assert process.stdout.readline() == "looking\n"
    process.send_signal(signal.SIGINT)
    _stdout, stderr = process.communicate(timeout=LONG)
    assert (process.returncode, stderr.count("\n")) == (130, 1)


def test_a_terminal_has_a_bar_and_is_left_as_it_was(server, cite, spawn_links):
    cite(a_book=[server.on("/slow", wild.hang)])
    ours, theirs = pty.openpty()
    process = spawn_links(stderr=theirs, env={**os.environ, "TERM": "xterm-256color"})
    os.close(theirs)
    server.wait_for("/slow")
    process.send_signal(signal.SIGINT)
    told = b""
    try:
        while more := os.read(ours, 4096):
            told += more
    except OSError:
        pass  # the other side is closed
    os.close(ours)
    assert process.wait(LONG) == 130
    assert b"0/1" in told
    assert told.rindex(b"\x1b[?25h") > told.rindex(b"\x1b[?25l")
    assert b"1 address left" in told


def test_a_run_that_is_killed_loses_what_was_under_way_and_no_more(server, cite, spawn_links, links):
    urls = [server.on(f"/{n}", wild.answer(200)) for n in range(5)]
    hanging = server.on("/hanging", wild.hang)
    cite(a_book=[*urls, hanging, server.url("/later")])
    process = spawn_links()
    server.wait_for("/hanging")
    process.kill()
    process.communicate()
    server.on("/hanging", wild.answer(200))
    result = links()
    assert "6 addresses are fine; 5 of 7 known from before" in result.stdout
    assert all(server.asked(f"/{n}") == ["HEAD"] for n in range(5))
