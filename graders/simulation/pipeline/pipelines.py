"""One pipeline to schedule: ranks, micro-batches, stages, what operations cost, what is allowed.

Time is counted in whole units, so that sums are exact and a limit is kept or it is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum

from graders.text import say, say_n
from graders.verdict import JsonObject

MAX_RANKS = 16
MAX_MICRO_BATCHES = 64
MAX_CHUNKS = 8
MAX_UNITS = 100  # of one operation


class Schedule(StrEnum):
    """The schedules that can be asked for."""

    ONE_F_ONE_B = "1f1b"
    INTERLEAVED = "interleaved"
    ZB1P = "zb1p"
    DUALPIPE = "dualpipe"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of operations that it may use."""
        return {
            Schedule.ONE_F_ONE_B: ("F", "B"),
            Schedule.INTERLEAVED: ("F", "B"),
            Schedule.ZB1P: ("F", "B", "I", "W"),
            Schedule.DUALPIPE: ("F", "B", "I", "W", "FB"),
        }[self]


@dataclass(frozen=True, slots=True, order=True)
class Costs:
    """What operations take, in units of time.

    Attributes
    ----------
    F : int
        The forward pass of one micro-batch through one stage.
    I, W : int
        The two halves of the backward pass: by the stage's input, and by its weights.
    FB : int
        A forward and a backward pass of two micro-batches, overlapped.
    latency : int
        From the end of an operation until another rank has what it sent.
    """

    F: int
    I: int  # noqa: E741  PyTorch's own letter for it
    W: int
    FB: int
    latency: int = 0

    @property
    def B(self) -> int:
        """The whole backward pass."""
        return self.I + self.W

    def of(self, kind: str) -> int:
        """Units that an operation of this kind takes."""
        units = getattr(self, kind)
        assert isinstance(units, int)  # noqa: S101  `kind` is one of `Schedule.kinds`
        return units

    def to_json(self) -> JsonObject:
        """As the candidate gets them, with ``B``."""
        return {"F": self.F, "B": self.B, **asdict(self)}


@dataclass(frozen=True, slots=True, order=True)
class Pipeline:
    """What one call of the candidate's function is about; smaller ones sort first.

    Parameters
    ----------
    n_ranks, n_micro_batches, n_chunks : int
        ``p``, ``m`` and ``v``; ``v`` stages on each rank, 1 unless the schedule is interleaved.

    Raises
    ------
    ValueError
        If the statement promises the candidate that no such pipeline comes.
    """

    n_ranks: int
    n_micro_batches: int
    n_chunks: int
    schedule: Schedule
    costs: Costs

    def __post_init__(self) -> None:
        fault = self.fault()
        if fault:
            raise ValueError(f"{fault}, got {self}")

    def fault(self) -> str:
        """The rule that it breaks; empty if it keeps all."""
        costs = self.costs
        bounds = (
            (self.n_ranks, MAX_RANKS),
            (self.n_micro_batches, MAX_MICRO_BATCHES),
            (self.n_chunks, MAX_CHUNKS),
        )
        if not all(1 <= value <= most for value, most in bounds):
            return (
                f"ranks, micro_batches and chunks must be from 1 to {[most for _, most in bounds]}"
            )
        units = [costs.F, costs.I, costs.W, costs.FB]
        if not all(1 <= one <= MAX_UNITS for one in units) or not 0 <= costs.latency <= MAX_UNITS:
            return f"every operation must take 1 to {MAX_UNITS} units"
        if not max(costs.F, costs.B) <= costs.FB <= costs.F + costs.B:
            return "FB must take at least as long as F and as B, and no longer than both"
        if self.n_chunks > 1 and self.schedule is not Schedule.INTERLEAVED:
            return "only the interleaved schedule has more than one chunk on a rank"
        if costs.latency and self.schedule is not Schedule.ONE_F_ONE_B:
            return "only 1f1b is asked for with a latency"
        if self.schedule is Schedule.ZB1P and any(one < costs.W for one in (costs.F, costs.I)):
            return "zb1p must have a W that takes no longer than F and than I"
        if self.schedule is Schedule.DUALPIPE:
            half_pairs = self.n_ranks % 2 == 0 and self.n_micro_batches % 2 == 0
            if not half_pairs or self.n_micro_batches < 2 * self.n_ranks:
                return "dualpipe must have even ranks and micro-batches, and m >= 2p"
            if costs.F != costs.I or costs.W > costs.I:
                return "dualpipe must have an F as long as I, and a W no longer than I"
        return ""

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Pipeline:
        """From a case's ``schedule``, ``ranks``, ``micro_batches``, ``chunks`` and ``costs``.

        Raises
        ------
        ValueError
            If it is no such thing, or no pipeline that may come.
        """
        names = {"schedule", "ranks", "micro_batches", "chunks", "costs"}
        raw = given.get("costs", {})
        costs = {key: one for key, one in dict(raw).items() if key != "B"}  # type: ignore[call-overload]
        known = {field.name for field in fields(Costs)}
        if not set(given) <= names or not {"F", "I", "W", "FB"} <= set(costs) <= known:
            raise ValueError(f"a pipeline must have {sorted(names)} and all costs, got {given}")
        return cls(
            schedule=Schedule(str(given["schedule"])),
            n_ranks=int(str(given["ranks"])),
            n_micro_batches=int(str(given["micro_batches"])),
            n_chunks=int(str(given.get("chunks", 1))),
            costs=Costs(**costs),
        )

    def to_json(self) -> JsonObject:
        """As `read` takes it."""
        return {
            "schedule": self.schedule.value,
            "ranks": self.n_ranks,
            "micro_batches": self.n_micro_batches,
            "chunks": self.n_chunks,
            "costs": self.costs.to_json(),
        }

    def arguments(self) -> JsonObject:
        """What the candidate's function is called with."""
        return {
            "name": self.schedule.value,
            "p": self.n_ranks,
            "m": self.n_micro_batches,
            "v": self.n_chunks,
            "costs": self.costs.to_json(),
        }

    @property
    def n_stages(self) -> int:
        return self.n_ranks * self.n_chunks

    def goes_up(self, micro_batch: int) -> bool:
        """Whether it enters at the last rank: DualPipe's second half of the micro-batches."""
        return self.schedule is Schedule.DUALPIPE and micro_batch >= self.n_micro_batches // 2

    def rank_of(self, micro_batch: int, stage: int) -> int:
        """The rank that has this stage for this micro-batch."""
        if self.goes_up(micro_batch):
            return self.n_ranks - 1 - stage
        return stage % self.n_ranks

    def stages_of(self, rank: int, micro_batch: int) -> list[int]:
        """Stages that the rank has for this micro-batch."""
        if self.goes_up(micro_batch):
            return [self.n_ranks - 1 - rank]
        return list(range(rank, self.n_stages, self.n_ranks))

    def max_in_flight(self, rank: int) -> int:
        """How many stashes of a micro-batch in a stage the rank may hold at once."""
        p, v = self.n_ranks, self.n_chunks
        return {
            Schedule.ONE_F_ONE_B: p - rank,
            Schedule.INTERLEAVED: 2 * (p - 1 - rank) + (v - 1) * p + 1,
            Schedule.ZB1P: p,
            Schedule.DUALPIPE: p + 1,
        }[self.schedule]

    def step_time(self) -> int:
        """Units that the schedule takes from the first operation to the last, without latency.

        Returns
        -------
        int
            ``(m + p - 1)(F + B)`` of 1F1B; ``(v m' + p - 1)(F + B)`` of the interleaved schedule
            with m' = m rounded up to whole groups of p; ``(m + p - 1)(F + I) + W + (m - p)W`` of
            ZB1P, whose last term is 0 where m < p; and DualPipe's bubble of
            ``(p/2 - 1)(FB + B - 3W)`` beside the work of its middle ranks, which overlap
            ``m - p - 1`` pairs.

        References
        ----------
        .. [1] Narayanan et al., "Efficient large-scale language model training on GPU clusters
           using Megatron-LM", SC 2021, section 2.2.
        .. [2] Qi et al., "Zero bubble pipeline parallelism", ICLR 2024, table 2 (ZB-H1).
        .. [3] DeepSeek-AI, DualPipe, README, "Pipeline bubbles and memory usage comparison".
        """
        p, m, v, costs = self.n_ranks, self.n_micro_batches, self.n_chunks, self.costs
        match self.schedule:
            case Schedule.ONE_F_ONE_B:
                return (m + p - 1) * (costs.F + costs.B)
            case Schedule.INTERLEAVED:
                padded = -(-m // p) * p
                return (v * padded + p - 1) * (costs.F + costs.B)
            case Schedule.ZB1P:
                return (m + p - 1) * (costs.F + costs.I) + (1 + max(0, m - p)) * costs.W
            case Schedule.DUALPIPE:
                bubble = (p // 2 - 1) * (costs.FB + costs.B - 3 * costs.W)
                return (m - p - 1) * costs.FB + (p + 1) * (costs.F + costs.B) + bubble

    def describe(self) -> str:
        """``1f1b with 2 ranks, 1 micro-batch and F 1, I 1, W 1``, as a sentence's part."""
        costs = self.costs
        text = say(
            "{schedule} with {ranks} and {micro_batches}",
            schedule=self.schedule.value,
            ranks=say_n("{count} rank", "{count} ranks", count=self.n_ranks),
            micro_batches=say_n(
                "{count} micro-batch", "{count} micro-batches", count=self.n_micro_batches
            ),
        )
        if self.n_chunks > 1:
            text = say("{text}, {chunks} chunks a rank", text=text, chunks=self.n_chunks)
        units = f"F {costs.F}, I {costs.I}, W {costs.W}"
        if self.schedule is Schedule.DUALPIPE:
            units += f", FB {costs.FB}"
        text = say("{text} ({units}", text=text, units=units)
        if costs.latency:
            text = say("{text}, latency {latency}", text=text, latency=costs.latency)
        return say("{text})", text=text)
