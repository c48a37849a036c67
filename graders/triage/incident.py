"""One trace to triage: a job, the planted cause, decoys, and what the simulation says of each.

A cause is a cause because the step is fast again without it, and a decoy is a decoy because the
step is as slow without it: both are asked of the simulation for every seed, and what fails is drawn
again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from random import Random

from graders.triage.deviations import Cause, Deviation
from graders.triage.draws import draw_decoy, draw_planted
from graders.triage.machine import Span
from graders.triage.step import TRACKS, Recording, simulate
from graders.triage.workload import Workload, draw_workload

N_DECOYS = 4
MAX_TRIES = 60
TRIES_EACH = 8  # for one deviation of one job
MIN_LOSS = 0.06  # of the step as recorded: below, nobody would look for a cause
MAX_DECOY_LOSS_US = 500.0  # a fifth of a percent of the step
RESTORED = 0.9  # of the loss that must come back for a span to prove the cause


class NoIncident(Exception):
    """No draw of this seed gave a cause that the step feels and decoys that it does not."""


@dataclass(frozen=True, eq=False)
class Incident:
    """A recorded step. `deviations` holds the planted cause first, then the decoys."""

    workload: Workload
    deviations: tuple[Deviation, ...]

    @property
    def cause(self) -> Cause:
        """What was planted."""
        return self.deviations[0].cause

    @cached_property
    def recording(self) -> Recording:
        """The step as it was recorded."""
        return self.without([])

    @cached_property
    def _step_us(self) -> dict[frozenset[int], float]:
        """Step times by the places of what was taken away; recordings are too large to keep."""
        return {}

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """All spans in the order of time; a span's number is its place here, from 1."""
        order = {name: place for place, name in enumerate(TRACKS)}
        return tuple(
            sorted(
                self.recording.spans,
                key=lambda one: (one.start_us, one.track.rank, order[one.track.name]),
            )
        )

    @cached_property
    def proofs(self) -> tuple[int, ...]:
        """Numbers of the spans that prove the cause, the longest of them first."""
        found = [
            number
            for number, span in enumerate(self.spans, start=1)
            if 0 in span.touched and self.restores(self.step_us_without(span.touched))
        ]
        return tuple(sorted(found, key=lambda number: -self.span(number).duration_us))

    def span(self, number: int) -> Span:
        """The span of that number.

        Raises
        ------
        IndexError
            If there is none.
        """
        if number < 1:
            raise IndexError(number)
        return self.spans[number - 1]

    def restores(self, step_us: float) -> bool:
        """Whether almost all of what the cause costs is won back in a step that takes so long."""
        slow_us = self.step_us_without([])
        loss_us = slow_us - self.step_us_without(self._places_of(self.cause))
        return slow_us - step_us >= RESTORED * loss_us

    def without(self, places: Iterable[int]) -> Recording:
        """The step with the deviations at these places taken away, everything else the same."""
        taken = frozenset(places)
        kept = [one for place, one in enumerate(self.deviations) if place not in taken]
        recording = simulate(self.workload, kept)
        self._step_us[taken] = recording.step_us
        return recording

    def step_us_without(self, places: Iterable[int]) -> float:
        """The time of that step, in microseconds."""
        taken = frozenset(places)
        if taken not in self._step_us:
            self.without(taken)
        return self._step_us[taken]

    def without_span(self, number: int) -> Recording:
        """The step had this span been ordinary: without whatever changed it, if anything did."""
        return self.without(self.span(number).touched)

    def without_cause(self, cause: Cause) -> Recording:
        """The step without anything of that kind, planted or decoy."""
        return self.without(self._places_of(cause))

    def _places_of(self, cause: Cause) -> list[int]:
        return [place for place, one in enumerate(self.deviations) if one.cause is cause]

    def is_sound(self) -> bool:
        """Whether the planted cause and nothing else costs the time that is lost."""
        slow_us = self.step_us_without([])
        mended_us = self.step_us_without([0])
        ordinary_us = self.step_us_without(range(len(self.deviations)))
        return (
            slow_us - mended_us >= MIN_LOSS * slow_us
            and abs(mended_us - ordinary_us) <= MAX_DECOY_LOSS_US
            and all(
                abs(slow_us - self.step_us_without([place])) <= MAX_DECOY_LOSS_US
                for place in range(1, len(self.deviations))
            )
        )


@lru_cache(maxsize=32)
def draw(seed: int) -> Incident:
    """The incident of a seed.

    Raises
    ------
    NoIncident
        If none of `MAX_TRIES` draws is sound.
    """
    rng = Random(seed)  # noqa: S311  the seed itself never leaves the server
    cause = rng.choice(list(Cause))
    for _ in range(MAX_TRIES):
        incident = _try(rng, cause)
        if incident is not None:
            return incident
    raise NoIncident(f"a seed must give a trace within {MAX_TRIES} draws, {seed} does not")


def _try(rng: Random, cause: Cause) -> Incident | None:
    """A draw; None if it is not sound. The cause's own kind may be among the decoys."""
    workload = draw_workload(rng)
    ordinary_us = simulate(workload).step_us
    # A step writes one checkpoint: it cannot block and be harmless too.
    possible = [kind for kind in Cause if (kind, cause) != (Cause.CHECKPOINT, Cause.CHECKPOINT)]
    kinds = rng.sample(possible, N_DECOYS)
    planted = _harmful(cause, rng, workload, ordinary_us)
    decoys = [draw_decoy(kind, rng, workload) for kind in kinds]
    if not _is_harmless(decoys, workload, ordinary_us):  # then ask of each
        decoys = [one for kind in kinds for one in _harmless(kind, rng, workload, ordinary_us)]
    if planted is None or len(decoys) < N_DECOYS:
        return None
    incident = Incident(workload, (planted, *decoys))
    return incident if incident.is_sound() else None


def _harmful(cause: Cause, rng: Random, workload: Workload, ordinary_us: float) -> Deviation | None:
    """A deviation that costs enough by itself; None if none is found in a few draws."""
    for _ in range(TRIES_EACH):
        planted = draw_planted(cause, rng, workload)
        slow_us = simulate(workload, [planted]).step_us
        if slow_us - ordinary_us >= MIN_LOSS * slow_us:
            return planted
    return None


def _harmless(kind: Cause, rng: Random, workload: Workload, ordinary_us: float) -> list[Deviation]:
    """A decoy that costs nothing by itself; none if none is found in a few draws."""
    for _ in range(TRIES_EACH):
        decoy = draw_decoy(kind, rng, workload)
        if _is_harmless([decoy], workload, ordinary_us):
            return [decoy]
    return []


def _is_harmless(decoys: list[Deviation], workload: Workload, ordinary_us: float) -> bool:
    return simulate(workload, decoys).step_us - ordinary_us <= MAX_DECOY_LOSS_US
