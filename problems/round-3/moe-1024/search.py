"""Every plan that there is, as arrays: which ones fit, how long each takes, and which is best.

The space is small enough to try all of it. Two things keep it small. Sizes are powers of two,
since their product is. And of the 120 orders of the dimensions only those are told apart that put
a group on other links. Plans without the distributed optimizer are left out: with everything else
the same they hold more and send more, so none of them is ever the best.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import permutations, product
from math import prod
from typing import Any

import network
import numpy as np
import step
import training as t
from network import Spread

DIMENSIONS = ("tp", "cp", "ep", "dp", "pp")
MARGIN = 1.05  # a plan is refuted by another that is this much faster


@dataclass(frozen=True)
class Space:
    """All plans that hold, with an order each: `plans` and `times_s` have one entry a pair."""

    plans: t.Plan
    orders: list[tuple[str, ...]]
    links: np.ndarray[Any, Any]  # what the order decides, one row a pair
    times_s: np.ndarray[Any, Any]
    sizes: list[list[int]]  # of `DIMENSIONS`, each once
    of_sizes: np.ndarray[Any, Any]  # a pair's place in `sizes`

    @property
    def best_s(self) -> float:
        """The shortest step."""
        return float(self.times_s.min())

    @property
    def best(self) -> int:
        """Where the shortest step is."""
        return int(self.times_s.argmin())


def all_plans(parameters: dict[str, Any]) -> Space:
    """Every plan that meets all constraints, timed.

    Raises
    ------
    ValueError
        If none does.
    """
    cluster = parameters["cluster"]
    sizes, plans = _plans(parameters)
    fits = t.fullest_bytes(parameters, plans) <= usable_bytes(cluster)
    if not fits.any():
        raise ValueError("some plan must fit, and none does")
    plans, of_size = plans.take(fits), sizes[fits]
    rows, of_row, counts = np.unique(of_size, axis=0, return_inverse=True, return_counts=True)
    by_row = np.split(np.argsort(of_row, kind="stable"), np.cumsum(counts)[:-1])
    pairs, orders, links = [], [], []
    for row, members in zip(rows.tolist(), by_row, strict=True):
        for order, link in placements(row, cluster):
            pairs.append(members)
            orders += [order] * len(members)
            links.append(np.broadcast_to(link, (len(members), len(link))))
    chosen, table = np.concatenate(pairs), np.concatenate(links)
    plans = plans.take(chosen)
    spreads = {
        name: Spread(*table[:, 3 * column : 3 * column + 3].T)
        for column, name in enumerate(DIMENSIONS)
    }
    times_s = step.step_of(parameters, plans, spreads).total_s
    return Space(plans, orders, table, times_s, rows.tolist(), of_row[chosen])


def usable_bytes(cluster: dict[str, Any]) -> float:
    """What a GPU has for the plan."""
    return float((cluster["memory_gb"] - cluster["reserved_gb"]) * 1e9)


def nearest_refutation(
    space: Space, plan: t.Plan, order: list[str], time_s: float, cluster: dict[str, Any]
) -> tuple[int, list[str]] | None:
    """The plan with the fewest changes that is `MARGIN` times faster; the slowest of equals.

    Returns its place in `space` and the names of what differs, or None if no plan is that much
    faster. The order differs if it puts some group of that plan on other links.
    """
    faster = space.times_s * MARGIN < time_s
    if not faster.any():
        return None
    differs = {
        one.name: getattr(space.plans, one.name) != getattr(plan, one.name)
        for one in fields(t.Plan)
        if one.name != "micro_batches"  # it follows from dp and micro_batch
    }
    kept = np.array(
        [
            links_of(network.spread(order, dict(zip(DIMENSIONS, row, strict=True)), cluster))
            for row in space.sizes
        ]
    )
    differs["order"] = np.any(space.links != kept[space.of_sizes], axis=1)
    changes = np.sum(list(differs.values()), axis=0)
    changes = np.where(faster, changes, len(differs) + 1)
    fewest = changes == changes.min()
    chosen = int(np.argmax(np.where(fewest, space.times_s, 0.0)))
    return chosen, [name for name, where in differs.items() if where[chosen]]


def links_of(spreads: dict[str, Spread]) -> list[int]:
    """A row of `Space.links`."""
    return [
        int(value)
        for name in DIMENSIONS
        for value in (spreads[name].node, spreads[name].pod, spreads[name].size)
    ]


def _plans(parameters: dict[str, Any]) -> tuple[np.ndarray[Any, Any], t.Plan]:
    """All plans that meet the constraints on whole numbers, with their five sizes beside them."""
    model, training, cluster = (parameters[key] for key in ("model", "training", "cluster"))
    rows = []
    powers = [2**power for power in range(cluster["gpus"].bit_length())]
    tps = [tp for tp in powers if model["kv_heads"] % tp == 0 and tp <= cluster["gpus_per_node"]]
    pps = [pp for pp in powers if model["layers"] % pp == 0]
    eps = [ep for ep in powers if model["experts"] % ep == 0]
    cps = [cp for cp in powers if training["sequence"] % cp == 0]
    for tp, cp, pp, ep in product(tps, cps, pps, eps):
        rest, odd = divmod(cluster["gpus"], tp * cp * pp * ep)
        if odd or rest == 0 or training["batch"] % (ep * rest):
            continue
        sequences = training["batch"] // (ep * rest)
        for micro_batch in (one for one in range(1, sequences + 1) if sequences % one == 0):
            count = sequences // micro_batch
            for chunks in _chunks(model["layers"] // pp, pp, count):
                for recompute in range(len(t.RECOMPUTE)):
                    rows.append((tp, cp, ep, rest, pp, micro_batch, count, chunks, recompute))
    tp, cp, ep, rest, pp, micro_batch, count, chunks, recompute = np.array(rows).T
    plans = t.Plan(
        tp=tp,
        cp=cp,
        pp=pp,
        dp=ep * rest,
        ep=ep,
        virtual_pp=chunks,
        micro_batch=micro_batch,
        micro_batches=count,
        distributed_optimizer=np.ones(len(rows), dtype=bool),
        recompute=recompute,
    )
    return np.stack([tp, cp, ep, rest, pp], axis=1), plans


def _chunks(layers: int, pp: int, micro_batches: int) -> list[int]:
    """How many chunks of layers a stage may have."""
    if pp == 1 or micro_batches % pp:
        return [1]
    return [chunks for chunks in range(1, layers + 1) if layers % chunks == 0]


def placements(
    row: list[int], cluster: dict[str, Any]
) -> list[tuple[tuple[str, ...], tuple[int, ...]]]:
    """Orders that put some group on other links, with tensor parallelism inside a node."""
    sizes = dict(zip(DIMENSIONS, row, strict=True))
    alone = [name for name in DIMENSIONS if sizes[name] == 1]
    found: dict[tuple[int, ...], tuple[str, ...]] = {}
    for some in permutations([name for name in DIMENSIONS if sizes[name] > 1]):
        before = some[: some.index("tp")] if "tp" in some else ()
        if prod(sizes[name] for name in before) * sizes["tp"] > cluster["gpus_per_node"]:
            continue
        order = (*alone, *some)
        spreads = network.spread(order, sizes, cluster)
        found.setdefault(tuple(links_of(spreads)), order)
    return [(order, links) for links, order in found.items()]
