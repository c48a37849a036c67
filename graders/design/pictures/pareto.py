"""Two things that one wants little of, against each other: a front, a limit, and one design.

data: ``{"x": {"label", "unit"}, "y": {"label", "unit"}, "limit_x": {"label", "value"} | None,
"front": [{"x", "y", "label"}], "mine": {"x", "y", "label"}}``. The front is sorted: x rises and y
falls, which is what makes it one.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, NamedTuple

from graders.answers.worksheet.units import number_text
from graders.design.pictures import values
from graders.text import say
from graders.verdict import JsonObject

MAX_POINTS = 60

WIDTH = 400.0
HEIGHT = 264.0
LEFT = 44.0
RIGHT = 388.0
TOP = 20.0
BOTTOM = 222.0
ROOM = 0.09  # of the range, beside the outermost points
X_TICKS = 7
Y_TICKS = 5
NEAR = 0.01  # a share by which a cost may differ and still be called the same


class Point(NamedTuple):
    """A design by what it takes."""

    x: float
    y: float
    label: str


class Axis(NamedTuple):
    """A scale from values to the drawing."""

    least: float
    most: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Where a value lies."""
        share = (value - self.least) / (self.most - self.least)
        return round(self.start + share * (self.end - self.start), 2)


def layout(data: JsonObject) -> JsonObject:
    """Points, the front's staircase, axes with their ticks and where labels go.

    Raises
    ------
    ValueError, KeyError, TypeError
        If the front is empty or no front, or a number is none.
    """
    front = [_point(one) for one in values.rows(data["front"], MAX_POINTS)]
    if not front:
        raise ValueError("a front needs a point")
    for one, other in pairwise(front):
        if not (one.x <= other.x and one.y >= other.y):
            raise ValueError("along a front x must rise and y fall")
    mine = _point(data["mine"])
    said_limit: Any = data["limit_x"]
    limit = None if said_limit is None else values.number(said_limit["value"])
    xs = [mine.x, *(one.x for one in front), *([] if limit is None else [limit])]
    ys = [mine.y, *(one.y for one in front)]
    x_axis, y_axis = _axis(xs, LEFT, RIGHT), _axis(ys, BOTTOM, TOP)
    x_unit, y_unit = _unit(data["x"]), _unit(data["y"])
    is_right = x_axis.at(mine.x) > (LEFT + RIGHT) / 2
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": RIGHT,
        "top": TOP,
        "bottom": BOTTOM,
        "plot_width": RIGHT - LEFT,
        "plot_height": BOTTOM - TOP,
        "x_title": _title(data["x"], x_unit),
        "y_title": _title(data["y"], y_unit),
        "x_title_x": (LEFT + RIGHT) / 2,
        "x_title_y": HEIGHT - 8,
        "x_ticks": [
            {"x": x_axis.at(one), "text": number_text(one), "text_y": BOTTOM + 16}
            for one in _ticks(x_axis, X_TICKS)
        ],
        "y_ticks": [
            {"y": y_axis.at(one), "text": number_text(one), "text_y": y_axis.at(one) + 4}
            for one in _ticks(y_axis, Y_TICKS)
        ],
        "stairs": _stairs(front, x_axis, y_axis),
        "points": [_placed(one, x_axis, y_axis) for one in front],
        "mine": {
            **_placed(mine, x_axis, y_axis),
            "text": _said(mine, x_unit, y_unit),
            "figures": _figures(
                mine, x_unit, y_unit
            ),  # beside the point, where a label is too long
            "text_x": x_axis.at(mine.x) + (-6 if is_right else 6),
            "anchor": "end" if is_right else "start",
            "text_y": max(TOP + 10, y_axis.at(mine.y) - 13),
        },
        "limit": None
        if limit is None
        else {
            "x": x_axis.at(limit),
            "width": round(RIGHT - x_axis.at(limit), 2),
            "label": values.text(said_limit["label"]),
            "is_far_right": x_axis.at(limit) > (LEFT + RIGHT) / 2,
        },
        "rows": [_cells(one) for one in front],
        "my_row": _cells(mine),
        "verdict": _verdict(mine, front, x_unit, y_unit),
    }


def _point(said: Any) -> Point:
    return Point(
        values.number(said["x"], -1e15, 1e15),
        values.number(said["y"], -1e15, 1e15),
        values.text(said["label"]),
    )


def _unit(said: Any) -> str:
    return values.text(said["unit"])


def _title(said: Any, unit: str) -> str:
    return say("{label}, {unit}", label=values.text(said["label"]), unit=unit)


def _axis(found: list[float], start: float, end: float) -> Axis:
    least, most = min(found), max(found)
    room = ROOM * (most - least) or max(abs(most) * ROOM, 1.0)
    return Axis(least - room, most + room, start, end)


def _ticks(axis: Axis, about: int) -> list[float]:
    """Round numbers within the axis, at most so many."""
    rough = (axis.most - axis.least) / about
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(one * magnitude for one in (1, 2, 5, 10) if one * magnitude >= rough)
    first = math.ceil(axis.least / step)
    return [float(f"{one * step:.12g}") for one in range(first, math.floor(axis.most / step) + 1)]


def _stairs(front: list[Point], x_axis: Axis, y_axis: Axis) -> str:
    """The border of what the front beats: from each point right, then down to the next."""
    corners = [f"{x_axis.at(front[0].x)},{TOP}"]
    for one, after in zip(front, [*front[1:], None], strict=True):
        y = y_axis.at(one.y)
        corners.append(f"{x_axis.at(one.x)},{y}")
        corners.append(f"{x_axis.at(after.x) if after else RIGHT},{y}")
    return " ".join(corners)


def _placed(one: Point, x_axis: Axis, y_axis: Axis) -> dict[str, Any]:
    return {"x": x_axis.at(one.x), "y": y_axis.at(one.y), "label": one.label}


def _short(value: float) -> str:
    return number_text(float(f"{value:.4g}"))


def _said(one: Point, x_unit: str, y_unit: str) -> str:
    return say("{label}: {figures}", label=one.label, figures=_figures(one, x_unit, y_unit))


def _figures(one: Point, x_unit: str, y_unit: str) -> str:
    return say(
        "{x} {x_unit}, {y} {y_unit}",
        x=_short(one.x),
        x_unit=x_unit,
        y=_short(one.y),
        y_unit=y_unit,
    )


def _cells(one: Point) -> JsonObject:
    return {"label": one.label, "x_text": _short(one.x), "y_text": _short(one.y)}


def _verdict(mine: Point, front: list[Point], x_unit: str, y_unit: str) -> str:
    """How far the design is from the front, in words: the point that beats it most clearly."""
    beaten_by = [one for one in front if one.x <= mine.x and one.y < mine.y]
    if not beaten_by:
        return say("Nothing that the search found is done as soon and costs less.")
    best = min(beaten_by, key=lambda one: one.y)
    if mine.y - best.y <= NEAR * abs(mine.y):
        return say("On the front: nothing that the search found saves even 1 % in the same time.")
    return say(
        "A design of the front takes {x} {x_unit} and costs {y} {y_unit}, {percent:.0f} % less.",
        x=_short(best.x),
        x_unit=x_unit,
        y=_short(best.y),
        y_unit=y_unit,
        percent=100 * (mine.y - best.y) / abs(mine.y),
    )
