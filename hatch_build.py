"""The wheel carries the roadmap and the exercises; an editable install reads them from the checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ContentHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the content folders to a standard wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the wheel is built; `version` is "standard" or "editable"."""
        if version == "standard":
            for name in ("roadmap", "exercises"):
                build_data["force_include"][str(Path(self.root) / name)] = f"mlsys_path/_content/{name}"
