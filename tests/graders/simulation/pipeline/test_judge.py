"""Submissions judged in plain processes: made smaller, replayed, drawn the same each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from graders.ports import Case, ProgramLimits, Task
from graders.simulation import judge
from tests.graders.plain_launcher import plain_launcher

SETTINGS = {
    "kind": "simulation",
    "simulator": "pipeline-schedule",
    "entry_point": "schedule",
    "step_time_limit_s": 10.0,  # a busy machine must not fail a test
}
COSTS = {"F": 1, "I": 1, "W": 1, "FB": 3}
FOUR: dict[str, Any] = {"schedule": "1f1b", "ranks": 4, "micro_batches": 8, "costs": COSTS}
DRAW: dict[str, Any] = {"schedule": "1f1b", "count": 5, "ranks": [4, 6], "micro_batches": [6, 9]}
RIGHT = """
def schedule(name, p, m, v, costs):
    print(name, p, m, costs["F"])
    orders = []
    for r in range(p):
        w = min(m, p - 1 - r)
        order = [("F", i, r) for i in range(w)]
        for i in range(m - w):
            order += [("F", w + i, r), ("B", i, r)]
        orders.append(order + [("B", i, r) for i in range(m - w, m)])
    return orders
"""
GPIPE = """
def schedule(name, p, m, v, costs):
    return [[(kind, i, r) for kind in "FB" for i in range(m)] for r in range(p)]
"""
Report = Callable[..., dict[str, Any]]


@pytest.fixture
def report() -> Iterator[Report]:
    with plain_launcher() as launcher:

        def last(
            source: str, *inputs: dict[str, Any], seed: int = 1, **changes: Any
        ) -> dict[str, Any]:
            cases = [Case(f"case-{at}", "a test", True, one) for at, one in enumerate(inputs)]
            limits = ProgramLimits(cpu_time_s=20, wall_time_s=60, memory_mib=512, output_kib=64)
            task = Task({**SETTINGS, **changes}, tuple(cases), limits, {})
            ended = list(judge(task, source.encode(), launcher, seed))[-1]
            assert launcher.running == [], "judging must leave no program running"
            return dict(ended.data)

        yield last


def test_an_accepted_sample_is_drawn_beside_the_published_order(report: Report) -> None:
    got = report(RIGHT, FOUR, DRAW and {"draw": DRAW})
    assert (got["verdict"], got["score"]) == ("AC", 1.0)
    [timelines] = got["metrics"]["pipeline_timelines"]
    assert timelines["schedule"] == "1f1b"
    assert timelines["yours"]["cells"] == timelines["published"]["cells"]
    metrics = got["cases"][0]["metrics"]
    assert (metrics["step_units"], metrics["step_units_allowed"]) == (33, 33)
    assert (metrics["bubble_units"], metrics["peak_in_flight"]) == (9, 4)
    assert got["cases"][0]["output"] == "1f1b 4 8 1\n"
    assert got["cases"][1]["metrics"]["pipelines"] == 5


def test_a_failing_pipeline_is_made_smaller_and_replays_from_its_own_data(report: Report) -> None:
    found = report(GPIPE, FOUR)
    example = found["counterexample"]
    assert (found["verdict"], example["kind"]) == ("WA", "pipeline_timeline")
    replay = example["replay"]["input"]
    assert (replay["ranks"], replay["micro_batches"]) == (1, 2)
    assert "smallest pipeline found that shows it: 1f1b with 1 rank and 2" in found["message"]
    again = report(GPIPE, replay)
    assert again["counterexample"]["summary"] == example["summary"]
    assert again["counterexample"]["data"] == example["data"]
    marked = [cell for cell in example["data"]["timelines"]["yours"]["cells"] if cell["bad"]]
    assert [(cell["begin"], cell["in_flight"]) for cell in marked] == [(1, 2)]


def test_a_failure_keeps_its_kind_while_it_is_made_smaller(report: Report) -> None:
    """With one rank this source raises, with three it forgets a pass: the latter is the fault."""
    source = RIGHT.replace("    orders = []", "    assert p != 1\n    orders = []")
    source = source.replace(
        "return orders", "return orders[:-1] + [orders[-1][:-1 if p > 2 else 99]]"
    )
    found = report(source, FOUR)
    assert found["verdict"] == "WA"
    assert found["counterexample"]["replay"]["input"]["ranks"] == 3
    assert "rank 2 lists no B of micro-batch 0 in stage 2" in found["message"]


def test_what_is_drawn_follows_from_the_seed(report: Report) -> None:
    outputs = [report(RIGHT, {"draw": DRAW}, seed=seed)["cases"][0]["output"] for seed in (1, 1, 2)]
    assert outputs[0] == outputs[1]
    assert outputs[0] != outputs[2]
    assert len(outputs[0].splitlines()) == 5


def test_one_schedule_s_fault_costs_the_others_nothing(report: Report) -> None:
    split = {**FOUR, "schedule": "zb1p"}
    got = report(GPIPE, FOUR, {**FOUR, "ranks": 1, "micro_batches": 1}, split)
    assert [case["verdict"] for case in got["cases"]] == ["WA", "AC", "WA"]
    assert got["score"] == pytest.approx(1 / 3)


def test_a_right_order_that_takes_longer_is_slow_and_earns_a_share(report: Report) -> None:
    one_by_one = GPIPE.replace(
        'for kind in "FB" for i in range(m)', 'for i in range(m) for kind in "FB"'
    )
    got = report(one_by_one, FOUR)
    assert got["verdict"] == "SLOW"
    metrics = got["cases"][0]["metrics"]
    assert got["score"] == metrics["step_units_allowed"] / metrics["step_units"] / 2
    assert got["counterexample"]["data"]["timelines"]["yours"]["limit_x"] is not None


@pytest.mark.parametrize(
    ("body", "verdict", "fact"),
    [
        ("raise KeyError(m)", "RE", "KeyError: 1"),
        ("return {1, 2}", "WA", "must be a dict, list, str"),
        ("return [[('F', float('nan'), 0)]]", "WA", "must be finite, got nan"),
        ("import os; os._exit(0)", "RE", "the program exited with code 0"),
        ("import os; os.write(4, b'xxxxxxxx'); return []", "RE", "wrote to the judge's pipe"),
    ],
)
def test_what_gives_no_orders_is_told(report: Report, body: str, verdict: str, fact: str) -> None:
    got = report(f"def schedule(name, p, m, v, costs):\n    {body}\n", FOUR, {"draw": DRAW})
    assert got["verdict"] == verdict
    assert fact in got["message"]


def test_after_a_late_answer_no_other_case_costs_its_time(report: Report) -> None:
    source = "def schedule(name, p, m, v, costs):\n    while True: pass\n"
    got = report(source, FOUR, FOUR, step_time_limit_s=0.3)
    assert (got["verdict"], got["metrics"]["cases_not_run"]) == ("TLE", ["case-1"])
    assert got["score"] == 0


@pytest.mark.parametrize("source", ["def plan(): pass\n", "import os; os._exit(3)\n"])
def test_what_cannot_be_imported_is_a_compile_error(report: Report, source: str) -> None:
    assert report(source, FOUR)["verdict"] == "CE"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {**FOUR, "speed": 1},
        {**FOUR, "ranks": 17},
        {**FOUR, "schedule": "gpipe"},
        {"draw": {**DRAW, "latency": [1, 1], "schedule": "zb1p"}},
        {"draw": {"schedule": "1f1b"}},
    ],
)
def test_a_case_that_no_package_may_hold_is_our_fault(
    report: Report, fields: dict[str, Any]
) -> None:
    with pytest.raises((ValueError, KeyError)):
        report(RIGHT, fields)
