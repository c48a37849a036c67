"""The engine keeps its own rules, whatever a scheduler chooses."""

from __future__ import annotations

from typing import Any

import pytest

from graders.simulation.continuous_batching.engine import (
    IDLE_STEPS,
    Arrival,
    Engine,
    Limits,
    is_good,
    longest_gap_ms,
    ttft_ms,
)

LIMITS = Limits(token_budget=100, kv_tokens=150, ttft_ms=20, itl_ms=15, starvation_ms=5000)


def engine(*trace: Arrival, limits: Limits = LIMITS) -> Engine:
    return Engine(limits, list(trace))


def take(engine: Engine, run: dict[str, Any], *preempt: str) -> str | None:
    broken = engine.take({"run": run, "preempt": list(preempt)})
    return None if broken is None else broken.kind


def test_a_token_comes_when_the_context_is_complete_and_not_before() -> None:
    made = engine(Arrival("a", 0, 100, 2))
    assert take(made, {"a": 60}) is None
    assert made.alive["a"].generated == 0
    assert take(made, {"a": 40}) is None
    assert made.alive["a"].generated == 1
    assert made.now_ms == pytest.approx(8 + 3 + 8 + 2)
    assert take(made, {"a": 1}) is None
    assert made.is_over
    assert ttft_ms(made.done[0]) == pytest.approx(21)
    assert longest_gap_ms(made.done[0]) == pytest.approx(8.05)
    assert not is_good(made.done[0], LIMITS)  # 21 ms are more than 20


def test_preemption_keeps_the_output_and_costs_its_computation() -> None:
    made = engine(Arrival("a", 0, 50, 3))
    take(made, {"a": 50})
    assert take(made, {}, "a") is None
    request = made.alive["a"]
    assert (request.generated, request.computed, request.context) == (1, 0, 51)
    assert take(made, {"a": 50}) is None
    assert request.generated == 1
    assert take(made, {"a": 1}) is None
    assert request.generated == 2


@pytest.mark.parametrize(
    ("run", "preempt", "kind"),
    [
        ({"a": 101}, [], "too many"),
        ({"a": 60, "b": 60}, [], "budget"),
        ({"c": 1}, [], "unknown"),
        ({}, ["c"], "unknown"),
        ({"a": 1}, ["a"], "twice"),
        ({}, ["a", "a"], "twice"),
        ({"a": 0}, [], "shape"),
        ({"a": True}, [], "shape"),
        ({"a": 1.0}, [], "shape"),
        ([], [], "shape"),
        ({}, None, "shape"),
    ],
)
def test_a_broken_rule_is_named(run: Any, preempt: Any, kind: str) -> None:
    made = engine(Arrival("a", 0, 100, 2), Arrival("b", 0, 100, 2))
    broken = made.take({"run": run, "preempt": preempt})
    assert broken is not None
    assert broken.kind == kind


def test_the_cache_never_holds_more_than_it_can() -> None:
    made = engine(Arrival("a", 0, 100, 9), Arrival("b", 0, 100, 9))
    assert take(made, {"a": 100}) is None
    assert take(made, {"b": 51}) == "kv"
    made = engine(Arrival("a", 0, 100, 9), Arrival("b", 0, 100, 9))
    take(made, {"a": 100})
    assert take(made, {"b": 100}, "a") is None  # what is preempted makes room in the same step


def test_running_nothing_for_long_is_refused() -> None:
    made = engine(Arrival("a", 0, 10, 1))
    kinds = [take(made, {}) for _ in range(IDLE_STEPS)]
    assert kinds == [None] * (IDLE_STEPS - 1) + ["idle"]


def test_whoever_waits_too_long_starves() -> None:
    limits = Limits(token_budget=100, kv_tokens=9000, ttft_ms=9, itl_ms=9, starvation_ms=30)
    made = engine(Arrival("a", 0, 10, 99), Arrival("b", 0, 10, 1), limits=limits)
    kinds = [take(made, {"a": 10}), *(take(made, {"a": 1}) for _ in range(3))]
    assert kinds == [None, None, None, "starved"]


def test_time_jumps_to_the_next_arrival_when_nobody_is_there() -> None:
    made = engine(Arrival("a", 50, 10, 1))
    assert made.now_ms == 50
    assert list(made.alive) == ["a"]
