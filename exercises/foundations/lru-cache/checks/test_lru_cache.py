import time
from collections import OrderedDict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from mlsys_path.checking.testing import assert_equal

KEYS = st.integers(0, 99) | st.text("abc", min_size=1, max_size=3)
VALUES = st.none() | st.booleans() | st.integers(-9, 99) | st.text("xyz", max_size=3)


class Model:
    """What a cache should answer, by an OrderedDict that runs from the oldest key to the newest."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.entries = OrderedDict()

    def get(self, key, default=None):
        if key not in self.entries:
            return default
        self.entries.move_to_end(key)
        return self.entries[key]

    def put(self, key, value):
        full = key not in self.entries and len(self.entries) == self.capacity
        evicted = self.entries.popitem(last=False) if full else None
        self.entries[key] = value
        self.entries.move_to_end(key)
        return evicted

    def delete(self, key):
        found = key in self.entries
        self.entries.pop(key, None)
        return found

    def keys(self):
        return list(reversed(self.entries))


@given(capacity=st.integers(1, 3), key=KEYS, other=KEYS, value=VALUES, default=st.integers(100, 199))
def test_single_entry(learner, capacity, key, other, value, default):
    cache = learner.LRUCache(capacity)
    assert_equal(cache.put(key, value), None, "what put() returned though there was room")
    assert_equal(cache.get(key, default), value, "the value that was stored")
    if other != key:
        assert_equal(cache.get(other, default), default, "the default for a key that was never stored")
        assert_equal(cache.get(other), None, "the answer for a missing key without a default")
    assert_equal(len(cache), 1, "len()")


@given(capacity=st.integers(1, 6), extra=st.integers(1, 8), keys=st.permutations(range(14)))
def test_evicts_the_oldest(learner, capacity, extra, keys):
    keys = keys[: capacity + extra]
    cache = learner.LRUCache(capacity)
    for i, key in enumerate(keys):
        leaves = (keys[i - capacity], -keys[i - capacity]) if i >= capacity else None
        assert_equal(cache.put(key, -key), leaves, "the (key, value) that put() evicted")
    assert_equal(len(cache), capacity, "len() of a full cache")
    assert_equal(cache.keys(), keys[-capacity:][::-1], "keys(), from the newest to the oldest")


@given(capacity=st.integers(2, 6), data=st.data())
def test_get_refreshes(learner, capacity, data):
    cache = learner.LRUCache(capacity)
    for key in range(capacity):
        cache.put(key, 10 * key)
    used = data.draw(st.lists(st.integers(0, capacity - 1), min_size=1, max_size=4, unique=True))
    for key in used:
        cache.get(key)
    looked_at = data.draw(st.integers(0, capacity - 1))
    assert_equal(looked_at in cache, True, "`in` for a cached key")
    order = [key for key in range(capacity) if key not in used] + used
    for new, old in enumerate(order, start=capacity):
        assert_equal(cache.put(new, 10 * new), (old, 10 * old), "the (key, value) that put() evicted")


@given(capacity=st.integers(1, 5), data=st.data())
def test_update(learner, capacity, data):
    cache = learner.LRUCache(capacity)
    for key in range(capacity):
        cache.put(key, key)
    key = data.draw(st.integers(0, capacity - 1))
    assert_equal(cache.put(key, "new"), None, "what put() returned for a key that was cached already")
    assert_equal(len(cache), capacity, "len() after an update")
    order = [k for k in range(capacity) if k != key] + [key]
    assert_equal(cache.keys(), order[::-1], "keys() after an update, from the newest to the oldest")
    assert_equal(cache.get(key), "new", "the value after an update")


@given(capacity=st.integers(1, 5), data=st.data())
def test_delete(learner, capacity, data):
    cache = learner.LRUCache(capacity)
    for key in range(capacity):
        cache.put(key, key)
    gone = data.draw(st.lists(st.integers(0, capacity - 1), min_size=1, max_size=capacity, unique=True))
    for key in gone:
        assert_equal(cache.delete(key), True, "what delete() returned for a cached key")
        assert_equal(cache.delete(key), False, "what delete() returned for a missing key")
        assert_equal(cache.get(key, "gone"), "gone", "get() of a deleted key")
    for new in range(100, 100 + len(gone)):
        assert_equal(cache.put(new, new), None, "what put() returned though delete() had made room")
    left = [key for key in range(capacity) if key not in gone]
    if left:
        assert_equal(cache.put("one more", 0), (left[0], left[0]), "the (key, value) that put() evicted")


def test_capacity(learner, rng):
    for capacity in (0, -int(rng.integers(1, 1000))):
        with learner.raises("ValueError"):
            learner.LRUCache(capacity)


def test_matches_model(learner):
    keys = st.integers(0, 6)

    class Trace(RuleBasedStateMachine):
        @initialize(capacity=st.integers(1, 5))
        def build(self, capacity):
            self.cache, self.model = learner.LRUCache(capacity), Model(capacity)

        @rule(key=keys, value=VALUES)
        def put(self, key, value):
            evicted = self.model.put(key, value)
            assert_equal(self.cache.put(key, value), evicted, "the (key, value) that put() evicted")

        @rule(key=keys)
        def get(self, key):
            assert_equal(self.cache.get(key, "missing"), self.model.get(key, "missing"), "get()")

        @rule(key=keys)
        def delete(self, key):
            assert_equal(self.cache.delete(key), self.model.delete(key), "what delete() returned")

        @rule(key=keys)
        def look(self, key):
            assert_equal(key in self.cache, key in self.model.entries, "`in`")

        @rule()
        def order(self):
            assert_equal(self.cache.keys(), self.model.keys(), "keys(), from the newest to the oldest")

        @invariant()
        def length(self):
            assert_equal(len(self.cache), len(self.model.entries), "len()")

    run_state_machine_as_test(Trace, settings=settings(max_examples=30, stateful_step_count=25))


def trace(rng, steps, keys, weights):
    """A random trace as three arrays: operations, keys, values."""
    operations = rng.choice(len(weights), steps, p=weights)
    return operations, rng.integers(0, keys, steps), rng.integers(0, 1 << 40, steps)


def expected(model, operations, keys, values):
    table = (lambda k, v: model.get(k), model.put, lambda k, v: model.delete(k))
    rows = zip(operations.tolist(), keys.tolist(), values.tolist(), strict=True)
    return [table[operation](key, value) for operation, key, value in rows]


def test_long_trace(learner, rng):
    drive = learner.harness("drive")
    for capacity in (1, int(rng.integers(2, 50)), int(rng.integers(500, 1000))):
        cache, model = learner.LRUCache(capacity), Model(capacity)
        steps = trace(rng, 5000, int(capacity * 1.5) + 2, [0.45, 0.45, 0.1])
        assert_equal(
            drive.replay(cache, *steps), expected(model, *steps), f"5000 answers at capacity {capacity}"
        )
        assert_equal(cache.keys(), model.keys(), "keys() after the trace")


TRACE_OF_NAMES = st.lists(
    st.tuples(st.sampled_from(["put", "put", "delete"]), st.integers(0, 6)), max_size=25
)


@given(capacity=st.integers(1, 4), names=TRACE_OF_NAMES)
def test_lets_go(learner, capacity, names):
    model = Model(capacity)
    for operation, key in names:
        model.put(key, 0) if operation == "put" else model.delete(key)
    entries, alive = learner.harness("drive").alive_after(capacity, names)
    assert_equal(entries, len(model.entries), "len() after the trace")
    assert_equal(alive, entries, "the number of values that are still in memory")


SMALL, LARGE, STEPS = 256, 16_384, 4000


def test_cost_does_not_grow(learner, rng, measure):
    drive = learner.harness("drive")

    def timed(capacity):
        cache, model = learner.LRUCache(capacity), Model(capacity)
        fill = (
            np.ones(capacity, dtype=np.int64),
            rng.permutation(capacity),
            rng.integers(0, 1 << 40, capacity),
        )
        assert_equal(drive.replay(cache, *fill), expected(model, *fill), f"filling a cache of {capacity}")

        def once():
            steps = trace(rng, STEPS, int(capacity * 1.25), [0.5, 0.5])
            began = time.perf_counter()
            answers = drive.replay(cache, *steps)
            seconds = time.perf_counter() - began
            assert_equal(answers, expected(model, *steps), f"{STEPS} answers at capacity {capacity}")
            return seconds

        return once

    small, large = timed(SMALL), timed(LARGE)
    measure.ratio(
        f"{STEPS} operations on {LARGE} entries", candidate=large, baseline=small, at_least=0.15, repeats=5
    )
