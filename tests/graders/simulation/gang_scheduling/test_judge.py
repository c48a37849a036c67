"""A failing trace is cut down and drawn, replays from its own data, and slowness has its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from graders.ports import Case, ProgramLimits, Task
from graders.simulation import judge
from tests.graders.plain_launcher import plain_launcher

PACKAGE = Path(__file__).parents[4] / "problems/round-6/gang-scheduler"
SETTINGS = {
    "kind": "simulation",
    "simulator": "gang-scheduling",
    "entry_point": "Scheduler",
    "step_time_limit_s": 10.0,
}
CLUSTER: dict[str, Any] = {
    "racks": 1,
    "nodes_per_rack": 2,
    "gpus_per_node": 4,
    "quota": {"red": 16},
}
DRAW = {
    "count": 15,
    "every": 3,
    "gpus": [2, 4, 8],
    "rounds": [6, 30],
    "urgent_share": 0.2,
    "low_share": 0.2,
}
Report = Callable[..., dict[str, Any]]


def submission(path: str) -> str:
    return (PACKAGE / path).read_text()


@pytest.fixture
def report() -> Iterator[Report]:
    with plain_launcher() as launcher:

        def last(source: str, *inputs: dict[str, Any], seed: int = 1) -> dict[str, Any]:
            cases = tuple(
                Case(
                    f"trace-{number}", "a test", True, {"cluster": CLUSTER, "max_ratio": 1.2, **one}
                )
                for number, one in enumerate(inputs)
            )
            limits = ProgramLimits(cpu_time_s=30, wall_time_s=90, memory_mib=512, output_kib=64)
            ended = list(judge(Task(SETTINGS, cases, limits, {}), source.encode(), launcher, seed))
            assert launcher.running == [], "judging must leave no program running"
            return dict(ended[-1].data)

        yield last


def test_the_reference_is_accepted_with_what_it_took(report: Report) -> None:
    last = report(submission("reference.py"), {"draw": DRAW})
    assert last["verdict"] == "AC"
    assert last["cases"][0]["metrics"]["time_over_reference"] <= 1.05


def test_a_failing_trace_is_cut_down_and_replays_from_its_own_data(report: Report) -> None:
    source = submission("submissions/wrong_answer/same_gpu_for_two.py")
    found = report(source, {"draw": DRAW})
    assert "a GPU belongs to one job at a time: GPU 0 was given to" in found["message"]
    example = found["counterexample"]
    replay = example["replay"]["input"]
    assert len(replay["jobs"]) == 2, "two jobs are enough"
    assert all(steps == 10 for *_, steps in replay["jobs"])
    again = report(source, replay)["counterexample"]
    assert (again["summary"], again["data"]) == (example["summary"], example["data"])


def test_the_last_round_shows_who_holds_what_and_marks_who_is_wronged(report: Report) -> None:
    jobs = [["a", 0, "red", 1, 6, 60], ["b", 2, "red", 1, 4, 60]]
    source = """
class Scheduler:
    def __init__(self, **shape): pass
    def schedule(self, now, jobs):
        if now == 0:
            return {"preempt": [], "start": {"a": [0, 1, 2, 4, 5, 6]}}
        return {"preempt": [], "start": {"b": [3, 7]} if now == 2 else {}}
"""
    data = report(source, {"jobs": jobs, "bounds": {"max_wait": 40, "max_rounds": 400}})
    rounds = data["counterexample"]["data"]["rounds"]
    assert [one["number"] for one in rounds] == [0, 2]
    assert [one["ok"] for one in rounds] == [True, False]
    assert rounds[0]["call"] == "start a on 0-2, 4-6"
    assert "round 1" in rounds[0]["quiet"]
    nodes = rounds[1]["racks"][0]["nodes"]
    assert [[gpu["job"] for gpu in node["gpus"]] for node in nodes] == [["a", "a", "a", ""]] * 2
    states = {job["name"]: (job["state"], job["wrong"]) for job in rounds[1]["jobs"]}
    assert states == {
        "a": ("runs since round 0", False),
        "b": ("waits since round 2", True),
    }


def test_a_livelock_is_told_with_its_rounds(report: Report) -> None:
    jobs = [["a", 0, "red", 1, 8, 200], ["b", 0, "red", 1, 8, 200]]
    source = """
class Scheduler:
    def __init__(self, **shape): pass
    def schedule(self, now, jobs):
        out = [job["id"] for job in jobs if job["placed"]]
        into = min((job for job in jobs if not job["placed"]), key=lambda job: job["since"])
        return {"preempt": out, "start": {into["id"]: list(range(8))}}
"""
    last = report(source, {"jobs": jobs})
    assert "a has run 3 times (round 0, round 2 and round 4)" in last["message"]
    calls = [one["call"] for one in last["counterexample"]["data"]["rounds"]]
    assert calls[1:3] == ["preempt a, start b on 0-7", "preempt b, start a on 0-7"]


def test_what_is_slow_is_drawn_beside_the_reference(report: Report) -> None:
    jobs = [
        ["long", 0, "red", 1, 4, 600],
        ["wide", 1, "red", 1, 8, 100],
        *([f"s{number}", 2 + number, "red", 1, 4, 80] for number in range(4)),
    ]
    source = submission("submissions/too_slow/nobody_overtakes.py")
    last = report(source, {"jobs": jobs})
    assert last["verdict"] == "SLOW"
    assert 0 < last["score"] < 0.5
    example = last["counterexample"]
    kept = example["replay"]["input"]["jobs"]
    assert len(kept) < len(jobs), "a part of them is slow enough"
    lanes = example["data"]["figure"]["lanes"]
    assert len(lanes) == 2 * len(kept)
    rows = example["data"]["figure"]["rows"]
    waits = [row for row in rows if row["lane"].startswith("s") and row["what"] == "waits"]
    assert waits, "what is slow here is waiting"
    assert report(source, example["replay"]["input"])["message"] == last["message"]


def test_lost_training_is_told_apart_from_kept_training(report: Report) -> None:
    jobs = [["low", 0, "red", 0, 8, 300], ["urgent", 10, "red", 2, 8, 40]]
    slow: dict[str, Any] = {"jobs": jobs, "max_ratio": 0.5}
    last = report(
        submission("reference.py"), {**slow, "bounds": {"max_wait": 40, "max_rounds": 400}}
    )
    rows = last["counterexample"]["data"]["figure"]["rows"]
    mine = [(row["what"][:6], row["begin"], row["end"]) for row in rows if "low" in row["lane"]]
    assert mine[:4] == [
        ("starts", "0", "1"),
        ("trains", "1", "7"),
        ("lost b", "7", "10"),
        ("waits", "10", "16"),
    ]


def test_only_the_first_of_the_worst_cases_is_made_smaller(report: Report) -> None:
    source = submission("submissions/wrong_answer/same_gpu_for_two.py")
    jobs = [[name, 0, "red", 1, 2, 60] for name in "abc"]
    last = report(source, {"jobs": jobs}, {"jobs": jobs})
    lengths = [len(case["counterexample"]["replay"]["input"]["jobs"]) for case in last["cases"]]
    assert lengths == [2, 3]


def test_an_exception_is_told_with_the_round(report: Report) -> None:
    source = """
class Scheduler:
    def __init__(self, **shape): pass
    def schedule(self, now, jobs): raise KeyError('x')
"""
    last = report(source, {"jobs": [["a", 0, "red", 1, 2, 60]]})
    assert (last["verdict"], "KeyError" in last["message"]) == ("RE", True)
    assert last["counterexample"]["data"]["rounds"][0]["call"] == "no answer"


def test_a_day_that_never_ends_is_refused(report: Report) -> None:
    jobs = [["a", 0, "red", 1, 8, 600]]
    bounds = {"max_wait": 60, "max_rounds": 20}
    last = report(submission("reference.py"), {"jobs": jobs, "bounds": bounds})
    assert "all jobs must have ended by round 20, and 1 have not" in last["message"]
    assert last["counterexample"]["data"]["rounds"][-1]["jobs"][0]["wrong"]


@pytest.mark.parametrize(
    ("answer", "call"),
    [
        ("None", "no answer"),
        ('{"preempt": [], "start": [1, 2]}', "[1, 2]"),
        ('{"preempt": [3], "start": {}}', "preempt [3]"),
        ('{"preempt": ["a" * 500], "start": {}}', f"preempt {'a' * 20}"),
        ('{"preempt": [], "start": {"a": "all"}}', "start a on 'all'"),
        ('{"preempt": [], "start": {"a": []}}', "start a on []"),
    ],
)
def test_an_answer_of_another_shape_is_shown_as_it_came(
    report: Report, answer: str, call: str
) -> None:
    source = "class Scheduler:\n    def __init__(self, **shape): pass\n"
    source += f"    def schedule(self, now, jobs): return {answer}\n"
    last = report(source, {"jobs": [["a", 0, "red", 1, 2, 60]]})
    assert last["verdict"] == "WA"
    assert last["counterexample"]["data"]["rounds"][-1]["call"] == call


def test_a_program_that_ends_is_not_asked_again_for_a_smaller_trace(report: Report) -> None:
    source = """
import os
class Scheduler:
    def __init__(self, **shape): pass
    def schedule(self, now, jobs): os._exit(3)
"""
    last = report(source, {"draw": DRAW})
    assert (last["verdict"], "exited with code 3" in last["message"]) == ("RE", True)
    assert len(last["counterexample"]["replay"]["input"]["jobs"]) == DRAW["count"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"jobs": []},
        {"jobs": [["a", 0, "red", 1, 1]]},
        {"jobs": [["a", 0, "red", 1, 9, 60]]},
        {"jobs": [["a", 0, "green", 1, 1, 60]]},
        {"jobs": [["a", 0, "red", 3, 1, 60]]},
        {"jobs": [["a", 0, "red", 1, 1, 60], ["a", 0, "red", 1, 1, 60]]},
        {"jobs": [["a", 0, "red", 1, 1, 60]], "cluster": {"racks": 1}},
        {"jobs": [["a", 0, "red", 1, 1, 60]], "cluster": CLUSTER | {"racks": 0}},
    ],
)
def test_a_case_that_no_package_may_hold_is_our_fault(
    report: Report, fields: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="must"):
        report(submission("reference.py"), fields)
