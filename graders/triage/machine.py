"""First-in-first-out servers of simulated time: streams, threads, copy engines, network channels.

Work is handed over in the order in which the program issues it. A piece of work begins when it was
issued, what it needs is there and its server has done everything before it. No time is painted:
every start and every end follows from costs and waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

Args = Mapping[str, "int | float | str"]
NO_ARGS: Args = {}
UNTOUCHED: frozenset[int] = frozenset()


class Track(NamedTuple):
    """One row of the timeline: a server that does one thing at a time."""

    rank: int
    name: str


class Span(NamedTuple):
    """What one server did, microseconds from the start of the recording.

    `touched` holds the places, in the list of deviations, of those that changed this very piece of
    work. What is only late or only waits is touched by none.
    """

    track: Track
    name: str
    category: str
    start_us: float
    end_us: float
    args: Args
    touched: frozenset[int]

    @property
    def duration_us(self) -> float:
        return self.end_us - self.start_us


class Machine:
    """All servers of all ranks, and what they have done."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._free_us: dict[Track, float] = {}

    def free_us(self, track: Track) -> float:
        """When a server has done everything that it was given so far."""
        return self._free_us.get(track, 0.0)

    def work(
        self,
        track: Track,
        name: str,
        category: str,
        cost_us: float,
        *,
        after_us: float = 0.0,
        until_us: float = 0.0,
        args: Args = NO_ARGS,
        touched: Iterable[int] = UNTOUCHED,
    ) -> Span:
        """Give a server one piece of work.

        Parameters
        ----------
        cost_us : float
            How long it takes once it has begun.
        after_us : float
            It begins no earlier: when it was issued, or what it needs is there.
        until_us : float
            It ends no earlier: a call that blocks until something else is done.
        """
        free_us = self._free_us.get(track, 0.0)
        start_us = free_us if free_us > after_us else after_us
        end_us = max(start_us + cost_us, until_us)
        span = Span(track, name, category, start_us, end_us, args, frozenset(touched))
        self._free_us[track] = end_us
        self.spans.append(span)
        return span

    def meet(self, tracks: Sequence[Track], after_us: Sequence[float]) -> tuple[list[float], float]:
        """When each of several servers begins a common piece of work, and when all have begun."""
        starts_us = [
            max(after, self.free_us(track)) for track, after in zip(tracks, after_us, strict=True)
        ]
        return starts_us, max(starts_us)
