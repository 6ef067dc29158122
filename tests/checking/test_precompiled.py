"""Precompiled headers: made once, made anew when what they consist of has changed, and never a reason to fail."""

from __future__ import annotations

import os
import shutil
import time

import pytest

from mlsys_path.checking import precompiled
from mlsys_path.checking.precompiled import CannotPrecompile, precompile
from mlsys_path.levels import Outcome

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MLSYS_PATH_HOME", str(tmp_path / "home"))


@pytest.fixture
def library(tmp_path):
    """A folder of headers of "an installed library", and the flags that find it."""
    folder = tmp_path / "include"
    folder.mkdir()
    (folder / "answer.h").write_text("inline int answer() { return 42; }\n")
    return folder, ["-std=c++20", "-isystem", str(folder)]


def made(name):
    return precompiled.folder() / f"{name}.gch"


def test_it_is_made_once(library):
    _, flags = library
    name = precompile(["g++"], flags, ["answer.h", "vector"])
    first = made(name).stat()
    assert precompile(["g++"], flags, ["answer.h", "vector"]) == name
    assert made(name).stat().st_mtime_ns == first.st_mtime_ns
    assert not list(precompiled.folder().glob("making-*"))


def test_other_flags_or_headers_are_another(library):
    _, flags = library
    names = {
        precompile(["g++"], [*flags, "-O0"], ["answer.h"]),
        precompile(["g++"], [*flags, "-O1"], ["answer.h"]),
        precompile(["g++"], [*flags, "-O1"], ["answer.h", "vector"]),
    }
    assert len(names) == 3


def test_a_header_that_changed_makes_it_anew(library):
    folder, flags = library
    name = precompile(["g++"], flags, ["answer.h"])
    before = made(name).stat().st_ino
    (folder / "answer.h").write_text("inline int answer() { return 43; }  // another\n")
    assert precompile(["g++"], flags, ["answer.h"]) == name
    assert made(name).stat().st_ino != before


def test_what_cannot_be_compiled_is_said_in_one_line(library):
    folder, flags = library
    with pytest.raises(CannotPrecompile, match=r"nowhere\.h: No such file"):
        precompile(["g++"], flags, ["nowhere.h"])
    (folder / "broken.h").write_text("int f( {\n")
    with pytest.raises(CannotPrecompile, match="expected"):
        precompile(["g++"], flags, ["broken.h"])
    with pytest.raises(CannotPrecompile, match="not there"):
        precompile(["no-such-compiler"], flags, ["answer.h"])
    with pytest.raises(ValueError, match="not the name"):
        precompile(["g++"], flags, ['x>\n#include "/etc/passwd"\n<'])


def test_one_that_nobody_uses_any_more_goes(library):
    _, flags = library
    old = precompile(["g++"], flags, ["answer.h"])
    long_ago = time.time() - 40 * 86400
    os.utime(precompiled.folder() / old, (long_ago, long_ago))
    new = precompile(["g++"], flags, ["vector"])
    assert not made(old).exists()
    assert made(new).exists()


CHECK = """
def test_it(learner):
    program = learner.build("it.cpp", flags=["-Winvalid-pch", "-Werror"], precompiled=["map", "string"])
    assert_equal(program.run().stdout, b"7\\n")
"""
SOURCE = """
#include <cstdio>
int main() { std::map<std::string, int> m{{"x", 7}}; std::printf("%d\\n", m["x"]); }
"""


@pytest.mark.parametrize("kind", ["bubblewrap", "landlock", "rlimits"])
def test_a_build_in_the_sandbox_uses_it(judge, kind, monkeypatch):
    from mlsys_path.checking import sandbox
    from mlsys_path.checking.session import Checker
    from mlsys_path.machine import containment

    if (kind == "bubblewrap" and containment.bubblewrap_trouble()[0]) or (
        kind == "landlock" and not containment.landlock_abi()
    ):
        pytest.skip(f"no {kind}")
    monkeypatch.setenv("MLSYS_PATH_SANDBOX", kind)
    sandbox.kind.cache_clear()
    with Checker() as checker:
        # <map> comes from the precompiled header alone, and -Winvalid-pch would tell if it were ignored
        verdict = judge(CHECK, {"it.cpp": SOURCE}, language="cpp", by=checker)
    sandbox.kind.cache_clear()
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure


def test_sources_of_the_harness_are_built_beside_and_without_it(judge):
    from mlsys_path.checking.session import Checker

    checks = """
    def test_it(learner):
        program = learner.build("it.cpp", "given.cpp", flags=["-Winvalid-pch"], precompiled=["map", "string"])
        assert_equal(program.run().stdout, b"7\\n")
    """
    source = '#include "given.h"\nint main() { std::map<int, int> m{{1, 7}}; show(m[1]); }\n'
    given = {
        "given.h": "void show(int);\n",
        "given.cpp": '#ifdef _GLIBCXX_MAP\n#error "the header is for the learner alone"\n#endif\n#include <cstdio>\n'
        '#include "given.h"\nvoid show(int x) { std::printf("%d\\n", x); }\n',
    }
    with Checker() as checker:
        good = judge(checks, {"it.cpp": source}, language="cpp", harness=given, by=checker)
        bad = judge(
            checks, {"it.cpp": source + "int f() { return y; }\n"}, language="cpp", harness=given, by=checker
        )
    assert good.verdict is Outcome.PASSED, good.first_failure
    assert "it.cpp:3" in bad.first_failure.message


def test_headers_that_are_not_here_leave_the_check_open(judge):
    from mlsys_path.checking.session import Checker

    check = 'def test_it(learner):\n    learner.build("it.cpp", precompiled=["no/such/library.h"])\n'
    with Checker() as checker:
        verdict = judge(check, {"it.cpp": SOURCE}, language="cpp", by=checker)
    (result,) = verdict.checks
    assert result.outcome is Outcome.OPEN
    assert "no/such/library.h: No such file" in result.message
