"""What was asked for; kept with a build, so that `--resume` needs nothing said twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

LlvmKind = Literal["prebuilt", "system", "source"]
LLVM_KINDS: tuple[LlvmKind, ...] = get_args(LlvmKind)
TARGETS = ("nvidia", "amd")


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of a build; `jobs` of 0 lets memory and cores decide."""

    ref: str = ""
    source: str = ""
    llvm: LlvmKind = "prebuilt"
    targets: tuple[str, ...] = TARGETS
    jobs: int = 0

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {**asdict(self), "targets": list(self.targets)}


def from_json(kept: Mapping[str, Any]) -> Settings:
    """What `to_json` wrote; what a newer program added is left out."""
    known = {field.name: kept[field.name] for field in fields(Settings) if field.name in kept}
    return Settings(**{**known, "targets": tuple(known.get("targets", TARGETS))})
