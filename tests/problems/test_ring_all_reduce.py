"""The package ring-all-reduce beyond what `verify_problems` proves of every package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from graders.ports import Case, ProgramLimits, Task
from graders.simulation import judge
from problems.schema import ProblemSpec
from problems.sections.simulation import SimulationGrader
from tests.graders.plain_launcher import plain_launcher

PACKAGE = Path(__file__).parents[2] / "problems/round-4/ring-all-reduce"
SPEC = ProblemSpec.model_validate(YAML(typ="safe").load(PACKAGE / "problem.yaml"))


def task() -> Task:
    limits = SPEC.limits
    return Task(
        settings=SPEC.grader.model_dump(),
        cases=tuple(Case(case.name, case.breaks, case.sample, case.input) for case in SPEC.cases),
        limits=ProgramLimits(
            limits.cpu_time_s,
            limits.wall_time_s,
            limits.memory_mib,
            limits.output_kib,
            limits.processes,
        ),
        files={},
    )


def report(source: bytes, seed: int = 20_26) -> dict[str, Any]:
    with plain_launcher() as launcher:
        last = list(judge(task(), source, launcher, seed))[-1]
        assert launcher.running == [], "judging must leave no program running"
    return dict(last.data)


def test_the_reference_costs_exactly_what_the_bound_says() -> None:
    got = report((PACKAGE / "reference.py").read_bytes())
    assert got["verdict"] == "AC"
    assert got["metrics"]["time_ratio"] == 1.0
    for case in got["cases"]:
        n_ranks, length = case["metrics"]["n_ranks"], case["metrics"]["length"]
        if length % n_ranks == 0:  # nothing is rounded, so every rank sends the same
            assert set(case["metrics"]["bytes_sent_by_rank"]) == {case["metrics"]["ideal_bytes"]}
    assert got["metrics"]["diagram"]["arrows"], "an accepted run shows its diagram too"


def test_the_starter_runs_and_is_not_accepted() -> None:
    got = report((PACKAGE / "starter.py").read_bytes())
    assert got["verdict"] == "WA"
    assert "the sum must be left in buf" in got["message"]


def test_another_seed_gives_the_same_verdicts() -> None:
    for path in ("accepted/both_directions.py", "wrong_answer/own_order_of_sums.py"):
        got = report((PACKAGE / "submissions" / path).read_bytes(), seed=3)
        assert got["verdict"] == SPEC.expected[path].verdict


def test_the_package_says_what_the_grader_does() -> None:
    assert isinstance(SPEC.grader, SimulationGrader)
    statement = (PACKAGE / "statement.md").read_text()
    assert SPEC.grader.signature in statement
    # The statement's costs are the ones simulated: 1 us a message and 1 ns a byte.
    assert SPEC.grader.parameters == {"alpha_s": 1e-6, "beta_s_per_byte": 1e-9}
    assert r"\alpha = 1\,\mu\text{s}" in statement
    assert r"\beta = 1\,\text{ns per byte}" in statement
