"""The cluster keeps its own rules, whatever a scheduler chooses."""

from __future__ import annotations

from typing import Any

import pytest

from graders.simulation.gang_scheduling.cluster import Arrival, Cluster
from graders.simulation.gang_scheduling.engine import (
    IDLE_ROUNDS,
    LOST_RUNS,
    PATIENCE_ROUNDS,
    Engine,
)

CLUSTER = Cluster(racks=2, nodes_per_rack=2, gpus_per_node=2, quota={"red": 8, "blue": 3})


def job(name: str, gpus: int = 2, steps: int = 100, at: int = 0, **more: Any) -> Arrival:
    fields = {"team": "red", "priority": 1, **more}
    return Arrival(name, at, fields["team"], fields["priority"], gpus, steps)


def engine(*trace: Arrival, max_wait: int | None = None, cluster: Cluster = CLUSTER) -> Engine:
    return Engine(cluster, list(trace), max_wait)


def take(made: Engine, start: dict[str, Any] | None = None, *preempt: str) -> str | None:
    broken = made.take({"preempt": list(preempt), "start": start or {}})
    return None if broken is None else broken.kind


def rounds(made: Engine, count: int) -> list[str | None]:
    return [take(made) for _ in range(count)]


@pytest.mark.parametrize(
    ("gpus", "end"),
    [
        ([0, 1], 1 + 10),  # one node: 100 steps at 10
        ([0, 2], 1 + 13),  # one rack: at 8
        ([3, 4], 1 + 20),  # two racks: at 5
    ],
)
def test_a_gang_trains_as_fast_as_what_it_spans_and_starts_for_a_round(
    gpus: list[int], end: int
) -> None:
    made = engine(job("a"))
    take(made, {"a": gpus})
    assert made.alive["a"].done == 0
    while not made.is_over:
        take(made)
    assert [(one.arrival.name, one.end) for one in made.ended] == [("a", end)]


def test_a_preempted_job_falls_back_to_its_checkpoint() -> None:
    made = engine(job("a", steps=500))
    take(made, {"a": [0, 1]})
    rounds(made, 8)  # a checkpoint after six
    assert (made.alive["a"].done, made.alive["a"].saved) == (80, 60)
    assert take(made, {}, "a") is None
    assert (made.alive["a"].done, made.alive["a"].gpus) == (60, ())
    take(made, {"a": [0, 1]})
    rounds(made, 5)
    assert made.alive["a"].saved == 60  # the next is due after six rounds of this run
    rounds(made, 1)
    assert made.alive["a"].saved == 120


@pytest.mark.parametrize(
    ("start", "preempt", "kind"),
    [
        ({"b": [2]}, [], "gang"),
        ({"b": [2, 3, 4]}, [], "gang"),
        ({"b": [1, 2]}, [], "gpu twice"),
        ({"b": [2, 2]}, [], "gpu twice"),
        ({"b": [2, 3], "c": [3, 4]}, [], "gpu twice"),
        ({"b": [7, 8]}, [], "no such gpu"),
        ({"b": [-1, 2]}, [], "no such gpu"),
        ({"a": [2, 3]}, [], "not waiting"),
        ({"x": [2, 3]}, [], "not waiting"),
        ({}, ["b"], "not running"),
        ({}, ["a", "a"], "not running"),
        ({}, ["x"], "not running"),
        ({"d": [2, 3], "e": [4, 5]}, [], "quota"),
        ({"b": 2}, [], "shape"),
        ({"b": [True, 2]}, [], "shape"),
        ({"b": [2.0, 3]}, [], "shape"),
        ([], [], "shape"),
        ({}, [1], "shape"),
        ({}, None, "shape"),
    ],
)
def test_a_broken_rule_is_named(start: Any, preempt: Any, kind: str) -> None:
    blue: dict[str, Any] = {"team": "blue"}
    made = engine(job("a"), job("b"), job("c"), job("d", **blue), job("e", **blue))
    assert take(made, {"a": [0, 1]}) is None
    broken = made.take({"preempt": preempt, "start": start})
    assert broken is not None
    assert broken.kind == kind


def test_who_is_preempted_makes_room_in_the_same_round() -> None:
    made = engine(job("a", 8), job("b", 8, at=1))
    take(made, {"a": list(range(8))})
    assert take(made, {"b": list(range(8))}, "a") is None
    assert (made.alive["a"].runs, made.alive["b"].runs) == (False, True)


def test_jobs_that_push_each_other_out_go_round_in_circles() -> None:
    made = engine(job("a", 8), job("b", 8))
    everything = list(range(8))
    kinds = [take(made, {"a": everything})]
    for name, other in [("b", "a"), ("a", "b")] * LOST_RUNS:
        kinds.append(take(made, {name: everything}, other))
    first = kinds.index("ping-pong")
    assert kinds[:first] == [None] * (2 * LOST_RUNS - 1)


def test_a_run_that_wrote_a_checkpoint_is_no_circle() -> None:
    made = engine(job("a", steps=5000))
    take(made, {"a": [0, 1]})
    for _ in range(2 * LOST_RUNS):
        assert rounds(made, 6) == [None] * 6
        assert take(made, {"a": [0, 1]}, "a") is None


def test_making_room_for_a_higher_priority_is_no_circle() -> None:
    urgent = [job(f"u{index}", steps=10, at=2 + 4 * index, priority=2) for index in range(5)]
    small = Cluster(racks=1, nodes_per_rack=1, gpus_per_node=2, quota={"red": 2})
    made = engine(job("low", steps=100, priority=0), *urgent, cluster=small)
    for index in range(5):
        made.take({"preempt": [], "start": {"low": [0, 1]}})
        take(made)
        assert take(made, {f"u{index}": [0, 1]}, "low") is None
        take(made)
    assert len(made.ended) == 5


def test_the_first_in_line_waits_only_so_long_for_lower_priorities() -> None:
    made = engine(job("low", 8, steps=900, priority=0), job("high", 2, at=1))
    take(made, {"low": list(range(8))})
    kinds = rounds(made, PATIENCE_ROUNDS + 1)
    assert kinds == [None] * PATIENCE_ROUNDS + ["passed over"]


def test_who_could_start_as_it_is_may_wait_for_a_better_place() -> None:
    made = engine(job("low", 6, steps=900, priority=0), job("high", 2, at=1))
    take(made, {"low": [0, 1, 2, 4, 5, 6]})  # 3 and 7 are free, in different racks
    assert rounds(made, PATIENCE_ROUNDS + 5) == [None] * (PATIENCE_ROUNDS + 5)


def test_a_full_quota_or_equals_are_no_reason_to_preempt() -> None:
    blue: dict[str, Any] = {"team": "blue"}
    trace = (
        job("a", 3, steps=900, **blue),
        job("low", 5, steps=900, priority=0),
        job("b", 3, at=1, **blue),
    )
    made = engine(*trace)
    take(made, {"a": [0, 1, 2], "low": [3, 4, 5, 6, 7]})
    assert rounds(made, PATIENCE_ROUNDS + 5) == [None] * (PATIENCE_ROUNDS + 5)


def test_whoever_waits_too_long_starves_and_a_preemption_begins_a_new_wait() -> None:
    made = engine(job("a", 8, steps=900), job("b", 8), max_wait=5)
    take(made, {"a": list(range(8))})
    assert rounds(made, 3) == [None] * 3
    assert take(made, {"b": list(range(8))}, "a") is None
    assert rounds(made, 4) == [None] * 4
    assert take(made) == "starved"
    assert made.alive["a"].since == 4


def test_nothing_running_for_long_is_refused() -> None:
    made = engine(job("a"))
    assert rounds(made, IDLE_ROUNDS) == [None] * (IDLE_ROUNDS - 1) + ["idle"]


def test_time_jumps_to_the_next_arrival_when_nobody_is_there() -> None:
    made = engine(job("a", at=50))
    assert (made.now, list(made.alive)) == (50, ["a"])
