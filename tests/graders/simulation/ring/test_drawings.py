"""The drawings: they stay on the page, mark what is bad, and their templates render."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.template import Context, Engine
from django.utils import translation

from graders.simulation.ring import space_time, wait_graph
from graders.simulation.ring.ring import Ring, Side, Violation
from tests.graders.simulation.ring.conftest import Judge, body, case

ROOT = Path(__file__).parents[4]
SUBMISSIONS = ROOT / "problems/round-4/ring-all-reduce/submissions"


def exchanged(n_ranks: int) -> Ring:
    """Every rank has sent 8 bytes to the right."""
    ring = Ring(n_ranks, 1e-6, 1e-9)
    for rank in range(n_ranks):
        ring.post(Side.RECV, rank, (rank - 1) % n_ranks, "<f8", 1, 8)
        ring.post(Side.SEND, rank, (rank + 1) % n_ranks, "<f8", 1, 8, first=rank)
    for rank in range(n_ranks):
        ring.wait(rank, 0)
        ring.wait(rank, 1)
    return ring


def rows_between(diagram: dict[str, Any]) -> list[int]:
    y = [row["y"] for row in diagram["rows"]]
    return [y.index(arrow["y2"]) - y.index(arrow["y1"]) for arrow in diagram["arrows"]]


@pytest.mark.parametrize("n_ranks", [3, 5, 16])
def test_every_arrow_of_a_ring_goes_to_the_next_row(n_ranks: int) -> None:
    diagram: Any = space_time.layout(exchanged(n_ranks))
    assert [row["rank"] for row in diagram["rows"]] == [*range(n_ranks), 0]
    assert diagram["rows"][-1]["repeated"]
    assert rows_between(diagram) == [1] * n_ranks


def test_two_ranks_are_drawn_once_each() -> None:
    diagram: Any = space_time.layout(exchanged(2))
    assert [row["rank"] for row in diagram["rows"]] == [0, 1]
    assert rows_between(diagram) == [1, -1]


def test_arrows_begin_and_end_when_their_messages_do() -> None:
    ring = exchanged(2)
    ring.post(Side.RECV, 1, 0, "<f8", 125, 1000)
    ring.post(Side.SEND, 0, 1, "<f8", 125, 1000)
    ring.wait(0, 2)
    ring.wait(1, 2)
    diagram: Any = space_time.layout(ring)
    left, right = diagram["plot_x1"], diagram["plot_x2"]
    first, second = diagram["arrows"][0], diagram["arrows"][2]
    assert (first["x1"], second["x2"]) == (left, right)
    # 1.008 us of 3.008 us in all.
    assert first["x2"] == pytest.approx(left + (right - left) * 1.008 / 3.008, abs=0.1)
    assert second["x1"] == first["x2"]
    assert [tick["label"] for tick in diagram["ticks"]] == ["0", "1", "2", "3"]


def test_only_the_first_bad_message_is_marked() -> None:
    ring = exchanged(4)
    diagram: Any = space_time.layout(ring, bad=ring.messages[2], wrong_ranks={3}, returned={0, 1})
    assert [arrow["bad"] for arrow in diagram["arrows"]].count(True) == 1
    (bad,) = [row for row in diagram["messages"] if row["bad"]]
    assert (bad["source"], bad["target"]) == (ring.messages[2].source, ring.messages[2].target)
    assert [row["mark"] for row in diagram["rows"]] == ["ok", "ok", "none", "bad", "ok"]


def test_a_bad_message_past_the_cut_is_still_shown() -> None:
    ring = Ring(2, 1e-6, 1e-9)
    for request in range(200):
        ring.post(Side.SEND, 0, 1, "<f8", 1, 8)
        ring.post(Side.RECV, 1, 0, "<f8", 1, 8)
        ring.wait(0, request)
    diagram: Any = space_time.layout(ring, bad=ring.messages[-1])
    assert diagram["messages_in_all"] == 200
    assert len(diagram["arrows"]) == space_time.MAX_MESSAGES
    assert diagram["arrows"][-1]["bad"]
    inside_the_page(diagram)


def test_a_message_that_is_never_met_has_an_open_arrow() -> None:
    ring = Ring(2, 1e-6, 1e-9)
    ring.post(Side.SEND, 0, 1, "<f8", 2, 16, first=4)
    diagram: Any = space_time.layout(ring, bad=ring.messages[0], waiting={0})
    (arrow,) = diagram["arrows"]
    assert arrow["state"] == "open"
    assert arrow["label"] == "[4:6)"
    assert diagram["messages"][0]["received"] == "never"
    assert diagram["waits"][0]["width"] > 0
    inside_the_page(diagram)


def test_a_message_to_no_neighbour_can_be_drawn() -> None:
    ring = Ring(6, 1e-6, 1e-9)
    with pytest.raises(Violation) as caught:
        ring.post(Side.RECV, 0, 3, "<f8", 1, 8)
    diagram: Any = space_time.layout(ring, bad=caught.value.message)
    assert diagram["arrows"][0]["bad"]
    inside_the_page(diagram)


@pytest.mark.parametrize("n_ranks", [1, 2, 3])
def test_a_run_without_messages_can_be_drawn(n_ranks: int) -> None:
    diagram: Any = space_time.layout(Ring(n_ranks, 1e-6, 1e-9))
    assert diagram["arrows"] == []
    inside_the_page(diagram)


@pytest.mark.parametrize("n_ranks", [2, 3, 16])
def test_a_wait_graph_stays_on_its_page_and_ends_its_arrows_at_the_rims(n_ranks: int) -> None:
    waits: Any = [
        {"rank": rank, "waits_for": (rank + 1) % n_ranks, "text": "waits", "in_cycle": True}
        for rank in range(n_ranks)
    ]
    graph: Any = wait_graph.layout(n_ranks, waits)
    for rank, edge in enumerate(graph["edges"]):
        numbers = [
            float(each) for each in re.findall(r"-?\d+\.\d+", edge["path"] + " " + edge["head"])
        ]
        assert all(0 <= x <= graph["width"] for x in numbers[::2])
        assert all(0 <= y <= graph["height"] for y in numbers[1::2])
        goal = graph["nodes"][(rank + 1) % n_ranks]
        tip_x, tip_y = (float(each) for each in edge["head"].split()[0].split(","))
        distance = ((tip_x - goal["x"]) ** 2 + (tip_y - goal["y"]) ** 2) ** 0.5
        assert distance == pytest.approx(goal["radius"] + 3, abs=0.2)


DRAWN = {
    "wrong_answer/off_by_one_chunks.py": ("space_time", "(first bad one)"),
    "wrong_answer/blocking_sends_deadlock.py": ("wait_cycle", "Which rank waits for which"),
    "wrong_answer/waits_for_a_rank_that_left.py": ("wait_cycle", "rank 1 has returned"),
    "runtime_error/equal_division_only.py": ("rank_error", "np.split(buf, n)"),
    "too_slow/whole_buffer_every_step.py": ("space_time", "(first bad one)"),
}


@pytest.mark.parametrize("path", DRAWN)
def test_a_counterexample_renders_as_well_formed_svg(path: str, report: Judge) -> None:
    kind, text = DRAWN[path]
    got = report((SUBMISSIONS / path).read_bytes(), case(3, 7))
    example = got["counterexample"]
    assert example["kind"] == kind
    html = render(f"{kind}.html", counterexample=example)
    assert text in html
    for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        root = ElementTree.fromstring(svg)  # noqa: S314 - our own text
        assert root.get("role") == "img"
        assert root.find("title") is not None
    if example["data"]["diagram"]["arrows"]:
        assert html.count("<details") == 1, "the table is the text alternative"


def test_an_accepted_run_renders(report: Judge) -> None:
    reference = (SUBMISSIONS.parent / "reference.py").read_bytes()
    got = report(reference, case(4, 8, sample=True))
    html = render("_space_time_figure.html", diagram=got["metrics"]["diagram"])
    assert html.count("<polygon") == 24
    assert html.count("st-mark-ok") == 5
    assert "st-bad" not in re.sub(r'class="st-key st-key-bad"', "", html)


def test_what_a_candidate_says_is_escaped(report: Judge) -> None:
    got = report(body("raise ValueError('<script>alert(1)</script>')"), case(2, 1))
    html = render("rank_error.html", counterexample=got["counterexample"])
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_numbers_in_the_drawing_do_not_follow_the_locale(report: Judge) -> None:
    got = report(body("pass"), case(2, 1))
    diagram = space_time.layout(exchanged(3))
    with translation.override("de"):
        html = render("_space_time_figure.html", diagram=diagram)
    assert re.search(r'x2="\d+,\d', html) is None
    assert got["verdict"] == "WA"


def inside_the_page(diagram: dict[str, Any]) -> None:
    for arrow in diagram["arrows"]:
        assert 0 <= min(arrow["x1"], arrow["x2"]) <= max(arrow["x1"], arrow["x2"])
        assert max(arrow["x1"], arrow["x2"]) <= diagram["width"] + 70
        assert min(arrow["y1"], arrow["y2"]) >= 0
        assert max(arrow["y1"], arrow["y2"]) <= diagram["height"]
    assert all(0 <= row["y"] <= diagram["height"] for row in diagram["rows"])


def render(name: str, **context: Any) -> str:
    engine = Engine(
        dirs=[str(ROOT / "templates")],
        libraries={"i18n": "django.templatetags.i18n", "l10n": "django.templatetags.l10n"},
    )
    return engine.get_template(f"practice/counterexamples/{name}").render(Context(context))
