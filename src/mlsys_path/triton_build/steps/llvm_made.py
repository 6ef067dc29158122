"""`--llvm source`: LLVM, MLIR and LLD at exactly the pinned commit, with the targets that are needed and no others."""

from __future__ import annotations

from collections.abc import Callable

from mlsys_path.language import _
from mlsys_path.triton_build import ninja, resources
from mlsys_path.triton_build.events import Facts
from mlsys_path.triton_build.failures import name_of
from mlsys_path.triton_build.process import Stall
from mlsys_path.triton_build.resources import disk_used_mb
from mlsys_path.triton_build.work import StepRefused, Work

_STALL_SECONDS = 300.0


async def run(work: Work) -> Facts:
    """Fetch the one commit, configure, build."""
    commit = work.fact("source", "llvm_commit", "")
    await _check_out(work, commit)
    layout = work.layout
    if not (layout.llvm_build / "build.ninja").exists():
        await work.command(configure(work))
    last = [0]

    def counted(line: str) -> None:
        heard(line)
        if found := ninja.parse(line):
            last[0] = found[1]

    heard = _listen(work)
    # again when it is done already: ninja then finds nothing to do, in a second
    await work.command(["ninja", "-C", layout.llvm_build, f"-j{_jobs(work)}"], heard=counted)
    return {"prefix": str(layout.llvm_build), "commit": commit, "steps": last[0]}


def _listen(work: Work) -> Callable[[str], None]:
    pace = ninja.Pace()

    def heard(line: str) -> None:
        if found := ninja.parse(line):
            work.progress(found[0], found[1], "steps", found[2], pace.eta(found[0], found[1]))

    return heard


async def _check_out(work: Work, commit: str) -> None:
    clone = work.layout.llvm_source
    if len(commit) < 40:
        raise StepRefused(
            name_of("no-pin"),
            _("the commit pins LLVM by {pin} alone, and a server gives a commit by its whole name").format(
                pin=commit
            ),
            _("put a clone of LLVM with that commit at {folder}").format(folder=clone),
        )
    if not (clone / ".git").exists():
        await work.command(["git", "init", "--quiet", clone])
    there = await work.ask(["git", "-C", clone, "cat-file", "-t", commit])
    if "commit" not in there:
        await work.command(
            # the one commit, without its history: 200 MB where the whole is 3 GB
            ["git", "-C", clone, "fetch", "--progress", "--depth", "1", work.project.llvm_repository, commit],
            stall=Stall(_STALL_SECONDS, lambda: disk_used_mb(clone)),
        )
    head = (await work.ask(["git", "-C", clone, "rev-parse", "--verify", "--quiet", "HEAD"])).strip()
    if head != commit or not (clone / ".git" / "index").exists() or not (clone / "llvm").is_dir():
        await work.command(["git", "-C", clone, "checkout", "--force", "--detach", commit])


def _jobs(work: Work) -> int:
    return int(work.fact("preflight", "jobs", 0)) or resources.compile_jobs(work.settings.jobs)


def configure(work: Work) -> list[str]:
    """The command that configures it: release, no assertions, no tests, the targets that are needed, tools left out."""
    preflight = work.facts.get("preflight", {})
    arguments = [
        "cmake", "-G", "Ninja", "-S", str(work.layout.llvm_source / "llvm"), "-B", str(work.layout.llvm_build),
        "-DCMAKE_BUILD_TYPE=Release",
        "-DLLVM_ENABLE_PROJECTS=mlir;lld",
        "-DLLVM_TARGETS_TO_BUILD=Native;" + ";".join(work.project.needs_targets),
        "-DLLVM_ENABLE_ASSERTIONS=OFF",
        "-DLLVM_OPTIMIZED_TABLEGEN=ON",
        "-DLLVM_INCLUDE_TESTS=OFF", "-DLLVM_INCLUDE_BENCHMARKS=OFF", "-DLLVM_INCLUDE_EXAMPLES=OFF",
        "-DMLIR_INCLUDE_TESTS=OFF", "-DLLVM_ENABLE_BINDINGS=OFF", "-DMLIR_ENABLE_BINDINGS_PYTHON=OFF",
        "-DLLVM_BUILD_TOOLS=OFF", "-DLLVM_BUILD_UTILS=ON",
        "-DLLVM_ENABLE_ZSTD=OFF", "-DLLVM_ENABLE_LIBXML2=OFF", "-DLLVM_ENABLE_TERMINFO=OFF",
        f"-DLLVM_PARALLEL_LINK_JOBS={preflight.get('link_jobs', 1)}",
    ]  # fmt: skip
    if preflight.get("compiler"):
        arguments += [
            f"-DCMAKE_C_COMPILER={preflight['c_compiler']}",
            f"-DCMAKE_CXX_COMPILER={preflight['compiler']}",
        ]
    if preflight.get("ccache"):
        arguments += ["-DLLVM_CCACHE_BUILD=ON"]
    if preflight.get("linker") and "clang" in preflight.get("compiler", ""):
        arguments += ["-DLLVM_USE_LINKER=lld"]
    return arguments


def preview(work: Work) -> list[str]:
    """What it would run."""
    commit = work.fact("source", "llvm_commit", "") or _("(the commit that is pinned)")
    return [
        f"git -C {work.layout.llvm_source} fetch --depth 1 {work.project.llvm_repository} {commit}",
        " ".join(configure(work)),
        f"ninja -C {work.layout.llvm_build} -j{_jobs(work)}",
    ]
