"""Folds programs that come and go as text."""

from fold import fold
from ir import parse


def fold_text(text, times):
    """The text of a program after it was folded `times` times."""
    function = parse(text)
    for _ in range(times):
        function = fold(function)
    return str(function)
