"""The sandbox that is named is the one that works."""

from __future__ import annotations

import pytest

from mlsys_path.checking import landlock, sandbox
from mlsys_path.machine import containment


@pytest.fixture
def bwrap(tmp_path, monkeypatch):
    """A `bwrap` of this body is the only program on the path."""

    def make(body: str | None) -> None:
        monkeypatch.delenv("MLSYS_PATH_SANDBOX", raising=False)
        monkeypatch.setenv("PATH", str(tmp_path))
        if body is not None:
            path = tmp_path / "bwrap"
            path.write_text(f"#!/bin/sh\n{body}\n")
            path.chmod(0o755)

    return make


def test_it_agrees_with_the_sandbox_that_checks_start(monkeypatch):
    for asked in ("", "landlock", "rlimits"):
        monkeypatch.setenv("MLSYS_PATH_SANDBOX", asked)
        sandbox.kind.cache_clear()
        assert containment.probe().kind == sandbox.kind()
    sandbox.kind.cache_clear()
    assert containment.landlock_abi() == landlock.abi()


def test_a_trial_that_works_is_bubblewrap(bwrap):
    bwrap("exit 0")
    found = containment.probe()
    assert (found.kind, found.lacks, found.command) == ("bubblewrap", "", "")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, "bubblewrap is not installed"),
        (
            "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1",
            "bubblewrap does not work here: bwrap: setting up uid map: Permission denied",
        ),
        ("exit 3", "bubblewrap does not work here: exit code 3"),
    ],
)
@pytest.mark.parametrize(("abi", "kind"), [(4, "landlock"), (0, "rlimits")])
def test_else_the_next_that_works_with_the_reason(bwrap, monkeypatch, body, said, abi, kind):
    bwrap(body)
    monkeypatch.setattr(containment, "landlock_abi", lambda: abi)
    found = containment.probe()
    assert (found.kind, found.landlock_abi) == (kind, abi)
    assert found.lacks.startswith(said)


def test_a_trial_does_not_wait_for_ever(bwrap, monkeypatch):
    bwrap("exec /bin/sleep 60")
    monkeypatch.setattr(containment, "_TRIAL_SECONDS", 0.2)
    assert containment.probe().lacks == "bubblewrap does not answer"


def test_a_weaker_one_may_be_asked_for(monkeypatch):
    monkeypatch.setenv("MLSYS_PATH_SANDBOX", "rlimits")
    found = containment.probe()
    assert (found.kind, found.lacks) == ("rlimits", "MLSYS_PATH_SANDBOX asks for rlimits")
    assert found.command == "unset MLSYS_PATH_SANDBOX"


def test_a_kernel_setting_that_forbids_namespaces_is_named(tmp_path):
    for name in ("kernel", "user"):
        (tmp_path / name).mkdir()
    assert containment._unlock(tmp_path) == ""
    (tmp_path / "user/max_user_namespaces").write_text("0\n")
    assert containment._unlock(tmp_path) == "sudo sysctl -w user.max_user_namespaces=65536"
    (tmp_path / "kernel/apparmor_restrict_unprivileged_userns").write_text("0\n")
    assert "max_user_namespaces" in containment._unlock(tmp_path)
    (tmp_path / "kernel/apparmor_restrict_unprivileged_userns").write_text("1\n")
    assert containment._unlock(tmp_path) == "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
