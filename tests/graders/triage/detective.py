"""Triage by what a person sees: reads a downloaded trace alone and names cause and span.

Nothing of the generator is imported. What finds the cause in every seed by the statement's own
facts shows that the cause can be found.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import Any

ROUNDING_US = 1
LAUNCH_US = 40  # from a call to its kernel, if nothing else holds it up
LONG_US = 10_000  # far above noise, far below what a cause costs
TFLOP_PER_S = 620
SEND_BYTES_PER_US = 12_500


@dataclass(frozen=True)
class Seen:
    """A span as the file has it."""

    number: int
    name: str
    row: str
    rank: int
    start: float
    end: float
    args: dict[str, Any]

    @property
    def length(self) -> float:
        return self.end - self.start


class Detective:
    """One trace, and the questions that a person asks of it."""

    def __init__(self, download: str) -> None:
        events = json.loads(download)["traceEvents"]
        rows = {
            (one["pid"], one["tid"]): one["args"]["name"]
            for one in events
            if one["name"] == "thread_name"
        }
        self.spans = [
            Seen(
                one["args"]["span"],
                one["name"],
                rows[one["pid"], one["tid"]],
                one["pid"],
                one["ts"],
                one["ts"] + one["dur"],
                one["args"],
            )
            for one in events
            if one["ph"] == "X"
        ]
        self.rows: dict[tuple[int, str], list[Seen]] = defaultdict(list)
        for span in self.spans:
            self.rows[span.rank, span.row].append(span)
        for row in self.rows.values():
            row.sort(key=lambda one: one.start)
        self.ranks = sorted({span.rank for span in self.spans})

    def solve(self) -> tuple[str, int]:
        """The cause and the number of a span that proves it."""
        for look in (
            self._loader,
            self._checkpoint,
            self._garbage,
            self._copy,
            self._straggler,
            self._thermal,
            self._ecmp,
            self._overlap,
        ):
            found = look()
            if found is not None:
                return found
        raise AssertionError("a trace must have a cause that can be seen, this one has none")

    def _idle_us(self, rank: int, start: float, end: float) -> float:
        """How long a compute stream had no kernel between two moments."""
        busy = sum(
            max(0.0, min(end, one.end) - max(start, one.start))
            for one in self.rows[rank, "compute stream"]
            if not one.name.startswith("Memcpy")
        )
        return end - start - busy

    def _main(self, rank: int, name: str) -> list[Seen]:
        return [one for one in self.rows[rank, "main thread"] if one.name == name]

    def _kernels(self, rank: int) -> list[Seen]:
        return [one for one in self.rows[rank, "compute stream"] if "module" in one.args]

    def _loader(self) -> tuple[str, int] | None:
        waits = [one for rank in self.ranks for one in self._main(rank, "next(data_loader)")]
        worst = max(waits, key=lambda one: one.length)
        return ("data-loader", worst.number) if worst.length > LONG_US else None

    def _checkpoint(self) -> tuple[str, int] | None:
        saves = [one for rank in self.ranks for one in self._main(rank, "save_checkpoint")]
        worst = max(saves, key=lambda one: one.length)
        return ("blocking-checkpoint", worst.number) if worst.length > LONG_US else None

    def _garbage(self) -> tuple[str, int] | None:
        """A collection counts if the GPU ran dry during it, and the next launch ended that."""
        for rank in self.ranks:
            for one in self._main(rank, "gc.collect"):
                if self._idle_us(rank, one.start, one.end) < LONG_US:
                    continue
                calls = self.rows[rank, "main thread"]
                launch = next(call for call in calls if call.start > one.end - ROUNDING_US)
                starts = [kernel.start for kernel in self._kernels(rank)]
                if any(0 < start - launch.start < LAUNCH_US for start in starts):
                    return "garbage-collection", one.number
        return None

    def _copy(self) -> tuple[str, int] | None:
        for one in self.spans:
            is_large = one.args.get("bytes", 0) > 1e6
            if one.name == "Memcpy DtoH (Device -> Pageable)" and is_large:
                return "synchronising-copy", one.number
        return None

    def _straggler(self) -> tuple[str, int] | None:
        work = {
            rank: sum(one.args.get("GFLOP", 0) for one in self._kernels(rank))
            for rank in self.ranks
        }
        most = max(self.ranks, key=lambda rank: work[rank])
        if work[most] < 1.1 * median(work.values()):
            return None
        return "straggler", self._kernels(most)[0].number

    def _thermal(self) -> tuple[str, int] | None:
        """A slow kernel counts on a rank that the others wait for, not on one that waits."""
        for rank in self.ranks:
            if self._waits(rank):
                continue
            slow = [
                one
                for one in self._kernels(rank)
                if "GFLOP" in one.args and one.args["GFLOP"] * 1e3 / one.length < 0.85 * TFLOP_PER_S
            ]
            if slow:
                return "thermal-throttling", slow[0].number
        return None

    def _waits(self, rank: int) -> bool:
        """Whether this rank computes for a shorter time than the median does."""
        busy = {one: sum(kernel.length for kernel in self._kernels(one)) for one in self.ranks}
        return busy[rank] < median(busy.values())

    def _ecmp(self) -> tuple[str, int] | None:
        """A slow send counts if compute streams were idle while it went on alone."""
        guilty: dict[int, float] = {}
        for one in self.spans:
            if not one.row.startswith("network"):
                continue
            ordinary = one.args["bytes"] / SEND_BYTES_PER_US
            if one.length < 1.5 * ordinary:
                continue
            alone = one.start + 1.1 * ordinary
            if min(self._idle_us(rank, alone, one.end) for rank in self.ranks) > LONG_US / 5:
                guilty[one.number] = one.length / ordinary
        if not guilty:
            return None
        return "ecmp-collision", max(guilty, key=lambda number: guilty[number])

    def _overlap(self) -> tuple[str, int] | None:
        """The collective that runs for longest while no rank computes."""
        first = min(one.start for one in self.spans if one.row == "nccl stream")
        collectives = [
            one
            for one in self.rows[0, "nccl stream"]
            if "AllGather" in one.name and one.start > first
        ]
        idle = {
            one.number: min(self._idle_us(rank, one.start, one.end) for rank in self.ranks)
            for one in collectives
        }
        worst = max(idle, key=lambda number: idle[number])
        return ("lost-overlap", worst) if idle[worst] > LONG_US / 5 else None
