"""The simulator agrees with an obvious slow one, on any orders."""

from __future__ import annotations

import random

from graders.simulation.pipeline.cases import pipelines_of
from graders.simulation.pipeline.operations import Orders, Part
from graders.simulation.pipeline.pipelines import Costs, Pipeline, Schedule
from graders.simulation.pipeline.published import published
from graders.simulation.pipeline.simulate import gives, needs, run


def tick_by_tick(orders: Orders, pipeline: Pipeline) -> list[list[tuple[int, int]]]:
    """Begin and end of each operation, found by looking at every rank in every unit of time."""
    n_units = sum(
        pipeline.costs.of(one.kind) + pipeline.costs.latency for row in orders for one in row
    )
    spans: list[list[tuple[int, int]]] = [[] for _ in orders]
    there: dict[Part, tuple[int, int]] = {}
    for now in range(n_units + 1):
        for rank, order in enumerate(orders):
            done = spans[rank]
            if len(done) == len(order) or (done and done[-1][1] > now):
                continue
            operation = order[len(done)]
            if all(
                need in there
                and there[need][0] + (pipeline.costs.latency * (there[need][1] != rank)) <= now
                for part in operation.parts
                for need in needs(part, pipeline)
            ):
                end = now + pipeline.costs.of(operation.kind)
                done.append((now, end))
                for part in operation.parts:
                    there.setdefault(gives(part), (end, rank))
    return spans


def test_any_orders_run_as_they_do_tick_by_tick() -> None:
    generator = random.Random(5)
    n_stuck = 0
    for schedule in Schedule:
        drawn = {"schedule": schedule.value, "count": 12, "ranks": [1, 4], "micro_batches": [1, 4]}
        if schedule is Schedule.INTERLEAVED:
            drawn["chunks"] = [1, 3]
        if schedule is Schedule.ONE_F_ONE_B:
            drawn["latency"] = [0, 3]
        for pipeline in pipelines_of({"draw": drawn}, 11):
            orders = published(pipeline)
            for order in orders:  # some neighbours change places, so that some ranks stop
                for _ in range(generator.randint(0, 2)):
                    at = generator.randrange(len(order))
                    order[at - 1], order[at] = order[at], order[at - 1]
            made = run(orders, pipeline)
            n_stuck += bool(made.stuck)
            fast = [[(one.begin, one.end) for one in row] for row in made.ran]
            assert fast == tick_by_tick(orders, pipeline), pipeline
    assert 5 < n_stuck < 40, "some orders must stop, and some must run to their end"


def test_a_latency_counts_between_ranks_only() -> None:
    costs = Costs(F=2, I=1, W=1, FB=4, latency=5)
    for n_ranks, end in ((1, 4), (2, 2 + 5 + 2 + 2 + 5 + 2)):
        pipeline = Pipeline(n_ranks, 1, 1, Schedule.ONE_F_ONE_B, costs)
        assert run(published(pipeline), pipeline).end == end
