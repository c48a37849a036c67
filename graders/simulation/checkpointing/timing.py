"""What a save costs in simulated time, and for how long training stands still for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from graders.simulation.stateful.lanes import Figure, Lane, Span
from graders.text import say
from graders.verdict import JsonObject

OPERATION_MS = 1.0
FSYNC_MS = 20.0
WRITE_MS_PER_BYTE = 100.0  # a byte here stands for 100 MB at 1 GB/s
INTERVAL_MS = 10_000.0  # of training between two saves
_WRITES, _SYNCS, _WAITS, _BEHIND, _LATE = "save", "start", "wait", "work", "lost"


@dataclass(frozen=True, slots=True)
class Timed:
    """An operation of a rank, in milliseconds from the call of the save; `barrier` is the wait."""

    rank: int
    name: str
    begin_ms: float
    end_ms: float


@dataclass(slots=True)
class SaveClock:
    """The clocks of all ranks in one save, each at 0 when it is called."""

    n_ranks: int
    step: int
    timed: list[Timed] = field(default_factory=list)
    _now_ms: dict[int, float] = field(default_factory=dict)
    _resumed_ms: dict[int, float] = field(default_factory=dict)

    def spend(self, rank: int, name: str, n_bytes: int) -> None:
        """One operation, with what it writes."""
        cost_ms = OPERATION_MS + WRITE_MS_PER_BYTE * n_bytes
        cost_ms = FSYNC_MS if name in ("fsync", "fsync_dir") else cost_ms
        begin_ms = self._now_ms.get(rank, 0.0)
        self._now_ms[rank] = begin_ms + cost_ms
        self.timed.append(Timed(rank, name, begin_ms, begin_ms + cost_ms))
        if name == "resume":
            self._resumed_ms.setdefault(rank, begin_ms + cost_ms)

    def barrier(self) -> None:
        """All ranks have come to it, and leave it together."""
        latest_ms = max(self._now_ms.values(), default=0.0) + OPERATION_MS
        for rank in range(self.n_ranks):
            begin_ms = self._now_ms.get(rank, 0.0)
            self.timed.append(Timed(rank, "barrier", begin_ms, latest_ms))
            self._now_ms[rank] = latest_ms

    @property
    def end_ms(self) -> float:
        """When the last rank's save has ended."""
        return max(self._now_ms.values(), default=0.0)

    @property
    def released_ms(self) -> float:
        """When training goes on: the last rank has resumed, or its save has ended."""
        return max(
            self._resumed_ms.get(rank, self._now_ms.get(rank, 0.0)) for rank in range(self.n_ranks)
        )

    @property
    def blocked_ms(self) -> float:
        """What is not finished when the next save is due blocks training then."""
        return self.released_ms + max(0.0, self.end_ms - self.released_ms - INTERVAL_MS)


def draw(mine: SaveClock, reference: SaveClock | None, max_blocked_ms: float) -> JsonObject:
    """A save in lanes, a rank each, and the reference's save of the same step below."""
    lanes = _lanes(mine, max_blocked_ms, first=True)
    if reference is not None:
        lanes += _lanes(reference, max_blocked_ms, first=False)
    key: dict[str, str] = {
        _WRITES: say("writes and other operations, training stands still"),
        _SYNCS: say("fsync, training stands still"),
        _WAITS: say("waits at a barrier, training stands still"),
        _BEHIND: say("in the background, training goes on"),
        _LATE: say("holds up the next save"),
    }
    title = say("The save of step {step}, from its call", step=mine.step)
    limit = say("training must go on by then")
    return Figure(title, say("ms"), lanes, key, limit).to_json()


def _lanes(clock: SaveClock, max_blocked_ms: float, first: bool) -> list[Lane]:
    lanes = []
    for rank in range(clock.n_ranks):
        label = (
            say("rank {rank}", rank=rank) if first else say("the reference, rank {rank}", rank=rank)
        )
        spans = [span for one in clock.timed if one.rank == rank for span in _spans(one, clock)]
        still = say("{blocked} ms still", blocked=f"{clock.blocked_ms:.0f}") if rank == 0 else ""
        lanes.append(Lane(label, spans, still, max_blocked_ms, apart=rank == 0))
    return lanes


def _spans(one: Timed, clock: SaveClock) -> list[Span]:
    """Cut where training goes on, and where the next save is due."""
    tone = _SYNCS if one.name in ("fsync", "fsync_dir") else _WRITES
    tone = _WAITS if one.name == "barrier" else tone
    due_ms = clock.released_ms + INTERVAL_MS
    parts = [
        (one.begin_ms, min(one.end_ms, clock.released_ms), tone),
        (max(one.begin_ms, clock.released_ms), min(one.end_ms, due_ms), _BEHIND),
        (max(one.begin_ms, due_ms), one.end_ms, _LATE),
    ]
    return [Span(begin, end, kind, one.name) for begin, end, kind in parts if end > begin]
