"""Which kinds of parallelism stay inside a node and which cross the slow links, on one ruler.

The ruler counts ranks from 1 to all of them, each doubling as wide as any other. A dimension that
repeats every `stride` ranks and has `size` of them lies on it from `stride` to ``stride * size``;
the levels of the network are the ruler's sections. So a bar that reaches past a boundary is a
group whose traffic leaves that level.

data: ``{"ranks": int, "levels": [{"label", "ranks", "rate"}], "dimensions": [{"label", "stride",
"size", "note"}]}``; levels from inside out, the last one with all ranks, `rate` a text.
"""

from __future__ import annotations

import math
from typing import Any

from graders.design.pictures import values
from graders.verdict import JsonObject

MAX_LEVELS = 6
MAX_DIMENSIONS = 10
MAX_RANKS = 2**24

LABEL_WIDTH = 96.0
WIDTH = 640.0
RIGHT = 20.0
TOP = 58.0
ROW_HEIGHT = 34.0
BAR_HEIGHT = 20.0


def layout(data: JsonObject) -> JsonObject:
    """Coordinates of levels, dimensions and the ruler's marks."""
    ranks = values.number(data["ranks"], 2, MAX_RANKS)
    levels = values.rows(data["levels"], MAX_LEVELS)
    dimensions = values.rows(data["dimensions"], MAX_DIMENSIONS)
    if not levels or values.number(levels[-1]["ranks"]) != ranks:
        raise ValueError("the outermost level must hold all ranks")
    scale = WIDTH / math.log2(ranks)

    def x(rank: float) -> float:
        return round(LABEL_WIDTH + math.log2(rank) * scale, 2)

    height = TOP + max(len(dimensions), 1) * ROW_HEIGHT + 26
    drawn_levels: list[Any] = []
    inside = 1.0
    for index, one in enumerate(levels):
        outside = values.number(one["ranks"], inside, ranks)
        drawn_levels.append(
            {
                "label": values.text(one["label"]),
                "rate": values.text(one["rate"]),
                "ranks": f"{outside:,.0f}",
                "x": x(inside),
                "x2": x(outside),
                "width": round(x(outside) - x(inside), 2),
                "middle": round((x(inside) + x(outside)) / 2, 2),
                "shade": index,
            }
        )
        inside = outside
    drawn: list[Any] = []
    for index, one in enumerate(dimensions):
        stride = values.number(one["stride"], 1, ranks)
        size = values.number(one["size"], 1, ranks)
        if stride * size > ranks:
            raise ValueError(f"{one['label']!r:.40}: stride times size must be within the ranks")
        y = TOP + index * ROW_HEIGHT
        level = next(i for i, each in enumerate(levels) if stride * size <= each["ranks"])
        drawn.append(
            {
                "label": values.text(one["label"]),
                "note": values.text(one.get("note", "")),
                "size": f"{size:,.0f}",
                "is_alone": size == 1,
                "level": drawn_levels[level]["label"],
                "x": x(stride),
                "width": round(max(x(stride * size) - x(stride), 3), 2),
                "y": y,
                "text_y": y + BAR_HEIGHT / 2 + 4.5,
                "middle": round((x(stride) + x(stride * size)) / 2, 2),
                "shade": level,
            }
        )
    return {
        "width": LABEL_WIDTH + WIDTH + RIGHT,
        "height": height,
        "top": TOP - 8,
        "bottom": height - 22,
        "label_x": LABEL_WIDTH - 12,
        "bar_height": BAR_HEIGHT,
        "levels": drawn_levels,
        "dimensions": drawn,
        "marks": [{"x": one["x2"], "label": one["ranks"], "y": height - 6} for one in drawn_levels],
        "start": {"x": x(1), "y": height - 6},
    }
