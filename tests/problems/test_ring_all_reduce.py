"""The package ring-all-reduce: every submission in it gets what the package says, and why."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from graders.ports import Case, ProgramLimits, Task
from graders.simulation import judge
from problems.schema import ProblemSpec
from problems.sections.simulation import SimulationGrader
from tests.graders.plain_launcher import plain_launcher

PACKAGE = Path(__file__).parents[2] / "problems/round-4/ring-all-reduce"
SPEC = ProblemSpec.model_validate(YAML(typ="safe").load(PACKAGE / "problem.yaml"))
SUBMISSIONS = sorted(
    str(path.relative_to(PACKAGE / "submissions"))
    for path in (PACKAGE / "submissions").rglob("*.py")
)


def task(until: str | None = None) -> Task:
    """The problem with all its cases, or those up to the one named `until`."""
    names = [case.name for case in SPEC.cases]
    cases = SPEC.cases[: names.index(until) + 1] if until else SPEC.cases
    limits = SPEC.limits
    return Task(
        settings=SPEC.grader.model_dump(),
        cases=tuple(Case(case.name, case.breaks, case.sample, case.input) for case in cases),
        limits=ProgramLimits(
            limits.cpu_time_s,
            limits.wall_time_s,
            limits.memory_mib,
            limits.output_kib,
            limits.processes,
        ),
        files={},
    )


def report(source: bytes, seed: int = 20_26, until: str | None = None) -> dict[str, Any]:
    with plain_launcher() as launcher:
        last = list(judge(task(until), source, launcher, seed))[-1]
        assert launcher.running == [], "judging must leave no program running"
    return dict(last.data)


@pytest.fixture
def swept_files() -> Iterator[None]:
    """Without a sandbox the cheat that shares files leaves them behind."""
    yield
    for path in Path(tempfile.gettempdir()).glob("ring-cheat-*.npy"):
        path.unlink()


def test_every_submission_is_expected_to_get_something() -> None:
    assert sorted(SPEC.expected) == SUBMISSIONS


@pytest.mark.usefixtures("swept_files")
@pytest.mark.parametrize("path", SUBMISSIONS)
def test_a_submission_gets_the_verdict_case_and_message_declared(path: str) -> None:
    expected = SPEC.expected[path]
    # A wrong one is not worth sixteen ranks: it speaks at its own case. One that is right but slow
    # must be right on all of them.
    until = None if expected.verdict in ("AC", "SLOW") else expected.case or "two-ranks"
    got = report((PACKAGE / "submissions" / path).read_bytes(), until=until)
    assert got["verdict"] == expected.verdict, got["message"]
    if expected.verdict == "AC":
        assert got["score"] == 1.0
        assert all(case["verdict"] == "AC" for case in got["cases"])
        assert len(got["cases"]) == len(SPEC.cases)
        return
    assert expected.message is not None
    assert expected.message in got["message"]
    assert got["score"] < 1.0
    assert got["counterexample"]["summary"]
    if expected.case is not None:
        speaker = next(case for case in got["cases"] if case["verdict"] == got["verdict"])
        assert speaker["name"] == expected.case
        assert got["counterexample"]["replay"]["case"] == expected.case


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
