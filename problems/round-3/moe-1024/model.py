"""Assesses a plan: its constraints, the time of its step, and the best plan that there is."""

from __future__ import annotations

from typing import Any

import constraints as c
import figures
import network
import numpy as np
import search
import step
import training as t

from graders.text import say


def assess(design: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """What ``graders/design/README.md`` asks for. `parameters` holds model, training, cluster."""
    given = c.design_plan(design)
    found = list(c.whole_number_constraints(given, parameters))
    if not all(one["holds"] for one in found):
        return _refused(found)
    plan = c.numbers(given, parameters["training"]["batch"])
    order, cluster = given["order"], parameters["cluster"]
    found.append(c.node(given, parameters, c.stride_of_tp(order, plan)))
    found.append(c.memory(parameters, plan))
    spreads = network.spread(order, c.sizes(plan), cluster)
    pictures = {
        "placement": figures.placement(order, plan, spreads, cluster),
        "bars": {"charts": [figures.memory_chart(parameters, plan)]},
    }
    rubric = figures.levels(plan, spreads)
    if not all(one["holds"] for one in found):
        return _refused(found, rubric, pictures)
    one_step = step.step_of(parameters, plan, spreads)
    pictures["bars"]["charts"] += [
        figures.time_chart(one_step),
        figures.traffic_chart(one_step, cluster),
    ]
    time_s = float(one_step.total_s)
    space = search.all_plans(parameters)
    return {
        "constraints": found,
        "metrics": figures.metrics(parameters, plan, one_step),
        "cost": {"label": say("The time of a step"), "value": time_s, "unit": "s"},
        "best": space.best_s,
        "better": _better(given, plan, time_s, space, cluster),
        "rubric": rubric,
        "pictures": pictures,
    }


def _refused(
    found: list[dict[str, Any]],
    rubric: list[dict[str, Any]] | None = None,
    pictures: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """An assessment of a plan that cannot run."""
    return {
        "constraints": found,
        "metrics": [],
        "cost": None,
        "best": None,
        "better": None,
        "rubric": rubric or [],
        "pictures": pictures or {},
    }


def _better(
    given: dict[str, Any],
    plan: t.Plan,
    time_s: float,
    space: search.Space,
    cluster: dict[str, Any],
) -> dict[str, Any] | None:
    """The nearest plan that is faster by the margin, as changes to the candidate's."""
    refutation = search.nearest_refutation(space, plan, given["order"], time_s, cluster)
    if refutation is None:
        return None
    index, names = refutation
    other = space.plans.take(index)
    changes = [
        {
            "field": f"{GROUP_OF[name]}.{name}",
            "from": _written(given[name]),
            "to": _written(_field(name, other, space.orders[index])),
        }
        for name in names
    ]
    return {"changes": changes, "cost": float(space.times_s[index])}


GROUP_OF = {
    "tp": "parallel",
    "cp": "parallel",
    "pp": "parallel",
    "dp": "parallel",
    "ep": "parallel",
    "virtual_pp": "schedule",
    "micro_batch": "schedule",
    "distributed_optimizer": "memory",
    "recompute": "memory",
    "order": "placement",
}


def _field(name: str, plan: t.Plan, order: tuple[str, ...]) -> Any:
    if name == "order":
        return list(order)
    value = getattr(plan, name)
    return t.RECOMPUTE[int(value)] if name == "recompute" else value


def _written(value: Any) -> int | str:
    """A value as the candidate would write it."""
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return int(value)
