"""Pipelines of a case: a literal one, or drawn from a seed; and smaller ones of a failing one."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from graders.simulation.pipeline.pipelines import Costs, Pipeline, Schedule

MAX_DRAWN_UNITS = 6  # of F and of I; small numbers are read faster in a picture


def pipelines_of(given: Mapping[str, Any], seed: int) -> list[Pipeline]:
    """The pipelines of a case's input.

    ``draw`` has ``schedule`` and ``count``, and ``ranks``, ``micro_batches`` and, if there is more
    than one, ``chunks`` and ``latency``, each as its least and its largest value.

    Raises
    ------
    ValueError
        If it is neither, or no pipeline that may come.
    """
    if "draw" not in given:
        return [Pipeline.read({key: one for key, one in given.items() if key != "shrunk"})]
    asked = given["draw"]
    known = {"schedule", "count", "ranks", "micro_batches", "chunks", "latency"}
    if not {"schedule", "count", "ranks", "micro_batches"} <= set(asked) <= known:
        raise ValueError(f"a draw must have keys of {sorted(known)}, got {asked}")
    generator = random.Random(seed)  # noqa: S311  a replay gets the pipeline itself
    schedule = Schedule(asked["schedule"])
    return [_drawn(schedule, asked, generator) for _ in range(int(asked["count"]))]


def _drawn(schedule: Schedule, asked: Mapping[str, Any], generator: random.Random) -> Pipeline:
    n_ranks = generator.randint(*asked["ranks"])
    n_micro_batches = generator.randint(*asked["micro_batches"])
    n_chunks = generator.randint(*asked.get("chunks", [1, 1]))
    forward, by_input = (generator.randint(1, MAX_DRAWN_UNITS) for _ in range(2))
    by_weights = generator.randint(1, min(forward, by_input))
    if schedule is Schedule.DUALPIPE:
        by_input, by_weights = forward, min(by_weights, forward)
        n_ranks += n_ranks % 2
        n_micro_batches = max(n_micro_batches + n_micro_batches % 2, 2 * n_ranks)
    backward = by_input + by_weights
    costs = Costs(
        F=forward,
        I=by_input,
        W=by_weights,
        FB=generator.randint(max(forward, backward), forward + backward),
        latency=generator.randint(*asked.get("latency", [0, 0])),
    )
    return Pipeline(n_ranks, n_micro_batches, n_chunks, schedule, costs)


def smaller(failed: Pipeline) -> Iterator[Pipeline]:
    """Pipelines below `failed`, smallest first: fewer ranks, micro-batches, then chunks."""
    for p in range(1, failed.n_ranks + 1):
        telling = {*range(1, 2 * p + 3), 3 * p, 3 * p + 1, failed.n_micro_batches}
        for m in sorted(telling):
            for v in range(min(2, failed.n_chunks), failed.n_chunks + 1):
                if not 1 <= m <= failed.n_micro_batches:
                    continue
                try:
                    chosen = replace(failed, n_ranks=p, n_micro_batches=m, n_chunks=v)
                except ValueError:
                    continue  # no pipeline that may come
                if chosen < failed:
                    yield chosen
