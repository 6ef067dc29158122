import time

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import Example, attend

from mlsys_path.checking.testing import assert_close, assert_equal, fail

CLOSE = {"rtol": 1e-9, "atol": 1e-9}  # float64: a mistake is larger, another order of additions is not
HEADS = st.tuples(st.integers(1, 3), st.integers(1, 3))  # (k/v heads, query heads to each)


def random_int(low, high):
    return int(torch.randint(low, high + 1, ()))


class Pair:
    """The learner's session and the reference, doing the same; every result is compared."""

    def __init__(self, learner, sequences, capacity, **sizes):
        self.example = Example(sequences, **sizes)
        example = self.example
        self.session = learner.harness("drive").build(example.sizes, example.weights, sequences, capacity)

    def prefill(self, sequence, count):
        tokens = self.example.random_tokens(count)
        held = len(self.example.tokens[sequence])
        got = self.session.prefill(sequence, tokens)
        what = f"prefill() of {count} tokens behind {held}: the logits [token, vocab]"
        assert_close(got, self.example.extend(sequence, tokens), what=what, **CLOSE)
        self.lengths()

    def decode(self):
        tokens = self.example.random_tokens(len(self.example.tokens))
        held = [len(t) for t in self.example.tokens]
        got = self.session.decode(tokens)
        expected = torch.cat([self.example.extend(s, tokens[s : s + 1]) for s in range(len(tokens))])
        what = f"decode() with {held} tokens in the cache: the logits [sequence, vocab]"
        assert_close(got, expected, what=what, **CLOSE)
        self.lengths()

    def forget(self, sequence):
        self.example.tokens[sequence] = self.example.tokens[sequence][:0]
        self.session.rewind([len(t) for t in self.example.tokens])

    def lengths(self):
        assert_equal(self.session.lengths(), [len(t) for t in self.example.tokens], "cache.lengths")


@settings(max_examples=30)
@given(heads=HEADS, d=st.sampled_from([2, 4, 8]), t=st.integers(1, 4), first=st.integers(0, 4))
def test_attend(learner, heads, d, t, first):
    kv_heads, groups = heads
    q = torch.randn(t, kv_heads * groups, d, dtype=torch.float64)
    k, v = torch.randn(2, first + t, kv_heads, d, dtype=torch.float64)
    what = (
        f"attend() with {kv_heads * groups} heads on {kv_heads} k/v heads, first = {first}: [token, head, d]"
    )
    assert_close(learner.attend(q, k, v, first), attend(q, k, v, first), what=what, **CLOSE)


def test_prefill(learner):
    for layers in (1, 2, 3):
        pair = Pair(learner, 1, 20, layers=layers)
        pair.prefill(0, random_int(2, 12))


def test_decode(learner):
    pair = Pair(learner, 1, 20)
    pair.prefill(0, random_int(2, 8))
    for _ in range(6):
        pair.decode()


def test_chunks(learner):
    pair = Pair(learner, 1, 40)
    for _ in range(4):
        pair.prefill(0, random_int(1, 8))
    pair.decode()


def test_several_sequences(learner):
    pair = Pair(learner, 3, 20)
    for sequence, count in enumerate(torch.randperm(8)[:3].tolist()):
        if count:  # and perhaps one sequence is still empty when decoding begins
            pair.prefill(sequence, count)
    for _ in range(4):
        pair.decode()


def test_capacity(learner):
    capacity = random_int(4, 9)
    pair = Pair(learner, 2, capacity)
    pair.prefill(0, 2)
    pair.prefill(1, capacity - 1)
    pair.decode()
    with learner.raises("ValueError"):
        pair.session.decode(pair.example.random_tokens(2))
    with learner.raises("ValueError"):
        pair.session.prefill(1, pair.example.random_tokens(1))
    pair.lengths()
    pair.forget(1)
    pair.prefill(1, 2)
    pair.decode()


def test_memory(learner, measure):
    kv_heads, sequences, capacity = random_int(1, 3), random_int(1, 4), random_int(10, 30)
    pair = Pair(learner, sequences, capacity, heads=4 * kv_heads, kv_heads=kv_heads)
    expected = pair.example.cache_bytes(capacity)
    got = pair.session.bytes()
    measure.value(
        "bytes of the cache, against 2·layers·sequences·capacity·kv_heads·head_dim numbers", got / expected
    )
    most = 1.05 * expected + 1024  # a few numbers of bookkeeping are welcome
    if not expected <= got <= most:
        fail(f"the new cache holds {got} bytes of tensors, expected {expected}", got=got, expected=expected)
    for sequence in range(sequences):
        pair.prefill(sequence, random_int(2, 8))
    pair.decode()
    if pair.session.bytes() > most:
        fail("the cache has grown while it was used", got=pair.session.bytes(), expected=expected)


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("prefill"), st.integers(0, 2), st.integers(1, 6)),
        st.tuples(st.just("decode"), st.just(0), st.just(0)),
        st.tuples(st.just("forget"), st.integers(0, 2), st.just(0)),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25)
@given(
    heads=HEADS,
    layers=st.integers(1, 3),
    sequences=st.integers(1, 3),
    operations=OPERATIONS,
    seed=st.integers(0, 1 << 60),
)
def test_any_trace(learner, heads, layers, sequences, operations, seed):
    kv_heads, groups = heads
    sizes = {"layers": layers, "kv_heads": kv_heads, "heads": kv_heads * groups, "seed": seed}
    pair = Pair(learner, sequences, 60, **sizes)
    for operation, sequence, count in operations:
        match operation:
            case "prefill":
                pair.prefill(sequence % sequences, count)
            case "decode":
                pair.decode()
            case "forget":
                pair.forget(sequence % sequences)


def test_work_per_token(learner, measure):
    for length in (random_int(20, 30), random_int(200, 300)):
        pair = Pair(learner, 2, length + 2)
        for sequence in range(2):
            pair.prefill(sequence, length)
        got, expected = (
            pair.session.flops(pair.example.random_tokens(2)),
            pair.example.decode_flops(length + 1),
        )
        measure.value(f"FLOPs of a decode behind {length} tokens, against the formula", got / expected)
        if got > 1.25 * expected:
            fail(
                f"decode() behind {length} tokens takes {got / expected:.1f} × the floating-point operations "
                f"that one new token for each sequence needs",
                got=got,
                expected=expected,
            )


SHORT, LONG, STEPS, SEQUENCES = 16, 512, 8, 2


def test_time_per_token(learner, measure):
    def timed(length):
        pair = Pair(
            learner,
            SEQUENCES,
            length + STEPS,
            dtype=torch.float32,
            width=64,
            heads=8,
            head_dim=16,
            hidden=128,
        )
        example, session = pair.example, pair.session
        for sequence in range(SEQUENCES):
            tokens = example.random_tokens(length)
            session.prefill(sequence, tokens)
            example.tokens[sequence] = tokens

        def once():
            session.rewind([length] * SEQUENCES)
            rows = example.random_tokens(STEPS, SEQUENCES)
            began = time.perf_counter()
            got = session.decode_steps(rows)
            seconds = time.perf_counter() - began
            for sequence in range(SEQUENCES):
                expected = example.extend(sequence, rows[:, sequence])
                example.tokens[sequence] = example.tokens[sequence][:length]
                assert_close(
                    got[:, sequence], expected, rtol=1e-3, atol=1e-3, what=f"logits behind {length} tokens"
                )
            return seconds

        return once

    name = f"{STEPS} tokens behind {LONG} tokens, against behind {SHORT}"
    measure.ratio(name, candidate=timed(LONG), baseline=timed(SHORT), at_least=0.25, repeats=5)
