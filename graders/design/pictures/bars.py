"""Stacked bars: what fills each of them, against a limit that all share.

data: ``{"charts": [{"title", "unit", "limit": {"label", "value"} | None, "rows": [{"label",
"note", "parts": [{"label", "value"}]}]}]}``, at most 4 charts of 24 rows of 12 parts, no value
negative. Parts with one label have one colour, in all charts where these have 12 labels together.
"""

from __future__ import annotations

from typing import Any

from graders.answers.worksheet.units import number_text
from graders.design.pictures import values
from graders.text import say
from graders.verdict import JsonObject

MAX_CHARTS = 4
MAX_ROWS = 24
MAX_PARTS = 12

LABEL_WIDTH = 128.0  # of the column of row labels, in the drawing's units
BAR_WIDTH = 560.0
VALUE_WIDTH = 92.0
NOTE_WIDTH = 180.0  # more, where a row says something beside its value
ROW_HEIGHT = 30.0
BAR_HEIGHT = 18.0
TOP = 26.0  # above the first row, for the limit's label


def layout(data: JsonObject) -> JsonObject:
    """Coordinates of every chart; widths are shares of the longest bar or the limit."""
    said = values.rows(data["charts"], MAX_CHARTS)
    rows = [[_row(row) for row in values.rows(one["rows"], MAX_ROWS)] for one in said]
    if not said:
        raise ValueError("a picture of bars needs a chart")
    shared = _labels([row for chart in rows for row in chart])
    return {
        "charts": [
            _chart(one, own, shared if len(shared) <= MAX_PARTS else _labels(own))
            for one, own in zip(said, rows, strict=True)
        ]
    }


Row = tuple[str, str, list[tuple[str, float]]]  # its label, a note, its parts


def _labels(rows: list[Row]) -> list[str]:
    return list(dict.fromkeys(label for _, _, parts in rows for label, _ in parts))


def _chart(said: dict[str, Any], rows: list[Row], labels: list[str]) -> JsonObject:
    unit = values.text(said["unit"])
    limit = said["limit"]
    limit_value = None if limit is None else values.number(limit["value"], least=0.0)
    longest = max([sum(value for _, value in parts) for _, _, parts in rows] + [limit_value or 0.0])
    if not rows or longest <= 0:
        raise ValueError("a chart needs a bar that is longer than nothing")
    own = _labels(rows)
    if len(own) > MAX_PARTS:
        raise ValueError(f"a chart may have {MAX_PARTS} kinds of parts, got {len(own)}")
    scale = BAR_WIDTH / longest
    drawn: list[Any] = []
    for index, (label, note, parts) in enumerate(rows):
        drawn.append(_drawn(label, note, parts, labels, scale, TOP + index * ROW_HEIGHT, unit))
        if limit_value is not None:
            drawn[-1]["is_over"] = drawn[-1]["total"] > limit_value
    height = TOP + len(rows) * ROW_HEIGHT + 4
    return {
        "title": values.text(said["title"]),
        "unit": unit,
        "width": LABEL_WIDTH
        + BAR_WIDTH
        + VALUE_WIDTH
        + (NOTE_WIDTH if any(note for _, note, _ in rows) else 0.0),
        "height": height,
        "legend": [{"label": label, "colour": labels.index(label)} for label in own],
        "rows": drawn,
        "limit": None
        if limit_value is None
        else {
            "label": values.text(limit["label"]),
            "value": _amount(limit_value, unit),
            "x": round(LABEL_WIDTH + limit_value * scale, 2),
            "y1": TOP - 6,
            "y2": height - 4,
            "is_far_right": limit_value * scale > BAR_WIDTH / 2,
        },
    }


def _row(said: dict[str, Any]) -> Row:
    parts = [
        (values.text(part["label"]), values.number(part["value"], least=0.0))
        for part in values.rows(said["parts"], MAX_PARTS)
    ]
    return values.text(said["label"]), values.text(said.get("note", "")), parts


def _drawn(
    label: str,
    note: str,
    parts: list[tuple[str, float]],
    labels: list[str],
    scale: float,
    y: float,
    unit: str,
) -> dict[str, Any]:
    x, pieces = LABEL_WIDTH, []
    for name, value in parts:
        width = value * scale
        if value > 0:
            pieces.append(
                {
                    "label": name,
                    "colour": labels.index(name),
                    "value": _amount(value, unit),
                    "x": round(x, 2),
                    "width": round(max(width, 0.5), 2),
                }
            )
        x += width
    total = sum(value for _, value in parts)
    return {
        "label": label,
        "note": note,
        "pieces": pieces,
        "total": total,
        "total_text": _amount(total, unit),
        "y": y,
        "bar_height": BAR_HEIGHT,
        "text_y": y + BAR_HEIGHT / 2 + 4.5,
        "label_x": LABEL_WIDTH - 10,
        "value_x": round(x + 8, 2),
        "is_over": False,
    }


def _amount(value: float, unit: str) -> str:
    number = number_text(float(f"{value:.4g}"))
    return say("{number} {unit}", number=number, unit=unit) if unit else number
