"""Lanes stand in the drawing where their times say, and the table says the same."""

from __future__ import annotations

from typing import Any

import pytest

from graders.simulation.stateful.lanes import LABEL_WIDTH, PLOT_WIDTH, Figure, Lane, Span


def drawn(*lanes: Lane, **more: Any) -> Any:
    return Figure("title", "ms", list(lanes), {"work": "works", "wait": "waits"}, **more).to_json()


def test_a_span_stands_where_its_time_says() -> None:
    figure = drawn(Lane("a", [Span(0, 30, "wait", "x"), Span(30, 90, "work", "y")]))
    first, second = figure["lanes"][0]["spans"]
    assert first["x"] == LABEL_WIDTH
    last = float(figure["ticks"][-1]["label"])
    assert last == 100
    assert second["x"] == pytest.approx(LABEL_WIDTH + 0.3 * PLOT_WIDTH, abs=0.1)
    assert second["width"] == pytest.approx(0.6 * PLOT_WIDTH, abs=0.1)
    assert figure["ticks"][-1]["x"] == LABEL_WIDTH + PLOT_WIDTH
    assert [(row["begin"], row["end"]) for row in figure["rows"]] == [("0", "30"), ("30", "90")]


@pytest.mark.parametrize("end", [0.07, 1, 7, 12, 61, 999, 12345])
def test_the_axis_has_a_few_round_ticks_and_ends_after_the_last_span(end: float) -> None:
    labels = [
        float(tick["label"]) for tick in drawn(Lane("a", [Span(0, end, "work", "")]))["ticks"]
    ]
    assert 3 <= len(labels) <= 8
    assert labels[-2] < end <= labels[-1]


def test_a_limit_after_the_last_span_is_on_the_axis_too() -> None:
    figure = drawn(Lane("a", [Span(0, 10, "work", "")], limit=300), limit_text="by then")
    assert figure["lanes"][0]["limit_x"] == figure["plot_x2"]
    assert figure["limit_text"] == "by then"


def test_the_key_tells_only_of_what_is_there() -> None:
    figure = drawn(Lane("a", [Span(0, 10, "work", "")]), limit_text="no lane has one")
    assert figure["key"] == [{"tone": "work", "label": "works"}]
    assert figure["limit_text"] == ""


def test_lanes_lie_below_each_other_and_groups_apart() -> None:
    span = [Span(0, 1, "work", "")]
    ys = [
        lane["text_y"]
        for lane in drawn(Lane("a", span), Lane("b", span), Lane("c", span, apart=True))["lanes"]
    ]
    assert 0 < ys[1] - ys[0] < ys[2] - ys[1]


def test_a_moment_is_still_to_be_seen() -> None:
    (span,) = drawn(
        Lane("a", [Span(0, 1e-6, "work", "")]),
        Lane("b", []),
    )["lanes"][0]["spans"]
    assert span["width"] > 1
