"""Search: our own content, and 10,000 generated exercises with lessons in both languages.

    python benchmarks/search_speed.py [RUNS] [EXERCISES]

Prints seconds of whole processes beside those of `list`; of opening the index, which looks at the time and size of
every file; and of each query in the open index, alone and with the opening. Asserts nothing.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from roadmap_load import generate, seconds

from mlsys_path import language, locations
from mlsys_path.roadmap.stamps import LESSONS
from mlsys_path.search.finding import find
from mlsys_path.search.index import opened

QUERIES = (
    "lru-cache",
    "kv cache",
    "all-reduce",
    "memory",
    "the cache",
    "C++",
    "ca",
    "并行",
    "显存",
    "KV 缓存",
    "怎样减少显存占用",
    "how do I overlap communication with computation",
    "qzxv",
)
PARAGRAPHS = 25  # of a generated lesson, as long as ours


def lessons(root: Path, rng: random.Random) -> None:
    """Write lessons for generated exercises, made of paragraphs of our own, so that words are as frequent as there."""
    own = sorted(locations.exercises_dir().glob("*/*"))
    for name in LESSONS.values():
        texts = [(folder / name).read_text(encoding="utf-8") for folder in own if (folder / name).is_file()]
        known = [paragraph for text in texts for paragraph in text.split("\n\n")]
        for folder in sorted(root.glob("exercises/*/*")):
            text = "\n\n".join([f"# {folder.name}", *rng.sample(known, PARAGRAPHS)])
            (folder / name).write_text(text, encoding="utf-8")


def median(call: Callable[[], object], runs: int) -> float:
    """The median time of a call."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def check_fresh() -> None:
    """Open the index and do nothing with it."""
    with opened():
        pass


@contextmanager
def environment(values: dict[str, str]) -> Iterator[dict[str, str]]:
    """These variables set, in this process too."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield dict(os.environ)
    finally:
        os.environ.clear()
        os.environ.update(before)


def measure(what: str, values: dict[str, str], runs: int) -> None:
    """Measure and print one content."""
    with environment(values) as variables:
        program = [sys.executable, "-m", "mlsys_path"]
        seconds([*program, "list"], variables)
        first = seconds([*program, "search", "cache"], variables)
        print(f"\n{what}: with the roadmap's index and without its own, search takes {first:.2f} s")
        listing = statistics.median(seconds([*program, "list"], variables) for _ in range(runs))
        print(f"  process: list                                             {listing:7.3f} s")
        for query in ("kv cache", "显存"):
            whole = statistics.median(seconds([*program, "search", query], variables) for _ in range(runs))
            ratio = whole / listing
            print(f"  process: search {query:42} {whole:7.3f} s   {ratio:.2f} × list")
        opening = median(check_fresh, runs)
        print(f"  opening the index, looking whether it is fresh            {opening:7.4f} s")
        with opened() as index:
            for query in QUERIES:
                took = median(partial(find, index, query), runs)
                answer = find(index, query)
                said = f"{len(answer.hits)} shown" + (", relaxed" if answer.relaxed else "")
                print(f"  query: {query:51}{took:7.4f} s   {took + opening:.4f} s with the opening; {said}")


def main(runs: int, count: int) -> None:
    """Measure and print."""
    language.use("en")
    bare = statistics.median(seconds([sys.executable, "-c", "pass"], dict(os.environ)) for _ in range(runs))
    print(f"bare interpreter                                            {bare:7.3f} s")
    with tempfile.TemporaryDirectory() as scratch:
        measure("the content that is shipped", {"MLSYS_PATH_HOME": f"{scratch}/home"}, runs)
        root = Path(scratch) / "generated"
        generate(root, count)
        lessons(root, random.Random(7))
        values = {
            "MLSYS_PATH_HOME": f"{scratch}/home-generated",
            "MLSYS_PATH_ROADMAP": f"{root}/roadmap",
            "MLSYS_PATH_EXERCISES": f"{root}/exercises",
        }
        measure(f"{count:,} generated exercises with lessons", values, runs)
        size = sum(file.stat().st_size for file in Path(f"{scratch}/home-generated").rglob("*.search"))
        print(f"  the index has {size / 2**20:.0f} MiB")


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 11,
        int(sys.argv[2]) if len(sys.argv) > 2 else 10_000,
    )
