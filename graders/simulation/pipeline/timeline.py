"""A run as a Gantt chart: a row a rank, time to the right, a cell for each operation.

The layout is made here, in user units of an SVG; the template only writes it down. An operation
that never ran, because its rank stands before it, follows at the end of its row.
"""

from __future__ import annotations

from graders.simulation.pipeline.checks import Failure, time_limit
from graders.simulation.pipeline.operations import Operation
from graders.simulation.pipeline.simulate import Place, Ran, Run
from graders.text import say, say_n
from graders.verdict import Json, JsonObject

LABEL_WIDTH = 58.0
PEAK_WIDTH = 62.0
PLOT_WIDTH = 660.0
TOP_MARGIN = 20.0
ROW_HEIGHT = 38.0
CELL_HEIGHT = 26.0
AXIS_HEIGHT = 30.0
MIN_UNIT_WIDTH = 5.0  # then labels are left out, and titles say them
MAX_UNIT_WIDTH = 34.0
CHARACTER_WIDTH = 6.6
MAX_NEVER_RAN = 6  # shown of one rank
NEVER_RAN_WIDTH = 24.0
MAX_CELLS = 400


def beside(yours: Run, published: Run, failure: Failure | None = None) -> JsonObject:
    """The candidate's timeline and the published one of the same pipeline, on one scale.

    Returns
    -------
    JsonObject
        ``yours`` and ``published``, each as `layout` gives it, ``schedule``, and the ``kinds`` of
        passes that it has.
    """
    until = max(yours.end, published.end)
    return {
        "schedule": yours.pipeline.schedule.value,
        "kinds": [kind for kind in yours.pipeline.schedule.kinds if kind != "FB"],
        # Ranks that stopped would stand far from where they stopped.
        "yours": layout(yours, yours.end if yours.stuck else until, failure),
        "published": layout(published, until, None),
    }


def layout(made: Run, until: int, failure: Failure | None) -> JsonObject:
    """Lay out a run.

    Parameters
    ----------
    until : int
        Units of time that the axis shows.
    failure : Failure, optional
        Its operations are marked, its waits drawn.

    Returns
    -------
    JsonObject
        Sizes, ``rows``, ``ticks``, ``cells`` in the order of time, ``waits`` and ``text``.
    """
    plot = _Plot(made, until)
    marked = failure.marked if failure else ()
    ran = sorted((one for row in made.ran for one in row), key=lambda one: (one.begin, one.rank))
    shown = [one for at, one in enumerate(ran) if at < MAX_CELLS or (one.rank, one.index) in marked]
    cells: list[Json] = [plot.cell(one, marked) for one in shown]
    for rank in sorted(made.stuck):
        cells += plot.never_ran(rank, marked)
    rows: list[Json] = [plot.row(rank) for rank in range(made.pipeline.n_ranks)]
    waits: list[Json] = [plot.wait(*pair) for pair in (failure.waits if failure else ())]
    limit = time_limit(made.pipeline)
    return {
        "width": round(plot.width, 1),
        "height": plot.bottom_y + AXIS_HEIGHT,
        "axis_y": plot.bottom_y + 4,
        "tick_y": plot.bottom_y + 9,
        "tick_text_y": plot.bottom_y + 22,
        "top_y": TOP_MARGIN - 6,
        "head_y": TOP_MARGIN - 6,
        "peak_x": round(plot.width - PEAK_WIDTH + 10, 1),
        "plot_x1": LABEL_WIDTH,
        "plot_x2": plot.x(until),
        "limit_x": plot.x(limit) if limit <= until else None,
        "rows": rows,
        "ticks": plot.ticks(),
        "cells": cells,
        "n_drawn": len(cells),
        "n_operations": sum(len(order) for order in made.orders),
        "waits": waits,
        "text": _summary(made),
    }


def _summary(made: Run) -> str:
    ranks = say_n("{count} rank", "{count} ranks", count=made.pipeline.n_ranks)
    peak = max(made.peak(rank) for rank in range(made.pipeline.n_ranks))
    stashes = say_n("{count} stash", "{count} stashes", count=peak)
    if made.stuck:
        return say(
            "{ranks}, of which {stuck} wait for ever; at most {stashes} on a rank.",
            ranks=ranks,
            stuck=len(made.stuck),
            stashes=stashes,
        )
    share = 100 * made.bubble / made.end if made.end else 0
    return say(
        "{ranks}, {end} units of time; the idlest rank stands still for {bubble} of them, "
        "{share:.1f} %; at most {stashes} on a rank.",
        ranks=ranks,
        end=made.end,
        bubble=made.bubble,
        share=share,
        stashes=stashes,
    )


class _Plot:
    """Turns ranks and times into coordinates."""

    def __init__(self, made: Run, until: int) -> None:
        self.made = made
        self.until = max(until, 1)
        self.unit = min(MAX_UNIT_WIDTH, max(MIN_UNIT_WIDTH, PLOT_WIDTH / self.until))
        never = max((self._left(rank) for rank in made.stuck), default=0)
        self.tail = min(never, MAX_NEVER_RAN) * NEVER_RAN_WIDTH + (12 if never else 0)
        self.width = self.x(self.until) + self.tail + PEAK_WIDTH

    @property
    def bottom_y(self) -> float:
        return TOP_MARGIN + self.made.pipeline.n_ranks * ROW_HEIGHT

    def _left(self, rank: int) -> int:
        return len(self.made.orders[rank]) - len(self.made.ran[rank])

    def x(self, units: int) -> float:
        return round(LABEL_WIDTH + units * self.unit, 1)

    def y(self, rank: int) -> float:
        return TOP_MARGIN + rank * ROW_HEIGHT + (ROW_HEIGHT - CELL_HEIGHT) / 2

    def row(self, rank: int) -> JsonObject:
        pipeline, middle_y = self.made.pipeline, self.y(rank) + CELL_HEIGHT / 2
        return {
            "rank": rank,
            "y": self.y(rank),
            "height": CELL_HEIGHT,
            "text_y": middle_y + 4,
            "peak": self.made.peak(rank),
            "allowed": pipeline.max_in_flight(rank),
            "over": self.made.peak(rank) > pipeline.max_in_flight(rank),
            "idle": self.made.idle(rank),
        }

    def ticks(self) -> list[Json]:
        """About eight whole times along the axis."""
        step = next(
            (
                power * factor
                for power in (1, 10, 100, 1000, 10000)
                for factor in (1, 2, 5)
                if self.until <= 9 * power * factor
            ),
            self.until,
        )
        return [
            {"x": self.x(units), "label": str(units)} for units in range(0, self.until + 1, step)
        ]

    def cell(self, one: Ran, marked: tuple[Place, ...]) -> JsonObject:
        x, width = self.x(one.begin), self.x(one.end) - self.x(one.begin)
        return {
            **self._cell(one.operation, (one.rank, one.index), x, width, marked),
            "begin": one.begin,
            "end": one.end,
            "in_flight": one.in_flight,
        }

    def never_ran(self, rank: int, marked: tuple[Place, ...]) -> list[Json]:
        """The operations that the rank did not come to, the first few."""
        first = len(self.made.ran[rank])
        cells: list[Json] = []
        for at, operation in enumerate(self.made.orders[rank][first : first + MAX_NEVER_RAN]):
            x = self._never_x(at)
            place = (rank, first + at)
            cells.append(self._cell(operation, place, x, NEVER_RAN_WIDTH, marked) | {"begin": None})
        return cells

    def _never_x(self, at: int) -> float:
        return round(self.x(self.until) + 12 + at * NEVER_RAN_WIDTH, 1)

    def _cell(
        self,
        operation: Operation,
        place: Place,
        x: float,
        width: float,
        marked: tuple[Place, ...],
    ) -> JsonObject:
        rank, index = place
        height = CELL_HEIGHT / len(operation.parts)
        middle, y = round(x + width / 2, 1), self.y(rank)
        parts: list[Json] = []
        for number, part in enumerate(operation.parts):
            label = self._label(part.micro_batch, part.stage, width)
            part_y = y + number * height
            parts.append(
                {
                    "kind": part.kind,
                    "micro_batch": part.micro_batch,
                    "stage": part.stage,
                    "y": part_y,
                    "height": height,
                    "label": label,
                    "label_y": round(part_y + height / 2 + 4, 1),
                }
            )
        return {
            "rank": rank,
            "index": index,
            "x": x,
            "y": y,
            "width": round(width, 1),
            "height": CELL_HEIGHT,
            "label_x": middle,
            "mark": f"M{middle - 5} {y - 7}H{middle + 5}L{middle} {y - 1}Z",
            "bad": place in marked,
            "parts": parts,
        }

    def _label(self, micro_batch: int, stage: int, width: float) -> str:
        """The micro-batch's number, with its stage where stages share a rank; what fits."""
        label = str(micro_batch)
        full = f"{label}.{stage}" if self.made.pipeline.n_chunks > 1 else label
        fits = [one for one in (full, label) if len(one) * CHARACTER_WIDTH + 2 <= width]
        return fits[0] if fits else ""

    def wait(self, waiting: Place, needed: Place) -> JsonObject:
        """An arrow from what waits to what it waits for."""
        (x1, y1), (x2, y2) = self._middle(waiting), self._middle(needed)
        down = 1 if y2 >= y1 else -1
        y1, y2 = y1 + down * CELL_HEIGHT / 2, y2 - down * CELL_HEIGHT / 2
        head = f"{x2 - 4},{y2 - down * 7} {x2 + 4},{y2 - down * 7} {x2},{y2}"
        return {"x1": x1, "y1": y1, "x2": x2, "y2": y2 - down * 6, "head": head}

    def _middle(self, place: Place) -> tuple[float, float]:
        rank, index = place
        at = min(index - len(self.made.ran[rank]), MAX_NEVER_RAN - 1)
        x = self._never_x(at) + NEVER_RAN_WIDTH / 2
        return round(x, 1), self.y(rank) + CELL_HEIGHT / 2
