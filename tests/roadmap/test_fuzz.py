"""A thousand ways to break each kind of YAML file: every one is told with its place, and none is a traceback."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from mlsys_path.roadmap.check import problems
from mlsys_path.roadmap.content import read_all
from mlsys_path.roadmap.documents import Problem, parse, validate
from mlsys_path.roadmap.model import Exercise, Planned, Resource, Stage, Track
from mlsys_path.roadmap.sources import ours, pack

from .conftest import exercise
from .test_drawing_and_pages import PLANNED
from .test_packs import ADDITION, PACK

# MUTATIONS=1000 mutates each of our own files as often as the small ones
MUTATIONS = 1000
OUR_MUTATIONS = int(os.environ.get("MUTATIONS", "5"))
QUESTION = """\
diagnostic:
  - id: how-many
    ask: {en: "{n} lines of {size} bytes?", zh: "{n} 行，每行 {size} 字节？"}
    because: {en: "{answer}", zh: "{answer}"}
    draw: {n: [2, 4], size: [32, 64]}
    answer: n * size
    unit: {en: bytes, zh: 字节}
"""
PIECES = (
    b"- ", b": ", b"{", b"}", b"]", b"[", b"&a ", b"*a", b"\n", b"!!python/object:x ", b"0x", b"~", b"%", b"'", b'"',
    b"\t", b"#", b"---\n", b"? ", b"<<: *a\n", b"\xff", b"\xe5\xb9\xb6", b"1e999", b"-1", b"null", b"9" * 400, b"__class__",
)  # fmt: skip


def mutated(data: bytes, generator: random.Random) -> bytes:
    """The bytes of a file, changed in one to four places."""
    changed = bytearray(data)
    for _ in range(generator.randint(1, 4)):
        at = generator.randrange(len(changed) or 1)
        match generator.randrange(6):
            case 0:
                changed[at : at + 1] = bytes([generator.randrange(256)])
            case 1:
                del changed[at : at + generator.randint(1, 30)]
            case 2:
                changed[at:at] = generator.choice(PIECES)
            case 3:
                changed[at:at] = changed[generator.randrange(len(changed) or 1) :][:40]
            case 4:
                lines = bytes(changed).splitlines(keepends=True)
                generator.shuffle(lines)
                changed = bytearray(b"".join(lines))
            case 5:
                changed = changed[:at]
    return bytes(changed)


@pytest.fixture
def everything(tree, tmp_path):
    """Sources that hold one file of each kind."""
    root = tmp_path / "pack"
    files = {
        root / "pack.yaml": PACK,
        root / "roadmap/additions/ours.yaml": ADDITION,
        root / "exercises/foundations/third/exercise.yaml": exercise("third", "[second]"),
        tree.roadmap / "planned/all.yaml": PLANNED,
        tree.roadmap / "renames.yaml": "exercises: {former: first}\ntracks: {long: short}\n",
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    tree.edit(tree.stage, lambda t: QUESTION + t.replace("[first, second]", "[first, second, later]"))
    sources = [*tree.sources, pack(root)]
    assert [str(p) for p in problems(sources)] == []
    return sources


def files_of(sources) -> list[Path]:
    return [
        path
        for source in sources
        for path in sorted({*source.root.rglob("*.yaml"), *source.exercises.rglob("*.yaml")})
    ]


def test_no_mutation_of_a_file_is_more_than_a_problem(everything):
    generator = random.Random()
    for file in files_of(everything):
        original = file.read_bytes()
        for _ in range(MUTATIONS):
            file.write_bytes(mutated(original, generator))
            for problem in problems(everything):
                assert "\n" not in str(problem)
        file.write_bytes(original)


def test_no_mutation_of_our_own_files_is_more_than_a_problem():
    generator = random.Random()
    source = ours()
    kinds = {"stages": Stage, "tracks": Track}
    entries = {"resources": Resource, "planned": Planned}
    for file in files_of([source]):
        original = file.read_bytes()
        for _ in range(OUR_MUTATIONS):
            document = parse(mutated(original, generator), file)
            if isinstance(document, Problem):
                assert "\n" not in str(document)
                continue
            if file.parent.name in entries:
                data = document.data.get(file.parent.name) if isinstance(document.data, dict) else None
                kind, parts = entries[file.parent.name], data if isinstance(data, list) else []
            else:
                kind, parts = kinds.get(file.parent.name, Exercise), [document.data]
            for part in parts:
                _record, found = validate(kind, document, part)
                assert all("\n" not in str(problem) for problem in found)
    assert read_all([source])
