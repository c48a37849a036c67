"""The reference schedules as vLLM does, and a failing trace is cut down."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from graders.ports import Case, ProgramLimits, Task
from graders.simulation import judge
from graders.simulation.continuous_batching import latency
from graders.simulation.continuous_batching.engine import Arrival, Engine, Limits, Request
from tests.graders.plain_launcher import plain_launcher

PACKAGE = Path(__file__).parents[4] / "problems/round-5/continuous-batching"
REFERENCE = (PACKAGE / "reference.py").read_text()
SETTINGS = {
    "kind": "simulation",
    "simulator": "continuous-batching",
    "entry_point": "Scheduler",
    "step_time_limit_s": 10.0,
}
LIMITS = {
    "token_budget": 64,
    "kv_tokens": 200,
    "ttft_ms": 4000,
    "itl_ms": 4000,
    "starvation_ms": 9000,
}
Report = Callable[..., dict[str, Any]]


@pytest.fixture
def report() -> Iterator[Report]:
    with plain_launcher() as launcher:

        def last(source: str, seed: int = 1, **fields: Any) -> dict[str, Any]:
            given = {"limits": LIMITS, "min_share": 0.9, **fields}
            case = Case("trace", "a test", sample=True, input=given)
            limits = ProgramLimits(cpu_time_s=20, wall_time_s=60, memory_mib=512, output_kib=64)
            task = Task(SETTINGS, (case,), limits, {"reference.py": REFERENCE.encode()})
            ended = list(judge(task, source.encode(), launcher, seed))[-1]
            assert launcher.running == [], "judging must leave no program running"
            return dict(ended.data)

        yield last


def test_the_reference_schedules_three_long_prompts_as_vllm_does() -> None:
    made = runpy.run_path(str(PACKAGE / "reference.py"))["Scheduler"](1024, 100_000)
    limits = Limits(1024, 100_000, 1e6, 1e6, 1e6)
    engine = Engine(limits, [Arrival(name, 0, 800, 10) for name in "abc"])
    chosen = []
    for _ in range(3):
        seen = [request.to_json() for request in engine.alive.values()]
        answer = made.schedule(engine.now_ms, seen)
        chosen.append(list(answer["run"].values()))
        assert engine.take(answer) is None
    assert chosen == [[400, 400, 224], [400, 400, 224], [1, 1, 352]]


DRAW: dict[str, Any] = {
    "count": 20,
    "per_s": 30,
    "prompts": [20, 60],
    "outputs": [5, 20],
    "long_every": 0,
    "long_prompt": 1,
}


def test_the_reference_is_accepted_on_a_crowded_cache(report: Report) -> None:
    limits = {**LIMITS, "kv_tokens": 130}
    last = report(REFERENCE, draw={**DRAW, "outputs": [20, 50]}, limits=limits)
    assert last["verdict"] == "AC"
    assert last["cases"][0]["metrics"]["preemptions"] > 0


def test_a_failing_trace_is_cut_down_and_replays_from_its_own_data(report: Report) -> None:
    overflows = """
class Scheduler:
    def __init__(self, token_budget, kv_tokens):
        self.budget = token_budget
    def schedule(self, now_ms, requests):
        run, left = {}, self.budget
        for one in requests:
            count = min(left, one["prompt"] + one["generated"] - one["computed"])
            if count:
                run[one["id"]] = count
                left -= count
        return {"run": run, "preempt": []}
"""
    found = report(overflows, draw=DRAW)
    assert (found["verdict"], "the KV cache holds 200 tokens" in found["message"]) == ("WA", True)
    replay = found["counterexample"]["replay"]["input"]
    assert len(replay["requests"]) == 4, "none of them can be left out"
    again = report(overflows, **replay)
    assert again["counterexample"]["summary"] == found["counterexample"]["summary"]
    steps = found["counterexample"]["data"]["operations"]
    assert [step["ok"] for step in steps] == [True] * (len(steps) - 1) + [False]


def test_too_little_goodput_is_slow_with_the_share(report: Report) -> None:
    one_by_one = """
class Scheduler:
    def __init__(self, token_budget, kv_tokens):
        self.budget = token_budget
    def schedule(self, now_ms, requests):
        one = requests[0]
        left = one["prompt"] + one["generated"] - one["computed"]
        return {"run": {one["id"]: min(left, self.budget)}, "preempt": []}
"""
    limits = {**LIMITS, "ttft_ms": 100}
    requests = [[f"r{number}", 0, 30, 5] for number in range(5)]
    last = report(one_by_one, limits=limits, requests=requests)
    assert last["verdict"] == "SLOW"
    # First tokens after 9.5, 51.2, 92.9 ms and later: the fifth is not needed to show it.
    assert last["cases"][0]["metrics"]["goodput_share"] == 0.6
    assert last["counterexample"]["data"]["goodput_share"] == 0.75
    assert 0 < last["score"] < 0.5
    figure = last["counterexample"]["data"]["figure"]
    late = [row for row in figure["rows"] if row["what"] == "the first token is late"]
    assert [row["begin"] for row in late] == ["100"], "from the limit on"


PROMPTS_FIRST = """
class Scheduler:
    def __init__(self, token_budget, kv_tokens):
        self.budget = token_budget
    def schedule(self, now_ms, requests):
        waiting = [one for one in requests if one["computed"] < one["prompt"]]
        run, left = {}, self.budget
        for one in waiting or requests:
            count = min(left, one["prompt"] + one["generated"] - one["computed"])
            if count:
                run[one["id"]] = count
                left -= count
        return {"run": run, "preempt": []}
"""


def test_a_slow_trace_is_cut_down_to_what_the_reference_serves_in_time(report: Report) -> None:
    limits = {**LIMITS, "kv_tokens": 4000, "itl_ms": 40}
    draw = {**DRAW, "count": 30, "long_every": 10, "long_prompt": 400}
    found = report(PROMPTS_FIRST, draw=draw, limits=limits, min_share=0.5)
    assert found["verdict"] == "SLOW"
    replay = found["counterexample"]["replay"]["input"]
    assert len(replay["requests"]) <= 3, "a decode, and a long prompt that it waits for"
    assert found["counterexample"]["data"]["late_next_tokens"] >= 1
    assert report(REFERENCE, **replay)["verdict"] == "AC", "it can be served in time"
    again = report(PROMPTS_FIRST, **replay)
    assert (again["verdict"], again["message"]) == ("SLOW", found["message"])


def test_what_nobody_could_serve_in_time_is_not_cut_down_to_nothing(report: Report) -> None:
    limits = {**LIMITS, "ttft_ms": 1}
    requests = [[name, 0, 30, 5] for name in "abc"]
    last = report(REFERENCE, limits=limits, requests=requests)
    assert last["verdict"] == "SLOW"
    assert len(last["counterexample"]["replay"]["input"]["requests"]) == 3


def test_an_exception_is_told(report: Report) -> None:
    source = "class Scheduler:\n    def __init__(self, token_budget, kv_tokens): pass\n"
    source += "    def schedule(self, now_ms, requests): raise KeyError('x')\n"
    last = report(source, requests=[["a", 0, 5, 1]])
    assert (last["verdict"], "KeyError" in last["message"]) == ("RE", True)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"requests": [["a", 0, 0, 1]]},
        {"requests": [["a", 0, 1, 1], ["a", 0, 1, 1]]},
        {"requests": [["a", 0, 1, 1]], "limits": {"kv_tokens": 0}},
    ],
)
def test_a_case_that_no_package_may_hold_is_our_fault(
    report: Report, fields: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="must"):
        report(REFERENCE, **fields)


def test_a_token_that_is_late_is_drawn_from_when_it_was_due() -> None:
    limits = Limits(64, 200, ttft_ms=50, itl_ms=20, starvation_ms=9000)
    request = Request(Arrival("a", 100, 30, 5), 0, 5, [140, 150, 165, 215, 225])
    prompt = Request(Arrival("b", 100, 30, 1), 0, 1, [140])
    figure: Any = latency.draw([request, prompt], limits)
    assert len(figure["lanes"]) == 1, "who was in time is not drawn"
    rows = [(row["what"], row["begin"], row["end"]) for row in figure["rows"]]
    assert rows == [
        ("waits for its first token", "0", "40"),
        ("2 tokens in time", "40", "65"),
        ("the next token is due", "65", "85"),
        ("a token is late", "85", "115"),
        ("1 token in time", "115", "125"),
    ]
