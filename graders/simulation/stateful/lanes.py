"""Lanes over a common time axis as the counterexample ``lanes``: where the time went.

The page's template is ``templates/practice/counterexamples/lanes.html``. All lengths below are
in the drawing's own units, pixels at full size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from graders.verdict import Json, JsonObject

_Scale = Callable[[float], float]  # a moment -> its place on the axis

LABEL_WIDTH = 210
PLOT_WIDTH = 560
VALUE_WIDTH = 150
LANE_HEIGHT = 22
BAR_HEIGHT = 14
TOP = 8
AXIS_HEIGHT = 24
TICKS = 6


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a lane; `tone` colours it (``work``, ``wait``, ``start``, ``save``, ``lost``).

    What the tone means stands in the figure's key, and `text` says it of this span.
    """

    begin: float
    end: float
    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A row: a label, spans in order, perhaps a limit on the axis, and a value at the end."""

    label: str
    spans: list[Span]
    value: str = ""
    limit: float | None = None
    apart: bool = False  # begins a new group of lanes


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure; `key` says what each tone means, `limit_text` what a lane's limit is."""

    title: str
    unit: str
    lanes: list[Lane]
    key: dict[str, str]
    limit_text: str = ""

    def to_json(self) -> JsonObject:
        """What the template draws, and the same as rows of a table."""
        ends = [span.end for lane in self.lanes for span in lane.spans]
        limits = [lane.limit for lane in self.lanes if lane.limit is not None]
        step = _tick(max([*ends, *limits, 1e-9]))
        last = step * math.ceil(max([*ends, *limits, 1e-9]) / step)

        def x(at: float) -> float:
            return round(LABEL_WIDTH + PLOT_WIDTH * at / last, 1)

        lanes: list[Json] = []
        rows: list[Json] = []
        y = TOP
        for lane in self.lanes:
            y += LANE_HEIGHT // 2 if lane.apart and lanes else 0
            lanes.append(_lane(lane, y, x))
            rows += [
                {
                    "lane": lane.label,
                    "what": span.text,
                    "begin": f"{span.begin:g}",
                    "end": f"{span.end:g}",
                }
                for span in lane.spans
            ]
            y += LANE_HEIGHT
        ticks: list[Json] = [
            {"x": x(number * step), "label": f"{number * step:g}"}
            for number in range(round(last / step) + 1)
        ]
        used = {span.tone for lane in self.lanes for span in lane.spans}
        key: list[Json] = [
            {"tone": tone, "label": label} for tone, label in self.key.items() if tone in used
        ]
        return {
            "title": self.title,
            "unit": self.unit,
            "width": LABEL_WIDTH + PLOT_WIDTH + VALUE_WIDTH,
            "height": y + AXIS_HEIGHT,
            "plot_x1": LABEL_WIDTH,
            "plot_x2": LABEL_WIDTH + PLOT_WIDTH,
            "top_y": TOP,
            "axis_y": y,
            "tick_text_y": y + 16,
            "value_x": LABEL_WIDTH + PLOT_WIDTH + 8,
            "ticks": ticks,
            "lanes": lanes,
            "rows": rows,
            "key": key,
            "limit_text": self.limit_text if limits else "",
        }


def _lane(lane: Lane, y: float, x: _Scale) -> JsonObject:
    top = y + (LANE_HEIGHT - BAR_HEIGHT) / 2
    spans: list[Json] = [
        {
            "x": x(span.begin),
            "y": top,
            # A span that is there is seen, however short.
            "width": round(max(1.5, x(span.end) - x(span.begin)), 1),
            "height": BAR_HEIGHT,
            "tone": span.tone,
            "title": span.text,
        }
        for span in lane.spans
    ]
    return {
        "label": lane.label,
        "value": lane.value,
        "text_y": y + LANE_HEIGHT / 2 + 4,
        "spans": spans,
        "limit_x": None if lane.limit is None else x(lane.limit),
        "limit_y1": y + 1,
        "limit_y2": y + LANE_HEIGHT - 1,
    }


def _tick(last: float) -> float:
    """1, 2 or 5 times a power of ten, so that there are about `TICKS` of them."""
    power = 10.0 ** math.floor(math.log10(last / TICKS))
    return next(size * power for size in (1, 2, 5, 10) if last / (size * power) <= TICKS)
