"""Random repositories of the shape of a compiler's, and what git says of them."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ENVIRONMENT = {
    **{k: v for k, v in os.environ.items() if not k.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}


def git(folder, *words, stdin=b""):
    done = subprocess.run(
        ["git", "-C", str(folder), *map(str, words)], input=stdin, capture_output=True, env=ENVIRONMENT
    )
    if done.returncode:
        raise RuntimeError(f"git {words}: {done.stderr.decode()}")
    return done.stdout


@dataclass
class Pins:
    """What a commit wants to be built with, in one of the ways in which it is written."""

    files: dict[str, str]
    expected: dict[str, str | None]


def pins(rng, marker=""):
    """Random requirements and the files that say so; `marker` is a path that setup.py creates when it is run."""
    pick = lambda *items: items[int(rng.integers(len(items)))]  # noqa: E731
    number = lambda low, high: int(rng.integers(low, high))  # noqa: E731
    binding, other = pick(("pybind11", "nanobind"), ("nanobind", "pybind11"))
    version = f"{pick('>=', '==')}{number(1, 4)}.{number(0, 30)}.{number(0, 9)}"
    cmake = f">={number(3, 4)}.{number(10, 30)}"
    upper = f"<{number(4, 6)}.{number(0, 9)}"
    minor, last = number(6, 11), number(11, 20)
    python = f">=3.{minor},<3.{last + 1}"
    requires = [
        f"setuptools>={number(40, 80)}",
        f"{other}-stubgen=={number(1, 3)}.{number(0, 9)}",
        pick(
            f"cmake{cmake},{upper}",
            f"cmake {cmake}, {upper}",
            f"CMake{cmake},{upper} ; python_version >= '3.8'",
        ),
        pick(binding + version, f"{binding}[global] {version}", f"{binding.capitalize()}{version}"),
        f"{binding}_extras=={number(4, 9)}.0",
    ]
    rng.shuffle(requires)
    lines = ",\n".join(f'    "{each}"' for each in requires)
    toml = f'# was: requires = ["{other}==0.1"]\n[build-system]\nrequires = [\n{lines},\n]\n'
    toml += f'\n[tool.other]\nrequires = ["{other}==9.9", "cmake==1.0"]\n'
    how = pick("project", "literal", "name", "computed", "computed")
    if how == "project":
        toml += f'\n[project]\nname = "x"\nrequires-python = "{python.replace(",", ", ")}"\n'
    head, argument = {
        "project": ("", '">=2.7"'),
        "literal": ("", f'"{python}"'),
        "name": (f'WANTED = "{python}"\n', "WANTED"),
        "computed": (
            f"MIN_PYTHON = (3, {minor})\nMAX_PYTHON = (3, {last})\n"
            'PYTHON_REQUIRES = f">={MIN_PYTHON[0]}.{MIN_PYTHON[1]},<{MAX_PYTHON[0]}.{MAX_PYTHON[1] + 1}"\n',
            "PYTHON_REQUIRES",
        ),
    }[how]
    effect = f"open({marker!r}, 'w').close()\n" if marker else ""
    setup = (
        "import os, sys\nfrom setuptools import setup\n"
        f"{effect}{head}"
        'NOTE = """setup(python_requires=\'>=2.6\')"""\n'
        "def configure(**settings):\n    return settings\n"
        "configure(python_requires='>=2.5')\n"
        f"sys.argv and os.environ.get('BUILD') or print('building')\n"
        f"{pick('setup', 'setup')}(\n    name='compiler',\n    python_requires={argument},\n)\n"
    )
    place = pick("", "python/")
    files = {f"{place}setup.py": setup, f"{place}pyproject.toml": toml}
    if not place:
        files["python/pyproject.toml"] = '[build-system]\nrequires = ["cmake==2.8"]\n'
    return Pins(
        files, {"binding": binding, "binding_version": version, "cmake": f"{cmake},{upper}", "python": python}
    )


@dataclass
class History:
    """A bare repository, with the commits in the order in which they were made."""

    path: Path
    commits: list[str] = field(default_factory=list)
    pins: list[Pins] = field(default_factory=list)
    lost: str = ""  # no branch and no tag holds it any more
    shared: str = ""  # the name of a branch and of a tag, at two commits
    alike: str = ""  # the name of a branch and of a tag, at one commit
    prefix: str = ""  # the beginning of a commit's hash, and the name of a branch at another commit
    beginning: str = ""  # four digits with which one commit begins, and a blob

    def commit(self, name):
        return git(self.path, "rev-parse", "--verify", name + "^{commit}").decode().strip()

    def releases(self, commit):
        """(tag, distance) of each release that a commit has behind it."""
        tags = git(self.path, "tag", "--merged", commit).decode().split()
        tags = [t for t in tags if t[0] == "v" and t[1:].replace(".", "").isdigit()]
        return {t: int(git(self.path, "rev-list", "--count", f"refs/tags/{t}..{commit}")) for t in tags}

    def tree(self, commit):
        """Path to (mode, content) of a commit's files, as git says; submodules are left out."""
        result = {}
        for entry in git(self.path, "ls-tree", "-r", "-z", commit).decode().split("\0"):
            if entry:
                (mode, kind, name), path = entry.split("\t")[0].split(), entry.split("\t", 1)[1]
                if kind == "blob":
                    result[path] = (mode, git(self.path, "cat-file", "blob", name))
        return result


def make(rng, *, linear=False, marker="", collide=True):
    number = lambda low, high: int(rng.integers(low, high))  # noqa: E731
    path = Path(tempfile.mkdtemp()) / "compiler.git"
    path.mkdir()
    git(path, "init", "--quiet", "--bare", "--template=", "--initial-branch=main")
    history, stream, clock = History(path), [], 1_600_000_000 + number(0, 10**8)

    def data(text):
        raw = text.encode()
        return b"data %d\n%s\n" % (len(raw), raw)

    def add(branch, parents):
        nonlocal clock
        n = len(history.commits) + 1
        clock += number(3600, 200_000)
        authored = clock - number(100_000, 9_000_000)
        zone = f"{'+-'[number(0, 2)]}{number(1, 12):02}00"
        wanted = pins(rng, marker)
        files = {
            **wanted.files,
            "CMakeLists.txt": f"project(compiler)\n# {number(0, 1 << 40)}\n",
            "lib/pass.cpp": "\n".join(f"int f{i}() {{ return {number(0, 999)}; }}" for i in range(3)) + "\n",
            ".gitignore": "build/\n*.so\n",
            ".gitmodules": '[submodule "third_party/x"]\n\tpath = third_party/x\n\turl = https://nowhere.invalid/x.git\n',
            f"docs/{'design' if n % 2 else 'notes'} of ünits.md": f"{n}\n",
        }
        out = [f"commit refs/heads/{branch}\nmark :{n}\n".encode()]
        out.append(f"author A <a@x> {authored} {zone}\ncommitter C <c@x> {clock} {zone}\n".encode())
        out.append(data(f"Commit {n}: {number(0, 1 << 40)}"))
        out += [f"{'merge' if i else 'from'} :{p}\n".encode() for i, p in enumerate(parents)]
        out.append(b"deleteall\n")
        for name, text in files.items():
            out.append(f"M 100644 inline {name}\n".encode() + data(text))
        out.append(b"M 100755 inline tools/run.sh\n" + data("#!/bin/sh\n"))
        out.append(b"M 160000 %040x third_party/x\n" % number(1, 1 << 60))
        stream.append(b"".join(out))
        history.commits.append("")
        history.pins.append(wanted)
        return n

    main = [add("main", [])]
    for _ in range(number(3, 6)):
        main.append(add("main", main[-1:]))
    first = main[1]
    side = [add("release/3.1.x", [main[-2]])]
    for _ in range(number(1, 3)):
        side.append(add("release/3.1.x", side[-1:]))
    for _ in range(number(2, 4)):
        main.append(add("main", main[-1:]))
    if not linear:
        topic = add("topic", [main[-3]])
        main.append(add("main", [main[-1], topic]))
        if rng.integers(2):
            main.append(add("main", [main[-1], side[0]]))
    for _ in range(number(1, 4)):
        main.append(add("main", main[-1:]))
    lost = add("rewritten", main[-2:-1])
    marks = path / "marks"
    git(path, "fast-import", "--quiet", f"--export-marks={marks}", stdin=b"".join(stream))
    for line in marks.read_text().splitlines():
        mark, name = line.split()
        history.commits[int(mark[1:]) - 1] = name
    marks.unlink()
    at = lambda n: history.commits[n - 1]  # noqa: E731
    history.lost = at(lost)
    git(path, "update-ref", "refs/heads/rewritten", at(main[-3]))

    def tag(name, n, annotated):
        words = ("-a", "-m", name) if annotated else ()
        git(path, "-c", "user.name=T", "-c", "user.email=t@x", "tag", *words, name, at(n))

    tag("v3.0.0", first, True)
    tag("v3.1.0", side[-1], bool(rng.integers(2)))
    tag("v3.0.1", main[3], False)
    tag("v3.2.0-rc1", main[-2], True)
    tag("nightly", main[-1], False)
    tag("llvm-23", main[-2], True)
    history.shared, history.alike = f"stable-{number(0, 99)}", f"tested-{number(0, 99)}"
    tag(history.shared, main[2], True)
    git(path, "update-ref", f"refs/heads/{history.shared}", at(main[-2]))
    tag(history.alike, main[1], True)
    git(path, "update-ref", f"refs/heads/{history.alike}", at(main[1]))
    history.prefix = at(main[-1])[:8]
    git(path, "update-ref", f"refs/heads/{history.prefix}", at(first))
    if collide:
        history.beginning = at(side[0])[:4]
        n = number(0, 1 << 40)
        while True:
            n += 1
            text = b"%d" % n
            if hashlib.sha1(b"blob %d\0%s" % (len(text), text)).hexdigest().startswith(history.beginning):
                break
        git(path, "hash-object", "-w", "--stdin", stdin=text)
    return history


def shallow(history, depth):
    """A shallow mirror of a history: two branches and a tag, and not their beginnings."""
    path = Path(tempfile.mkdtemp()) / "compiler.git"
    path.mkdir()
    git(path, "init", "--quiet", "--bare", "--template=", "--initial-branch=main")
    refs = [f"+{name}:{name}" for name in ("refs/heads/main", "refs/heads/release/3.1.x", "refs/tags/v3.1.0")]
    git(path, "fetch", "--quiet", "--no-tags", f"--depth={depth}", f"file://{history.path}", *refs)
    (path / "FETCH_HEAD").unlink(missing_ok=True)
    return History(path)


def archive(*paths):
    """An archive with files and folders by their names."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in paths:
            tar.add(path, arcname=path.name)
    return buffer.getvalue()


def contents(packed):
    """Path to (mode, content) of the files of an archive."""
    if not packed:
        return {}
    result = {}
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        for member in tar:
            if member.isreg() or member.islnk():
                mode = "100755" if member.mode & 0o100 else "100644"
                result[member.name] = (mode, tar.extractfile(member).read())
            elif member.issym():
                result[member.name] = ("120000", member.linkname.encode())
    return result


def status(packed):
    """What git says of a checkout, by itself in another place and with no settings of its own: lines, and HEAD."""
    folder = Path(tempfile.mkdtemp())
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        tar.extractall(folder, filter="data")
    # nothing that came from the sandbox may name a program that git here would run
    (folder / ".git" / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = false\n")
    for name in ("config.worktree", "info/attributes", "commondir"):
        (folder / ".git" / name).unlink(missing_ok=True)
    words = (
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.fsmonitor=false",
        "--git-dir=.git",
        "--work-tree=.",
    )
    said = git(folder, *words, "status", "--porcelain", "--untracked-files=all").decode().splitlines()
    head = git(folder, *words, "rev-parse", "HEAD").decode().strip()
    git(folder, *words, "fsck", "--connectivity-only", "--no-dangling")
    return said, head
