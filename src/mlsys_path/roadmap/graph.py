"""The prerequisite graph: pure functions over ids."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence


def cycles(requires: Mapping[str, Collection[str]]) -> list[list[str]]:
    """One closed walk for each group of ids that require one another: ["a", "b", "a"]."""
    found: list[list[str]] = []
    state: dict[str, int] = {}  # 1: on the path, 2: done
    for root in requires:
        if state.get(root):
            continue
        path: list[str] = []
        stack: list[tuple[str, Iterable[str]]] = [(root, iter(requires[root]))]
        state[root] = 1
        path.append(root)
        while stack:
            node, children = stack[-1]
            for child in children:
                if state.get(child) == 1:
                    found.append([*path[path.index(child) :], child])
                elif child in requires and not state.get(child):
                    state[child] = 1
                    path.append(child)
                    stack.append((child, iter(requires[child])))
                    break
            else:
                state[node] = 2
                path.pop()
                stack.pop()
    return found


def prerequisites(requires: Mapping[str, Collection[str]], goal: str) -> set[str]:
    """Everything that `goal` requires, directly or not."""
    found: set[str] = set()
    frontier = list(requires.get(goal, ()))
    while frontier:
        node = frontier.pop()
        if node not in found:
            found.add(node)
            frontier += requires.get(node, ())
    return found


def unlocked(requires: Mapping[str, Collection[str]], passed: Collection[str]) -> list[str]:
    """What is not passed and has all its prerequisites passed, in the mapping's order."""
    return [
        node for node, needs in requires.items() if node not in passed and all(n in passed for n in needs)
    ]


def path_to(requires: Mapping[str, Sequence[str]], goal: str, passed: Collection[str]) -> list[str]:
    """What is still to be done for `goal`, in an order that respects prerequisites, the goal last.

    What is passed needs nothing more, whatever it requires.
    """
    order: list[str] = []
    done = set(passed)
    stack: list[tuple[str, bool]] = [(goal, False)]
    while stack:
        node, ready = stack.pop()
        if node in done:
            continue
        if ready:
            done.add(node)
            order.append(node)
        else:
            stack.append((node, True))
            stack += [(n, False) for n in reversed(list(requires.get(node, ()))) if n not in done]
    return order


def topological(requires: Mapping[str, Sequence[str]]) -> list[str]:
    """All ids, prerequisites first, otherwise in the mapping's order; the graph has no cycle."""
    order: list[str] = []
    done: set[str] = set()
    for node in requires:
        for step in path_to(requires, node, done):
            done.add(step)
            order.append(step)
    return order
