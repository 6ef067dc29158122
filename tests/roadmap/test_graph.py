"""The prerequisite graph."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from mlsys_path.roadmap import graph

DIAMOND = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ()}


def test_prerequisites_are_transitive():
    assert graph.prerequisites(DIAMOND, "d") == {"a", "b", "c"}
    assert graph.prerequisites(DIAMOND, "a") == set()


def test_unlocked_needs_all_prerequisites_and_leaves_out_what_is_passed():
    assert graph.unlocked(DIAMOND, set()) == ["a", "e"]
    assert graph.unlocked(DIAMOND, {"a", "b"}) == ["c", "e"]


def test_the_path_to_a_goal_is_what_is_left_in_order():
    assert graph.path_to(DIAMOND, "d", set()) == ["a", "b", "c", "d"]
    assert graph.path_to(DIAMOND, "d", {"b"}) == ["a", "c", "d"]
    assert graph.path_to(DIAMOND, "d", {"d"}) == []


def test_cycles_are_closed_walks():
    assert graph.cycles(DIAMOND) == []
    (walk,) = graph.cycles({"a": ("b",), "b": ("c",), "c": ("b",)})
    assert walk == ["b", "c", "b"]
    assert graph.cycles({"a": ("a",)}) == [["a", "a"]]


def test_a_deep_chain_needs_no_deep_stack():
    chain = {str(i): (str(i - 1),) if i else () for i in range(20_000)}
    assert graph.cycles(chain) == []
    assert len(graph.path_to(chain, "19999", set())) == 20_000


graphs = st.integers(1, 12).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, n - 1), max_size=4, unique=True), min_size=n, max_size=n)
)


@given(graphs)
def test_an_acyclic_graph_has_an_order_and_a_cyclic_one_a_walk(edges):
    requires = {str(i): tuple(map(str, needs)) for i, needs in enumerate(edges)}
    walks = graph.cycles(requires)
    for walk in walks:
        assert walk[0] == walk[-1]
        assert all(b in requires[a] for a, b in itertools.pairwise(walk))
    if not walks:
        order = graph.topological(requires)
        assert sorted(order) == sorted(requires)
        assert all(order.index(n) < order.index(node) for node in requires for n in requires[node])
