"""What a mentor is shown follows from what was done: states, who is stuck and why, and when it will be done."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta

import pytest

from mlsys_path.levels import Level, Outcome
from mlsys_path.mentoring import received, stuck
from mlsys_path.mentoring.against_dates import courses
from mlsys_path.mentoring.forecast import forecast
from mlsys_path.mentoring.history import Flag
from mlsys_path.mentoring.matrix import row
from mlsys_path.mentoring.timeline import MAX_LINES, diff, timeline
from mlsys_path.mentoring.verifying import Verification, judge, latest
from mlsys_path.roadmap.load import load

from .worlds import NOW, assignment, attempt, event, learner

TODAY = NOW.date()
FAST = {Level.CORRECT: Outcome.PASSED, Level.FAST: Outcome.PASSED}


@pytest.fixture
def roadmap(content):
    return received.with_assigned(load(), [assignment("add-one", "add-two")])


def cell(roadmap, who, exercise="add-one"):
    return row(roadmap, who, [exercise], NOW)[0]


@pytest.mark.parametrize(
    ("who", "state", "age"),
    [
        (learner(), "new", None),
        (learner(events=(event(3, "started"),)), "started", None),
        (learner(attempt(5), attempt(2)), "failed", 2),
        (learner(attempt(5), attempt(4, "passed"), attempt(1)), "passed", 4),
        (learner(attempt(2, "open")), "open", 2),
        (learner(attempt(2, "error")), "error", 2),
        (learner(known=frozenset({"add-one"})), "known", None),
        (learner(attempt(2), known=frozenset({"add-one"})), "failed", 2),
        (learner(assignments=(assignment("add-one", waive=("add-one",)),)), "waived", None),
        (learner(attempt(-3, "passed")), "passed", 0),
    ],
)
def test_a_cell_says_what_was_proved_before_what_was_said(roadmap, who, state, age):
    found = cell(roadmap, who)
    assert (found.state, found.age) == (state, age)
    assert found.done == (state in ("passed", "waived"))


def test_a_cell_counts_help_and_knows_when_the_solution_was_seen(roadmap):
    seen = [event(5, "hint", "0"), event(5, "hint", "0"), event(4, "hint", "1"), event(3, "solution")]
    found = cell(roadmap, learner(attempt(6), attempt(2, "passed"), events=tuple(seen)))
    assert (found.hints, found.attempts, found.solution_seen) == (2, 2, True)
    after = cell(roadmap, learner(attempt(2, "passed"), events=(event(1, "solution"),)))
    assert not after.solution_seen, "after a pass one may look"


def test_a_pass_below_the_level_that_was_asked_for_is_not_done(roadmap):
    # the exercise has checks of level correct alone, which is then enough
    enough = cell(
        roadmap, learner(attempt(1, "passed"), assignments=(assignment("add-one", level=Level.FAST),))
    )
    assert enough.done and not enough.below
    none = attempt(1, "passed", levels={Level.CORRECT: Outcome.OPEN})
    short = cell(roadmap, learner(none, assignments=(assignment("add-one", level=Level.GPU),)))
    assert short.state == "passed" and short.below and not short.done


def test_the_due_date_of_a_cell_is_its_own_before_that_of_all(roadmap):
    who = learner(
        assignments=(assignment("add-one", "add-two", due="2026-05-01", due_of={"add-one": "2026-04-02"}),)
    )
    assert cell(roadmap, who).due == date(2026, 4, 2)
    assert cell(roadmap, who, "add-two").due == date(2026, 5, 1)


def verification(of, finding, at=0):
    return Verification(
        f"{at:026}", of.id, of.exercise, NOW, finding, Outcome.PASSED, {Level.CORRECT: Outcome.PASSED}
    )


def test_a_verified_pass_is_marked_and_a_refuted_one_too(roadmap):
    done = attempt(1, "passed")
    assert cell(roadmap, learner(done)).verified == ""
    assert (
        cell(roadmap, learner(done, verifications=(verification(done, "verified"),))).verified == "verified"
    )
    assert cell(roadmap, learner(done, verifications=(verification(done, "refuted"),))).verified == "refuted"
    broken = (verification(done, "verified"), verification(done, "broken"), verification(done, "unchecked"))
    assert latest(broken)[done.id].finding == "verified", "a run without a verdict takes nothing back"


def test_a_pass_that_was_verified_below_its_level_is_not_marked(roadmap):
    done = attempt(1, "passed", levels={Level.CORRECT: Outcome.PASSED, Level.GPU: Outcome.PASSED})
    # on a machine without a GPU
    assert cell(roadmap, learner(done, verifications=(verification(done, "verified"),))).verified == ""


@pytest.mark.parametrize(
    ("claim", "verdict", "found", "finding"),
    [
        ({"correct": "passed"}, "passed", {"correct": "passed"}, "verified"),
        (
            {"correct": "passed", "fast": "passed"},
            "passed",
            {"correct": "passed", "fast": "open"},
            "verified",
        ),
        (
            {"correct": "passed", "fast": "passed"},
            "failed",
            {"correct": "passed", "fast": "failed"},
            "refuted",
        ),
        (
            {"correct": "passed", "fast": "failed"},
            "failed",
            {"correct": "passed", "fast": "failed"},
            "verified",
        ),
        ({"correct": "passed"}, "failed", {"correct": "failed"}, "refuted"),
        ({"correct": "failed"}, "failed", {"correct": "failed"}, "agrees"),
        ({"correct": "failed"}, "passed", {"correct": "passed"}, "differs"),
        ({"gpu": "passed"}, "open", {"gpu": "open"}, "unchecked"),
        ({"correct": "passed"}, "error", {"correct": "error"}, "broken"),
        ({}, "open", {}, "unchecked"),
    ],
)
def test_a_run_is_judged_against_the_claim(claim, verdict, found, finding):
    def levels(of):
        return {Level(level): Outcome(outcome) for level, outcome in of.items()}

    assert judge(levels(claim), Outcome(verdict), levels(found)) == finding


def test_the_longest_stuck_comes_first_and_it_is_said_why():
    long = learner(attempt(40, "passed"), *(attempt(d) for d in (30, 20, 10)), name="Long")
    short = learner(attempt(2), attempt(1), name="Short")
    happy = learner(attempt(3), attempt(1, "passed"), name="Happy")
    away = learner(attempt(12, "passed"), name="Away")
    silent = learner(name="Silent", assignments=(assignment("add-one", days_ago=20),))
    new = learner(name="New", assignments=(assignment("add-one", days_ago=2),))
    found = stuck.inbox([(short, 1), (happy, 1), (long, 1), (away, 2), (silent, 1), (new, 1)], NOW)
    assert [(each.learner, round(each.days)) for each in found] == [
        ("Long", 30), ("Silent", 20), ("Away", 12), ("Short", 2),
    ]  # fmt: skip
    first = found[0]
    assert (first.attempts, first.same_check, first.inactive_days) == (3, 3, 10)
    assert (
        first.why
        == "test_adds failed 3 times in a row. 3 attempts since the last pass. Inactive for 10 days."
    )
    assert first.message == "1 is not 2"
    assert found[1].why == "Nothing was tried in 20 days since it was assigned."
    assert found[2].why == "Inactive for 12 days. 2 exercises are left."


def test_who_has_nothing_left_to_do_or_has_just_passed_is_not_stuck():
    assert stuck.of(learner(attempt(99, "passed")), 0, NOW) is None
    assert stuck.of(learner(attempt(1), attempt(0.5, "passed")), 3, NOW) is None
    assert stuck.of(learner(), 0, NOW) is None


def test_another_check_or_exercise_ends_the_row():
    others = (
        attempt(5),
        attempt(4, failing_check="test_other"),
        attempt(3),
        attempt(2),
        attempt(1, exercise="add-two"),
    )
    assert stuck.of(learner(*others), 0, NOW).same_check == 1
    assert stuck.of(learner(*others[:-1]), 0, NOW).same_check == 2


def test_a_clock_ahead_of_ours_makes_nobody_stuck_for_less_than_nothing():
    found = stuck.of(learner(attempt(-5)), 0, NOW)
    assert (found.days, found.inactive_days) == (0.0, 0)


def days(ago: int) -> date:
    return TODAY - timedelta(days=ago)


@pytest.mark.parametrize(
    ("left", "passed", "assigned", "due", "verdict", "ends", "late"),
    [
        # 280 minutes in four weeks are 70 a week: 140 more take two
        (140, [(days(20), 140), (days(3), 140)], days(60), days(-14), "on-time", days(-14), 0),
        (140, [(days(20), 140), (days(3), 140)], days(60), days(-7), "late", days(-14), 7),
        (140, [(days(20), 140), (days(3), 140)], days(60), None, "no-date", days(-14), None),
        # what was done before the window, or before it was assigned, is no pace
        (140, [(days(40), 999)], days(60), days(-7), "unknown", None, None),
        (140, [(days(20), 999)], days(10), days(-7), "unknown", None, None),
        # one good first day is spread over a week
        (70, [(days(0), 70)], days(0), days(-7), "on-time", days(-7), 0),
        (10, [(days(3), 140)], days(60), days(1), "overdue", days(-2), 3),
        (10, [], days(60), days(1), "overdue", None, None),
        (0, [], days(60), days(1), "done", TODAY, None),
        (10**9, [(days(3), 1)], days(60), days(-7), "unknown", None, None),
    ],
)
def test_a_forecast_follows_from_the_pace(left, passed, assigned, due, verdict, ends, late):
    found = forecast(left, passed, assigned, TODAY, due)
    assert (found.verdict, found.ends, found.days_late) == (verdict, ends, late)


def test_a_course_joins_states_dates_and_forecast(roadmap):
    given = assignment("add-one", "add-two", due="2026-06-30", due_of={"add-two": "2026-03-30"})
    who = learner(attempt(9, "passed"), assignments=(given,), received=frozenset({given.digest}))
    (found,) = courses(roadmap, who, NOW, TODAY)
    assert (found.done, found.undone, found.overdue, found.received) == (1, 1, ("add-two",), True)
    assert found.forecast.due == date(2026, 6, 30) and found.forecast.pace > 0


def test_a_timeline_shows_what_was_changed_and_what_was_looked_at():
    files = {"a" * 64: {"x.py": b"one\n"}, "b" * 64: {"x.py": b"two\n", "new.py": b"\x1b[2J\n"}}
    tries = [
        attempt(3, files_hash="a" * 64),
        attempt(2, files_hash="b" * 64),
        attempt(1, files_hash="c" * 64),
    ]
    who = learner(
        *tries,
        attempt(0.5, exercise="add-two"),
        events=(event(2.5, "hint", "0"), event(2.2, "solution")),
        flags=(Flag("clock", tries[1].id, "it ran backwards"),),
    )
    found = timeline(who, "add-one", files.get, lambda _: {"x.py": b"zero\n"})
    assert [each.diff for each in found] == [
        "--- x.py\n+++ x.py\n@@ -1 +1 @@\n-zero\n+one",
        "--- new.py\n+++ new.py\n@@ -0,0 +1 @@\n+\x1b[2J\n--- x.py\n+++ x.py\n@@ -1 +1 @@\n-one\n+two",
        None,
    ]
    assert "-zero\n+two" in found[1].from_starter
    assert [each.looked_at for each in found] == [(), ("hint 1", "solution"), ()]
    assert found[1].since_before == timedelta(days=1) and found[1].flags == ("it ran backwards",)


def test_a_long_diff_is_cut():
    assert diff({}, {"x": b"line\n" * 10_000}).count("\n") == MAX_LINES


# by command


@pytest.fixture
def group(alice, bob, solve, tmp_path):
    """Bob assigned a track to Alice and Carol; Alice failed at it and sent a bundle."""
    for name in ("Alice", "=Carol()"):
        given = bob("track", "assign", "arithmetic", "--to", name, "--as", "Bob", "--due", "2099-01-31")
        assert given.exit_code == 0, given.output
    alice("import", str(tmp_path / "alice.assignment.yaml"))
    solve("add-one")
    solve("add-two", "wrong/constant")
    alice("check", "add-one")
    alice("check", "add-two")
    alice("export", "--for", "Bob")
    assert bob("import", str(tmp_path / "alice-for-bob.bundle")).exit_code == 0


def told(bob, *args):
    done = bob("mentor", *args, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_every_view_says_the_same_as_text_json_and_csv(group, bob):
    assert [each["name"] for each in told(bob, "learners")["learners"]] == ["=Carol()", "Alice"]
    cells = {(c["learner"], c["exercise"]): c["state"] for c in told(bob, "matrix")["cells"]}
    assert cells["Alice", "add-one"] == "passed" and cells["Alice", "add-two"] == "failed"
    (waiting,) = told(bob, "inbox")["inbox"]
    assert (waiting["learner"], waiting["exercise"], waiting["attempts_since_pass"]) == (
        "Alice",
        "add-two",
        1,
    )
    courses = {each["learner"]: each for each in told(bob, "progress")["assignments"]}
    assert (courses["Alice"]["done"], courses["Alice"]["of"], courses["Alice"]["received"]) == (0, 1, True)
    assert courses["=Carol()"]["received"] is False
    tries = told(bob, "timeline", "ALICE")["attempts"]
    assert [each["exercise"] for each in tries] == ["add-one", "add-two"] and all(
        each["diff"] for each in tries
    )
    for args in (["learners"], ["matrix"], ["matrix", "--track", "arithmetic"], ["matrix", "--stage", "foundations"],
                 ["inbox"], ["progress"], ["progress", "alice"], ["timeline", "alice", "add-two", "--starter"]):  # fmt: skip
        assert "Alice" in bob("mentor", *args).output or args[0] == "timeline"
    for view in (["learners"], ["matrix"], ["inbox"], ["progress"], ["timeline", "alice"]):
        rows = list(csv.DictReader(io.StringIO(bob("mentor", *view, "--csv").stdout)))
        assert rows and not any(value.startswith("=") for each in rows for value in each.values())


def test_a_wrong_name_is_told_with_the_nearest(group, bob):
    done = bob("mentor", "timeline", "Alicia")
    assert done.exit_code == 2 and "did you mean 'Alice'?" in done.stderr
    assert bob("mentor", "matrix", "--track", "arithmetik").exit_code == 2
    assert bob("mentor", "verify", "Alice").exit_code == 2
    assert bob("mentor", "verify", "Alice", "add-nowhere").exit_code == 2


def test_without_anybody_every_view_says_so(bob):
    for view in ("learners", "matrix", "inbox", "progress"):
        done = bob("mentor", view)
        assert done.exit_code == 0 and done.output.strip()
        assert bob("mentor", view, "--csv").stdout == ""
