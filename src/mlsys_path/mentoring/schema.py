"""The JSON Schema of assignment files, for editors: generated from the record, committed, checked for drift.

`python -m mlsys_path.mentoring.schema` writes it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlsys_path.mentoring.assignment import Assignment
from mlsys_path.roadmap.documents import adapter

FILE = Path(__file__).resolve().parent / "schemas" / "assignment.schema.json"
_DRAFT = "http://json-schema.org/draft-07/schema#"


def schema() -> dict[str, Any]:
    """The schema: draft-07, which editors of YAML know."""
    text = json.dumps(adapter(Assignment).json_schema()).replace("#/$defs/", "#/definitions/")
    found: dict[str, Any] = json.loads(text)
    found["definitions"] = found.pop("$defs")
    found["properties"]["due"] |= {"pattern": r"^(\d{4}-\d{2}-\d{2})?$"}
    found["properties"]["due_of"]["additionalProperties"] |= {"pattern": r"^\d{4}-\d{2}-\d{2}$"}
    return {"$schema": _DRAFT, **found}


def render() -> str:
    """The committed text."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(render(), encoding="utf-8")
