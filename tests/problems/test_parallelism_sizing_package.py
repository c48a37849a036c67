"""The sizing package against itself, and each of its submissions through the whole grader."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from graders.function import judge
from graders.ports import Case, ProgramLimits, Task
from problems.sections.function import FunctionGrader
from tests.graders.plain_launcher import PlainLauncher, plain_launcher
from tests.problems.sizing_package import (
    A100,
    ALL_DRAWN,
    CASES,
    DRAWN,
    LLAMA_3_8B,
    ONE_GPU,
    PACKAGE,
    ROOT,
    SPEC,
    size,
)


@pytest.mark.parametrize("kind", DRAWN)
def test_the_shown_arithmetic_ends_in_the_reference(kind: str) -> None:
    for config in DRAWN[kind]:
        lines = PACKAGE.arithmetic.sheet(**config)
        for name, value in size(**config).items():
            steps = lines.steps(name)
            assert steps[-1].value == pytest.approx(value, rel=1e-9), (name, config)
            assert steps[-1].label.startswith(f"{name}: ")


@pytest.mark.parametrize("kind", DRAWN)
def test_drawn_and_simpler_configurations_keep_the_statements_promises(kind: str) -> None:
    for one in [c for config in DRAWN[kind] for c in (config, *PACKAGE.draws.simpler(config))]:
        model, plan, moe = one["model"], one["plan"], one["model"]["moe"]
        assert model["layers"] % (plan["pp"] * plan["virtual_pp"]) == 0
        assert model["kv_heads"] % plan["tp"] == model["heads"] % model["kv_heads"] == 0
        assert plan["dp"] % plan["ep"] == plan["seq_len"] % plan["cp"] == 0
        assert moe is None or moe["experts"] % plan["ep"] == 0
        assert plan["zero_stage"] < 2 or plan["pp"] == 1
        assert not plan["sequence_parallel"] or plan["tp"] > 1
        assert PACKAGE.reference.fullest_stage(model, plan) == 0
        assert all(math.isfinite(value) for value in size(**one).values())


def test_a_last_stage_that_is_fuller_is_refused() -> None:
    plan = ONE_GPU | {"pp": 2, "micro_batches": 1}
    with pytest.raises(ValueError, match="stage 0 must be the fullest of 2, but stage 1 is"):
        size(LLAMA_3_8B, A100, plan)


def test_every_misconception_differs_from_the_truth_where_it_applies_and_is_named() -> None:
    catalogue = PACKAGE.misconceptions.CATALOGUE
    names = [mistake.name for mistake in catalogue]
    assert len(names) == len(set(names)) >= 10
    named: dict[str, set[str]] = defaultdict(set)
    for config in ALL_DRAWN:
        right = size(**config)
        for mistake in catalogue:
            if not mistake.applies(config):
                continue
            wrong = {item: mistake.value(config, right, item) for item in mistake.items}
            differs = [
                item for item in wrong if abs(wrong[item] - right[item]) > 1e-6 * right[item]
            ]
            assert differs, f"{mistake.name} applies but changes nothing: {config}"
            for item in differs:
                found = PACKAGE.misconceptions.explanation(config, right, item, wrong[item])
                assert found is not None
                if found.name == mistake.name:
                    named[mistake.name].add(item)
    unnamed = {m.name: set(m.items) - named[m.name] for m in catalogue}
    assert {name: items for name, items in unnamed.items() if items} == {}


def test_a_right_number_is_explained_by_no_misconception() -> None:
    for config in ALL_DRAWN:
        right = size(**config)
        for item, value in right.items():
            assert PACKAGE.misconceptions.explanation(config, right, item, value) is None


def test_a_seed_draws_the_same_configurations_again_and_another_draws_others() -> None:
    draw = PACKAGE.draws.draw
    assert draw("moe", 8, 3) == draw("moe", 8, 3)
    assert draw("moe", 8, 3) != draw("moe", 8, 4)


def test_at_least_sixty_configurations_are_hidden() -> None:
    hidden = [case for case in SPEC.cases if not case.sample]
    assert sum(case.input.get("count", 1) for case in hidden) >= 60


def test_the_statement_shows_the_sample_as_the_reference_has_it() -> None:
    statement = (ROOT / "statement.md").read_text()
    answer = size(**CASES["sample-dense"].input)
    for name, value in answer.items():
        shown = f"{value:,.0f}" if value >= 1 else f"{value:.6f}"
        assert name in statement
        if value and name != "active_parameters":
            assert f"**{shown}**" in statement, name
    answer = size(**CASES["sample-moe"].input)
    assert f"{answer['parameters']:,} parameters, {answer['active_parameters']:,} of" in statement


def test_the_starter_asks_for_exactly_the_keys_that_are_judged() -> None:
    namespace: dict[str, Any] = {}
    exec((ROOT / "starter.py").read_text(), namespace)  # noqa: S102
    config = CASES["sample-dense"].input
    assert list(namespace["size"](**config)) == list(size(**config))


# Through the whole grader


@pytest.fixture
def launcher() -> Iterator[PlainLauncher]:
    with plain_launcher() as launcher:
        yield launcher


def task(*cases: Case) -> Task:
    """The problem as the app gives it to the grader."""
    assert isinstance(SPEC.grader, FunctionGrader)
    all_cases = tuple(Case(c.name, c.breaks, c.sample, c.input) for c in SPEC.cases)
    limits = ProgramLimits(
        cpu_time_s=SPEC.limits.cpu_time_s,
        wall_time_s=SPEC.limits.wall_time_s,
        memory_mib=SPEC.limits.memory_mib,
        output_kib=SPEC.limits.output_kib,
    )
    files = {path.name: path.read_bytes() for path in ROOT.glob("*.py")}
    return Task(SPEC.grader.model_dump(), cases or all_cases, limits, files)


def report(source: bytes, launcher: PlainLauncher, seed: int, *cases: Case) -> dict[str, Any]:
    *_, last = judge(task(*cases), source, launcher, seed)
    return dict(last.data)


def test_the_reference_is_accepted(launcher: PlainLauncher) -> None:
    got = report((ROOT / "reference.py").read_bytes(), launcher, seed=5)
    assert got["verdict"] == "AC"


def test_a_counterexample_is_small_and_replays(launcher: PlainLauncher) -> None:
    source = (ROOT / "submissions/wrong_answer/experts_on_every_replica.py").read_bytes()
    first = report(source, launcher, 3)["counterexample"]
    replay = first["replay"]
    plan = replay["input"]["plan"]
    # What the mistake needs stays, everything else is gone.
    assert plan["ep"] > 1
    assert plan["zero_stage"] == 1
    assert plan["tp"] == plan["pp"] == plan["cp"] == plan["micro_batches"] == 1
    assert replay["input"]["model"]["layers"] == 1
    case = Case(replay["case"], "replayed", sample=False, input=replay["input"])
    again = report(source, launcher, replay["seed"], case)["counterexample"]
    assert again["replay"] == replay
    assert again["data"]["item"] == first["data"]["item"] == "optimizer_bytes"
    assert again["data"]["misconception"] == "experts-on-every-replica"
    assert again["data"]["steps"][-1]["value"] == again["data"]["expected"]
