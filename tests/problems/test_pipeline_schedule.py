"""The package pipeline-schedule beyond what `verify_problems` proves of every package."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from graders.simulation.pipeline.cases import pipelines_of
from graders.simulation.pipeline.checks import examine, time_limit
from graders.simulation.pipeline.operations import Misread, Orders, read_orders
from graders.simulation.pipeline.pipelines import Costs, Pipeline, Schedule
from graders.simulation.pipeline.published import published
from graders.simulation.pipeline.simulate import run

PACKAGE = Path(__file__).parents[2] / "problems/round-3/pipeline-schedule"
SPEC = YAML(typ="safe").load(PACKAGE / "problem.yaml")
RIGHT = [
    "reference.py",
    *(f"submissions/accepted/{one.name}" for one in (PACKAGE / "submissions/accepted").iterdir()),
]


def orders_of(path: str, pipeline: Pipeline) -> Orders:
    answer = runpy.run_path(str(PACKAGE / path))["schedule"](**pipeline.arguments())
    plain: Any = [[list(one) for one in order] for order in answer]
    orders = read_orders(plain, pipeline)
    assert not isinstance(orders, Misread), orders.text
    return orders


@pytest.mark.parametrize("path", RIGHT)
def test_right_solutions_hold_on_any_seed(path: str) -> None:
    for case in SPEC["cases"]:
        if "draw" in case["input"]:  # verifying the package runs the literal ones
            for pipeline in pipelines_of(case["input"], 3):
                assert examine(run(orders_of(path, pipeline), pipeline)) is None, pipeline


def test_the_reference_has_every_published_bubble() -> None:
    """DualPipe's README, with the sizes of its figure; Megatron-LM's ratio for v chunks."""
    costs = Costs(F=3, I=3, W=2, FB=7)
    p, m = 8, 24
    bubbles = {
        Schedule.ONE_F_ONE_B: (p - 1) * (costs.F + costs.B),
        Schedule.ZB1P: (p - 1) * (costs.F + costs.B - 2 * costs.W),
        Schedule.DUALPIPE: (p // 2 - 1) * (costs.FB + costs.B - 3 * costs.W),
    }
    for schedule, bubble in bubbles.items():
        pipeline = Pipeline(p, m, 1, schedule, costs)
        made = run(orders_of("reference.py", pipeline), pipeline)
        assert made.bubble == bubble
        assert max(made.peak(rank) for rank in range(p)) == p + (schedule is Schedule.DUALPIPE)
    chunks = Pipeline(p, m, 4, Schedule.INTERLEAVED, costs)
    made = run(orders_of("reference.py", chunks), chunks)
    assert made.bubble / (4 * m * (costs.F + costs.B)) == (p - 1) / (4 * m)


def test_the_statement_s_example_and_order_for_slow_links_are_right() -> None:
    pipeline = Pipeline(2, 2, 1, Schedule.ONE_F_ONE_B, Costs(1, 1, 1, 3))
    made = run(orders_of("reference.py", pipeline), pipeline)
    assert (made.end, made.bubble) == (9, 3)
    assert (
        "= 9$ units, of which each rank is idle for $(p - 1)(F + B) = 3$"
        in (PACKAGE / "statement.md").read_text()
    )
    # The reference is written as the statement tells it; the judge's own order sets the limit.
    for pipeline in pipelines_of({"draw": {**SPEC["cases"][13]["input"]["draw"], "count": 30}}, 9):
        assert orders_of("reference.py", pipeline) == published(pipeline)
        made = run(orders_of("reference.py", pipeline), pipeline)
        assert made.end == time_limit(pipeline)
