"""YAML into validated records; every problem knows its file, line, column and key."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from mlsys_path.language import _, listed

if TYPE_CHECKING:
    from yaml.nodes import Node

T = TypeVar("T")
Loc = tuple[str | int, ...]
MAX_BYTES = 1 << 20
MAX_NODES = 50_000
MAX_DEPTH = 40
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, order=True)
class Problem:
    """Something wrong in a file: its place (line and column from 1; 0 for the file as a whole) and what to do."""

    file: Path
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else str(self.file)
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class Places:
    """Where each key of a document stands."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._marks: dict[Loc, tuple[int, int]] = {(): (1, 1)}

    def note(self, loc: Loc, node: Node) -> None:
        """Remember the place of a key or item."""
        self._marks[loc] = (node.start_mark.line + 1, node.start_mark.column + 1)

    def problem(self, loc: Loc, message: str) -> Problem:
        """A problem at a key, or at the nearest key around it that is there."""
        known = loc
        while known not in self._marks:
            known = known[:-1]
        line, column = self._marks[known]
        return Problem(self.file, line, column, ".".join(map(str, loc)), message)


@dataclass(frozen=True)
class Document:
    """A YAML file as plain data, with the places of its keys."""

    data: Any
    places: Places


class _Refused(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read(file: Path) -> Document | Problem:
    """A YAML file's document, or why there is none."""
    try:
        data = file.read_bytes()
    except OSError as error:
        return Problem(file, 0, 0, "", _("cannot be read: {why}").format(why=error.strerror))
    if len(data) > MAX_BYTES:
        return Problem(file, 0, 0, "", _("is larger than {kb} KB").format(kb=MAX_BYTES >> 10))
    return parse(data, file)


def parse(data: bytes, file: Path) -> Document | Problem:
    """The document of YAML text; `file` is where problems say that they are."""
    places = Places(file)
    try:
        node = yaml.compose(data.decode("utf-8"), Loader=_Loader)
    except UnicodeDecodeError as error:
        return Problem(file, 0, 0, "", _("is not UTF-8 (byte {n})").format(n=error.start))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        return Problem(
            file, line, column, "", _("is not YAML: {why}").format(why=error.problem or error.context)
        )
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return Problem(file, 0, 0, "", _("is not YAML: {why}").format(why=str(error).splitlines()[0][:200]))
    if node is None:
        return Problem(file, 0, 0, "", _("is empty"))
    try:
        return Document(_Plain(places).build(node, (), 0), places)
    except _Refused as refused:
        return refused.problem


class _Plain:
    """Builds plain data from nodes; refuses duplicate keys, and documents that grow by aliases."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._count = 0
        self._constructor = yaml.constructor.SafeConstructor()

    def build(self, node: Node, loc: Loc, depth: int) -> Any:
        """The value of a node."""
        self._count += 1
        if loc not in self._places._marks or not loc:
            self._places.note(loc, node)
        if self._count > MAX_NODES or depth > MAX_DEPTH:
            raise _Refused(
                self._places.problem(loc, _("the document is too large or too deep (aliases count in full)"))
            )
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, loc, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*loc, i), depth + 1) for i, child in enumerate(node.value)]
        try:
            value = self._constructor.construct_object(node)
        except (yaml.YAMLError, ValueError, OverflowError):
            raise _Refused(
                self._places.problem(
                    loc, _("the value {text!r} is not plain data").format(text=str(node.value)[:60])
                )
            ) from None
        return value if isinstance(value, (str, int, float, bool, type(None))) else str(node.value)

    def _mapping(self, node: Any, loc: Loc, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _Refused(self._places.problem(loc, _("a key is not a plain word")))
            key = str(key_node.value)
            self._places.note((*loc, key), key_node)
            if key in result:
                raise _Refused(self._places.problem((*loc, key), _("the key stands twice")))
            result[key] = self.build(value_node, (*loc, key), depth + 1)
        return result


@functools.cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """pydantic's validator of a record."""
    return TypeAdapter(kind)


def validate(
    kind: type[T], document: Document, data: Any = None, base: Loc = ()
) -> tuple[T | None, list[Problem]]:
    """The record that a document (or its part `data` at `base`) holds, or all problems with it."""
    data = document.data if data is None else data
    try:
        validator: Any = adapter
        return validator(kind).validate_python(data, strict=False), []
    except ValidationError as error:
        return None, [_problem(kind, document, base, one) for one in error.errors(include_url=False)]


def _problem(kind: type, document: Document, base: Loc, error: Mapping[str, Any]) -> Problem:
    loc = (*base, *error["loc"])
    context = error.get("ctx", {})
    match error["type"]:
        case "unexpected_keyword_argument":
            return document.places.problem(
                loc, _unknown_key(str(loc[-1]), _valid_keys(kind, error["loc"][:-1]))
            )
        case "missing" | "missing_argument":
            return document.places.problem(loc, _("this key is missing"))
        case "literal_error" | "enum":
            got = str(error["input"])
            allowed = [word.strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")]
            return document.places.problem(loc, _unknown_value(got, allowed))
        case "dataclass_type":
            return document.places.problem(loc, _("should be a mapping of keys to values"))
    message = str(error["msg"])
    shown = repr(error["input"])
    return document.places.problem(loc, f"{message} ({shown[:60]})")


def _unknown_key(key: str, valid: Iterable[str]) -> str:
    close = nearest(key, valid)
    return (
        _("unknown key; did you mean {close!r}?").format(close=close)
        if close
        else _("unknown key; valid are: {all}").format(all=listed(valid))
    )


def _unknown_value(value: str, allowed: list[str]) -> str:
    close = nearest(value, allowed)
    if close:
        return _("unknown value {value!r}; did you mean {close!r}?").format(value=value[:60], close=close)
    return _("unknown value {value!r}; valid are: {all}").format(value=value[:60], all=listed(allowed))


def nearest(word: str, candidates: Iterable[str]) -> str:
    """The candidate that a mistyped word most likely means; "" when none is near."""
    found = difflib.get_close_matches(word, list(candidates), n=1, cutoff=0.6)
    return found[0] if found else ""


def _valid_keys(kind: Any, loc: Loc) -> list[str]:
    """The keys of the record that stands at `loc` inside a record of class `kind`."""
    for step in loc:
        if is_dataclass(kind) and isinstance(step, str):
            kind = get_type_hints(kind).get(step)
        elif get_origin(kind) in (tuple, dict):
            kind = get_args(kind)[1] if get_origin(kind) is dict else get_args(kind)[0]
        for inner in get_args(kind):
            if is_dataclass(inner) and get_origin(kind) not in (tuple, dict):
                kind = inner
    return [f.name for f in fields(kind)] if is_dataclass(kind) else []
