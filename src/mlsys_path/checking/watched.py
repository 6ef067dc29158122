"""The words for what the worker's watch has seen: it sends data, and the sentence is made here, in the learner's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlsys_path.checking.show import clean
from mlsys_path.language import _


def words(details: object) -> str:
    """The sentence for a watched error's details; "" for what is none of them or malformed."""
    if not isinstance(details, Mapping):
        return ""
    make = _KINDS.get(str(details.get("kind")))
    if make is None:
        return ""
    try:
        return make(details)
    except (KeyError, TypeError, ValueError, IndexError):
        return ""


def _name(value: object) -> str:
    return f"`{clean(str(value), 80)}`"


def _stray(details: Mapping[str, Any]) -> str:
    names = {"load": _("load from"), "store": _("store to"), "atomic": _("atomic operation on")}
    program = ", ".join(str(int(i)) for i in details["program"][:3])
    astray, active = (int(n) for n in details["lanes"])
    text = _("program ({program}) of {kernel}: {access} {what}").format(
        program=program,
        kernel=_name(details["kernel"]),
        access=names[details["access"]],
        what=_place(details),
    )
    if active > 1:
        text += _(" ({astray} of its {active} active lanes are astray)").format(astray=astray, active=active)
    return text


def _place(details: Mapping[str, Any]) -> str:
    """The element that an access went to, and what there is."""
    argument, element = _name(details["argument"]), int(details["element"])
    elements, span = int(details["elements"]), int(details["span"])
    if not details["argument"]:
        return _("an address that belongs to no tensor of the launch")
    if elements == 0:
        return _("element {element} of {argument}, which is empty").format(element=element, argument=argument)
    if span == elements:
        return _("element {element} of {argument}, which has {n} elements").format(
            element=element, argument=argument, n=elements
        )
    return _(
        "the place {element} elements after the first of {argument}, whose last lies {last} after it"
    ).format(element=element, argument=argument, last=span - 1)


def _band(details: Mapping[str, Any]) -> str:
    n, element = int(details["elements"]), int(details["element"])
    if details["argument"]:
        what = _name(details["argument"])
    elif details["own"]:
        what = _("a tensor that your code made")
    else:
        what = _("a tensor that the check sent")
    side = _("before its first element") if details["side"] == "before" else _("behind its last element")
    return _(
        "memory outside of {what} was written to, {side}: element {element} of {n}, {bytes} bytes in all"
    ).format(what=what, side=side, element=element, n=n, bytes=int(details["bytes"]))


def _removed(_details: Mapping[str, Any]) -> str:
    return _("your code has replaced the part of the interpreter that checks memory accesses")


def _no_gpu(details: Mapping[str, Any]) -> str:
    return _(
        "there is no GPU at this level, and `{what}` needs one: ask for it where a kernel is launched on a GPU, "
        "not when the file is loaded, and take the device from the tensors that you are given"
    ).format(what=clean(str(details["what"]), 80))


_KINDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "stray access": _stray,
    "band damaged": _band,
    "guard removed": _removed,
    "no gpu": _no_gpu,
}
