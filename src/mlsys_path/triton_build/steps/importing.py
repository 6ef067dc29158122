"""Step 6: the proof that what is imported is what was built here."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from mlsys_path.language import N_, _
from mlsys_path.triton_build import proof, proof_probe
from mlsys_path.triton_build.events import Facts
from mlsys_path.triton_build.failures import name_of
from mlsys_path.triton_build.settings import Settings
from mlsys_path.triton_build.steps import libtriton
from mlsys_path.triton_build.steps.step import Step
from mlsys_path.triton_build.tree import Tree
from mlsys_path.triton_build.work import StepRefused, Work

_VERSION_LINE = re.compile(r"^[+-](?![+-]).*(?:__version__|TRITON_VERSION|\bversion\s*=)", re.MULTILINE)


async def _run(work: Work) -> Facts:
    tree = Tree(work.layout.tree, work.project)
    marked = libtriton.proof_journal(work)
    marked.restore()
    refuse_tampering(work, tree)
    marker = proof.new_marker()
    build = tree.build_folder()
    if build is None or not marked.source.is_file():
        raise StepRefused(
            name_of("no-library"),
            _("there is no build folder in {tree}").format(tree=tree.root),
            _("`--resume --from libtriton`"),
        )
    environment = libtriton.environment(work, tree)
    try:
        marked.write(marker)
        await work.command(["ninja", "-C", build, f"-j{libtriton.jobs(work)}"], environment=environment)
    finally:
        marked.restore()
    found = await probe(work, tree)
    facts = check(work, tree, found, marker)
    changed = _git(tree, "status", "--porcelain", "--untracked-files=no").splitlines()
    return {
        **facts,
        "marked": str(marked.source.relative_to(tree.root)),
        "changed": [line[3:] for line in changed],
    }


def refuse_tampering(work: Work, tree: Tree) -> None:
    """What would make a proof of something else."""
    libtriton.refuse_link(tree)
    library = tree.library()
    if library is not None and proof.digest(library) not in work.libraries:
        raise StepRefused(
            name_of("foreign-library"),
            _(
                "{library} is not the library that was built here: a wheel's, or another build's, lies in its place"
            ).format(library=library),
            _("`--resume --from libtriton` links it anew"),
        )
    files = ["setup.py", "python/setup.py", f"python/{work.project.module}/__init__.py"]
    said = _git(tree, "diff", "HEAD", "-U0", "--", *(name for name in files if (tree.root / name).exists()))
    if found := _VERSION_LINE.search(said):
        raise StepRefused(
            name_of("edited-version"),
            _("the version was edited in the tree: {line}").format(line=found[0]),
            _(
                "`git checkout -- setup.py python/{module}/__init__.py` in {tree}: a version proves nothing, the commit does"
            ).format(module=work.project.module, tree=tree.root),
        )


async def probe(work: Work, tree: Tree) -> Facts:
    """What a clean interpreter loads, with this tree alone on its path."""
    heard: list[str] = []
    await work.command(
        [
            work.layout.python,
            "-I",
            "-S",
            proof_probe.__file__,
            tree.python,
            work.project.module,
            work.project.library,
            proof.SYMBOL,
        ],
        environment=libtriton.environment(work, tree),
        heard=heard.append,
    )
    found: Facts = json.loads(heard[-1])
    return found


def check(work: Work, tree: Tree, found: Facts, marker: str) -> Facts:
    """Hold what was loaded against what was built; StepRefused with the reason."""
    root = tree.root.resolve()
    for name in ("package", "library"):
        if not Path(found[name]).is_relative_to(root):
            raise StepRefused(
                name_of("two-tritons"),
                _("{module} was loaded from {place}, which is not in {tree}").format(
                    module=work.project.module, place=found[name], tree=root
                ),
                _("remove what puts it on the path, then `--resume --from import`"),
            )
    libtriton.refuse_link(tree)
    if found["library"] not in found["mapped"]:
        raise StepRefused(
            name_of("foreign-library"),
            _("{library} is not among the files that the interpreter has loaded").format(
                library=found["library"]
            ),
            _("`--resume --from libtriton`"),
        )
    if found["marker"] != marker:
        raise StepRefused(
            name_of("no-marker"),
            _(
                "the marker that was compiled into {source} is not in the library that was loaded: it was built from another source"
            ).format(source=work.project.marker_sources[0]),
            _("`--resume --from libtriton`"),
        )
    head = _git(tree, "rev-parse", "HEAD").strip()
    if head != work.fact("source", "commit"):
        raise StepRefused(
            name_of("wrong-commit"),
            _("the tree is at {here}, and {asked} was asked for").format(
                here=head[:12], asked=str(work.fact("source", "commit"))[:12]
            ),
            _("`--resume --from source`"),
        )
    library = Path(found["library"])
    return {
        "library": str(library.relative_to(work.layout.folder.resolve())),
        "sha256": proof.digest(library),
        "marker": marker,
        "commit": head,
        "version": found["version"],
        "python": found["python"],
    }


def _git(tree: Tree, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(tree.root), *words], capture_output=True, text=True, check=False)
    return done.stdout


def _holds(work: Work, facts: Facts) -> bool:
    library = work.layout.folder / facts["library"]
    return library.is_file() and proof.digest(library) == str(facts["sha256"])


def _preview(work: Work) -> list[str]:
    tree = Tree(work.layout.tree, work.project)
    return [
        f"ninja -C {tree.build_folder() or tree.root / 'build' / 'cmake…'}   "
        + _("(with a random marker in {source})").format(source=work.project.marker_sources[0]),
        f"{work.layout.python} -I -S -c 'import {work.project.module}'",
    ]


def _settings(settings: Settings) -> object:
    return (settings.ref, settings.source, settings.llvm)


def _say(facts: Facts) -> str:
    told = _(
        "a clean Python {python} loaded {library}, which holds the marker {marker} that was compiled into {source} a "
        "moment before; commit {commit}"
    ).format(
        python=facts["python"],
        library=facts["library"],
        marker=facts["marker"][:8] + "…",
        source=facts["marked"],
        commit=facts["commit"][:12],
    )
    if facts["changed"]:
        told += _(", with changes of yours in {files}").format(files=", ".join(facts["changed"][:4]))
    return told


STEP = Step(
    name="import",
    title=N_("Import it, and prove it"),
    what=N_(
        "Writes a random marker into a C++ source, rebuilds what depends on it, imports the package in a clean interpreter and looks for the marker in the library that was loaded."
    ),
    why=N_(
        "`import triton` that works proves little: a wheel's library is taken for the built one more often than not."
    ),
    run=_run,
    say=_say,
    holds=_holds,
    preview=_preview,
    settings=_settings,
)
