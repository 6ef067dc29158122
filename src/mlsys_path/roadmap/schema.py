"""JSON Schemas of all YAML kinds, for editors: generated from the records, committed, checked for drift.

`python -m mlsys_path.roadmap.schema` writes them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlsys_path.roadmap.documents import adapter
from mlsys_path.roadmap.model import (
    Addition,
    Exercise,
    Pack,
    Planned,
    Renames,
    Resource,
    Stage,
    Track,
)

DIRECTORY = Path(__file__).resolve().parent / "schemas"
_DRAFT = "http://json-schema.org/draft-07/schema#"


def schemas() -> dict[str, dict[str, Any]]:
    """The schemas by file name."""
    single = (
        ("stage", Stage),
        ("addition", Addition),
        ("track", Track),
        ("exercise", Exercise),
        ("pack", Pack),
        ("renames", Renames),
    )
    lists = (("resources", Resource), ("planned", Planned))
    return {
        **{f"{name}.schema.json": _draft_07(adapter(kind).json_schema()) for name, kind in single},
        **{f"{key}.schema.json": _list_of(key, kind) for key, kind in lists},
    }


def _list_of(key: str, kind: type) -> dict[str, Any]:
    record = _draft_07(adapter(kind).json_schema())
    definitions = record.pop("definitions", {})
    name = kind.__name__
    return {
        "$schema": _DRAFT,
        "type": "object",
        "additionalProperties": False,
        "required": [key],
        "properties": {key: {"type": "array", "items": {"$ref": f"#/definitions/{name}"}}},
        "definitions": {**definitions, name: {k: v for k, v in record.items() if k != "$schema"}},
    }


def _draft_07(schema: dict[str, Any]) -> dict[str, Any]:
    """pydantic writes 2020-12; editors of YAML know draft-07, where definitions have another name."""
    text = json.dumps(schema).replace("#/$defs/", "#/definitions/")
    converted: dict[str, Any] = json.loads(text)
    if "$defs" in converted:
        converted["definitions"] = converted.pop("$defs")
    return {"$schema": _DRAFT, **converted}


def render(schema: dict[str, Any]) -> str:
    """The committed text of a schema."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all schemas."""
    DIRECTORY.mkdir(exist_ok=True)
    for name, schema in schemas().items():
        (DIRECTORY / name).write_text(render(schema), encoding="utf-8")


if __name__ == "__main__":
    main()
