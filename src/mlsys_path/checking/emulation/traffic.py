"""What a kernel's accesses come to: sectors of device memory, wavefronts of shared memory, atomics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mlsys_path.language import _


@dataclass(frozen=True)
class Site:
    """The accesses of one place in the program: one source line, or one instruction of it."""

    pc: int
    access: str  # "read", "write", "atomic"
    space: str  # "global", "shared"
    size: int  # bytes a lane
    requests: int = 0
    lanes: int = 0
    bytes: int = 0
    used: int = 0
    moved: int = 0  # sectors, or wavefronts
    least: int = 0  # that the same bytes could have done with
    ways: int = 0


Place = Callable[[int], str]


@dataclass(frozen=True)
class Traffic:
    """Accesses of one kind to device memory. A request is one instruction of one warp."""

    sites: tuple[Site, ...] = ()
    _place: Place = field(default=lambda pc: "", repr=False, compare=False)

    def _sum(self, name: str) -> int:
        return sum(getattr(site, name) for site in self.sites)

    @property
    def requests(self) -> int:
        """Warp-level instructions."""
        return self._sum("requests")

    @property
    def lanes(self) -> int:
        """Accesses of single threads."""
        return self._sum("lanes")

    @property
    def bytes(self) -> int:
        """Bytes that threads asked for, all together."""
        return self._sum("bytes")

    @property
    def sectors(self) -> int:
        """Sectors of 32 bytes that were moved, counted request by request: no cache keeps any from one to the next."""
        return self._sum("moved")

    @property
    def sectors_per_request(self) -> float:
        """4.0 for a warp's 32 neighbouring floats, 32.0 when each lies in a sector of its own."""
        return self.sectors / self.requests if self.requests else 0.0

    @property
    def efficiency(self) -> float:
        """Of the bytes that were moved, the share that some thread of the request asked for: 1.0 is coalesced."""
        return self._sum("used") / (32 * self.sectors) if self.sectors else 1.0

    def where(self) -> str:
        """The line that wastes most, with its numbers; "" when none wastes anything."""
        worst = max(self.sites, key=lambda s: s.moved - s.least, default=None)
        if worst is None or worst.moved <= worst.least:
            return ""
        return _("{place}\n    {found:.3g} sectors a request, where {least:.3g} would do").format(
            place=self._place(worst.pc),
            found=worst.moved / worst.requests,
            least=worst.least / worst.requests,
        )


@dataclass(frozen=True)
class SharedTraffic(Traffic):
    """Accesses of one kind to shared memory. A wavefront serves each of the 32 banks with one word of 4 bytes."""

    @property
    def wavefronts(self) -> int:
        """Turns that the banks took."""
        return self._sum("moved")

    @property
    def conflicts(self) -> int:
        """Turns that bank conflicts added."""
        return self._sum("moved") - self._sum("least")

    @property
    def conflict_ways_max(self) -> int:
        """The most words that one request wanted of one bank: 1 is free of conflicts, 32 the worst."""
        return max((site.ways for site in self.sites), default=0)

    def where(self) -> str:
        """The line with the worst conflict, with its numbers; "" when there is none."""
        worst = max(self.sites, key=lambda s: (s.ways, s.moved - s.least), default=None)
        if worst is None or worst.ways <= 1:
            return ""
        return _(
            "{place}\n    a {ways}-way bank conflict: {found:.3g} wavefronts a request, where {least:.3g} would do"
        ).format(
            place=self._place(worst.pc),
            ways=worst.ways,
            found=worst.moved / worst.requests,
            least=worst.least / worst.requests,
        )


@dataclass(frozen=True)
class AtomicTraffic(Traffic):
    """Atomic operations on one kind of memory."""

    @property
    def operations(self) -> int:
        """Atomics of single threads."""
        return self._sum("lanes")

    @property
    def same_address_max(self) -> int:
        """The most lanes of one request that had to wait for one another."""
        return max((site.ways for site in self.sites), default=0)


@dataclass(frozen=True)
class AsyncCopies:
    """Copies from device to shared memory that go on while their threads do (`cp.async`)."""

    copies: int = 0
    bytes: int = 0  # that came from device memory; what is filled with zeros is not among them
    under_way: float = 0.0  # bytes of a block on their way, on the average of its loads from shared memory


@dataclass(frozen=True)
class KernelTotals:
    """What all launches of a kernel come to."""

    name: str
    launches: int
    blocks: int
    threads: int
    barriers: int  # block by block: 10 blocks with 2 barriers each are 20
    warp_calls: int  # shuffles, votes and __syncwarp, warp by warp
    static_shared: int
    sites: tuple[Site, ...]
    _place: Place = field(default=lambda pc: "", repr=False, compare=False)
    async_copies: AsyncCopies = AsyncCopies()

    def _of(self, space: str, access: str) -> tuple[Site, ...]:
        return tuple(s for s in self.sites if s.space == space and s.access == access)

    @property
    def global_loads(self) -> Traffic:
        """Loads from device memory."""
        return Traffic(self._of("global", "read"), self._place)

    @property
    def global_stores(self) -> Traffic:
        """Stores to device memory."""
        return Traffic(self._of("global", "write"), self._place)

    @property
    def shared_loads(self) -> SharedTraffic:
        """Loads from shared memory."""
        return SharedTraffic(self._of("shared", "read"), self._place)

    @property
    def shared_stores(self) -> SharedTraffic:
        """Stores to shared memory."""
        return SharedTraffic(self._of("shared", "write"), self._place)

    @property
    def global_atomics(self) -> AtomicTraffic:
        """Atomics on device memory."""
        return AtomicTraffic(self._of("global", "atomic"), self._place)

    @property
    def shared_atomics(self) -> AtomicTraffic:
        """Atomics on shared memory."""
        return AtomicTraffic(self._of("shared", "atomic"), self._place)

    @property
    def atomics(self) -> int:
        """Atomics of single threads, on any memory."""
        return self.global_atomics.operations + self.shared_atomics.operations
