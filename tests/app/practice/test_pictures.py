"""The drawings of a cluster and of a front, as pages: whoever cannot see them reads the same."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from graders.design.pictures import LAYOUTS
from tests.graders.design.pictures.test_cluster import ONE_POD, RAILS

PARETO: dict[str, Any] = {
    "x": {"label": "time", "unit": "days"},
    "y": {"label": "cost", "unit": "MUSD"},
    "limit_x": {"label": "deadline", "value": 50},
    "front": [{"x": 40.5, "y": 1400.5, "label": "<quick>"}, {"x": 60, "y": 1300, "label": "slow"}],
    "mine": {"x": 48, "y": 1500, "label": "your design"},
}


def page(kind: str, data: dict[str, Any]) -> str:
    return render_to_string(f"practice/pictures/{kind}.html", {"picture": LAYOUTS[kind](data)})


def words(html: str) -> str:
    """What is read where no drawing is seen."""
    without = re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", without))


def test_the_cluster_can_be_read_without_seeing_it() -> None:
    text = words(page("cluster", RAILS))
    for part in ("5,184 switches", "214,688 cables", "1,792", "56 of 64", "7:1", "training 9,344"):
        assert part in text


def test_the_front_can_be_read_without_seeing_it() -> None:
    text = words(page("pareto", PARETO))
    for part in ("40.5 1,400", "60 1,300", "your design 48 1,500", "costs 1,400 MUSD", "too late"):
        assert part in text


@pytest.mark.parametrize(
    ("kind", "data"), [("cluster", RAILS), ("cluster", ONE_POD), ("pareto", PARETO)]
)
def test_a_drawing_has_a_name_and_nothing_that_the_policy_forbids(
    kind: str, data: dict[str, Any]
) -> None:
    html = page(kind, data)
    assert 'role="img"' in html
    assert re.search(r"<title id=[^>]+>\s*\S", html)
    assert "style=" not in html
    assert "<script" not in html
    assert "<quick>" not in html  # what a model says is escaped
    # Every coordinate is there: an empty one is a key that the layout does not give.
    assert not re.search(r' (x|y|x1|x2|y1|y2|cx|cy|width|height|points)=""', html)


@pytest.mark.parametrize("language", ["en", "zh-hans", "de"])
def test_coordinates_keep_their_points_in_every_language(language: str) -> None:
    with translation.override(language):
        html = page("pareto", PARETO)
    numbers = re.findall(r' (?:cx|cy|x|y|x1|y1)="([^"]+)"', html)
    assert numbers
    for number in numbers:
        float(number)
