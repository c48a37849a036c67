"""Finds a cyclic buffer dependency under priority flow control, and the fewest routes to move."""

from __future__ import annotations

from itertools import combinations, pairwise

Link = tuple[str, str]
Buffer = tuple[Link, int]  # the ingress buffer at a link's far end, for one priority


def analyse(routes: list[dict], spare: int) -> dict:
    return {"cycle": shortest_cycle(routes), "moves": fewest_moves(routes, spare)}


def dependencies(routes: list[dict]) -> dict[Buffer, set[Buffer]]:
    """Which buffers a full buffer waits for: the next link of each route through it."""
    waits: dict[Buffer, set[Buffer]] = {}
    for route in routes:
        path, priority = route["path"], route["priority"]
        links = list(pairwise(path))
        for here, there in pairwise(links):
            waits.setdefault((here, priority), set()).add((there, priority))
    return waits


def shortest_cycle(routes: list[dict]) -> dict | None:
    """A cycle with the fewest buffers, or None: breadth first from every buffer."""
    waits = dependencies(routes)
    best: list[Buffer] | None = None
    for start in sorted(waits):
        before: dict[Buffer, Buffer] = {}
        level = [start]
        while level and start not in before:
            reached = []
            for buffer in level:
                for after in sorted(waits.get(buffer, ())):
                    if after not in before:
                        before[after] = buffer
                        reached.append(after)
            level = reached
        if start in before:
            cycle = [start]
            while before[cycle[-1]] != start:
                cycle.append(before[cycle[-1]])
            if best is None or len(cycle) < len(best):
                best = cycle[::-1]
    if best is None:
        return None
    return {"priority": best[0][1], "links": [list(link) for link, _ in best]}


def moved(routes: list[dict], chosen: tuple[int, ...], spare: int) -> list[dict]:
    """The routes with those chosen on the spare priority."""
    return [
        {**route, "priority": spare} if number in chosen else route
        for number, route in enumerate(routes)
    ]


def has_cycle(routes: list[dict]) -> bool:
    """Whether taking away buffers that wait for nothing ever stops short of the last."""
    waits = {buffer: set(after) for buffer, after in dependencies(routes).items()}
    while True:
        idle = [buffer for buffer, after in waits.items() if not any(one in waits for one in after)]
        if not idle:
            return bool(waits)
        for buffer in idle:
            del waits[buffer]


def fewest_moves(routes: list[dict], spare: int) -> list[int] | None:
    """The first smallest set of routes whose move leaves no cycle; None if there is none."""
    for count in range(len(routes) + 1):
        for chosen in combinations(range(len(routes)), count):
            if not has_cycle(moved(routes, chosen, spare)):
                return list(chosen)
    return None
