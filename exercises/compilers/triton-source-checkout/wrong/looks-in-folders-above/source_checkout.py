"""Exactly the sources that a build needs: brought here, named and read, by git alone and without a network."""

import ast
import contextlib
import datetime
import fcntl
import operator
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path, PurePosixPath

_MADE = "source-checkout"  # in .git: this folder is of our making
_MOVING = "source-checkout-to"  # in .git: the commit that a move has begun to check out
_RELEASE = re.compile(r"v\d+(?:\.\d+)+")


def _git(git_dir, *words, work_tree=None):
    """What a git command prints. The repository is named, so git never looks for one in the folders above."""
    command = ["git", f"--git-dir={git_dir}"]
    if work_tree is not None:
        command.append(f"--work-tree={work_tree}")
    # neither what the caller's shell says of git nor the settings of its user have a say here
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "file",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
    }
    done = subprocess.run(
        [*command, *map(str, words)], env=environment, stdin=subprocess.DEVNULL, capture_output=True
    )
    if done.returncode:
        raise RuntimeError(f"git {words[0]} failed in {git_dir}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def _tree_git(folder, *words):
    while not (folder / ".git").exists() and words[0] != "init":
        folder = folder.parent
    return _git(folder / ".git", *words, work_tree=folder)


def _names(output):
    """The paths of a list that ends each with NUL: only this form leaves names as they are."""
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


# --- what a name means ----------------------------------------------------------------------------------------


def _commit(git_dir, object_name):
    """The commit that an object's hash leads to (a tag's leads to what was tagged), or None."""
    try:
        return _git(git_dir, "rev-parse", "--verify", "--quiet", object_name + "^{commit}").decode().strip()
    except RuntimeError:
        return None


def resolve(mirror, ref):
    """The hash of the one commit that `ref` can mean in `mirror`; ValueError for none and for several."""
    listed = _git(mirror, "for-each-ref", "--format=%(objectname) %(refname)").decode().splitlines()
    refs = {name: value for value, name in (line.split(" ", 1) for line in listed)}

    found = {}  # what the name may stand for -> a commit
    is_hash = re.fullmatch(r"[0-9a-fA-F]{4,40}", ref)
    if is_hash and len(ref) == 40:
        found[ref] = _commit(mirror, ref)  # a whole hash is one, whatever a branch is called
    else:
        for name in (f"refs/tags/{ref}", f"refs/heads/{ref}", *([ref] if ref.startswith("refs/") else [])):
            if name in refs:
                found[name] = _commit(mirror, refs[name])
        if is_hash:
            for name in _git(mirror, "rev-parse", f"--disambiguate={ref.lower()}").decode().split():
                if _git(mirror, "cat-file", "-t", name).strip() == b"commit":
                    found[name] = name
    commits = {commit for commit in found.values() if commit}
    if not commits:
        raise ValueError(f"{ref!r} names no commit of {mirror}")
    if len(commits) > 1:
        raise ValueError(f"{ref!r} may be any of {', '.join(sorted(found))}: give one of these names in full")
    return commits.pop()


# --- the checkout -----------------------------------------------------------------------------------------------


def checkout(mirror, ref, folder):
    """Make `folder` a detached checkout of the commit that `ref` names in the bare repository `mirror`.

    Returns the commit. What was interrupted is finished by the next call. FileExistsError, with nothing
    changed, where work of somebody else's would be lost.
    """
    mirror, folder = Path(mirror).resolve(), Path(folder).absolute()
    commit = resolve(mirror, ref)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.parent):
        if (folder / ".git" / _MADE).exists():
            _move(mirror, commit, folder)
        elif os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir() or any(folder.iterdir())):
            raise FileExistsError(f"{folder} is there and was not made by checkout(): give another folder")
        else:
            _make(mirror, commit, folder)
    return commit


@contextlib.contextmanager
def _alone(parent):
    """One checkout at a time beside others; the lock goes away with the process, however that ends."""
    descriptor = os.open(parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make(mirror, commit, folder):
    """Everything is made under another name; the folder gets its own in one step, when it is whole."""
    partial = folder.with_name(f".{folder.name}.source-checkout-partial")
    if partial.exists():
        shutil.rmtree(partial)  # of an attempt that was interrupted
    git = partial / ".git"
    partial.mkdir()
    _tree_git(partial, "init", "--quiet", "--template=")
    _fetch(mirror, commit, git)
    _tree_git(partial, "checkout", "--quiet", "--detach", commit)
    (git / _MADE).touch()
    partial.rename(folder)  # an empty folder may be in its place


def _fetch(mirror, commit, git):
    """Fetch by hash: a commit that no branch holds any more comes too. Tags are there for `describe`."""
    _git(
        git, "fetch", "--quiet", "--no-tags", "--update-shallow", "--no-recurse-submodules",
        "--no-write-fetch-head", "--no-auto-maintenance", mirror, commit, "+refs/tags/*:refs/tags/*",
    )  # fmt: skip


def _move(mirror, commit, folder):
    """Bring a checkout of ours to another commit; files that git does not track stay where they are."""
    git = folder / ".git"
    for lock in git.rglob("*.lock"):
        lock.unlink()  # nobody else is here: the process that took it was killed
    moving = git / _MOVING
    if moving.exists():
        if begun := moving.read_text():
            _tree_git(folder, "reset", "--quiet", "--hard", begun)
        moving.unlink()
    if _commit(git, "HEAD") == commit:
        return
    if changed := _status(folder)[0]:
        raise FileExistsError(f"{folder} has changes of yours, such as {changed[0]}: commit or undo them first")
    _fetch(mirror, commit, git)
    # git itself overwrites a file that is ignored and stands where the new commit has one
    paths = set(_names(_tree_git(folder, "ls-tree", "-r", "-z", "--name-only", commit)))
    parents = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    for other in _names(_tree_git(folder, "ls-files", "--others", "-z")):
        if other in paths or other in parents or paths.intersection(map(str, PurePosixPath(other).parents)):
            raise FileExistsError(f"{folder}/{other} is yours, and the commit has a file there: move it away")
    moving.write_text(commit)
    _tree_git(folder, "checkout", "--quiet", "--detach", commit)
    moving.unlink()


# --- what is there ----------------------------------------------------------------------------------------------


def _status(folder):
    """The paths of tracked files that differ from the commit, and of files that are neither tracked nor ignored."""
    output = _tree_git(folder, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
    entries = _names(output)
    return (
        sorted(entry[3:] for entry in entries if not entry.startswith("??")),
        sorted(entry[3:] for entry in entries if entry.startswith("??")),
    )


def _head(folder):
    while not (folder / ".git").exists():
        if folder == folder.parent:
            raise ValueError(f"{folder} is in no checkout")
        folder = folder.parent
    return _commit(folder / ".git", "HEAD")


def describe(folder):
    """What a build has to write down about its sources."""
    folder = Path(folder).absolute()
    commit = _head(folder)
    changed, untracked = _status(folder)
    seconds = int(_tree_git(folder, "show", "--no-patch", "--format=%ct", commit))
    tag, distance = _nearest_release(folder, commit)
    return {
        "commit": commit,
        "date": datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "dirty": bool(changed or untracked),
        "changed": changed,
        "untracked": untracked,
        "tag": tag,
        "distance": distance,
    }


def _nearest_release(folder, commit):
    """The release that lacks the fewest of this commit's ancestors, and how many; (None, None) without one."""
    tags = _tree_git(folder, "for-each-ref", f"--merged={commit}", "--format=%(refname:strip=2)", "refs/tags")
    return min(
        (
            (tag, int(_tree_git(folder, "rev-list", "--count", f"refs/tags/{tag}..{commit}")))
            for tag in tags.decode().split()
            if _RELEASE.fullmatch(tag)
        ),
        key=lambda found: found[1],
        default=(None, None),
    )


# --- what it pins -----------------------------------------------------------------------------------------------


def requirements(folder):
    """What the commit of a checkout wants to be built with; read, never run, and not from the working tree."""
    folder = Path(folder).absolute()
    commit = _head(folder)
    names = set(_names(_tree_git(folder, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)))
    place = next((place for place in ("", "python/") if place + "setup.py" in names), "")

    def read(name):
        if place + name not in names:
            return ""
        return _tree_git(folder, "cat-file", "blob", f"{commit}:{place}{name}").decode()

    document = tomllib.loads(read("pyproject.toml"))
    wanted = dict(map(_requirement, document.get("build-system", {}).get("requires", ())))
    binding = next((name for name in ("nanobind", "pybind11") if name in wanted), None)
    python = document.get("project", {}).get("requires-python") or _python_requires(read("setup.py"))
    return {
        "binding": binding,
        "binding_version": wanted.get(binding),
        "cmake": wanted.get("cmake"),
        "python": None if python is None else re.sub(r"\s", "", python),
    }


def _requirement(text):
    """Name, in its normal form, and versions of "CMake[x]>=3.20, <4 ; python_version > '3'"."""
    found = re.match(r"\s*([\w.-]*\w)\s*(?:\[[^]]*\])?\s*\(?([^;)]*)", text)
    return re.sub(r"[-_.]+", "-", found[1]).lower(), re.sub(r"\s", "", found[2])


def _python_requires(source):
    """The argument `python_requires` of the call of setup(), worked out from constants of the module."""
    module, values = ast.parse(source), {}
    for statement in module.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            with contextlib.suppress(_NotConstant):
                values[statement.targets[0].id] = _value(statement.value, values)
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "setup":
            for keyword in node.keywords:
                if keyword.arg == "python_requires":
                    with contextlib.suppress(_NotConstant):
                        return _value(keyword.value, values)
    return None


class _NotConstant(Exception):
    """An expression that only running the file would give a value."""


def _value(node, values):
    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name) if name in values:
            return values[name]
        case ast.Tuple(items):
            return tuple(_value(item, values) for item in items)
        case ast.Subscript(of, index):
            return _value(of, values)[_value(index, values)]
        case ast.BinOp(left, ast.Add() | ast.Sub() as sign, right):
            compute = operator.add if isinstance(sign, ast.Add) else operator.sub
            return compute(_value(left, values), _value(right, values))
        case ast.JoinedStr(parts):
            return "".join(str(_value(part, values)) for part in parts)
        case ast.FormattedValue(value, -1, None):
            return _value(value, values)
        case _:
            raise _NotConstant(ast.unparse(node))
