"""Random deviations of each kind: sizes that the step should feel, and sizes that it should not.

Whether it does feel them is for the simulation to say; `graders.triage.incident` asks it.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from graders.triage.deviations import (
    Cause,
    Deviation,
    LargeCopy,
    MoreWork,
    Pause,
    Serial,
    SharedUplink,
    SlowFetch,
    SlowKernel,
    SlowWrite,
    Throttled,
)
from graders.triage.workload import (
    N_CHANNELS,
    N_RANKS,
    PAGEABLE_BYTES_PER_US,
    PINNED_BYTES_PER_US,
    Workload,
)

Draw = Callable[[Random, Workload], Deviation]


def draw_planted(cause: Cause, rng: Random, workload: Workload) -> Deviation:
    """A deviation large enough, and where it hurts."""
    return _PLANTED[cause](rng, workload)


def draw_decoy(cause: Cause, rng: Random, workload: Workload) -> Deviation:
    """A deviation of the same kind that something else hides."""
    return _DECOYS[cause](rng, workload)


def _late_batch(rng: Random, workload: Workload) -> Deviation:
    rank = rng.randrange(N_RANKS)
    return SlowFetch(rank, 0, workload.lead_us[rank] + rng.uniform(45e3, 130e3))


def _next_batch(rng: Random, workload: Workload) -> Deviation:
    return SlowFetch(rng.randrange(N_RANKS), 1, rng.uniform(130e3, 230e3))


def _longer_sequences(rng: Random, workload: Workload) -> Deviation:
    return MoreWork(_busy_rank(rng, workload), rng.uniform(1.2, 1.45))


def _slow_kernels(rng: Random, workload: Workload) -> Deviation:
    """Kernels of the rank with the least to do, no longer than it would wait anyway."""
    few = [
        position
        for position in range(workload.n_kernels)
        if _part_of(workload, position) == "flash_attention"
    ]
    chosen = tuple(sorted(rng.sample(few, rng.randint(1, 3))))
    return SlowKernel(workload.light_rank, chosen, rng.uniform(1.12, 1.3))


def _serial_block(rng: Random, workload: Workload) -> Deviation:
    blocks = range(1, len(workload.modules) - 2)
    weights = [workload.modules[index].parameters ** 2 for index in blocks]
    return Serial(rng.choices(blocks, weights)[0], both=True)


def _serial_norm(rng: Random, workload: Workload) -> Deviation:
    return Serial(len(workload.modules) - 2, both=False)


def _early_pause(rng: Random, workload: Workload) -> Deviation:
    call = rng.randrange(3)
    return Pause(rng.randrange(N_RANKS), call, rng.uniform(70e3, 140e3))


def _late_pause(rng: Random, workload: Workload) -> Deviation:
    last = 2 * len(workload.modules)
    return Pause(rng.randrange(N_RANKS), rng.randrange(last - 6, last), rng.uniform(45e3, 110e3))


def _pageable_copy(rng: Random, workload: Workload) -> Deviation:
    size_bytes = rng.uniform(40e3, 95e3) * PAGEABLE_BYTES_PER_US
    return LargeCopy(rng.randrange(N_RANKS), _any_block(rng, workload), size_bytes, pinned=False)


def _pinned_copy(rng: Random, workload: Workload) -> Deviation:
    size_bytes = rng.uniform(35e3, 90e3) * PINNED_BYTES_PER_US
    return LargeCopy(rng.randrange(N_RANKS), _any_block(rng, workload), size_bytes, pinned=True)


def _crowded_uplink(rng: Random, workload: Workload) -> Deviation:
    length = rng.randint(4, 7)
    first = rng.randrange(workload.n_collectives - length)
    others = rng.randint(2, 4)
    rank, channel = rng.randrange(N_RANKS), rng.randrange(N_CHANNELS)
    return SharedUplink(rank, channel, first, first + length - 1, others)


def _hidden_uplink(rng: Random, workload: Workload) -> Deviation:
    length = rng.randint(1, 3)
    first = rng.randrange(1, workload.n_collectives - length)
    rank, channel = rng.randrange(N_RANKS), rng.randrange(N_CHANNELS)
    return SharedUplink(rank, channel, first, first + length - 1, 1)


def _hot(rng: Random, workload: Workload) -> Deviation:
    first = rng.randrange(workload.n_kernels // 8, workload.n_kernels // 2)
    return Throttled(_busy_rank(rng, workload), first, rng.uniform(0.58, 0.74))


def _warm(rng: Random, workload: Workload) -> Deviation:
    first = rng.randrange(workload.n_kernels // 8, workload.n_kernels * 3 // 4)
    return Throttled(workload.light_rank, first, rng.uniform(0.89, 0.94))


def _write_that_blocks(rng: Random, workload: Workload) -> Deviation:
    return SlowWrite(_lengths(rng, 60e3, 140e3), blocking=True)


def _write_beside(rng: Random, workload: Workload) -> Deviation:
    return SlowWrite(_lengths(rng, 90e3, 190e3), blocking=False)


def _lengths(rng: Random, low: float, high: float) -> tuple[float, ...]:
    usual = rng.uniform(low, high)
    return tuple(usual * rng.uniform(0.85, 1.1) for _ in range(N_RANKS))


def _busy_rank(rng: Random, workload: Workload) -> int:
    return rng.choice([rank for rank in range(N_RANKS) if rank != workload.light_rank])


def _any_block(rng: Random, workload: Workload) -> int:
    return rng.randrange(1, len(workload.modules) - 2)


def _part_of(workload: Workload, position: int) -> str:
    """The name of the kernel at a position: forward in order, then backward in reverse."""
    names = [part.name for module in workload.modules for part in module.parts]
    return [*names, *reversed(names)][position]


_PLANTED: dict[Cause, Draw] = {
    Cause.LOADER: _late_batch,
    Cause.STRAGGLER: _longer_sequences,
    Cause.OVERLAP: _serial_block,
    Cause.GARBAGE: _early_pause,
    Cause.COPY: _pageable_copy,
    Cause.ECMP: _crowded_uplink,
    Cause.THERMAL: _hot,
    Cause.CHECKPOINT: _write_that_blocks,
}
_DECOYS: dict[Cause, Draw] = {
    Cause.LOADER: _next_batch,
    Cause.STRAGGLER: _slow_kernels,
    Cause.OVERLAP: _serial_norm,
    Cause.GARBAGE: _late_pause,
    Cause.COPY: _pinned_copy,
    Cause.ECMP: _hidden_uplink,
    Cause.THERMAL: _warm,
    Cause.CHECKPOINT: _write_beside,
}
