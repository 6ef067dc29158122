import math

import chains
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_equal, fail


def compare(learner, chain, ask=("shape", "tolist")):
    """Run the chain on both sides and demand the same of every tensor and of the list below them."""
    data, answers = learner.harness("drive").run(chain.lines, chain.names, list(ask))
    # the newest first: what is wrong there is most likely the line that was just added
    for name in reversed(chain.names):
        array = chain.scope[name].array
        wanted = {"shape": array.shape, "tolist": array.tolist(), "is_contiguous": array.flags.c_contiguous}
        for question in ask:
            call = (
                name
                + {"shape": ".shape", "tolist": ".tolist()", "is_contiguous": ".is_contiguous()"}[question]
            )
            demand(answers[name][question], wanted[question], call, chain)
    demand(data, chain.scope["data"].tolist(), "the list `data`", chain)


def demand(got, expected, what, chain):
    try:
        assert_equal(got, expected)
    except AssertionError:
        fail(f"{what} is wrong after\n{chain}", got=got, expected=expected)


@given(data=st.data())
@settings(max_examples=20)
def test_elements(learner, data):
    compare(learner, chains.chain(data.draw))


@given(data=st.data())
@settings(max_examples=80)
def test_slices(learner, data):
    chain = chains.chain(data.draw, least=1)
    name = chains.take(data.draw, chain, "t0")
    if data.draw(st.booleans()):
        chains.take(data.draw, chain, name)
    compare(learner, chain)


@given(data=st.data())
@settings(max_examples=30)
def test_permute(learner, data):
    chain = chains.chain(data.draw, rank=4, dims=3)
    name = chains.permute(data.draw, chain, "t0")
    for step in data.draw(st.lists(st.sampled_from([chains.permute, chains.take]), max_size=2)):
        name = step(data.draw, chain, name)
    compare(learner, chain)


@given(data=st.data())
@settings(max_examples=40)
def test_writes_reach_the_base(learner, data):
    chain = chains.chain(data.draw, least=data.draw(st.sampled_from([2, 1])))
    name = "t0"
    for step in data.draw(st.lists(st.sampled_from([chains.permute, chains.take]), min_size=1, max_size=3)):
        name = step(data.draw, chain, name)
    chains.write(data.draw, chain, name)
    chains.write(data.draw, chain, data.draw(st.sampled_from(chain.names)))
    compare(learner, chain)


def test_expand(learner):
    @given(data=st.data())
    @settings(max_examples=40)
    def chained(data):
        chain = chains.chain(data.draw, dims=2)
        name = chains.expand(data.draw, chain, "t0")
        for step in data.draw(st.lists(st.sampled_from(chains.VIEWS), max_size=2)):
            name = step(data.draw, chain, name)
        chains.write(data.draw, chain, data.draw(st.sampled_from(["t0", name])))
        compare(learner, chain)

    @given(
        n=st.integers(10**9, 10**12),
        values=st.lists(st.integers(0, 999), min_size=2, max_size=4),
        data=st.data(),
    )
    @settings(max_examples=5)
    def huge(n, values, data):
        big = learner.Tensor(values, (len(values), 1)).expand(len(values), n)
        assert_equal(big.shape, (len(values), n), "the shape of an expanded tensor")
        i, j = data.draw(st.integers(0, len(values) - 1)), data.draw(st.integers(0, n - 3))
        assert_equal(
            big[i, j : j + 3].tolist(), [values[i]] * 3, "three elements of a very large expanded tensor"
        )

    chained()
    huge()


@given(data=st.data())
@settings(max_examples=80)
def test_reshape(learner, data):
    chain = chains.chain(data.draw)
    name = "t0"
    for step in data.draw(
        st.lists(st.sampled_from([chains.permute, *chains.VIEWS, chains.reshape]), max_size=3)
    ):
        name = step(data.draw, chain, name)
    chains.reshape(data.draw, chain, name)
    compare(learner, chain)


@given(data=st.data())
@settings(max_examples=100)
def test_reshape_copies_only_when_it_must(learner, data):
    chain = chains.chain(data.draw)
    name = "t0"
    for step in data.draw(st.lists(st.sampled_from(chains.VIEWS), max_size=2)):
        name = step(data.draw, chain, name)
    name = chains.reshape(data.draw, chain, name)
    chains.write(data.draw, chain, name)
    compare(learner, chain)


@given(data=st.data())
@settings(max_examples=40)
def test_contiguous(learner, data):
    chain = chains.chain(data.draw)
    name = "t0"
    for step in data.draw(st.lists(st.sampled_from([*chains.VIEWS, chains.reshape]), max_size=2)):
        name = step(data.draw, chain, name)
    name = chains.contiguous(data.draw, chain, name)
    chains.write(data.draw, chain, name)
    compare(learner, chain, ("shape", "tolist", "is_contiguous"))


@given(data=st.data())
@settings(max_examples=70)
def test_add(learner, data):
    chain = chains.chain(data.draw, dims=3, least=1)
    name = "t0"
    for step in data.draw(st.lists(st.sampled_from(chains.VIEWS), min_size=1, max_size=3)):
        name = step(data.draw, chain, name)
    name = chains.add(data.draw, chain, name)
    if data.draw(st.booleans()):
        chains.write(data.draw, chain, name)
    compare(learner, chain)


@st.composite
def bad(draw):
    """A shape, the text of a call that it does not allow, and the exception that is due."""
    shape = tuple(draw(st.lists(st.integers(2, 4), min_size=1, max_size=3)))
    rank, size = len(shape), math.prod(shape)
    n, over = shape[-1], draw(st.integers(0, 3))
    first = ":, " * (rank - 1)
    return shape, *draw(
        st.sampled_from(
            [
                (f"t[{first}{n + over}]", "IndexError"),
                (f"t[{first}{-n - 1 - over}]", "IndexError"),
                (f"t[{', '.join('0' * (rank + 1))}]", "IndexError"),
                (f"t.permute({chains.arguments([*range(1, rank), rank])})", "ValueError"),
                (f"t.permute({chains.arguments([0] * (rank + 1))})", "ValueError"),
                (f"t.permute({chains.arguments(range(rank - 1))})", "ValueError"),
                (f"t.reshape({size + 1 + over})", "ValueError"),
                (f"t.reshape({size + 1}, -1)", "ValueError"),
                (f"t.expand({chains.arguments([*shape[:-1], n + 1 + over])})", "ValueError"),
                (f"t.expand({chains.arguments([*shape[:-1], 1])})", "ValueError"),
                (f"t.expand({chains.arguments(shape[1:])})", "ValueError"),
                (f"t + Tensor([0] * {n + 1}, ({n + 1},))", "ValueError"),
            ]
        )
    )


@given(case=bad())
@settings(max_examples=40)
def test_refuses(learner, case):
    shape, call, error = case
    size = math.prod(shape)
    lines = [f"data = {list(range(size))}", f"t = Tensor(data, {shape})", call]
    with learner.raises(error):
        learner.harness("drive").run(lines, [], [])


@given(data=st.data())
@settings(max_examples=60)
def test_random_chains(learner, data):
    chain = chains.chain(data.draw)
    steps = [*chains.VIEWS, chains.reshape, chains.contiguous, chains.add, chains.write]
    for step in data.draw(st.lists(st.sampled_from(steps), max_size=8)):
        step(data.draw, chain, data.draw(st.sampled_from(chain.names[::-1])))
    compare(learner, chain, ("shape", "tolist", "is_contiguous"))
