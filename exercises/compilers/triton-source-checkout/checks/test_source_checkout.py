"""Random histories go into the sandbox; what comes back is held to what git says of them out here."""

from __future__ import annotations

import datetime

from history import archive, contents, git, make, pins, shallow, status

from mlsys_path.checking.testing import assert_equal, fail


def send(learner, history):
    """The path of a mirror in the sandbox."""
    return learner.harness("drive").place(archive(history.path)) + "/" + history.path.name


def new_folder(learner):
    return learner.harness("drive").place(archive())


def whole(learner, history, folder, commit, what, *, others=()):
    """Fail unless a folder holds exactly a commit, detached, on its own feet, and besides only `others`."""
    packed = learner.harness("drive").pack(folder)
    files = contents(packed)
    if not files:
        fail(f"{what}: the folder is not there or is empty")
    if ".git/HEAD" not in files:
        fail(
            f"{what}: the folder has no repository of its own in .git (a worktree's .git is a file that points elsewhere)"
        )
    if ".git/objects/info/alternates" in files:
        fail(
            f"{what}: the folder borrows its objects from the mirror, and breaks when that is moved or cleaned up"
        )
    head = files[".git/HEAD"][1].decode().strip()
    if head.startswith("ref:"):
        fail(f"{what}: HEAD is on a branch ({head[5:]}) and should be detached at {commit}")
    assert_equal(head, commit, f"{what}: the commit in the folder")
    have = {path: file for path, file in files.items() if not path.startswith(".git/")}
    for path in others:
        if path not in have:
            fail(f"{what}: {path!r}, which is not yours, is gone")
    want = history.tree(commit)
    strange = sorted(set(have) - set(want) - set(others))
    if strange:
        fail(f"{what}: {strange[0]!r} is in the folder and not in the commit")
    for path, file in want.items():
        if path not in have:
            fail(f"{what}: {path!r} of the commit is not in the folder")
        if have[path] != file:
            fail(
                f"{what}: {path!r} is not as in the commit: {have[path][1][:60]!r} instead of {file[1][:60]!r}"
            )
    try:
        said, at = status(packed)
    except (RuntimeError, OSError) as error:
        fail(f"{what}: git finds the repository in the folder broken: {error}")
    said = [line for line in said if not (line.startswith("?? ") and others)]
    if said or at != commit:
        fail(f"{what}: git status in the folder says {said or at}")


# --- names ------------------------------------------------------------------------------------------------------


def test_a_name_means_a_commit(learner, rng):
    history = make(rng)
    mirror = send(learner, history)
    for ref in (
        "v3.0.0",
        "v3.1.0",
        "v3.2.0-rc1",
        "nightly",
        "main",
        "release/3.1.x",
        "refs/heads/main",
        "refs/tags/v3.0.0",
    ):
        assert_equal(learner.resolve(mirror, ref), history.commit(ref), f"the commit of {ref!r}")
    for commit in (*history.commits[:4], history.lost):
        assert_equal(learner.resolve(mirror, commit), commit, "the commit of a whole hash")
        assert_equal(
            learner.resolve(mirror, commit[:12]), commit, f"the commit of the short hash {commit[:12]!r}"
        )
    assert_equal(
        learner.resolve(mirror, history.alike), history.commits[1], "a tag and a branch at one commit"
    )
    tag = git(history.path, "rev-parse", "refs/tags/v3.0.0").decode().strip()
    assert_equal(
        learner.resolve(mirror, tag), history.commits[1], "the commit of the hash of an annotated tag"
    )


def test_a_name_with_two_meanings_is_refused(learner, rng):
    history = make(rng)
    mirror = send(learner, history)
    shared, prefix = history.shared, history.prefix
    assert_equal(
        learner.resolve(mirror, f"refs/tags/{shared}"),
        history.commit(f"refs/tags/{shared}"),
        "the tag, in full",
    )
    assert_equal(
        learner.resolve(mirror, f"refs/heads/{shared}"),
        history.commit(f"refs/heads/{shared}"),
        "the branch, in full",
    )
    starts = [c for c in history.commits if c.startswith(history.beginning)]
    if len(starts) == 1:
        assert_equal(
            learner.resolve(mirror, history.beginning),
            starts[0],
            "a short hash with which a commit and a file begin",
        )
    with learner.raises("ValueError"):
        learner.resolve(mirror, shared)  # a tag and a branch, at two commits
    with learner.raises("ValueError"):
        learner.resolve(mirror, prefix)  # a branch that is called as another commit begins
    for ref in (
        "no-such-branch",
        "v9.9.9",
        f"{rng.integers(1 << 62):040x}",
        "--all",
        "",
        "main~1",
        "HEAD@{1}",
        "v3.*",
    ):
        with learner.raises("ValueError"):
            learner.resolve(mirror, ref)


# --- the checkout -----------------------------------------------------------------------------------------------


def test_checks_out_exactly_the_commit(learner, rng):
    history = make(rng)
    mirror = send(learner, history)
    drive = learner.harness("drive")
    before = contents(drive.pack(mirror))
    parent = new_folder(learner)
    refs = ["v3.1.0", "main", history.commits[int(rng.integers(len(history.commits)))], history.lost]
    for n, ref in enumerate(refs):
        folder = f"{parent}/new/{n}/source"
        what = "a commit that no branch holds any more" if ref == history.lost else f"checkout of {ref!r}"
        commit = history.commit(ref)
        assert_equal(learner.checkout(mirror, ref, folder), commit, what)
        whole(learner, history, folder, commit, what)
        assert_equal(drive.names(f"{parent}/new/{n}"), ["source"], "what is left beside the folder")
    after = contents(drive.pack(mirror))
    changed = sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p))
    if changed:
        fail(f"the mirror is not as it was: {changed[0]!r} has changed")


def test_shallow_mirrors(learner, rng):
    full = make(rng, linear=True)
    history = shallow(full, int(rng.integers(2, 4)))
    mirror = send(learner, history)
    before = contents(learner.harness("drive").pack(mirror))
    folder = new_folder(learner) + "/source"
    for ref in ("main", "release/3.1.x"):
        commit = history.commit(ref)
        assert_equal(
            learner.checkout(mirror, ref, folder), commit, f"checkout of {ref!r} from a shallow mirror"
        )
        whole(learner, history, folder, commit, f"checkout of {ref!r} from a shallow mirror")
    with learner.raises("ValueError"):
        learner.resolve(mirror, full.commits[0])  # behind the edge
    assert_equal(
        contents(learner.harness("drive").pack(mirror)) == before, True, "whether the mirror is as it was"
    )


def test_your_settings_have_no_say(learner, rng):
    history = make(rng)
    mirror = send(learner, history)
    drive = learner.harness("drive")
    hooks = new_folder(learner)
    drive.write(hooks, {"hooks/post-checkout": "#!/bin/sh\necho hook > made-by-a-hook\n"})
    drive.settings(
        "[core]\n\tautocrlf = true\n[submodule]\n\trecurse = true\n[status]\n\tshowUntrackedFiles = no\n"
        "[fetch]\n\trecurseSubmodules = true\n[checkout]\n\tdefaultRemote = nowhere\n",
        {"GIT_DIR": hooks, "GIT_INDEX_FILE": hooks + "/index", "GIT_WORK_TREE": hooks},
    )
    folder = new_folder(learner) + "/source"
    learner.checkout(mirror, "main", folder)
    whole(
        learner,
        history,
        folder,
        history.commit("main"),
        "with core.autocrlf and submodule.recurse set, and GIT_DIR",
    )
    drive.write(folder, {"new.cpp": "int x;\n"})
    assert_equal(
        learner.describe(folder)["untracked"],
        ["new.cpp"],
        "untracked files, with status.showUntrackedFiles = no",
    )
    learner.restart()


def test_what_is_not_yours_stays(learner, rng):
    history = make(rng)
    mirror = send(learner, history)
    drive = learner.harness("drive")
    text = f"{rng.integers(1 << 60)}\n"

    def kept(what, folder, ref):
        before = contents(drive.pack(folder))
        with learner.raises("FileExistsError"):
            learner.checkout(mirror, ref, folder)
        after = contents(drive.pack(folder))
        lost = sorted(p for p in before if before[p] != after.get(p) and not p.startswith(".git/"))
        if lost:
            fail(f"{what}: {lost[0]!r} was changed or deleted")
        assert_equal(after.get(".git/HEAD"), before.get(".git/HEAD"), f"{what}: HEAD")

    folder = new_folder(learner)
    learner.checkout(mirror, "main", folder)  # an empty folder may be taken
    whole(learner, history, folder, history.commit("main"), "checkout into an empty folder")
    folder = new_folder(learner)
    drive.write(folder, {"thesis.txt": text})
    kept("a folder with files of somebody", folder, "main")
    drive.git(folder, "init", "--quiet")
    kept("a repository of another project", folder, "main")

    # a checkout of ours, in which somebody has built
    folder = new_folder(learner) + "/source"
    learner.checkout(mirror, "main", folder)
    others = {"build/cmake.log": text, "notes.txt": text}
    drive.write(folder, others)
    learner.checkout(mirror, "v3.1.0", folder)
    whole(learner, history, folder, history.commit("v3.1.0"), "from main to v3.1.0", others=others)
    learner.checkout(mirror, "main", folder)
    whole(learner, history, folder, history.commit("main"), "and back to main", others=others)
    drive.write(folder, {"lib/pass.cpp": text})
    kept("a change of lib/pass.cpp", folder, "v3.1.0")
    drive.git(folder, "checkout", "lib/pass.cpp")
    # an ignored file where another commit has one: git would overwrite it without a word
    path = "docs/design of ünits.md"
    if path in history.tree(history.commit("main")):
        path = "docs/notes of ünits.md"
    there = next(c for c in history.commits if path in history.tree(c))
    drive.write(folder, {path: text, ".git/info/exclude": "docs/\n"})
    kept("an ignored file where the commit has one", folder, there)


def test_may_be_killed_at_any_moment(learner, rng):
    history = make(rng)
    mirror = send(learner, history)
    drive = learner.harness("drive")
    main, release = history.commit("main"), history.commit("v3.1.0")
    parent = new_folder(learner)
    calls, _ = drive.attempt(mirror, "main", f"{parent}/source", 0, "never")
    if not calls:
        fail("no git was called: run it by its name, from PATH")
    ways = ["before", "after", *(f"0.00{n}" for n in range(1, 8, 2))]
    for at in range(1, min(calls, 16) + 1):
        parent = new_folder(learner)
        folder = f"{parent}/source"
        for way in rng.permutation(ways)[: 1 + at % 2]:
            drive.attempt(mirror, "main", folder, at, str(way))
        what = f"after an attempt that was killed at its git command number {at}"
        assert_equal(learner.checkout(mirror, "main", folder), main, what)
        whole(learner, history, folder, main, what)
        assert_equal(drive.names(parent), ["source"], f"{what}: what is left in the parent folder")
    # the same while a whole checkout goes to another commit
    calls, _ = drive.attempt(mirror, "v3.1.0", folder, 0, "never")
    for at in range(1, min(calls, 20) + 1):
        learner.checkout(mirror, "main", folder)
        drive.write(folder, {"build/log": "kept\n"})
        for way in ("locked", str(rng.permutation(ways)[0])):
            drive.attempt(mirror, "v3.1.0", folder, at, way)
        what = f"from main to v3.1.0, after an attempt that was killed at its git command number {at}"
        assert_equal(learner.checkout(mirror, "v3.1.0", folder), release, what)
        whole(learner, history, folder, release, what, others=["build/log"])


# --- what is there ----------------------------------------------------------------------------------------------


def test_describes_a_clean_checkout(learner, rng):
    history = make(rng)
    mirror = send(learner, history)
    folder = new_folder(learner) + "/source"
    chosen = [
        history.commits[0],
        history.commits[1],
        *rng.permutation(history.commits[2:])[:3],
        history.commit("main"),
    ]
    for commit in map(str, chosen):
        learner.checkout(mirror, commit, folder)
        got = learner.describe(folder)
        if not isinstance(got, dict):
            fail("describe() should return a dict")
        seconds = int(git(history.path, "show", "-s", "--format=%ct", commit))
        date = datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        releases = history.releases(commit)
        least = min(releases.values(), default=None)
        nearest = [tag for tag, distance in releases.items() if distance == least]
        assert_equal(got.get("commit"), commit, "describe(): commit")
        assert_equal(got.get("date"), date, "describe(): the date of the commit, in UTC")
        if got.get("tag") not in (nearest or [None]):
            fail(
                f"describe(): the nearest release is {' or '.join(nearest) or None}, and tag is {got.get('tag')!r}"
            )
        assert_equal(got.get("distance"), least, f"describe(): the distance from {got.get('tag')}")
        assert_equal(
            (got.get("dirty"), got.get("changed"), got.get("untracked")),
            (False, [], []),
            "describe() of a clean checkout",
        )


def test_describes_what_was_changed(learner, rng):
    history = make(rng)
    mirror = send(learner, history)
    drive = learner.harness("drive")
    folder = new_folder(learner) + "/source"
    learner.checkout(mirror, "main", folder)
    known = sorted(
        p for p in history.tree(history.commit("main")) if p.startswith(("docs", "lib", "CMake", "tools"))
    )
    for _ in range(3):
        drive.git(folder, "reset", "--quiet", "--hard")
        drive.git(folder, "clean", "--quiet", "-ffdx")
        drive.write(folder, {"build/out.o": "", "fast.so": ""})  # ignored
        assert_equal(
            learner.describe(folder)["dirty"],
            False,
            "whether a checkout is dirty in which only ignored files are new",
        )
        changed = sorted(map(str, rng.permutation(known)[: int(rng.integers(0, 4))]))
        new = [f"lib/new {rng.integers(99)}.cpp", "lib/Größe.h", "top.cpp", "lib/sub/a.td", "lib/sub/b.td"]
        new = sorted(map(str, rng.permutation(new)[: int(rng.integers(0 if changed else 1, 4))]))
        drive.write(folder, {path: None if rng.integers(2) else "other\n" for path in changed})
        if changed and rng.integers(2):
            drive.git(folder, "add", "--all", changed[0])  # staged is changed too
        drive.write(folder, dict.fromkeys(new, "new\n"))
        got = learner.describe(folder)
        assert_equal(got["changed"], changed, "describe(): changed files")
        assert_equal(got["untracked"], new, "describe(): files that git neither tracks nor ignores")
        assert_equal(got["dirty"], True, "describe(): dirty")
        assert_equal(got["commit"], history.commit("main"), "describe(): commit")


def test_no_folder_speaks_for_another(learner, rng):
    history = make(rng)
    mirror = send(learner, history)
    drive = learner.harness("drive")
    folder = new_folder(learner) + "/source"
    learner.checkout(mirror, "main", folder)
    drive.write(folder, {"unpacked/setup.py": "from setuptools import setup\nsetup()\n"})
    with learner.raises("ValueError"):
        learner.describe(folder + "/unpacked")  # sources without history, inside of a checkout
    with learner.raises("ValueError"):
        learner.requirements(folder + "/unpacked")


# --- what it pins -----------------------------------------------------------------------------------------------


def test_requirements(learner, rng):
    history = make(rng)
    mirror = send(learner, history)
    folder = new_folder(learner) + "/source"
    for n in map(int, rng.permutation(len(history.commits))[:8]):
        learner.checkout(mirror, history.commits[n], folder)
        got, want = learner.requirements(folder), history.pins[n].expected
        if not isinstance(got, dict):
            fail("requirements() should return a dict")
        for key in ("binding", "binding_version", "cmake", "python"):
            if got.get(key) != want[key]:
                files = history.pins[n].files
                shown = next(
                    t
                    for p, t in files.items()
                    if p.endswith("setup.py" if key == "python" else "pyproject.toml")
                )
                fail(f"requirements(): {key} is {got.get(key)!r} and should be {want[key]!r}, by\n{shown}")


def test_requirements_are_the_commits(learner, rng):
    history = make(rng)
    mirror = send(learner, history)
    folder = new_folder(learner) + "/source"
    learner.checkout(mirror, "main", folder)
    n = history.commits.index(history.commit("main"))
    learner.harness("drive").write(
        folder, {**pins(rng).files, "pyproject.toml": "[build-system]\nrequires = []\n"}
    )
    got = learner.requirements(folder)
    assert_equal(got, history.pins[n].expected, "requirements() of a checkout whose files were edited")


def test_setup_py_is_never_run(learner, rng):
    drive = learner.harness("drive")
    place = new_folder(learner)
    name = f"ran-{rng.integers(1 << 60)}"
    history = make(rng, marker=f"{place}/{name}", collide=False)
    mirror = send(learner, history)
    folder = place + "/source"
    for n in map(int, rng.permutation(len(history.commits))[:5]):
        learner.checkout(mirror, history.commits[n], folder)
        got = learner.requirements(folder)
        if name in drive.names(place):
            fail("setup.py was run: a file that it makes is there")
        assert_equal(got, history.pins[n].expected, "requirements()")
