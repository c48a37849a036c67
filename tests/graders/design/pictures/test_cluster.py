"""The drawing of a cluster: what it counts, and that all of it lies on the page."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from graders.design.pictures.cluster import layout

RAILS: dict[str, Any] = {
    "gpus": 100_000,
    "planes": 8,
    "pods": 7,
    "pod_gpus": 14_336,
    "radix": 64,
    "core": {"switches": 32, "ports_used": 56},
    "spine": {"switches": 32, "ports_used": 64, "down": 56, "up": 8},
    "leaf": {"switches": 56, "ports_used": 64, "down": 32, "up": 32},
    "cables": {"core": 14_336, "leaf": 100_352, "node": 100_000},
    "gb_per_s": {"card": 50.0, "pod": 47.5, "cross": 6.7857},
    "switches": 5184,
    "bisection_tb_per_s": 2857.14,
    "nodes": {
        "total": 12_500,
        "uses": [{"label": "training", "nodes": 9344.0}, {"label": "serving", "nodes": 1515}],
    },
}
ONE_POD = RAILS | {
    "planes": 1,
    "pods": 1,
    "core": {"switches": 0, "ports_used": 0},
    "spine": {"switches": 30, "ports_used": 128, "down": 128, "up": 0},
}


def drawn(**changes: Any) -> Any:
    return layout(copy.deepcopy(RAILS) | changes)


def boxes(picture: Any) -> list[Any]:
    found = [*picture["core"], *picture["pods"]]
    for pod in picture["pods"]:
        found += [pod["spine_bar"], pod["leaf_bar"]]
    return found


@pytest.mark.parametrize("pods", [1, 2, 3, 4, 64])
@pytest.mark.parametrize("switches", [1, 3, 4, 512])
def test_nothing_is_drawn_beside_the_page(pods: int, switches: int) -> None:
    tier = {"switches": switches, "ports_used": 64, "down": 32, "up": 32}
    core = {"switches": 0 if pods == 1 else switches, "ports_used": 2}
    picture = drawn(pods=pods, core=core, spine=tier, leaf=tier)
    for box in boxes(picture):
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= picture["width"]
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= picture["height"]
    for one, other in zip(picture["pods"], picture["pods"][1:], strict=False):
        assert one["x"] + one["width"] < other["x"]


def test_many_pods_are_the_first_two_and_the_last() -> None:
    picture = drawn()
    assert [pod["label"] for pod in picture["pods"]] == ["pod 1", "pod 2", "pod 7"]
    second, last = picture["pods"][1:]
    assert second["x"] + second["width"] < picture["gap"]["x"] < last["x"]
    assert drawn(pods=3)["gap"] is None


def test_a_link_is_as_thick_as_the_bandwidth_over_it() -> None:
    picture = drawn()
    ratio = picture["core_links"]["width"] / picture["pods"][0]["link_width"]
    assert ratio == pytest.approx(6.7857 / 47.5, rel=0.02)
    assert picture["core_badge"]["text"] == "7:1, 6.79 GB/s a GPU"
    assert picture["core_badge"]["is_narrow"]


def test_the_table_says_in_words_what_the_drawing_shows() -> None:
    core, spines, leaves = drawn()["tiers"]
    assert core["name"] == "core"
    assert (core["switches_text"], core["ports_text"], core["cables_text"]) == (
        "256",
        "56 of 64",
        "14,336",
    )
    assert (spines["switches_text"], spines["ratio_text"]) == ("1,792", "7:1")
    assert (leaves["switches_text"], leaves["ratio_text"], leaves["rate_text"]) == (
        "3,136",
        "1:1",
        "47.5",
    )


def test_one_pod_has_neither_core_nor_badge() -> None:
    picture: Any = layout(copy.deepcopy(ONE_POD))
    assert picture["core"] == []
    assert picture["core_badge"] is None
    assert [tier["name"] for tier in picture["tiers"]] == ["spines", "leaves"]
    assert picture["title"] == "1 pod of 14,336 GPUs"


def test_the_bar_of_nodes_ends_where_the_nodes_end() -> None:
    uses = drawn()["uses"]
    assert [piece["nodes_text"] for piece in uses["pieces"]] == ["9,344", "1,515", "1,641"]
    assert uses["pieces"][-1]["x"] + uses["pieces"][-1]["width"] == pytest.approx(uses["width"])
    over = drawn(nodes={"total": 100, "uses": [{"label": "training", "nodes": 150}]})["uses"]
    assert over["is_over"]
    assert over["pieces"][0]["width"] == over["width"]


@pytest.mark.parametrize(
    "broken",
    [
        {"pods": 1.5},
        {"pods": -1},
        {"planes": True},
        {"gpus": "many"},
        {"leaf": {"switches": 1}},
        {"gb_per_s": {"card": 0, "pod": 0, "cross": 0}},
        {"nodes": {"total": 100, "uses": [{"label": "a", "nodes": 1}] * 9}},
    ],
)
def test_a_model_that_says_nonsense_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError)):
        drawn(**broken)
