"""Who waits for whom, drawn: ranks on a circle, an arrow from each to the one that it waits for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from graders.verdict import Json, JsonObject

SIZE = 300.0
HEIGHT_OF_TWO = 110.0  # two ranks stand side by side
NODE_RADIUS = 17.0
BEND = 0.16  # of an arrow's length: so that two ranks which wait for each other show two arrows


def layout(n_ranks: int, waits: Sequence[Mapping[str, Json]]) -> JsonObject:
    """Lay out a wait graph.

    Parameters
    ----------
    n_ranks : int
        Ranks on the ring.
    waits : sequence of mappings
        ``rank``, ``waits_for``, ``in_cycle`` and ``text``, which says it, of each waiting rank.

    Returns
    -------
    JsonObject
        ``width``, ``height``, ``nodes`` and ``edges`` in user units of an SVG.
    """
    radius = SIZE / 2 - NODE_RADIUS - 14 if n_ranks > 2 else SIZE / 3.4
    first_angle = -math.pi / 2 if n_ranks > 2 else math.pi
    height = SIZE if n_ranks > 2 else HEIGHT_OF_TWO
    centres = [
        (
            SIZE / 2 + radius * math.cos(first_angle + 2 * math.pi * rank / n_ranks),
            height / 2 + radius * math.sin(first_angle + 2 * math.pi * rank / n_ranks),
        )
        for rank in range(n_ranks)
    ]
    waiting = {wait["rank"]: wait for wait in waits}
    nodes: list[Json] = [
        {
            "rank": rank,
            "x": round(x, 1),
            "y": round(y, 1),
            "text_y": round(y + 4.5, 1),
            "radius": NODE_RADIUS,
            "state": _state(waiting.get(rank)),
        }
        for rank, (x, y) in enumerate(centres)
    ]
    edges: list[Json] = [
        _edge(centres[_rank(wait, "rank")], centres[_rank(wait, "waits_for")], wait)
        for wait in waits
    ]
    return {"width": SIZE, "height": height, "nodes": nodes, "edges": edges}


def _rank(wait: Mapping[str, Json], key: str) -> int:
    rank = wait[key]
    assert isinstance(rank, int)  # noqa: S101 - made by `failures.deadlock`
    return rank


def _state(wait: Mapping[str, Json] | None) -> str:
    if wait is None:
        return "returned"
    return "cycle" if wait["in_cycle"] else "waiting"


def _edge(
    start: tuple[float, float], end: tuple[float, float], wait: Mapping[str, Json]
) -> JsonObject:
    """A bent arrow between the rims of two nodes."""
    (x1, y1), (x2, y2) = start, end
    length = math.hypot(x2 - x1, y2 - y1)
    middle_x = (x1 + x2) / 2 + (y2 - y1) * BEND
    middle_y = (y1 + y2) / 2 - (x2 - x1) * BEND
    x1, y1 = _towards(x1, y1, middle_x, middle_y, NODE_RADIUS + 2)
    tip_x, tip_y = _towards(x2, y2, middle_x, middle_y, NODE_RADIUS + 3)
    base_x, base_y = _towards(tip_x, tip_y, middle_x, middle_y, min(10.0, length / 4))
    dx, dy = tip_x - base_x, tip_y - base_y
    points = (
        (tip_x, tip_y),
        (base_x - dy * 0.42, base_y + dx * 0.42),
        (base_x + dy * 0.42, base_y - dx * 0.42),
    )
    return {
        "path": f"M{x1:.1f},{y1:.1f} Q{middle_x:.1f},{middle_y:.1f} {base_x:.1f},{base_y:.1f}",
        "head": " ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        "in_cycle": wait["in_cycle"],
        "text": wait["text"],
    }


def _towards(
    x: float, y: float, goal_x: float, goal_y: float, distance: float
) -> tuple[float, float]:
    length = math.hypot(goal_x - x, goal_y - y) or 1.0
    return x + (goal_x - x) / length * distance, y + (goal_y - y) / length * distance
