"""What every calculator asks of a number; a number that no machine can have is one line for the user."""

from __future__ import annotations

import math

from mlsys_path.errors import UserError
from mlsys_path.language import _

# between these, products and quotients of a dozen numbers stay numbers
LARGEST = 1e30
SMALLEST = 1e-30
MOST = 10**15


def positive(name: str, value: float) -> float:
    """The value, if it is a number from 1e-30 to 1e30; raises UserError otherwise."""
    _below(name, value, LARGEST)
    if not value > 0:
        raise UserError(_("{name} is {value}: it must be more than 0").format(name=name, value=value))
    if value < SMALLEST:
        raise UserError(_("{name} is too small: at least {least:g}").format(name=name, least=SMALLEST))
    return value


def at_least_zero(name: str, value: float) -> float:
    """The value, if it is 0 or a number from 1e-30 to 1e30; raises UserError otherwise."""
    _below(name, value, LARGEST)
    if not value >= 0:
        raise UserError(_("{name} is {value}: it must not be negative").format(name=name, value=value))
    return positive(name, value) if value else value


def count(name: str, value: int, least: int = 1) -> int:
    """The value, if it is a whole number from `least` to 10**15; raises UserError otherwise."""
    _below(name, value, MOST)
    if value != int(value):
        raise UserError(_("{name} is {value}: it must be a whole number").format(name=name, value=value))
    if value < least:
        raise UserError(
            _("{name} is {value}: it must be at least {least}").format(name=name, value=value, least=least)
        )
    return int(value)


def ratio(name: str, value: float) -> float:
    """The value, if it is above 0 and at most 1; raises UserError otherwise."""
    positive(name, value)
    if value > 1:
        raise UserError(_("{name} is {value}: it lies between 0 and 1").format(name=name, value=value))
    return value


def divides(part_name: str, part: int, whole_name: str, whole: int) -> None:
    """Raises UserError unless the first number divides the second."""
    if whole % part:
        raise UserError(
            _("{part_name} ({part}) must divide {whole_name} ({whole})").format(
                part_name=part_name, part=part, whole_name=whole_name, whole=whole
            )
        )


def one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    """The value, if it is one of the choices; raises UserError, with the nearest, otherwise."""
    if value in choices:
        return value
    raise UserError(
        _("{name} is {value!r}: {hint}").format(name=name, value=value, hint=nearest(value, choices))
    )


def nearest(word: str, known: tuple[str, ...]) -> str:
    """What to say about a word that is not known: the one that was meant, or all that there are."""
    # imported where something is already wrong: a right input should not wait for it
    from difflib import get_close_matches

    close = get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    if close:
        return _("did you mean {close!r}?").format(close=close[0])
    return _("it is one of {names}").format(names=", ".join(known))


def _below(name: str, value: float, most: float) -> None:
    # an int may be too long for a float, so that it is compared before `math` sees it
    if value > most or value < -most:
        raise UserError(_("{name} is too large: at most {most:g}").format(name=name, most=most))
    if not math.isfinite(value):
        raise UserError(_("{name} is not a number").format(name=name))
