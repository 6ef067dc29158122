"""`mlsys-path list` as a whole process: our own content, 100 and 10,000 generated exercises, first and with an index.

    python benchmarks/roadmap_load.py [RUNS]

Prints seconds beside those of a bare interpreter on the same machine; asserts nothing.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXERCISE = """\
id: {id}
title: {{en: "Exercise {n}", zh: "练习 {n}"}}
summary: {{en: "One of many", zh: "众多练习之一"}}
language: python
files: [code.py]
difficulty: {difficulty}
minutes: 30
requires: [{requires}]
hints:
  - {{en: "Think of {n}", zh: "想想 {n}"}}
  - {{en: "Think again", zh: "再想想"}}
  - {{en: "Nearly there", zh: "就快到了"}}
checks:
  test_it: {{title: {{en: "It works", zh: "能用"}}}}
  test_more: {{title: {{en: "And more", zh: "还有"}}, cause: {{en: "An edge", zh: "边界"}}}}
wrong:
  lazy: {{fails: test_it}}
"""
PER_TOPIC = 50


def generate(root: Path, count: int) -> None:
    """A roadmap of one stage with `count` exercises, each but the first building on the one before."""
    ids = [f"exercise-{n:05d}" for n in range(count)]
    topics = []
    for start in range(0, count, PER_TOPIC):
        listed = ", ".join(ids[start : start + PER_TOPIC])
        topics.append(
            f"  - id: topic-{start}\n    title: {{en: Topic {start}, zh: 主题 {start}}}\n"
            f"    summary: {{en: Many, zh: 许多}}\n    exercises: [{listed}]\n"
        )
    for kind in ("stages", "resources", "tracks"):
        (root / "roadmap" / kind).mkdir(parents=True)
    (root / "roadmap" / "stages" / "one.yaml").write_text(
        "id: foundations\norder: 1\ntitle: {en: Foundations, zh: 基础}\nsummary: {en: All, zh: 全部}\ntopics:\n"
        + "".join(topics),
        encoding="utf-8",
    )
    for n, id_ in enumerate(ids):
        folder = root / "exercises" / "foundations" / id_
        folder.mkdir(parents=True)
        text = EXERCISE.format(id=id_, n=n, difficulty=1 + n % 5, requires=ids[n - 1] if n else "")
        (folder / "exercise.yaml").write_text(text, encoding="utf-8")


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """The wall time of a whole process."""
    began = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main(runs: int) -> None:
    """Measure and print."""
    bare = statistics.median(seconds([sys.executable, "-c", "pass"], dict(os.environ)) for _ in range(runs))
    print(f"bare interpreter                       {bare:7.3f} s")
    with tempfile.TemporaryDirectory() as scratch:
        for count in (None, 100, 10_000):
            environment = {**os.environ, "MLSYS_PATH_HOME": f"{scratch}/home-{count}"}
            if count:
                root = Path(scratch) / str(count)
                generate(root, count)
                environment |= {
                    "MLSYS_PATH_ROADMAP": f"{root}/roadmap",
                    "MLSYS_PATH_EXERCISES": f"{root}/exercises",
                }
            command = [sys.executable, "-m", "mlsys_path", "list"]
            first = seconds(command, environment)
            again = statistics.median(seconds(command, environment) for _ in range(runs))
            what = f"{count:,} generated exercises" if count else "the exercises that are shipped"
            print(
                f"list, {what:32} {again:7.3f} s   (first, without an index: {first:.2f} s; {again / bare:.1f} × bare)"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
