"""`--llvm prebuilt`: the archive that Triton's own build would fetch, resumable and checked."""

from __future__ import annotations

import shutil
from pathlib import Path

from mlsys_path.language import _
from mlsys_path.triton_build import download, llvm_prebuilt
from mlsys_path.triton_build.events import Facts
from mlsys_path.triton_build.failures import name_of
from mlsys_path.triton_build.tree import Tree
from mlsys_path.triton_build.work import StepRefused, Work

STALL_SECONDS = 60.0


async def run(work: Work) -> Facts:
    """Fetch and unpack it."""
    tree = Tree(work.layout.tree, work.project)
    pin = tree.pin()
    archive = llvm_prebuilt.archive(tree, pin) if pin else None
    if archive is None:
        raise StepRefused(
            name_of("no-prebuilt"),
            _("this commit's scripts name no prebuilt LLVM for this system"),
            _("--llvm system takes an installed one, --llvm source builds it"),
        )
    prefix = work.layout.llvm / archive.name
    if not prefix.is_dir():
        packed = work.layout.llvm / f"{archive.name}.tar.gz"
        if not packed.exists():
            await _fetch(work, archive, packed)
        await _unpack(work, packed, archive.name)
    return {
        "prefix": str(prefix),
        "archive": archive.url,
        "sha256": archive.sha256,
        "commit": pin.commit if pin else "",
    }


async def _fetch(work: Work, archive: llvm_prebuilt.Archive, packed: Path) -> None:
    work.write(f"fetching {archive.url}")
    try:
        await download.fetch(
            archive.url,
            packed,
            sha256=archive.sha256,
            stall_seconds=STALL_SECONDS,
            told=lambda done, total, eta: work.progress(done, total, "bytes", packed.name, eta),
        )
    except download.Stalled:
        raise StepRefused(
            name_of("stalled"),
            _("nothing came from {url} for {seconds} s").format(
                url=archive.url, seconds=round(STALL_SECONDS)
            ),
            _("`--resume` goes on at the byte where it stopped; offline, put the archive at {path}").format(
                path=packed
            ),
        ) from None
    except download.Unreachable as error:
        raise StepRefused(
            name_of("network"),
            _("{url} cannot be fetched: {why}").format(url=archive.url, why=error),
            _("`--resume` tries again; offline, put the archive at {path}, or use --llvm system").format(
                path=packed
            ),
        ) from None
    except download.WrongContent as error:
        raise StepRefused(
            name_of("checksum"),
            _("{url} is not what the commit expects: its SHA-256 is {found}").format(
                url=archive.url, found=error
            ),
            _("`--resume` fetches it again; a proxy that changes files must be passed by"),
        ) from None


async def _unpack(work: Work, packed: Path, name: str) -> None:
    """Unpack beside, and rename: half an LLVM is never taken for one."""
    beside = work.layout.llvm / "unpacking"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    await work.command(["tar", "-xzf", packed, "-C", beside])
    entries = list(beside.iterdir())
    inner = entries[0] if len(entries) == 1 and entries[0].is_dir() else beside
    inner.rename(work.layout.llvm / name)
    shutil.rmtree(beside, ignore_errors=True)


def preview(work: Work) -> list[str]:
    """What it would do, as far as the checkout says already."""
    tree = Tree(work.layout.tree, work.project)
    pin = tree.pin() if tree.root.is_dir() else None
    archive = llvm_prebuilt.archive(tree, pin) if pin else None
    url = archive.url if archive else _("(the archive that the commit names)")
    return [_("fetch {url}").format(url=url), f"tar -xzf … -C {work.layout.llvm}"]
