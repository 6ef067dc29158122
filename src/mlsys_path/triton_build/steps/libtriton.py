"""Step 5: the native library, by the project's own setup.py, with what makes it quick put before the compiler."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from mlsys_path.language import N_, _
from mlsys_path.machine.inspect import glance
from mlsys_path.triton_build import llvm_installed, pch, proof, resources, tools
from mlsys_path.triton_build.events import Facts
from mlsys_path.triton_build.failures import name_of
from mlsys_path.triton_build.process import Outcome
from mlsys_path.triton_build.settings import Settings
from mlsys_path.triton_build.state import replace
from mlsys_path.triton_build.steps import bindings
from mlsys_path.triton_build.steps.step import Step
from mlsys_path.triton_build.tree import Tree
from mlsys_path.triton_build.work import StepRefused, Work


async def _run(work: Work) -> Facts:
    tree = Tree(work.layout.tree, work.project)
    proof_journal(work).restore()
    _clear_unknown(work, tree)
    _demand_json(work, tree)
    if not tree.says("TRITON_APPEND_CMAKE_ARGS"):
        work.note(
            _(
                "setup.py of this commit takes no arguments for CMake: it is built with assertions and debug information"
            )
        )
    headers = _prepare(work, tree)
    outcome = await work.command(command(work, tree), folder=tree.root, environment=environment(work, tree))
    _write_script(work, tree)  # again: only now the build folder is known
    library = tree.library()
    if library is None:
        raise StepRefused(
            name_of("no-library"),
            _("the build ended well, and {file} is not there").format(
                file=f"{tree.package / work.project.library}*.so"
            ),
            _("the log says where the library went"),
        )
    refuse_link(tree)
    return {
        "library": str(library.relative_to(work.layout.folder)),
        "sha256": proof.digest(library),
        "mb": library.stat().st_size >> 20,
        "jobs": jobs(work),
        "headers": headers,
        "precompiled": pch.made(work.layout.headers),
        "peak_mb": outcome.peak_mb,
        "cpu_seconds": round(outcome.cpu_seconds),
        "steps": _steps(outcome),
    }


def _steps(outcome: Outcome) -> int:
    from mlsys_path.triton_build.ninja import parse

    return max((found[1] for line in outcome.tail if (found := parse(line))), default=0)


def proof_journal(work: Work) -> proof.Marked:
    """The marked source of the next step, which a kill may have left marked."""
    tree = Tree(work.layout.tree, work.project)
    source = tree.marker_source() or tree.root / work.project.marker_sources[0]
    return proof.Marked(source, work.layout.folder / "marker.json")


def refuse_link(tree: Tree) -> None:
    """A library that is a link would be written, and imported, somewhere else."""
    library = tree.library()
    if library is not None and (links := proof.symlinks(library, tree.root)):
        raise StepRefused(
            name_of("symlink"),
            _("{link} is a symbolic link to {target}: the library must lie in the tree itself").format(
                link=links[0], target=os.path.realpath(links[0])
            ),
            _("remove it, and `--resume --from libtriton`"),
        )


def _clear_unknown(work: Work, tree: Tree) -> None:
    """A library that no step here has seen is linked anew: by its time alone ninja would take it for its own."""
    refuse_link(tree)
    library = tree.library()
    if library is None:
        return
    if proof.digest(library) not in work.libraries:
        work.write(f"{library} is not as a step left it: it is linked anew")
        library.unlink()


def jobs(work: Work) -> int:
    """How many compilers at once."""
    return resources.compile_jobs(work.settings.jobs)


def command(work: Work, tree: Tree) -> list[str]:
    """Triton's documented way: an editable install, without isolation, so that it uses the environment of step 4."""
    return [
        *bindings.pip(work),
        "install",
        "--no-build-isolation",
        "--no-deps",
        "--no-index",
        "-v",
        "-e",
        str(tree.setup),
    ]


def environment(work: Work, tree: Tree) -> dict[str, str]:
    """What setup.py and CMake are told."""
    prefix = work.fact("llvm", "prefix", "")
    preflight = work.facts.get("preflight", {})
    count = jobs(work)
    told = {
        "PATH": f"{work.layout.venv / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        # absolute, all of them: a relative one is taken as "not given", and LLVM fetched all the same
        "LLVM_SYSPATH": prefix,
        "LLVM_INCLUDE_DIRS": f"{prefix}/include",
        "LLVM_LIBRARY_DIR": f"{prefix}/lib",
        "MAX_JOBS": str(count),
        "CMAKE_BUILD_PARALLEL_LEVEL": str(count),
        "TRITON_PARALLEL_LINK_JOBS": str(resources.link_jobs(count)),
        "CCACHE_SLOPPINESS": "pch_defines,time_macros,include_file_mtime,include_file_ctime",
        "CCACHE_BASEDIR": str(work.layout.folder),
        "TRITON_APPEND_CMAKE_ARGS": shlex.join(
            [*cmake_arguments(work), *shlex.split(os.environ.get("TRITON_APPEND_CMAKE_ARGS", ""))]
        ),
    }
    if preflight.get("compiler"):
        told |= {"CC": preflight["c_compiler"], "CXX": preflight["compiler"]}
    if ptxas := preflight.get("ptxas"):
        told |= {
            "TRITON_PTXAS_PATH": ptxas,
            "TRITON_PTXAS_BLACKWELL_PATH": os.environ.get("TRITON_PTXAS_BLACKWELL_PATH", ptxas),
        }
    if not preflight.get("online", True):
        told["TRITON_OFFLINE_BUILD"] = "1"
    if tree.says("JSON_SYSPATH") and (json := os.environ.get("JSON_SYSPATH") or _json()):
        told["JSON_SYSPATH"] = json
    if not tree.says("TRITON_APPEND_CMAKE_ARGS"):
        # CMake itself heeds these, if less firmly
        launcher = pch.launcher(work.layout.headers)
        told |= {"CMAKE_CXX_COMPILER_LAUNCHER": launcher, "LLVM_DIR": work.fact("llvm", "wrapper", "")}
    return work.environment(**told)


def cmake_arguments(work: Work) -> list[str]:
    """Arguments that come last, and so win."""
    prefix = Path(work.fact("llvm", "prefix", "…"))
    preflight = work.facts.get("preflight", {})
    arguments = [
        # setup.py's own choice has assertions and debug information: twice the time, five times the size
        "-DCMAKE_BUILD_TYPE=Release",
        f"-DLLVM_DIR={work.fact('llvm', 'wrapper', '') or prefix / 'lib/cmake/llvm'}",
        *work.project.cmake_arguments,
        f"-DCMAKE_CXX_COMPILER_LAUNCHER={pch.launcher(work.layout.headers)}",
    ]
    if work.project.library_of_mlir:
        arguments += [f"-DMLIR_DIR={prefix / 'lib/cmake/mlir'}", f"-DLLD_DIR={prefix / 'lib/cmake/lld'}"]
    if preflight.get("linker"):
        flags = f"-fuse-ld=lld -B{work.layout.folder / 'bin'}"
        arguments += [f"-DCMAKE_{kind}_LINKER_FLAGS={flags}" for kind in ("EXE", "MODULE", "SHARED")]
    return arguments


def _prepare(work: Work, tree: Tree) -> int:
    """Write what the compiler's launcher and the linker's name need; how many headers are precompiled."""
    preflight = work.facts.get("preflight", {})
    prefix = Path(work.fact("llvm", "prefix", ""))
    if linker := preflight.get("linker"):
        link = work.layout.folder / "bin" / "ld.lld"
        link.parent.mkdir(exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(linker)
    headers = pch.common_headers(tree, prefix / "include")
    found = llvm_installed.read(prefix)
    system = work.settings.llvm == "system"
    pch.prepare(
        work.layout.headers,
        headers,
        prefix / "include",
        stamp=f"{prefix} {found.version if found else ''} {work.fact('llvm', 'commit', '')}",
        ccache=preflight.get("ccache", ""),
        # the commit's authors had another compiler and another C++ library: a new warning is no error of theirs
        append=["-Wno-error"] if system else ["-Wno-error=deprecated-declarations"],
    )
    _write_script(work, tree)
    return len(headers)


def _write_script(work: Work, tree: Tree) -> None:
    """What a learner sources, to go on by hand as this program would."""
    theirs = environment(work, tree)
    names = sorted(name for name in theirs if theirs[name] != os.environ.get(name) and name != "PATH")
    lines = [f"export {name}={shlex.quote(theirs[name])}" for name in names]
    lines.append(f'export PATH={shlex.quote(str(work.layout.venv / "bin"))}:"$PATH"')
    build = tree.build_folder() or tree.root / "build"
    text = "\n".join([f"# source this, then: ninja -C {shlex.quote(str(build))}", *lines, ""])
    replace(work.layout.folder / "environment.sh", text.encode())


def _json() -> str:
    for prefix in ("/usr", "/usr/local", "/opt/homebrew"):
        if Path(prefix, "include/nlohmann/json.hpp").is_file():
            return prefix
    return ""


def _demand_json(work: Work, tree: Tree) -> None:
    """Offline, older trees stop at once unless nlohmann's header is given by path."""
    if work.fact("preflight", "online", True) or not tree.says("JSON_SYSPATH"):
        return
    if not os.environ.get("JSON_SYSPATH") and not _json():
        raise StepRefused(
            name_of("network"),
            _("offline, the build needs nlohmann's JSON header on this system"),
            tools.cure("json", glance()),
        )


def _holds(work: Work, facts: Facts) -> bool:
    library = work.layout.folder / facts["library"]
    if not library.is_file():
        return False
    return proof.digest(library) in work.libraries


def _preview(work: Work) -> list[str]:
    tree = Tree(work.layout.tree, work.project)
    return [
        f"{' '.join(command(work, tree))}",
        "TRITON_APPEND_CMAKE_ARGS=" + shlex.quote(shlex.join(cmake_arguments(work))),
    ]


def _settings(settings: Settings) -> object:
    return (settings.ref, settings.source, settings.llvm)


def _say(facts: Facts) -> str:
    return _(
        "{library}, {mb} MB, at -j{jobs}; {headers} headers precompiled for {groups} sets of flags; the largest "
        "process took {peak} MB"
    ).format(
        library=facts["library"],
        mb=facts["mb"],
        jobs=facts["jobs"],
        headers=facts["headers"],
        groups=facts["precompiled"],
        peak=facts["peak_mb"],
    )


STEP = Step(
    name="libtriton",
    title=N_("Compile and link the library"),
    what=N_(
        "Runs the project's own setup.py: CMake configures, ninja compiles, and what is compiled already is kept."
    ),
    why=N_(
        "This is the compiler itself. Jobs follow from memory; headers of MLIR are compiled once instead of in every file."
    ),
    run=_run,
    say=_say,
    holds=_holds,
    preview=_preview,
    settings=_settings,
)
