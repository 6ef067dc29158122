"""One file holds a learner's progress; merging it loses nothing, doubles nothing, and trusts nothing."""

from __future__ import annotations

import gzip
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlsys_path.errors import UserError
from mlsys_path.levels import Level, Outcome
from mlsys_path.progress import exchange, queries
from mlsys_path.progress.exchange import Merged, export, import_
from mlsys_path.progress.store import Store


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The database of another machine."""
    return tmp_path / "other" / "progress.db"


@pytest.fixture
def filled(make_attempt) -> None:
    with Store.open() as store:
        for n, verdict in enumerate([Outcome.FAILED, Outcome.PASSED]):
            store.record(
                make_attempt(
                    verdict=verdict,
                    started_at=datetime(2026, 3, 14, 12, n, tzinfo=UTC),
                    levels={Level.CORRECT: Outcome.PASSED, Level.FAST: verdict},
                    measurements=({"name": "加速", "value": 0.5, "ratio": 2.0, "low": None},),
                    message="line one\nline two \x1b[31m\u2028",
                )
            )
        store.record_event("lru-cache", "hint", "1")
        store.set_setting("track", "gpu-kernels")


@pytest.fixture
def lines(filled, tmp_path) -> list[dict]:
    """The export of `filled` as objects: header, two attempts, an event, a setting, the end."""
    export(tmp_path / "lines.jsonl")
    return [json.loads(line) for line in (tmp_path / "lines.jsonl").read_bytes().splitlines()]


@pytest.fixture
def refused(tmp_path, other):
    """Import a content that must be refused into a database that has something; returns the one line."""

    def refuse(content: bytes, database: Path = other) -> str:
        path = tmp_path / "import.jsonl"
        path.write_bytes(content)
        with Store.open(database) as store:
            store.set_setting("kept", "yes")
        before = database.read_bytes()
        with pytest.raises(UserError) as raised:
            import_(path, database=database)
        assert database.read_bytes() == before
        message = str(raised.value)
        assert message.startswith(f"cannot import {path}")
        assert "\n" not in message
        return message

    return refuse


def text_of(lines: list[dict]) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@pytest.mark.parametrize("name", ["progress.jsonl", "progress.jsonl.gz"])
def test_everything_arrives_on_another_machine(filled, other, tmp_path, name):
    assert export(tmp_path / name) == 4
    assert import_(tmp_path / name, database=other) == Merged(attempts=2, events=1, settings=1, known=0)
    assert queries.attempts(path=other) == queries.attempts()
    assert queries.statuses(path=other) == queries.statuses()
    assert queries.best_ratio("lru-cache", "加速", path=other) == 2.0
    assert queries.setting("track", path=other) == "gpu-kernels"


def test_importing_again_changes_nothing(filled, other, tmp_path):
    export(tmp_path / "p.jsonl")
    import_(tmp_path / "p.jsonl", database=other)
    before = other.read_bytes()
    assert import_(tmp_path / "p.jsonl", database=other) == Merged(0, 0, 0, known=4)
    assert import_(tmp_path / "p.jsonl") == Merged(0, 0, 0, known=4)
    assert other.read_bytes() == before


def test_the_file_is_documented_json_lines_and_compressed_when_named_so(filled, tmp_path):
    export(tmp_path / "p.jsonl")
    export(tmp_path / "p.jsonl.gz")
    plain = [json.loads(line) for line in (tmp_path / "p.jsonl").read_bytes().splitlines()]
    packed = [
        json.loads(line) for line in gzip.decompress((tmp_path / "p.jsonl.gz").read_bytes()).splitlines()
    ]
    assert plain[1:] == packed[1:]
    assert plain[0].keys() == {"format", "version", "exported_at"}
    assert [next(iter(line)) for line in plain[1:]] == ["attempt", "attempt", "event", "setting", "end"]
    assert plain[1]["attempt"]["levels"] == {"correct": "passed", "fast": "failed"}
    assert plain[1]["attempt"]["measurements"] == [{"name": "加速", "value": 0.5, "ratio": 2.0, "low": None}]
    assert plain[-1] == {"end": 4}


def test_an_empty_progress_is_an_export_too(other, tmp_path, database):
    assert export(tmp_path / "p.jsonl") == 0
    assert import_(tmp_path / "p.jsonl", database=other) == Merged(0, 0, 0, 0)
    assert not database.exists()


def test_a_setting_of_ones_own_stays(filled, other, tmp_path):
    export(tmp_path / "p.jsonl")
    with Store.open(other) as store:
        store.set_setting("track", "distributed")
    assert import_(tmp_path / "p.jsonl", database=other) == Merged(2, 1, 0, known=1)
    assert queries.setting("track", path=other) == "distributed"


@given(left=st.sets(st.integers(0, 30)), right=st.sets(st.integers(0, 30)))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_merging_either_way_gives_the_union(tmp_path_factory, make_attempt, left, right):
    folder = tmp_path_factory.mktemp("merge")
    start = datetime(2026, 3, 14, tzinfo=UTC)
    attempts = [make_attempt(f"e{n % 3}", started_at=start + timedelta(minutes=n)) for n in range(31)]
    one, two = folder / "one.db", folder / "two.db"
    for path, own in ((one, left), (two, right)):
        with Store.open(path) as store:
            for n in sorted(own):
                store.record(attempts[n])
        export(folder / f"{path.stem}.jsonl.gz", database=path)
    assert import_(folder / "two.jsonl.gz", database=one) == Merged(
        len(right - left), 0, 0, len(right & left)
    )
    assert import_(folder / "one.jsonl.gz", database=two) == Merged(
        len(left - right), 0, 0, len(right & left)
    )
    union = tuple(sorted((attempts[n] for n in left | right), key=lambda a: a.started_at, reverse=True))
    assert queries.attempts(limit=100, path=one) == queries.attempts(limit=100, path=two) == union
    assert queries.statuses(path=one) == queries.statuses(path=two)


def test_a_record_that_stands_twice_in_a_file_counts_once(lines, other, tmp_path):
    (tmp_path / "p.jsonl").write_bytes(text_of([*lines[:3], lines[1], {"end": 3}]))
    assert import_(tmp_path / "p.jsonl", database=other) == Merged(2, 0, 0, known=1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "01J"}, "`id` is not a ULID"),
        ({"id": 5}, "`id` is not text"),
        ({"exercise": ""}, "`exercise` is not the id of an exercise"),
        ({"exercise": "a\x1b[2Jb"}, "`exercise` is not the id of an exercise"),
        ({"exercise": "x" * 1000}, "`exercise` is not the id of an exercise"),
        ({"exercise": "a\ud800"}, "it is damaged"),
        ({"message": "a\0b"}, "`message` is not text"),
        ({"message": None}, "`message` is not text"),
        ({"started_at": "yesterday"}, "it is damaged"),
        ({"started_at": "2026-03-14T12:00:00+00:00"}, "it is damaged"),
        ({"started_at": "9999-12-31T23:59:59.999999Z"}, "it is damaged"),
        ({"started_at": "2026-03-14t12:00:00.000000Z"}, "it is damaged"),
        ({"seconds": -1}, "`seconds` is not a time"),
        ({"seconds": True}, "`seconds` is not a time"),
        ({"seconds": 1e300}, "`seconds` is not a time"),
        ({"verdict": "splendid"}, "it is damaged"),
        ({"levels": {"correct": "perhaps"}}, "it is damaged"),
        ({"levels": {"magic": "passed"}}, "it is damaged"),
        ({"levels": ["correct"]}, "`levels` is not an object"),
        ({"measurements": {"name": "x"}}, "`measurements` is not a list of objects"),
        ({"measurements": [3]}, "`measurements` is not a list of objects"),
        ({"measurements": [{"name": "\udfff"}]}, "it is damaged"),
        ({"rowid": 1}, "unknown key 'rowid'"),
        ({"best": 4}, "unknown key 'best'"),
    ],
)
def test_an_attempt_is_taken_only_as_this_program_writes_it(lines, refused, change, said):
    lines[2]["attempt"] |= change
    message = refused(text_of(lines))
    assert ", line 3: " in message
    assert said in message
    assert message.endswith("nothing was changed")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "finished"}, "it is damaged"),
        ({"detail": "all"}, "not its index"),
        ({"at": ""}, "it is damaged"),
    ],
)
def test_an_event_too(lines, refused, change, said):
    lines[3]["event"] |= change
    assert said in refused(text_of(lines))


@pytest.fixture
def said() -> None:
    """Words of the learner, one of them taken back, and a diagnostic."""
    with Store.open() as store:
        store.claim("topic", "caches", "known")
        store.claim("resource", "cs-app", "read")
        store.claim("resource", "cs-app", "none")
        store.claim("stage", "foundations", "diagnostic", {"right": 2, "of": 3, "seed": 7})


def test_what_the_learner_said_arrives_too(filled, said, other, tmp_path):
    assert export(tmp_path / "p.jsonl") == 8
    assert import_(tmp_path / "p.jsonl", database=other) == Merged(2, 1, 1, known=0, claims=4)
    assert queries.claims(path=other) == queries.claims()
    assert queries.claims(path=other).diagnostics["foundations"].score == (2, 3)
    assert import_(tmp_path / "p.jsonl", database=other) == Merged(0, 0, 0, known=8)


def test_a_claim_in_the_file(said, tmp_path):
    export(tmp_path / "p.jsonl")
    header, *claims, end = [json.loads(line) for line in (tmp_path / "p.jsonl").read_bytes().splitlines()]
    assert (header["version"], end) == (3, {"end": 4})
    assert claims[3]["claim"].keys() == {"id", "kind", "subject", "claim", "at", "detail"}
    assert claims[3]["claim"]["detail"] == {"right": 2, "of": 3, "seed": 7}


def test_a_file_of_version_1_is_read(lines, other, tmp_path):
    lines[0]["version"] = 1
    (tmp_path / "p.jsonl").write_bytes(text_of(lines))
    assert import_(tmp_path / "p.jsonl", database=other) == Merged(2, 1, 1, known=0)


def test_a_file_of_version_1_knows_no_claims(said, refused, tmp_path):
    export(tmp_path / "p.jsonl")
    message = refused((tmp_path / "p.jsonl").read_bytes().replace(b'"version":3', b'"version":1'))
    assert ", line 2: it stands where nothing of its kind may stand" in message


def test_a_file_of_version_2_is_read_and_knows_no_claims_of_readings(said, refused, other, tmp_path):
    export(tmp_path / "p.jsonl")
    earlier = (tmp_path / "p.jsonl").read_bytes().replace(b'"version":3', b'"version":2')
    (tmp_path / "p2.jsonl").write_bytes(earlier)
    assert import_(tmp_path / "p2.jsonl", database=other).claims == 4
    reading = earlier.replace(b'"kind":"resource","subject":"cs-app"', b'"kind":"reading","subject":"a/b"')
    assert "it stands where nothing of its kind may stand" in refused(reading)


def test_a_word_about_a_part_arrives(other, tmp_path):
    with Store.open() as store:
        store.claim("reading", "caches/cs-app", "read")
    export(tmp_path / "p.jsonl")
    import_(tmp_path / "p.jsonl", database=other)
    assert list(queries.claims(path=other).words) == [("reading", "caches/cs-app")]


@pytest.mark.parametrize(
    ("at", "change", "said_of_it"),
    [
        (1, {"id": "01J"}, "`id` is not a ULID"),
        (1, {"kind": "track"}, "it is damaged"),
        (1, {"subject": ""}, "`subject` is not an id"),
        (1, {"subject": "a\x1b[2J"}, "`subject` is not an id"),
        (1, {"claim": "passed"}, "it is damaged"),
        (1, {"claim": "diagnostic"}, "it is damaged"),
        (1, {"at": "today"}, "it is damaged"),
        (1, {"detail": "{}"}, "`detail` is not an object"),
        (1, {"detail": {"note": "\ud800"}}, "it is damaged"),
        (1, {"status": "passed"}, "unknown key 'status'"),
        (4, {"kind": "topic"}, "it is damaged"),
        (4, {"detail": {"right": 3}}, "it is damaged"),
        (4, {"detail": {"right": 3, "of": 2}}, "it is damaged"),
        (4, {"detail": {"right": -1, "of": 2}}, "it is damaged"),
        (4, {"detail": {"right": True, "of": 2}}, "it is damaged"),
        (4, {"detail": {}}, "it is damaged"),
    ],
)
def test_a_claim_is_taken_only_as_this_program_writes_it(said, refused, tmp_path, at, change, said_of_it):
    export(tmp_path / "p.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "p.jsonl").read_bytes().splitlines()]
    lines[at]["claim"] |= change
    message = refused(text_of(lines))
    assert f", line {at + 1}: " in message
    assert said_of_it in message


def test_missing_keys_are_named(lines, refused):
    del lines[1]["attempt"]["verdict"]
    assert "line 2: `verdict` is missing" in refused(text_of(lines))


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (
            {"format": "mlsys-path-progress", "version": 4},
            "newer mlsys-path (its format is 4, here 3): update",
        ),
        ({"format": "mlsys-path-progress", "version": True}, "it is not an export of mlsys-path"),
        ({"format": "mlsys-path-progress"}, "it is not an export of mlsys-path"),
        ({"format": "recipes", "version": 1}, "it is not an export of mlsys-path"),
        ({"end": 0}, "it is not an export of mlsys-path"),
    ],
)
def test_the_header_decides_first(lines, refused, header, said):
    message = refused(text_of([header, *lines[1:]]))
    assert said in message
    assert ", line 1: " in message


@pytest.mark.parametrize(
    "tail",
    [b"", b"\n", b"not json\n", b"[1]\n", b'{"attempt": 1}\n', b'{"a": 1, "b": 2}\n', b'{"other": {}}\n', b"\xff\xfe\n",
     b'{"end": "5"}\n', b'{"end": 5}\n', b'{"end": 4}\n{"end": 4}\n', b'{"format": "mlsys-path-progress", "version": 1}\n',
     b'{"attempt": NaN}\n', b"[" * 5000 + b"\n", b'{"end": ' + b"9" * 5000 + b"}\n", b"x" * (exchange.MAX_LINE + 1)],
)  # fmt: skip
def test_anything_else_after_the_records_is_refused(lines, refused, tail):
    refused(text_of(lines[:-1]) + tail)


def test_a_record_with_deep_json_is_refused(lines, refused):
    deep = '{"a":' * 950 + "1" + "}" * 950
    refused(
        text_of(lines[:1])
        + json.dumps(lines[1]).replace('"measurements": [{', f'"measurements": [{deep}, {{').encode()
    )


def test_every_way_of_cutting_a_file_short_is_noticed(filled, refused, tmp_path):
    export(tmp_path / "p.jsonl")
    export(tmp_path / "p.jsonl.gz")
    draw = random.Random(4)
    for name in ("p.jsonl", "p.jsonl.gz"):
        content = (tmp_path / name).read_bytes()
        for length in [0, 1, len(content) - 1, *(draw.randrange(len(content)) for _ in range(20))]:
            # without its last newline a text still holds every record
            if content[:length] != content.removesuffix(b"\n"):
                refused(content[:length])


def test_damaged_compression_is_refused(filled, refused, tmp_path):
    export(tmp_path / "p.jsonl.gz")
    content = bytearray((tmp_path / "p.jsonl.gz").read_bytes())
    content[len(content) // 2] ^= 0xFF
    assert "damaged" in refused(bytes(content))


def test_a_bomb_is_bounded(refused, monkeypatch):
    monkeypatch.setattr(exchange, "MAX_BYTES", 10_000)
    record = json.dumps({"setting": {"key": "k" * 100, "value": ""}}).encode() + b"\n"
    header = b'{"format": "mlsys-path-progress", "version": 1}\n'
    assert "longer than any export" in refused(gzip.compress(header + record * 1000))
    assert "longer than any export" in refused(gzip.compress(header + b" " * (32 << 20)))
    monkeypatch.setattr(exchange, "MAX_RECORDS", 3)
    assert "more records than can be imported" in refused(header + record * 5)


def test_what_cannot_be_read_or_written_is_one_line(filled, database, tmp_path):
    for use, said in (
        (lambda: import_(tmp_path / "missing"), "there is no such file"),
        (lambda: import_(tmp_path), "it is not a file"),
        (lambda: export(tmp_path), "it is not a file"),
        (lambda: export(tmp_path / "no" / "folder.jsonl"), "no such file or directory"),
        (lambda: export(database), "it is the progress database itself"),
    ):
        with pytest.raises(UserError, match=said):
            use()


def test_an_export_that_fails_leaves_the_earlier_file(filled, database, tmp_path, monkeypatch):
    target = tmp_path / "p.jsonl"
    export(target)
    before = target.read_bytes()

    def full(_kind, _value):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exchange, "encode", full)
    with pytest.raises(UserError, match="no space left on device"):
        export(target)
    assert target.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".p")] == []


def test_importing_into_a_new_home_that_fails_creates_nothing(refused, database, tmp_path):
    (tmp_path / "bad.jsonl").write_text("{}")
    with pytest.raises(UserError):
        import_(tmp_path / "bad.jsonl")
    assert not database.exists()
