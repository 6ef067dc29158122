"""Exactly the sources that a build needs: brought here, named and read, by git alone and without a network."""

import os
import subprocess


def _git(git_dir, *words, work_tree=None):
    """What a git command prints, as bytes; RuntimeError with git's own words when it fails.

    The repository is named, so git does not look for one in the folders above. Something about the
    environment is not right yet: what if GIT_DIR is set, or ~/.gitconfig says core.autocrlf = true?
    """
    command = ["git", f"--git-dir={git_dir}"]
    if work_tree is not None:
        command.append(f"--work-tree={work_tree}")
    done = subprocess.run(
        [*command, *map(str, words)], env=dict(os.environ), stdin=subprocess.DEVNULL, capture_output=True
    )
    if done.returncode:
        raise RuntimeError(f"git {words[0]} failed in {git_dir}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def resolve(mirror, ref):
    """The hash (40 digits) of the one commit that `ref` can mean in `mirror`, a bare repository.

    `ref` is the name of a tag or a branch, such a name in full (refs/tags/v3.0.0), a hash or its beginning
    (4 digits or more). ValueError when it means no commit, and when it may mean several.
    """
    raise NotImplementedError("write resolve(): list refs with git for-each-ref, look the name up, follow a tag to its commit")


def checkout(mirror, ref, folder):
    """Make `folder` a detached checkout of what `ref` names; returns the commit.

    The folder has a repository of its own with the mirror's tags; the mirror is only read. A folder that an
    earlier call made goes to the commit and keeps files that git does not track; what was interrupted is
    finished. FileExistsError, with nothing changed, for a folder of somebody else's, for changed files, and
    for an untracked file where the commit has one.
    """
    raise NotImplementedError("write checkout(): make it beside the folder with git init, fetch, checkout --detach; rename it when whole")


def describe(folder):
    """What is checked out: a dict of

    commit      40 digits
    date        the committer's, in UTC: "2026-05-28T14:03:11Z"
    changed     sorted paths of tracked files that are not as in the commit (staged, deleted: changed too)
    untracked   sorted paths of files that git neither tracks nor ignores
    dirty       whether there is any of these
    tag         the nearest release behind the commit: a tag v1.2 or v1.2.3, with nothing after it; or None
    distance    the number of commits in tag..commit; or None

    ValueError when the folder is not itself the top of a checkout.
    """
    raise NotImplementedError("write describe(): git show, git status --porcelain -z, git for-each-ref --merged")


def requirements(folder):
    """What the checked-out commit (not the edited files) wants to be built with: a dict of

    binding           "pybind11" or "nanobind": which of them build-system.requires has; or None
    binding_version   its versions, without spaces: ">=2.13.1"; or None
    cmake             the same of cmake: ">=3.20,<4.0"; or None
    python            project.requires-python, else python_requires of the call of setup(); or None

    The files are those of the root when setup.py is there, else those of python/. setup.py is parsed and
    never run; its argument may be a name, and that an f-string of numbers from tuples.
    """
    raise NotImplementedError("write requirements(): git cat-file blob COMMIT:PATH, then tomllib and ast")
