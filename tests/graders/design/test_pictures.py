"""Pictures are laid out from data that nobody trusts: in proportion, within bounds, or refused."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from graders.design.pictures import LAYOUTS, bars, placement

ROOT = Path(__file__).parents[3]


def row(label: str, *values: float, note: str = "") -> dict[str, Any]:
    parts = [{"label": f"part {index}", "value": value} for index, value in enumerate(values)]
    return {"label": label, "note": note, "parts": parts}


def chart(*rows: dict[str, Any], limit: float | None = None) -> dict[str, Any]:
    line = None if limit is None else {"label": "room", "value": limit}
    return {"title": "Memory", "unit": "GB", "limit": line, "rows": list(rows)}


def drawn(*charts: dict[str, Any]) -> Any:
    return bars.layout({"charts": list(charts)})["charts"]


PLACED: dict[str, Any] = {
    "ranks": 1024,
    "levels": [
        {"label": "node", "ranks": 8, "rate": "450 GB/s"},
        {"label": "pod", "ranks": 256, "rate": "50 GB/s"},
        {"label": "spine", "ranks": 1024, "rate": "25 GB/s"},
    ],
    "dimensions": [
        {"label": "tensor", "stride": 1, "size": 8, "note": ""},
        {"label": "pipeline", "stride": 8, "size": 32, "note": ""},
        {"label": "data", "stride": 256, "size": 4, "note": ""},
        {"label": "context", "stride": 1024, "size": 1, "note": ""},
    ],
}


@pytest.mark.parametrize("kind", LAYOUTS)
def test_every_kind_has_its_template_and_style(kind: str) -> None:
    assert (ROOT / "templates" / "practice" / "pictures" / f"{kind}.html").is_file()
    assert (ROOT / "app" / "static" / "css" / f"{kind}.css").is_file()


def test_bars_are_as_long_as_what_they_show() -> None:
    (one,) = drawn(chart(row("a", 30, 10), row("b", 20), limit=50))
    first, second = one["rows"]
    widths = [piece["width"] for piece in first["pieces"]]
    assert widths[0] == pytest.approx(3 * widths[1], rel=1e-3)
    assert first["pieces"][1]["x"] == pytest.approx(first["pieces"][0]["x"] + widths[0], abs=0.02)
    assert second["pieces"][0]["width"] == pytest.approx(bars.BAR_WIDTH * 20 / 50)
    assert one["limit"]["x"] == pytest.approx(bars.LABEL_WIDTH + bars.BAR_WIDTH)
    assert (first["total_text"], first["is_over"], second["is_over"]) == ("40 GB", False, False)


def test_a_bar_over_the_limit_is_marked() -> None:
    (one,) = drawn(chart(row("a", 51), row("b", 50), limit=50))
    assert [each["is_over"] for each in one["rows"]] == [True, False]


def test_one_label_has_one_colour_in_all_charts() -> None:
    first, second = drawn(chart(row("a", 1, 2)), chart({**row("b", 0, 5), "label": "b"}))
    assert second["legend"][1] == first["legend"][1]
    assert [piece["colour"] for piece in second["rows"][0]["pieces"]] == [1]


@pytest.mark.parametrize(
    "broken",
    [
        {"charts": []},
        {"charts": "none"},
        {"charts": [chart()]},
        {"charts": [chart(row("a", 0))]},
        {"charts": [chart(row("a", -1))]},
        {"charts": [chart(row("a", float("nan")))]},
        {"charts": [chart(row("a", 10**400))]},
        {"charts": [chart(row("a", *range(1, 15)))]},
        {"charts": [chart(row("a", 1))] * 5},
        {"charts": [chart(*[row("a", 1)] * 25)]},
        {},
    ],
)
def test_bars_of_something_else_are_refused(broken: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        bars.layout(broken)


def test_a_group_lies_in_the_level_that_its_traffic_reaches() -> None:
    picture: Any = placement.layout(PLACED)
    tensor, pipeline, data, context = picture["dimensions"]
    assert [one["level"] for one in (tensor, pipeline, data)] == ["node", "pod", "spine"]
    node, pod, _ = picture["levels"]
    assert (tensor["x"], tensor["width"]) == (node["x"], node["width"])
    assert (pipeline["x"], pipeline["width"]) == (pod["x"], pod["width"])
    assert context["is_alone"]
    assert [mark["label"] for mark in picture["marks"]] == ["8", "256", "1,024"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("ranks",), 512),
        (("ranks",), 1),
        (("levels",), []),
        (("levels", 1, "ranks"), 4),
        (("dimensions", 0, "size"), 2048),
        (("dimensions", 0, "stride"), 0),
        (("dimensions", 2, "size"), 8),
        (("dimensions", 0, "label"), 3),
    ],
)
def test_a_placement_that_does_not_add_up_is_refused(path: tuple[Any, ...], value: Any) -> None:
    broken: Any = copy.deepcopy(PLACED)
    inside = broken
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    with pytest.raises((ValueError, KeyError, TypeError)):
        placement.layout(broken)


def test_the_readme_has_every_picture_in_order() -> None:
    text = (ROOT / "graders" / "design" / "README.md").read_text()
    table = text[text.index("## Pictures") : text.index("`graders/design/pictures/<kind>.py`")]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(LAYOUTS)
