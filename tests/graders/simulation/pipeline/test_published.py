"""The published orders cost what was published, and no order of 1F1B's memory beats a slow link."""

from __future__ import annotations

from itertools import product

import pytest

from graders.simulation.pipeline.checks import examine, time_limit
from graders.simulation.pipeline.operations import Operation, passes
from graders.simulation.pipeline.pipelines import Costs, Pipeline, Schedule
from graders.simulation.pipeline.published import published
from graders.simulation.pipeline.simulate import Run, run

EQUAL = Costs(F=1, I=1, W=1, FB=3)
UNEVEN = Costs(F=10, I=12, W=7, FB=29)


def made(schedule: str, p: int, m: int, v: int = 1, costs: Costs = EQUAL) -> tuple[Pipeline, Run]:
    pipeline = Pipeline(p, m, v, Schedule(schedule), costs)
    return pipeline, run(published(pipeline), pipeline)


@pytest.mark.parametrize("p", [1, 2, 3, 8])
@pytest.mark.parametrize("costs", [EQUAL, UNEVEN])
def test_1f1b_has_the_published_bubble_and_memory(p: int, costs: Costs) -> None:
    for m in (1, p, 3 * p + 1):
        pipeline, ran = made("1f1b", p, m, costs=costs)
        assert {ran.idle(rank) for rank in range(p)} == {(p - 1) * (costs.F + costs.B)}
        assert ran.end == pipeline.step_time()
        assert [ran.peak(rank) for rank in range(p)] == [min(m, p - rank) for rank in range(p)]


@pytest.mark.parametrize(("p", "m", "v"), [(4, 8, 2), (8, 16, 4), (3, 9, 3), (2, 2, 5)])
def test_interleaving_divides_the_bubble_by_v(p: int, m: int, v: int) -> None:
    pipeline, ran = made("interleaved", p, m, v)
    useful = m * v * (EQUAL.F + EQUAL.B)
    assert ran.bubble / useful == (p - 1) / (v * m)  # Megatron-LM's ratio
    assert ran.bubble / ran.end == (p - 1) / (v * m + p - 1)
    assert ran.end == pipeline.step_time()


def test_interleaving_grows_the_first_rank_s_activations_as_published() -> None:
    p, v = 4, 2
    _, ran = made("interleaved", p, 3 * p, v)
    assert ran.peak(0) / (p * v) == 1 + (p - 1) / (p * v)  # over 1F1B's p whole stages


@pytest.mark.parametrize(("p", "m", "v"), [(5, 7, 2), (8, 11, 2), (8, 20, 4), (4, 3, 3), (6, 1, 2)])
def test_a_last_group_that_is_not_full_locks_nobody(p: int, m: int, v: int) -> None:
    pipeline, ran = made("interleaved", p, m, v)
    assert not ran.stuck
    assert ran.end <= pipeline.step_time()


@pytest.mark.parametrize("costs", [EQUAL, UNEVEN, Costs(10, 8, 8, 26)])
@pytest.mark.parametrize("p", [1, 2, 4, 8])
def test_zb1p_has_the_published_bubble_and_memory(p: int, costs: Costs) -> None:
    for m in (p, 2 * p + 1, 3 * p):
        _, ran = made("zb1p", p, m, costs=costs)
        assert ran.bubble == (p - 1) * (costs.F + costs.B - 2 * costs.W)
        assert max(ran.peak(rank) for rank in range(p)) == p
    for m in range(1, p):  # too few to fill the gaps: the closed form that the statement gives
        pipeline, ran = made("zb1p", p, m, costs=costs)
        assert ran.end == pipeline.step_time()


@pytest.mark.parametrize("costs", [Costs(1, 1, 1, 3), Costs(10, 10, 7, 20), Costs(10, 10, 3, 22)])
@pytest.mark.parametrize(("p", "m"), [(2, 4), (4, 10), (8, 16), (8, 20)])
def test_dualpipe_has_the_published_bubble_and_memory(p: int, m: int, costs: Costs) -> None:
    pipeline, ran = made("dualpipe", p, m, costs=costs)
    assert ran.bubble == (p // 2 - 1) * (costs.FB + costs.B - 3 * costs.W)
    assert ran.end == pipeline.step_time()
    assert {ran.peak(rank) for rank in range(p)} == {p + 1}


def test_no_order_of_its_memory_takes_less_than_1f1b_where_links_are_slow() -> None:
    for (p, m), latency in product([(2, 3), (2, 4), (3, 3)], [1, 2]):
        pipeline = Pipeline(p, m, 1, Schedule.ONE_F_ONE_B, Costs(2, 2, 1, 5, latency))
        ends = []
        for orders in product(*(list(in_turn(rank, m)) for rank in range(p))):
            ran = run(list(orders), pipeline)
            within = all(ran.peak(rank) <= p - rank for rank in range(p))
            if within and not ran.stuck:
                ends.append(ran.end)
        assert min(ends) == time_limit(pipeline)


def in_turn(rank: int, m: int, forward: int = 0, backward: int = 0) -> list[list[Operation]]:
    """Every order of a rank in which micro-batches come in turn, forward before back."""
    if backward == m:
        return [[]]
    found = []
    if forward < m:
        rest = in_turn(rank, m, forward + 1, backward)
        found += [[passes("F", forward, rank), *one] for one in rest]
    if backward < forward:
        rest = in_turn(rank, m, forward, backward + 1)
        found += [[passes("B", backward, rank), *one] for one in rest]
    return found


def test_every_published_order_is_accepted() -> None:
    for schedule, p, m, v in (
        ("1f1b", 5, 3, 1),
        ("interleaved", 5, 7, 2),
        ("zb1p", 5, 9, 1),
        ("dualpipe", 6, 14, 1),
    ):
        assert examine(made(schedule, p, m, v)[1]) is None
