"""Cost against time: the front, the design on it, and what is said about the two."""

from __future__ import annotations

from typing import Any

import pytest

from graders.design.pictures.pareto import layout

FRONT = [(40.0, 140.0), (45.0, 135.0), (60.0, 130.0)]


def drawn(x: float = 48.0, y: float = 150.0, limit: float | None = 50.0, **changes: Any) -> Any:
    data: dict[str, Any] = {
        "x": {"label": "time", "unit": "days"},
        "y": {"label": "cost", "unit": "MUSD"},
        "limit_x": None if limit is None else {"label": "deadline", "value": limit},
        "front": [{"x": one, "y": other, "label": f"design {one:g}"} for one, other in FRONT],
        "mine": {"x": x, "y": y, "label": "your design"},
    }
    return layout(data | changes)


def test_sooner_is_left_and_cheaper_is_down() -> None:
    picture = drawn()
    first, second, third = picture["points"]
    assert first["x"] < second["x"] < picture["mine"]["x"] < picture["limit"]["x"] < third["x"]
    assert picture["mine"]["y"] < first["y"] < second["y"] < third["y"]


@pytest.mark.parametrize(("x", "y"), [(1.0, 1000.0), (39.0, 141.0), (300.0, 129.0)])
def test_everything_lies_between_the_axes(x: float, y: float) -> None:
    picture = drawn(x, y)
    for one in [*picture["points"], picture["mine"]]:
        assert picture["left"] <= one["x"] <= picture["right"]
        assert picture["top"] <= one["y"] <= picture["bottom"]
    ticks = [tick["x"] for tick in picture["x_ticks"]]
    assert 2 <= len(ticks) <= 8
    assert ticks == sorted(ticks)
    assert 2 <= len(picture["y_ticks"]) <= 8


def test_the_stairs_go_through_every_point_of_the_front() -> None:
    picture = drawn()
    corners = picture["stairs"].split()
    for point in picture["points"]:
        assert f"{point['x']},{point['y']}" in corners


def test_a_label_stays_on_the_page() -> None:
    left, right = drawn(x=41.0)["mine"], drawn(x=62.0)["mine"]
    assert (left["anchor"], right["anchor"]) == ("start", "end")


def test_who_is_beaten_reads_by_what_and_how_far() -> None:
    assert drawn(48, 150)["verdict"] == (
        "A design of the front takes 45 days and costs 135 MUSD, 10 % less."
    )
    assert drawn(48, 135.5)["verdict"].startswith("On the front")
    assert drawn(39, 141)["verdict"].startswith("Nothing that the search found")


def test_every_point_is_in_the_table_too() -> None:
    picture = drawn(48, 150)
    assert [(row["x_text"], row["y_text"]) for row in picture["rows"]] == [
        ("40", "140"),
        ("45", "135"),
        ("60", "130"),
    ]
    assert picture["my_row"] == {"label": "your design", "x_text": "48", "y_text": "150"}


def test_without_a_limit_nothing_is_late() -> None:
    assert drawn(limit=None)["limit"] is None


@pytest.mark.parametrize(
    "broken",
    [
        {"front": []},
        {"front": [{"x": 1, "y": 1, "label": "a"}, {"x": 2, "y": 2, "label": "b"}]},
        {"front": [{"x": float("nan"), "y": 1, "label": "a"}]},
        {"front": [{"x": 1, "y": 1, "label": "a"}] * 61},
        {"mine": {"x": 1, "label": "a"}},
        {"x": {"label": 3, "unit": "d"}},
    ],
)
def test_a_model_that_says_nonsense_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError)):
        drawn(**broken)


def test_a_long_label_is_in_the_key_and_not_in_the_drawing() -> None:
    label = "your design, which does not hold"
    mine = drawn(mine={"x": 48.0, "y": 150.0, "label": label})["mine"]
    assert mine["figures"] == "48 days, 150 MUSD"
    assert mine["text"] == f"{label}: 48 days, 150 MUSD"
    assert mine["label"] == label
