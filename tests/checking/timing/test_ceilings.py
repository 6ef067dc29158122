"""Ceilings are kept for one device, driver and torch, and whatever else lies there is measured anew."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace

import pytest

from mlsys_path import locations
from mlsys_path.checking.timing import ceilings
from mlsys_path.checking.timing.ceilings import (
    SCHEMA,
    Ceilings,
    ceilings_of,
    identity,
    load,
    path_of,
    store,
    stored,
)
from mlsys_path.checking.worker.stopwatch import Clock, Timed

WHO = "NVIDIA H200; GPU-1; driver 580; 2.13.0"
FOUND = Ceilings("NVIDIA H200", WHO, 3.9e12, 4.1e12, 2e-6, {"float32": 5e13, "float16": 7e14}, "2026-01-31")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MLSYS_PATH_HOME", str(tmp_path))
    return tmp_path


def clock(name: str = "CPU", uuid: str = "cpu", seconds: float = 1e-3) -> Clock:
    """A clock for which every call takes as long as the test says."""

    def timed(call, keep, _in_order):
        return Timed(keep(call()), seconds, 0.0, 0.0)

    return Clock("cpu", lambda: None, lambda: None, timed, {"name": name, "uuid": uuid})


def test_what_is_stored_is_found():
    store(FOUND)
    assert load(WHO) == FOUND
    assert path_of(WHO).parent == locations.cache_dir() / "ceilings"
    assert os.listdir(path_of(WHO).parent) == [path_of(WHO).name], "nothing else is left behind"


def test_another_driver_device_or_torch_has_none():
    store(FOUND)
    for other in (WHO.replace("580", "590"), WHO.replace("GPU-1", "GPU-2"), WHO.replace("2.13.0", "2.14.0")):
        assert load(other) is None


def test_a_file_under_anothers_name_is_not_believed():
    store(FOUND)
    path_of(WHO).rename(path_of("another"))
    assert load("another") is None


def damaged() -> list[str]:
    whole = asdict(FOUND)
    return [
        "", "{", "[]", "null", '"text"', "[" * 100_000, json.dumps(whole)[:-9],
        *(
            json.dumps(whole | change)
            for change in (
                {"copy": 0.0}, {"copy": -1.0}, {"read": float("nan")}, {"launch": float("inf")}, {"copy": "fast"},
                {"copy": None}, {"copy": True}, {"rates": {"float32": 0.0}}, {"rates": [1.0]}, {"rates": None},
                {"schema": SCHEMA + 1}, {"more": 1}, {"device": 3}, {"measured_at": None},
            )
        ),
        json.dumps({key: value for key, value in whole.items() if key != "read"}),
    ]  # fmt: skip


@pytest.mark.parametrize("text", damaged(), ids=range(len(damaged())))
def test_a_damaged_file_is_none(text):
    store(FOUND)
    path_of(WHO).write_text(text)
    assert load(WHO) is None
    assert stored() == []


def test_bytes_that_are_no_text_and_a_folder_in_its_place():
    store(FOUND)
    path_of(WHO).write_bytes(b"\xff\xfe{}")
    assert load(WHO) is None
    path_of(WHO).unlink()
    path_of(WHO).mkdir()
    assert load(WHO) is None
    assert stored() == []


def test_a_folder_that_cannot_be_written_costs_a_measurement_and_no_error(home):
    (home / "cache").write_text("in the way")
    store(FOUND)
    assert load(WHO) is None


def test_of_each_device_the_latest_is_shown():
    older, newer = replace(FOUND, identity=WHO + " old", copy=1e12), FOUND
    other = replace(FOUND, device="CPU", identity="cpu")
    for seconds, each in enumerate((older, newer, other)):
        store(each)
        os.utime(path_of(each.identity), (seconds, seconds))
    assert stored() == [other, newer]


def test_they_are_measured_once(monkeypatch):
    pytest.importorskip("torch")
    made = []

    def measure(_clock, who):
        made.append(who)
        return replace(FOUND, identity=who)

    monkeypatch.setattr(ceilings, "measure", measure)
    first = ceilings_of(clock())
    assert ceilings_of(clock()) == first
    assert len(made) == 1
    assert ceilings_of(clock(), again=True) == first
    assert ceilings_of(clock(uuid="another")).identity != first.identity
    assert len(made) == 3
    path_of(first.identity).write_text("{")
    assert ceilings_of(clock()) == first
    assert len(made) == 4


def test_what_they_belong_to():
    torch = pytest.importorskip("torch")
    assert torch.__version__ in identity(clock())
    assert identity(clock()) != identity(clock(name="other"))


def test_the_arithmetic_of_a_measurement():
    pytest.importorskip("torch")
    found = ceilings.measure(clock(seconds=1e-3), "me")
    octets = 4 * (24 << 20)
    assert found.copy == pytest.approx(2 * octets / 1e-3)
    assert found.read == pytest.approx(octets / 1e-3)
    assert found.launch == pytest.approx(1e-3)
    assert found.rates == {"float32": pytest.approx(2 * 768**3 / 1e-3)}
    assert found.bandwidth == found.copy


@pytest.mark.parametrize(
    ("asked", "rate"), [("float16", 7e14), ("fp16", 7e14), ("fp32", 5e13), ("fp64", 0.0)]
)
def test_a_peak_goes_by_torchs_name_or_a_short_one(asked, rate):
    assert FOUND.peak(asked) == rate
