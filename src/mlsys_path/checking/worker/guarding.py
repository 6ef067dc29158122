"""Looks at every access of an interpreted Triton kernel: it must lie within the tensor that its pointer came from.

A pointer that a launch makes of a tensor carries a tag in its upper bits. Arithmetic keeps the tag, so that an access
is known to belong to that tensor wherever it leads, and `x_ptr + 5000` is no access to whatever happens to lie there.
The tag is taken off before memory is touched, and a stray access touches none.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

SHIFT = 50  # above every address of a process, with room for offsets that go astray
LOW = (1 << SHIFT) - 1
MAX_NAMED = 4096


class StrayAccess(BaseException):
    """A kernel's load, store or atomic that leaves its tensor; no `except Exception` of the learner's hides it."""

    def __init__(self, details: dict[str, Any]) -> None:
        super().__init__("a kernel has left the memory of a tensor")
        self.details = details


class GuardRemoved(Exception):
    """The learner's code has taken away what looks at its accesses."""

    def __init__(self) -> None:
        super().__init__("the guard of the interpreter was removed")
        self.details = {"kind": "guard removed"}


class Extent:
    """The memory of one tensor, from its lowest element to the end of its highest, as tagged addresses."""

    __slots__ = ("end", "itemsize", "numel", "span", "start")

    def __init__(self, tensor: Any, address: int, tag: int) -> None:
        self.itemsize = int(tensor.element_size())
        self.numel = int(tensor.numel())
        # strides of 0, as expand makes them, have many elements in one place
        self.span = (
            1 + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride(), strict=True))
            if self.numel
            else 0
        )
        self.start = address + (tag << SHIFT)
        self.end = self.start + self.span * self.itemsize


class Launch:
    """One launch of a kernel: the tensors that it was given, in the order in which their pointers are made."""

    def __init__(self, executor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.executor = executor
        self.args = args
        self.kwargs = kwargs
        self.extents: list[Extent | None] = [None]  # tags begin with 1

    def tag(self, tensor: Any) -> int:
        """The tag of one more tensor."""
        number = len(self.extents)
        base = getattr(tensor, "base", tensor)  # triton.reinterpret wraps a tensor
        try:
            self.extents.append(Extent(base, base.data_ptr(), number))
        except (AttributeError, TypeError):
            # has a data_ptr and is no tensor: nothing is known of its extent
            return 0
        return number

    def name(self, tag: int) -> str:
        """The parameter that a tag belongs to, as the kernel calls it."""
        import inspect

        names: list[str] = []

        def collect(name: str, value: Any) -> None:
            if hasattr(value, "data_ptr"):
                names.append(name)
            elif isinstance(value, tuple):
                for i, item in enumerate(value):
                    collect(f"{name}[{i}]", item)
            elif hasattr(value, "block_shape") and hasattr(value, "base"):
                collect(name, value.base)

        try:
            executor = self.executor
            known = {k: v for k, v in self.kwargs.items() if k in executor.arg_names}
            bound = inspect.getcallargs(executor.fn, *self.args, **known)
            for name, value in bound.items():
                if name not in executor.constexprs:
                    collect(name, value)
            return names[tag - 1]
        except (AttributeError, TypeError, IndexError):
            return f"tensor {tag}"


def _program(builder: Any) -> list[int]:
    """The number of the program that runs, in as many dimensions as its grid uses."""
    used = max((i for i, n in enumerate(builder.grid_dim, 1) if n > 1), default=1)
    return [int(i) for i in builder.grid_idx[:used]]


class Guard:
    """What is in force in this process, and what has gone astray since it was last asked."""

    def __init__(self) -> None:
        self.launch: Launch | None = None
        self.stray: StrayAccess | None = None
        self.seams: list[tuple[Any, str, Any]] = []  # what must still be in its place
        # tensors whose address was asked for: a kernel may be given it as a number
        self.named: dict[int, tuple[Extent, weakref.ref[Any]]] = {}

    def settle(self) -> None:
        """Raise what the learner's code has caught and kept quiet, or that it took the guard away."""
        stray, self.stray = self.stray, None
        if stray is not None:
            raise stray
        for holder, name, ours in self.seams:
            if vars(holder).get(name) is not ours:
                raise GuardRemoved

    def look_closely(self, access: str, pointers: Any, size: int, builder: Any) -> None:
        """Raise StrayAccess for the first of the pointers that leaves its tensor, if any does."""
        import numpy as np

        launch = self.launch
        assert launch is not None
        astray = np.zeros(pointers.shape, bool)
        tags = pointers >> SHIFT
        for tag in np.unique(tags).tolist():
            mine = tags == tag
            extent = launch.extents[tag] if tag < len(launch.extents) else None
            # a number that was made a pointer may lead into any tensor that is known
            homes = [extent] if extent else self.untagged()
            inside = np.zeros(pointers.shape, bool)
            for home in homes:
                inside |= (pointers >= home.start) & (pointers + size <= home.end)
            astray |= mine & ~inside
        if not astray.any():
            return
        first = int(np.argmax(astray))
        tag = int(tags[first])
        extent = launch.extents[tag] if tag < len(launch.extents) else None
        details = {
            "kind": "stray access",
            "kernel": launch.executor.fn.__name__,
            "program": _program(builder),
            "access": access,
            "argument": launch.name(tag) if extent else "",
            "element": (int(pointers[first]) - extent.start) // extent.itemsize if extent else 0,
            "elements": extent.numel if extent else 0,
            "span": extent.span if extent else 0,
            "lanes": [int(astray.sum()), int(pointers.size)],
        }
        self.stray = StrayAccess(details)
        raise self.stray

    def untagged(self) -> list[Extent]:
        """The tensors that an address without a tag may belong to."""
        given = [e for e in self.launch.extents if e] if self.launch else []
        found = [extent for extent, tensor in self.named.values() if tensor() is not None]
        for tag, extent in enumerate(given, 1):
            home = Extent.__new__(Extent)
            home.start, home.end = extent.start - (tag << SHIFT), extent.end - (tag << SHIFT)
            found.append(home)
        return found

    def place(self, holder: Any, name: str, value: Any) -> None:
        """Put something of ours in its place, where it must stay."""
        setattr(holder, name, value)
        self.seams.append((holder, name, value))


def install(launched: Callable[[Any], None]) -> Guard:
    """Guard the interpreter of this process, and tell `launched` of each kernel's function.

    Raises AttributeError or TypeError where the interpreter's parts are not as known.
    """
    from triton.runtime import interpreter

    guard = Guard()
    native = _native_half(guard, interpreter._interpreter, interpreter.interpreter_builder)
    _name_addresses(guard)
    _tag_arguments(guard, interpreter, launched)
    guard.place(interpreter, "_interpreter", native)
    guard.seams += [(Guard, name, vars(Guard)[name]) for name in ("look_closely", "untagged")]
    return guard


def _tag_arguments(guard: Guard, interpreter: Any, launched: Callable[[Any], None]) -> None:
    """Launches are noted, and the pointers that they make of tensors are tagged."""
    import numpy as np

    call, convert = interpreter.GridExecutor.__call__, interpreter._implicit_cvt

    def guarded_call(self: Any, *args: Any, **kwargs: Any) -> Any:
        launched(self.fn)
        outer, guard.launch = guard.launch, Launch(self, args, kwargs)
        try:
            return call(self, *args, **kwargs)
        finally:
            guard.launch = outer

    def tagged(arg: Any) -> Any:
        made = convert(arg)
        launch = guard.launch
        if launch is not None and not isinstance(arg, (int, float, tuple)) and hasattr(arg, "data_ptr"):
            number = launch.tag(arg)
            made.handle.data = made.handle.data + np.uint64(number << SHIFT)
        return made

    guard.place(interpreter, "_implicit_cvt", tagged)
    guard.place(interpreter.GridExecutor, "__call__", guarded_call)


def _name_addresses(guard: Guard) -> None:
    """Tensors whose address the learner's code asks for are remembered as long as they live."""
    import torch

    data_ptr = torch.Tensor.data_ptr

    def named(self: Any) -> int:
        address: int = data_ptr(self)
        if guard.launch is None:
            if len(guard.named) > MAX_NAMED:
                guard.named = {a: v for a, v in guard.named.items() if v[1]() is not None}
            guard.named[address] = (Extent(self, address, 0), weakref.ref(self))
        return address

    torch.Tensor.data_ptr = named


def _native_half(guard: Guard, native: Any, builder: Any) -> Any:
    """What stands for the native half of the interpreter: its four ways to memory, each looked at first."""
    import numpy as np

    lowest, highest = np.minimum.reduce, np.maximum.reduce
    low_bits = np.uint64(LOW)

    def checked(access: str, pointers: Any, mask: Any, size: int) -> Any:
        """The addresses behind tagged pointers, when those that the mask lets through are within their tensors."""
        launch = guard.launch
        if launch is None:
            return pointers
        first, last = int(lowest(pointers, axis=None)), int(highest(pointers, axis=None))
        tag = first >> SHIFT
        extent = launch.extents[tag] if tag < len(launch.extents) else None
        if extent is None or first < extent.start or last + size > extent.end:
            active = pointers if mask is None else pointers[np.broadcast_to(np.asarray(mask), pointers.shape)]
            if active.size:
                guard.look_closely(access, active.ravel(), size, builder)
        return pointers & low_bits

    def load(pointers: Any, mask: Any, other: Any, kind: Any) -> Any:
        return native.load(checked("load", pointers, mask, np.dtype(kind).itemsize), mask, other, kind)

    def store(pointers: Any, value: Any, mask: Any) -> Any:
        return native.store(checked("store", pointers, mask, value.itemsize), value, mask)

    def atomic_cas(pointers: Any, compare: Any, value: Any, order: Any) -> Any:
        return native.atomic_cas(checked("atomic", pointers, None, value.itemsize), compare, value, order)

    def atomic_rmw(operation: Any, pointers: Any, value: Any, mask: Any, order: Any) -> Any:
        at = checked("atomic", pointers, mask, value.itemsize)
        return native.atomic_rmw(operation, at, value, mask, order)

    class Guarded:
        __slots__ = ()

        def __getattr__(self, name: str) -> Any:
            return getattr(native, name)

    for function in (load, store, atomic_cas, atomic_rmw):
        getattr(native, function.__name__)
        guard.place(Guarded, function.__name__, staticmethod(function))
    return Guarded()
