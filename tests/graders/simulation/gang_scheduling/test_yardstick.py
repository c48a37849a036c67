"""What is measured by keeps every rule, and the package's reference is as good."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.simulation.gang_scheduling import traces
from graders.simulation.gang_scheduling.cluster import Arrival, Cluster
from graders.simulation.gang_scheduling.engine import Engine
from graders.simulation.gang_scheduling.runs import measure, setting
from graders.simulation.gang_scheduling.yardstick import compact

PACKAGE = Path(__file__).parents[4] / "problems/round-6/gang-scheduler"
CLUSTER = Cluster(racks=2, nodes_per_rack=2, gpus_per_node=4, quota={"red": 16, "blue": 8})
DRAW: dict[str, Any] = {
    "count": 25,
    "every": 3,
    "gpus": [1, 2, 4, 8],
    "rounds": [6, 40],
    "urgent_share": 0.2,
    "low_share": 0.4,
}


def ends(cluster: Cluster, trace: list[Arrival]) -> dict[str, int]:
    return {one.arrival.name: one.end for one in measure(cluster, trace).ended}


def test_where_there_is_room_for_one_of_two_nothing_is_bound_as_in_volcano() -> None:
    cluster = Cluster(racks=1, nodes_per_rack=1, gpus_per_node=2, quota={"red": 2})
    trace = [Arrival("a", 0, "red", 1, 1, 60), Arrival("b", 1, "red", 1, 2, 20)]
    run = measure(cluster, trace)
    assert {one.arrival.name: one.end for one in run.ended} == {"a": 7, "b": 10}
    assert all("b" not in taken.held.values() for taken in run.taken if taken.at < 7)


def test_backfill_does_not_delay_the_first_in_line() -> None:
    cluster = Cluster(racks=1, nodes_per_rack=2, gpus_per_node=4, quota={"red": 8})
    long, wide = Arrival("long", 0, "red", 1, 4, 200), Arrival("wide", 1, "red", 1, 8, 80)
    fits = Arrival("fits", 2, "red", 1, 4, 180)  # 1 + 18 rounds: over in round 21, as is long
    late = Arrival("late", 2, "red", 1, 4, 190)
    assert ends(cluster, [long, wide, fits])["fits"] == 21
    alone = ends(cluster, [long, wide])["wide"]
    assert ends(cluster, [long, wide, fits])["wide"] == alone
    assert ends(cluster, [long, wide, late])["wide"] == alone
    assert ends(cluster, [long, wide, late])["late"] == alone + 20


def test_another_team_does_not_wait_for_a_full_quota() -> None:
    trace = [
        Arrival("b1", 0, "blue", 1, 8, 400),
        Arrival("b2", 0, "blue", 1, 8, 400),
        Arrival("r", 1, "red", 1, 8, 80),
    ]
    assert ends(CLUSTER, trace)["r"] == 1 + 1 + 10  # eight GPUs are a rack here: at 8 a round


def test_the_cheapest_of_lower_priority_goes_and_no_more_than_needed() -> None:
    trace = [
        Arrival("saved", 0, "red", 0, 8, 400),
        Arrival("fresh", 4, "red", 0, 8, 400),
        Arrival("urgent", 8, "red", 2, 6, 40),
    ]
    run = measure(CLUSTER, trace)
    preempted = [taken.chosen["preempt"] for taken in run.taken if taken.at == 8]  # type: ignore[index, call-overload]
    assert preempted == [["saved"]]  # in round 8 it has a checkpoint of seven rounds, one ago


@pytest.mark.parametrize(
    ("count", "free", "expected"),
    [
        (2, {0, 1, 2, 4, 5}, [4, 5]),  # the tightest node that holds it
        (4, {0, 1, 2, 4, 5, 8, 9, 12, 13}, [8, 9, 12, 13]),  # the tightest rack
        (6, {0, 4, 5, 8, 9, 10, 12, 13}, [8, 9, 10, 12, 13, 4]),  # the emptiest rack first
    ],
)
def test_gangs_stay_together(count: int, free: set[int], expected: list[int]) -> None:
    assert compact(CLUSTER, free, count) == expected


@pytest.mark.parametrize("seed", range(6))
def test_the_reference_is_no_worse_than_what_it_is_measured_by(seed: int) -> None:
    trace = traces.read({"draw": DRAW}, CLUSTER, seed)
    own = measure(CLUSTER, trace)
    given = setting(CLUSTER, own)
    shape = {**CLUSTER.to_json(), "max_wait": given.max_wait}
    made = runpy.run_path(str(PACKAGE / "reference.py"))["Scheduler"](**shape)
    engine = Engine(CLUSTER, trace, given.max_wait)
    while not engine.is_over:
        broken = engine.take(made.schedule(engine.now, engine.seen()))
        assert broken is None, broken
    total = sum(one.arrival.weight * (one.end - one.arrival.at) for one in engine.ended)
    assert total / sum(one.weight for one in trace) <= 1.05 * own.turnaround


@st.composite
def days(draw: st.DrawFn) -> tuple[Cluster, list[Arrival]]:
    """Any small cluster with any jobs that fit it."""
    racks, nodes, per_node = (draw(st.integers(1, 3)) for _ in range(3))
    total = racks * nodes * per_node
    quota = {team: draw(st.integers(1, total + 2)) for team in ("red", "blue")}
    trace = []
    for number in range(draw(st.integers(1, 12))):
        team = draw(st.sampled_from(["red", "blue"]))
        gpus = draw(st.integers(1, min(total, quota[team])))
        at, priority = draw(st.integers(0, 20)), draw(st.sampled_from([0, 1, 2]))
        trace.append(Arrival(f"j{number}", at, team, priority, gpus, draw(st.integers(1, 200))))
    return Cluster(racks, nodes, per_node, quota), sorted(trace, key=lambda one: one.at)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(days())
def test_what_is_measured_by_keeps_every_rule_on_any_trace(
    day: tuple[Cluster, list[Arrival]],
) -> None:
    cluster, trace = day
    run = measure(cluster, trace)  # raises where a rule is broken
    assert {one.arrival.name for one in run.ended} == {one.name for one in trace}


def test_a_draw_has_the_mixture_that_it_says() -> None:
    trace = traces.read({"draw": {**DRAW, "count": 400}}, CLUSTER, 3)
    share = [sum(one.priority == priority for one in trace) / 400 for priority in (0, 1, 2)]
    assert share == pytest.approx([0.4, 0.4, 0.2], abs=0.08)
    assert max(one.steps for one in trace if one.priority == 2) <= 120
    assert {one.gpus for one in trace} == {1, 2, 4, 8}
    assert trace[-1].at == pytest.approx(3 * 400, rel=0.2)
