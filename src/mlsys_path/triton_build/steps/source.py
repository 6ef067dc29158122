"""Step 2: a checkout of its own, at the commit asked for."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from mlsys_path.language import N_, _
from mlsys_path.triton_build.events import Facts
from mlsys_path.triton_build.failures import name_of
from mlsys_path.triton_build.layout import Layout
from mlsys_path.triton_build.process import Stall
from mlsys_path.triton_build.resources import disk_used_mb
from mlsys_path.triton_build.settings import Settings
from mlsys_path.triton_build.steps.step import Step
from mlsys_path.triton_build.tree import Tree
from mlsys_path.triton_build.work import StepRefused, Work

_STALL_SECONDS = 120.0
_PERCENT = re.compile(r"^(?:remote: )?([A-Z][\w ]+):\s+(\d+)% \((\d+)/(\d+)\)")


def origin(work: Work) -> str:
    """Where it is cloned from."""
    source = work.settings.source
    if source and is_folder(source):
        return str(Path(source).expanduser().absolute())
    return source or work.project.repository


def is_folder(source: str) -> bool:
    """Whether a source names a folder rather than an address."""
    return "://" not in source and not re.match(r"^[\w.-]+@[\w.-]+:", source)


async def _run(work: Work) -> Facts:
    layout, tree = work.layout, Tree(work.layout.tree, work.project)
    place = origin(work)
    if not place:
        raise StepRefused(name_of("no-source"), _("there is nothing to clone from"), _("give --source DIR"))
    if is_folder(place):
        _demand_repository(Path(place), work)
    if _origin_file(layout.tree).exists():
        await _update(work, place)
    elif layout.tree.exists():
        raise StepRefused(
            name_of("changed-tree"),
            _("{tree} was not cloned by this program").format(tree=layout.tree),
            _("move it away, and give it as --source"),
        )
    else:
        await _clone(work, place)
    commit = await _check_out(work)
    await work.command(
        ["git", "submodule", "update", "--init", "--recursive"], folder=tree.root, heard=_progress(work)
    )
    return await _facts(work, tree, place, commit)


def _demand_repository(folder: Path, work: Work) -> None:
    if not folder.is_dir():
        raise StepRefused(
            name_of("no-source"),
            _("--source {folder}: there is no such folder").format(folder=folder),
            _("give a clone, a bare mirror, or an address"),
        )
    asked = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(folder), "rev-parse", "--git-dir"],
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        raise StepRefused(
            name_of("no-source"),
            _("--source {folder} is no git repository, so no commit of it can be proved").format(
                folder=folder
            ),
            _("give a clone with its history (`git clone {where}`), or a bare mirror").format(
                where=work.project.repository or "…"
            ),
        )


async def _clone(work: Work, place: str) -> None:
    """Clone beside, and rename: half a clone is never taken for one."""
    layout = work.layout
    beside = layout.folder / "source.new"
    if beside.exists():
        shutil.rmtree(beside)
    await work.command(
        # no hard links: the files of the source have nothing to do with those here
        [
            "git",
            "-c",
            "safe.directory=*",
            "clone",
            "--progress",
            "--no-hardlinks",
            "--no-checkout",
            place,
            beside,
        ],
        stall=Stall(_STALL_SECONDS, lambda: disk_used_mb(beside)),
        heard=_progress(work),
    )
    _origin_file(beside).write_text(place)
    beside.rename(layout.tree)


def _origin_file(tree: Path) -> Path:
    """Says that a clone is this program's, and where it is from."""
    return tree / ".git" / "mlsys-path-origin"


async def _update(work: Work, place: str) -> None:
    """A checkout is here already: fetch only what is asked for and not here."""
    if _origin_file(work.layout.tree).read_text() != place:
        await work.command(["git", "remote", "set-url", "origin", place], folder=work.layout.tree)
        _origin_file(work.layout.tree).write_text(place)
    elif work.settings.ref and await _resolve(work, work.settings.ref):
        return
    await work.command(
        ["git", "-c", "safe.directory=*", "fetch", "--progress", "--tags", "--force", "origin"],
        folder=work.layout.tree,
        stall=Stall(_STALL_SECONDS, lambda: disk_used_mb(work.layout.tree / ".git")),
        heard=_progress(work),
    )


async def _resolve(work: Work, ref: str) -> str:
    """The commit of a tag, a branch of the source or the beginning of a hash; "" when it is not here."""
    for name in (f"refs/tags/{ref}", f"refs/remotes/origin/{ref}", ref):
        words: list[str | Path] = [
            "git",
            "-C",
            work.layout.tree,
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
        ]
        if said := (await work.ask([*words, name + "^{commit}"])).strip():
            return said
    return ""


async def _check_out(work: Work) -> str:
    tree = work.layout.tree
    ref = work.settings.ref or "origin/HEAD"
    commit = await _resolve(work, ref)
    if not commit and not work.settings.ref:
        commit = await _resolve(work, "HEAD")  # a source with a detached head
    if not commit and re.fullmatch(r"[0-9a-f]{40}", ref):
        # not on any branch or tag; most servers give it when asked for by its whole name
        outcome = await work.command(["git", "fetch", "origin", ref], folder=tree, check=False)
        commit = ref if outcome.ok else ""
    if not commit:
        raise StepRefused(
            name_of("no-ref"),
            _("{where} has no tag, branch or commit {ref!r}").format(where=origin(work), ref=ref),
            _(
                "`git -C {tree} tag` lists tags; a commit that a mirror lacks needs `git fetch` there first"
            ).format(tree=tree),
        )
    here = (await work.ask(["git", "-C", tree, "rev-parse", "--verify", "--quiet", "HEAD"])).strip()
    if here != commit or not (tree / ".git" / "index").exists():
        if here == commit and not (tree / ".git" / "index").exists():
            await work.command(["git", "reset", "--hard", commit], folder=tree)
        if here and here != commit and await _has_changes(work):
            raise StepRefused(
                name_of("changed-tree"),
                _("{tree} has changes of yours, and another commit is asked for").format(tree=tree),
                _("keep them on a branch and check out what was built, or use another --dir"),
            )
        await work.command(
            ["git", "checkout", "--force", "--detach", commit], folder=tree, heard=_progress(work)
        )
    return commit


async def _has_changes(work: Work) -> bool:
    """Whether files are changed, or the head is a commit that the source does not have."""
    git: list[str | Path] = ["git", "-C", work.layout.tree]
    if not (work.layout.tree / ".git" / "index").exists():
        return False  # nothing was ever checked out
    if await work.ask([*git, "status", "--porcelain", "--untracked-files=no"]):
        return True
    of_source = await work.ask([*git, "for-each-ref", "--contains", "HEAD", "refs/remotes", "refs/tags"])
    return not of_source.strip() and not await _fetched_by_name(work)


async def _fetched_by_name(work: Work) -> bool:
    """Whether the head is the commit that was asked for by its hash, which may be on no branch."""
    head = (await work.ask(["git", "-C", work.layout.tree, "rev-parse", "HEAD"])).strip()
    return head == str(work.fact("source", "commit"))


async def _facts(work: Work, tree: Tree, place: str, commit: str) -> Facts:
    pin = tree.pin()
    if pin is None:
        raise StepRefused(
            name_of("no-pin"),
            _("commit {commit} names no LLVM: none of {files} holds a hash").format(
                commit=commit[:12], files=", ".join((*work.project.pins, "setup.py"))
            ),
            _("take a commit of 2023 or later, by --ref"),
        )
    pinned = (await work.ask(["git", "-C", tree.root, "log", "-1", "--format=%cs", "--", pin.file])).strip()
    described = (await work.ask(["git", "-C", tree.root, "describe", "--tags", "--always", "HEAD"])).strip()
    pythons = tree.pythons()
    return {
        "origin": place,
        "commit": commit,
        "described": described,
        "llvm_commit": pin.commit,
        "llvm_file": pin.file,
        "llvm_pinned_on": pinned,
        "binding": tree.binding(),
        "pythons": [list(each) for each in pythons] if pythons else [],
        "requirements": list(tree.requirements()),
    }


def _progress(work: Work) -> Callable[[str], None]:
    def heard(line: str) -> None:
        if found := _PERCENT.match(line):
            work.progress(int(found[3]), int(found[4]), "steps", found[1])

    return heard


def _holds(work: Work, facts: Facts) -> bool:
    head = subprocess.run(
        ["git", "-C", str(work.layout.tree), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    there = (work.layout.tree / ".git" / "index").exists()
    return (
        there and head.stdout.strip() == facts["commit"] and (work.layout.tree / facts["llvm_file"]).exists()
    )


def _preview(work: Work) -> list[str]:
    layout: Layout = work.layout
    ref = work.settings.ref or "origin/HEAD"
    return [
        f"git clone --no-hardlinks --no-checkout {origin(work)} {layout.tree}",
        f"git -C {layout.tree} checkout --detach {ref}",
        f"git -C {layout.tree} submodule update --init --recursive",
    ]


def _settings(settings: Settings) -> object:
    return (settings.ref, settings.source)


def _say(facts: Facts) -> str:
    return _("commit {commit} ({described}); its LLVM is {llvm}, from {file}, taken on {day}").format(
        commit=facts["commit"][:12],
        described=facts["described"],
        llvm=facts["llvm_commit"][:12],
        file=facts["llvm_file"],
        day=facts["llvm_pinned_on"] or "?",
    )


STEP = Step(
    name="source",
    title=N_("Get the source"),
    what=N_("Clones the repository into this folder, at the commit asked for, and reads which LLVM it pins."),
    why=N_(
        "Triton is built against one commit of LLVM's trunk, never a release: another commit is another LLVM."
    ),
    run=_run,
    say=_say,
    holds=_holds,
    preview=_preview,
    settings=_settings,
)
