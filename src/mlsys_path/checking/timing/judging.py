"""Whether a set of timed calls can be believed: pure, over what was seen of them and of quiet calls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mlsys_path.language import _

# a kernel may be a little faster than what the ceilings were measured with, and no more
MEMORY_SLACK, COMPUTE_SLACK = 1.05, 1.12
# a cheat has to touch half of the calls to move their median; noise that large touches fewer
ENOUGH = 0.4


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of one call, in seconds."""

    seconds: float  # by the device's events
    wall: float  # by the checker, from its request until the first values of the result were here
    flush: float = 0.0
    tail: float = 0.0
    notes: tuple[str, ...] = ()
    patched: tuple[str, ...] = ()

    @property
    def gap(self) -> float:
        """What the checker saw beyond the time of the call itself."""
        return self.wall - self.seconds


@dataclass(frozen=True, slots=True)
class Slack:
    """How much calls may exceed quiet ones before they are not believed, in seconds and as a share of the call."""

    tail: float
    gap: float
    flush: float
    share: float
    company: float  # of a baseline beside the learner's process, as a share of it alone
    floor: float  # a factor: a CPU's caches hold inputs that the floor says are in memory


SLACK = {
    "cuda": Slack(tail=20e-6, gap=40e-6, flush=30e-6, share=0.05, floor=1.0, company=0.3),
    "cpu": Slack(tail=1e-3, gap=0.05, flush=0.2, share=0.5, floor=4.0, company=9.0),
}


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which a share of the values lies, interpolated."""
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def floor_seconds(moved: float, flops: float, bandwidth: float, peak: float) -> float:
    """The least time that the device needs for some bytes and operations; an unknown rate sets no floor."""
    memory = moved / (bandwidth * MEMORY_SLACK) if bandwidth else 0.0
    compute = flops / (peak * COMPUTE_SLACK) if peak else 0.0
    return max(memory, compute)


def refusal(calls: Sequence[Seen], quiet: Sequence[Seen], floor: float, slack: Slack) -> str:
    """Why the calls' times cannot be believed, whatever else ran, in one sentence; "" when nothing speaks against it."""
    if why := named(calls):
        return why
    median = quantile([c.seconds for c in calls], 0.5)
    if median * slack.floor < floor:
        return _(
            "{time:.4g} µs a call is faster than the hardware, which needs at least {floor:.4g} µs to move the bytes "
            "and do the operations: what was timed is not the work"
        ).format(time=median * 1e6, floor=floor * 1e6)
    tail = quantile([c.tail for c in calls], ENOUGH)
    if tail > max(c.tail for c in quiet) + slack.tail:
        return _(
            "the GPU was still at work {time:.4g} µs after the call's own stream was done: a side stream was not joined"
        ).format(time=tail * 1e6)
    return ""


def disturbance(calls: Sequence[Seen], quiet: Sequence[Seen], slack: Slack) -> str:
    """What took longer around the calls than around quiet ones, in one sentence; "" for nothing.

    Work of the learner's outside of the call looks like this, and so does a machine that was busy for a moment.
    """
    median = quantile([c.seconds for c in calls], 0.5)
    flush = quantile([c.flush for c in calls], ENOUGH)
    if flush > quantile([c.flush for c in quiet], 0.75) * 1.1 + slack.flush:
        return _(
            "something else ran on the device before the call: clearing its cache took {time:.4g} µs instead of {usual:.4g} µs"
        ).format(time=flush * 1e6, usual=quantile([c.flush for c in quiet], 0.5) * 1e6)
    gap = quantile([c.gap for c in calls], ENOUGH)
    usual = quantile([c.gap for c in quiet], 0.75)
    if gap > usual + slack.gap + slack.share * median:
        return _(
            "the clock of the call says {time:.4g} µs, the checker's own {more:.4g} µs more than a call that does nothing: "
            "work is done outside of what is timed, or the clock is not the device's"
        ).format(time=median * 1e6, more=(gap - quantile([c.gap for c in quiet], 0.5)) * 1e6)
    return ""


def explain(calls: Sequence[Seen], quiet: Sequence[Seen], floor: float) -> str:
    """The numbers behind a decision, in µs, for those who debug it."""

    def row(what: str, seen: Sequence[Seen]) -> str:
        parts = []
        for field in ("seconds", "gap", "flush", "tail"):
            values = [getattr(one, field) * 1e6 for one in seen]
            shown = "/".join(f"{quantile(values, share):.1f}" for share in (0.0, 0.25, 0.5, 0.75, 1.0))
            parts.append(f"{field} {shown}")
        return f"{what}: {'  '.join(parts)}"

    return f"{row('calls', calls)}\n{row('quiet', quiet)}\nfloor: {floor * 1e6:.1f}"


def company(beside: Sequence[float], alone: Sequence[float], slack: Slack) -> str:
    """Why a baseline's times cannot be believed: it took longer beside the learner's process than without it."""
    slow, usual = quantile(beside, 0.5), quantile(alone, 0.5)
    if slow <= usual * (1 + slack.company) + slack.gap:
        return ""
    return _(
        "the baseline took {beside:.4g} µs beside your code and {alone:.4g} µs without it: something else ran"
    ).format(beside=slow * 1e6, alone=usual * 1e6)


def named(calls: Sequence[Seen]) -> str:
    """What was seen by name: replaced functions, threads, modes."""
    if patched := sorted({name for call in calls for name in call.patched}):
        return _("your code replaced {names}: leave clocks and torch as they are").format(
            names=", ".join(patched)
        )
    notes = {note for call in calls for note in call.notes}
    if "thread" in notes:
        return _("a thread of your code was running beside the timed call: do the work in the call itself")
    if "mode" in notes:
        return _("your code left a torch mode switched on, which intercepts what the timing does")
    return ""
