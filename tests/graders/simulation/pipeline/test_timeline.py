"""A timeline shows every operation where it belongs, and what never ran."""

from __future__ import annotations

from typing import Any

from graders.simulation.pipeline import timeline
from graders.simulation.pipeline.checks import examine
from graders.simulation.pipeline.operations import Orders, passes
from graders.simulation.pipeline.pipelines import Costs, Pipeline, Schedule
from graders.simulation.pipeline.published import published
from graders.simulation.pipeline.simulate import run

TWO = Pipeline(2, 2, 1, Schedule.ONE_F_ONE_B, Costs(1, 1, 1, 3))


def drawn(pipeline: Pipeline, orders: Orders | None = None) -> Any:
    best = run(published(pipeline), pipeline)
    made = run(orders, pipeline) if orders else best
    return timeline.beside(made, best, examine(made))


def test_cells_lie_in_their_rows_and_never_over_each_other() -> None:
    pipeline = Pipeline(8, 20, 1, Schedule.DUALPIPE, Costs(2, 2, 1, 4))
    picture = drawn(pipeline)["yours"]
    ends: dict[int, float] = {}
    for cell in picture["cells"]:  # in the order of time
        row = picture["rows"][cell["rank"]]
        assert row["y"] == cell["y"]
        assert cell["x"] >= ends.get(cell["rank"], picture["plot_x1"]) - 0.11  # rounding
        ends[cell["rank"]] = cell["x"] + cell["width"]
        assert ends[cell["rank"]] <= picture["plot_x2"] + 0.11
        assert sum(part["height"] for part in cell["parts"]) == cell["height"]
    assert len(picture["cells"]) == picture["n_operations"]
    assert picture["limit_x"] == picture["plot_x2"]


def test_ranks_that_stop_show_what_they_never_came_to() -> None:
    circle = [
        [passes("F", 0, 0), passes("B", 0, 0), passes("F", 1, 0), passes("B", 1, 0)],
        [passes("F", 0, 1), passes("F", 1, 1), passes("B", 0, 1), passes("B", 1, 1)],
    ]
    picture = drawn(TWO, circle)["yours"]
    never = [cell for cell in picture["cells"] if cell["begin"] is None]
    assert len(never) == 6
    assert all(cell["x"] > picture["plot_x2"] for cell in never)
    assert [cell["bad"] for cell in never] == [True, False, False, True, False, False]
    assert "2 wait for ever" in picture["text"]
    # Each arrow ends at the operation that is waited for.
    tips = {wait["head"].rsplit(" ", 1)[1].split(",")[0] for wait in picture["waits"]}
    assert tips == {str(never[2 - 1]["label_x"]), str(never[3 + 1]["label_x"])}


def test_stages_stand_in_labels_only_where_ranks_have_several() -> None:
    chunks = Pipeline(2, 2, 2, Schedule.INTERLEAVED, Costs(1, 1, 1, 3))
    labels = [drawn(one)["yours"]["cells"][0]["parts"][0]["label"] for one in (TWO, chunks)]
    assert labels == ["0", "0.0"]


def test_the_bubble_s_share_and_the_stashes_are_said() -> None:
    text = drawn(TWO)["yours"]["text"]
    assert text == (
        "2 ranks, 9 units of time; the idlest rank stands still for 3 of them, 33.3 %; at most "
        "2 stashes on a rank."
    )


def test_of_a_large_pipeline_the_first_operations_are_drawn_and_the_faulty_one() -> None:
    pipeline = Pipeline(8, 40, 1, Schedule.ONE_F_ONE_B, Costs(1, 1, 1, 3))
    orders = published(pipeline)
    orders[7][-2:] = [orders[7][-1], orders[7][-2]]  # the last backward pass before its forward
    picture = drawn(pipeline, orders)["yours"]
    assert picture["n_operations"] == 640
    assert picture["n_drawn"] == len(picture["cells"]) < 440
    assert [cell["rank"] for cell in picture["cells"] if cell["bad"]] == [7, 7]
