"""JSON Schemas of all YAML kinds, for editors: generated from the records, committed, checked for drift.

`python -m mlsys_path.roadmap.schema` writes them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlsys_path.roadmap.documents import adapter
from mlsys_path.roadmap.model import Exercise, Resource, Stage, Track

DIRECTORY = Path(__file__).resolve().parent / "schemas"
_DRAFT = "http://json-schema.org/draft-07/schema#"


def schemas() -> dict[str, dict[str, Any]]:
    """The schemas by file name."""
    made = {
        f"{name}.schema.json": _draft_07(adapter(kind).json_schema())
        for name, kind in (("stage", Stage), ("track", Track), ("exercise", Exercise))
    }
    resource = _draft_07(adapter(Resource).json_schema())
    definitions = resource.pop("definitions", {})
    made["resources.schema.json"] = {
        "$schema": _DRAFT,
        "type": "object",
        "additionalProperties": False,
        "required": ["resources"],
        "properties": {"resources": {"type": "array", "items": {"$ref": "#/definitions/Resource"}}},
        "definitions": {**definitions, "Resource": {k: v for k, v in resource.items() if k != "$schema"}},
    }
    return made


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
