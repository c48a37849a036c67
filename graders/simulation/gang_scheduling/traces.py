"""Traces of jobs: literal ones of a case, or drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import fields as fields_of
from typing import Any

from graders.simulation.gang_scheduling.cluster import PRIORITIES, Arrival, Cluster
from graders.verdict import Json


def read(fields: Mapping[str, Any], cluster: Cluster, seed: int) -> list[Arrival]:
    """A case's trace: ``jobs`` as lists, or ``draw``, in the order of arrival.

    Raises
    ------
    ValueError
        If it is neither, or a job could never run.
    """
    if "jobs" in fields:
        if any(len(one) != len(fields_of(Arrival)) for one in fields["jobs"]):
            raise ValueError("a job must be [id, round, team, priority, GPUs, steps]")
        trace = [Arrival(*one) for one in fields["jobs"]]
    elif "draw" in fields:
        trace = drawn(**fields["draw"], teams=list(cluster.quota), seed=seed)
    else:
        raise ValueError("a case must have jobs or draw")
    if not trace:
        raise ValueError("a trace must have a job")
    for one in trace:
        most = min(cluster.gpus, cluster.quota.get(one.team, 0))
        if not 1 <= one.gpus <= most or one.steps < 1 or one.at < 0:
            raise ValueError(f"a job must fit into the cluster and its team's quota, got {one}")
        if one.priority not in PRIORITIES:
            raise ValueError(f"a priority must be one of {PRIORITIES}, got {one}")
    if len({one.name for one in trace}) < len(trace):
        raise ValueError("jobs must have different names")
    return sorted(trace, key=lambda one: one.at)


def to_json(trace: list[Arrival]) -> list[Json]:
    """The trace as ``jobs``."""
    return [[one.name, one.at, one.team, one.priority, one.gpus, one.steps] for one in trace]


def drawn(
    count: int,
    every: float,
    gpus: list[int],
    rounds: list[int],
    urgent_share: float,
    low_share: float,
    teams: list[str],
    seed: int,
) -> list[Arrival]:
    """Jobs that come `every` so many rounds on average, small ones more often than large ones.

    Parameters
    ----------
    gpus : list of int
        Sizes to choose from; each is half as frequent as the one before it.
    rounds : list of two int
        Bounds on how long a job trains within one node; short ones are more frequent.
    urgent_share, low_share : float
        Parts of the jobs with priority 2 and 0. Urgent jobs are short.
    """
    generator = random.Random(seed)  # noqa: S311  a replay gets the trace itself
    weights = [0.5**index for index in range(len(gpus))]
    trace = []
    at = 0.0
    for number in range(count):
        at += generator.expovariate(1 / every)
        kind = generator.random()
        priority = 2 if kind < urgent_share else 0 if kind < urgent_share + low_share else 1
        low, high = rounds
        length = low * (high / low) ** generator.random()
        if priority == 2:
            length = min(length, 2 * low)
        size = generator.choices(gpus, weights)[0]
        team = generator.choice(teams)
        trace.append(Arrival(f"j{number}", int(at), team, priority, size, 10 * round(length)))
    return trace
