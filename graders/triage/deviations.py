"""What can go wrong in a step, each a change of the simulation's inputs and of nothing else.

The same class serves as the planted cause and as a decoy: where and how large it is decides whether
the step feels it, and only the simulation says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar


class Cause(StrEnum):
    """The causes that a candidate can name."""

    LOADER = "data-loader"
    STRAGGLER = "straggler"
    OVERLAP = "lost-overlap"
    GARBAGE = "garbage-collection"
    COPY = "synchronising-copy"
    ECMP = "ecmp-collision"
    THERMAL = "thermal-throttling"
    CHECKPOINT = "blocking-checkpoint"


@dataclass(frozen=True, slots=True)
class Kernel:
    """Where a kernel stands: `position` counts a rank's kernels of the step from 0."""

    rank: int
    position: int
    compute_bound: bool


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy from a GPU to its host. Pageable memory makes the call wait for the copy."""

    size_bytes: float
    pinned: bool


class Deviation:
    """One thing that differs from an ordinary step. Each hook leaves its input as it is."""

    cause: ClassVar[Cause]

    def more_work(self, rank: int) -> float:
        """Factor on the tokens that a rank computes."""
        return 1.0

    def longer_kernel(self, kernel: Kernel) -> float:
        """Factor on a kernel's time, its work unchanged."""
        return 1.0

    def fetch_us(self, rank: int, ahead: int) -> float | None:
        """Time until a worker has the batch of this step (`ahead` 0) or of the next one (1)."""
        return None

    def pause_us(self, rank: int, call: int) -> float:
        """Pause of the main thread before its `call`-th launch of the step."""
        return 0.0

    def copy_after(self, rank: int, module: int) -> Copy | None:
        """A copy to the host after the forward pass of a module, in place of the usual one."""
        return None

    def is_late(self, module: int) -> bool:
        """Whether a module's weights are gathered only when the computing before it is over."""
        return False

    def holds_up(self, module: int) -> bool:
        """Whether computing waits for the reduce-scatter of a module's gradients."""
        return False

    def longer_send(self, rank: int, channel: int, collective: int) -> float:
        """Factor on the time that a channel's bytes are on the wire."""
        return 1.0

    def write_us(self, rank: int) -> float | None:
        """Time to write this rank's shard of the checkpoint."""
        return None

    def waits_for_write(self) -> bool:
        """Whether training waits for the checkpoint to be written."""
        return False


def with_a_say(
    deviations: Sequence[Deviation], hook: Callable[..., Any]
) -> list[tuple[int, Deviation]]:
    """The deviations that may change what a hook of `Deviation` gives, each with its place."""
    return [
        (place, one)
        for place, one in enumerate(deviations)
        if getattr(type(one), hook.__name__) is not hook
    ]


@dataclass(frozen=True, slots=True)
class SlowFetch(Deviation):
    """A worker of the data loader takes long over a batch."""

    cause = Cause.LOADER
    rank: int
    ahead: int
    until_us: float

    def fetch_us(self, rank: int, ahead: int) -> float | None:
        return self.until_us if (rank, ahead) == (self.rank, self.ahead) else None


@dataclass(frozen=True, slots=True)
class MoreWork(Deviation):
    """A rank was given longer sequences than the others."""

    cause = Cause.STRAGGLER
    rank: int
    factor: float

    def more_work(self, rank: int) -> float:
        return self.factor if rank == self.rank else 1.0


@dataclass(frozen=True, slots=True)
class SlowKernel(Deviation):
    """A few kernels of one rank take long, for whatever reason of their own."""

    cause = Cause.STRAGGLER
    rank: int
    positions: tuple[int, ...]
    factor: float

    def longer_kernel(self, kernel: Kernel) -> float:
        here = kernel.rank == self.rank and kernel.position in self.positions
        return self.factor if here else 1.0


@dataclass(frozen=True, slots=True)
class Serial(Deviation):
    """A module's weights are not fetched ahead; `both`: its gradients hold up the next one too."""

    cause = Cause.OVERLAP
    module: int
    both: bool

    def is_late(self, module: int) -> bool:
        return module == self.module

    def holds_up(self, module: int) -> bool:
        return self.both and module == self.module


@dataclass(frozen=True, slots=True)
class Pause(Deviation):
    """The host's garbage collector stops the main thread."""

    cause = Cause.GARBAGE
    rank: int
    call: int
    length_us: float

    def pause_us(self, rank: int, call: int) -> float:
        return self.length_us if (rank, call) == (self.rank, self.call) else 0.0


@dataclass(frozen=True, slots=True)
class LargeCopy(Deviation):
    """Somebody copies a large tensor to the host in the middle of the step."""

    cause = Cause.COPY
    rank: int
    module: int
    size_bytes: float
    pinned: bool

    def copy_after(self, rank: int, module: int) -> Copy | None:
        here = (rank, module) == (self.rank, self.module)
        return Copy(self.size_bytes, self.pinned) if here else None


@dataclass(frozen=True, slots=True)
class SharedUplink(Deviation):
    """One channel's flow shares its uplink with `others` flows of the same size for a while."""

    cause = Cause.ECMP
    rank: int
    channel: int
    first: int
    last: int
    others: int

    def longer_send(self, rank: int, channel: int, collective: int) -> float:
        here = (rank, channel) == (self.rank, self.channel)
        return 1.0 + self.others if here and self.first <= collective <= self.last else 1.0


@dataclass(frozen=True, slots=True)
class Throttled(Deviation):
    """A GPU lowers its clock from some kernel on; what is bound by memory does not feel it."""

    cause = Cause.THERMAL
    rank: int
    first: int
    clock: float  # share of the usual clock

    def longer_kernel(self, kernel: Kernel) -> float:
        feels = kernel.compute_bound and kernel.position >= self.first
        return 1.0 / self.clock if feels and kernel.rank == self.rank else 1.0


@dataclass(frozen=True, slots=True)
class SlowWrite(Deviation):
    """The store takes long over the checkpoint; `blocking` if training waits for it."""

    cause = Cause.CHECKPOINT
    lengths_us: tuple[float, ...]  # a rank each
    blocking: bool

    def write_us(self, rank: int) -> float | None:
        return self.lengths_us[rank]

    def waits_for_write(self) -> bool:
        return self.blocking
