"""What a calculator asks for, and what was typed made into values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mlsys_path.calculators import checks, quantities
from mlsys_path.calculators.models import MODELS
from mlsys_path.errors import UserError
from mlsys_path.language import _

Kind = Literal["quantity", "count", "ratio", "choice", "flag"]
Value = float | str | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One option of a calculator."""

    name: str  # as it is typed, without the dashes
    help: str  # English; translated where it is shown
    kind: Kind = "count"
    unit: str = quantities.NUMBER
    default: Value | None = None
    required: bool = False
    choices: tuple[str, ...] = ()
    least: int = 1  # of a count; a quantity must be above 0 unless this is 0
    shape: str = ""  # the field of a model's shape that is used when the option is left out

    @property
    def option(self) -> str:
        """As it is typed."""
        return f"--{self.name}"

    def read(self, text: str) -> Value:
        """The value that a text writes; raises UserError, which names the option, if it writes none."""
        if self.kind == "flag":
            return self._flag(text)
        if self.kind == "choice":
            return checks.one_of(self.option, text, self.choices)
        if self.kind == "ratio":
            percent = text.strip().endswith("%")
            value = quantities.parse(self.option, text.strip().removesuffix("%"))
            return checks.ratio(self.option, value / 100 if percent else value)
        value = quantities.parse(self.option, text, self.unit)
        if self.kind == "count":
            if not quantities.is_whole(value):
                raise UserError(
                    _("{name} is {value}: it must be a whole number").format(name=self.option, value=text)
                )
            return checks.count(self.option, round(value), self.least)
        return (checks.positive if self.least else checks.at_least_zero)(self.option, value)

    def _flag(self, text: str) -> bool:
        if text not in ("yes", "no"):
            raise UserError(
                _("{option} takes no value: write {option} or --no-{name}").format(
                    option=self.option, name=self.name
                )
            )
        return text == "yes"


@dataclass(frozen=True, slots=True)
class Values:
    """What a calculator was given, by the names of its inputs; what was left out is not there."""

    found: Mapping[str, Value]

    def has(self, name: str) -> bool:
        """Whether there is a value."""
        return name in self.found

    def number(self, name: str) -> float:
        """A quantity, a count or a ratio; raises UserError if it was left out."""
        value = self._need(name)
        assert not isinstance(value, str)
        return value

    def count(self, name: str) -> int:
        """A count; raises UserError if it was left out."""
        return int(self.number(name))

    def word(self, name: str) -> str:
        """A choice; raises UserError if it was left out."""
        return str(self._need(name))

    def flag(self, name: str) -> bool:
        """A flag; one that was left out is off."""
        return bool(self.found.get(name, False))

    def _need(self, name: str) -> Value:
        if name not in self.found:
            raise UserError(_("--{name} is missing: these options need it").format(name=name))
        return self.found[name]


def read_all(inputs: tuple[Input, ...], texts: Mapping[str, str]) -> Values:
    """Values of all inputs: what was typed, else what the model says, else the default.

    Raises:
        UserError: a text that is no value, or a required input without one.
    """
    by_name = {each.name: each for each in inputs}
    typed = {name: by_name[name].read(text) for name, text in texts.items()}
    model = typed.get("model")
    shape = MODELS[model].shape if isinstance(model, str) else None
    found: dict[str, Value] = {}
    for each in inputs:
        if each.name in typed:
            found[each.name] = typed[each.name]
        elif each.shape and shape is not None and getattr(shape, each.shape) is not None:
            found[each.name] = getattr(shape, each.shape)
        elif each.default is not None:
            found[each.name] = each.default
        elif each.required:
            raise UserError(_missing(each, by_name))
    return Values(found)


def _missing(needed: Input, by_name: Mapping[str, Input]) -> str:
    if needed.shape and "model" in by_name:
        return _("{option} is missing: give it, or a --model").format(option=needed.option)
    if needed.kind == "choice":
        return _("{option} is missing: {hint}").format(
            option=needed.option, hint=_("it is one of {names}").format(names=", ".join(needed.choices))
        )
    return _("{option} is missing: write it like {examples}").format(
        option=needed.option, examples=quantities.EXAMPLES[needed.unit]
    )
