"""What the learner's word comes to over a roadmap: what they have read, and what they know. Pure.

A word about a stage holds for its topics, one about a topic for its exercises and reading, and one about a resource for
its parts, until something later is said of those themselves. It is never proof: whoever shows it says whose word it is.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

from mlsys_path.language import N_
from mlsys_path.progress.records import CLAIM_KINDS, Claims

if TYPE_CHECKING:
    from mlsys_path.progress.records import Claim, ClaimKind
    from mlsys_path.roadmap.load import Roadmap

Said = Literal["", "read", "known"]
SHOWN: dict[Said, str] = {"": "", "read": N_("read, by your word"), "known": N_("known, by your word")}


class Word:
    """The learner's word on everything of a roadmap."""

    def __init__(
        self, roadmap: Roadmap, claims: Claims | None = None, waived: frozenset[str] = frozenset()
    ) -> None:
        self._roadmap = roadmap
        self.claims = claims or Claims()
        self.waived = waived  # exercises that need not be solved by a mentor's word, not the learner's

    def of(self, kind: str, id_: str) -> Said:
        """What is said of a thing, itself or with what it is a part of; "" for nothing, and for what cannot be said."""
        if kind not in CLAIM_KINDS:
            return ""
        claim = self.read(id_) if kind == "reading" else self._holds(kind, id_)
        if claim is None or (kind == "exercise" and claim.claim != "known"):
            return ""
        return "known" if claim.claim == "known" else "read"

    def read(self, name: str) -> Claim | None:
        """What said first that a reading is done: of itself, of all of its resource, or of a topic that wants it read."""
        reading = self._roadmap.readings.get(name)
        if reading is None:
            return None
        own = self.claims.words.get(("reading", name))
        wider = [
            self._holds("resource", reading.reading.resource),
            *(self._holds("topic", topic) for topic in reading.topics),
        ]
        if own is not None and own.claim == "none":
            # what was said of more later holds again
            found = [claim for claim in wider if claim is not None and claim.order > own.order]
        else:
            found = [claim for claim in (own, *wider) if claim is not None]
        return min(found, key=lambda claim: claim.order, default=None)

    @cached_property
    def known(self) -> frozenset[str]:
        """The exercises that need not be solved, as the learner or a mentor says."""
        return self.own | self.waived

    @cached_property
    def own(self) -> frozenset[str]:
        """The exercises that need not be solved, as the learner says."""
        if not self.claims.words:
            return frozenset()
        return frozenset(name for name in self._roadmap.exercises if self.of("exercise", name) == "known")

    def _holds(self, kind: ClaimKind, id_: str) -> Claim | None:
        """The claim that counts for a thing; None when there is none, or it was taken back."""
        own = self.claims.words.get((kind, id_))
        if own is not None and own.claim == "known":
            return own
        above = self._above(kind, id_)
        if above is not None and (own is None or own.order < above.order):
            return above
        return None if own is None or own.claim == "none" else own

    def _above(self, kind: ClaimKind, id_: str) -> Claim | None:
        if kind == "topic" and id_ in self._roadmap.topic_stage:
            return self._holds("stage", self._roadmap.topic_stage[id_])
        if kind == "exercise" and id_ in self._roadmap.exercise_topic:
            return self._holds("topic", self._roadmap.exercise_topic[id_])
        return None
