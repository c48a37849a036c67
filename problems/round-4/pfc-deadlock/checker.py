"""Examines a witness and a fix by what they must do, not by being the reference's."""

from __future__ import annotations

import random
from typing import Any

from reference import dependencies, fewest_moves, has_cycle, moved, shortest_cycle

from graders.harness.items import Item
from graders.text import say, say_n

SPARE = 7


def draw(case_input: dict[str, Any], seed: int) -> list[dict[str, Any]]:
    """Routes of one kind: up and down in a Clos, with bounces, round a ring, or at random."""
    generator = random.Random(seed)
    kind = {"clos": clos, "bounces": bounces, "rings": rings, "mesh": mesh}[case_input["draw"]]
    return [{"routes": kind(generator), "spare": SPARE} for _ in range(case_input["count"])]


def clos(generator: random.Random) -> list[dict[str, Any]]:
    """Host, leaf, spine, leaf, host: never a cycle."""
    routes = []
    for _ in range(generator.randint(3, 9)):
        source, target = generator.sample(range(4), 2)
        path = [
            f"H{source}",
            f"L{source}",
            f"S{generator.randrange(2)}",
            f"L{target}",
            f"H{target}",
        ]
        routes.append({"path": path, "priority": generator.choice([3, 4])})
    return routes


def bounces(generator: random.Random) -> list[dict[str, Any]]:
    """The same with some routes that go down and up again, as after a failed link."""
    routes = clos(generator)
    for route in generator.sample(routes, k=max(2, len(routes) // 2)):
        source, target = generator.sample(range(4), 2)
        over = generator.choice([leaf for leaf in range(4) if leaf not in (source, target)])
        first, second = generator.sample(range(2), 2)
        route["path"] = [f"H{source}", f"L{source}", f"S{first}", f"L{over}", f"S{second}"]
        route["path"] += [f"L{target}", f"H{target}"]
    return routes


def rings(generator: random.Random) -> list[dict[str, Any]]:
    """Routes round a ring of switches, one way or both."""
    size = generator.randint(3, 6)
    routes = []
    for _ in range(generator.randint(2, 8)):
        start, hops = generator.randrange(size), generator.randint(1, size - 1)
        way = generator.choice([1, 1, 1, -1])
        path = [f"S{(start + way * hop) % size}" for hop in range(hops + 1)]
        routes.append({"path": path, "priority": generator.choice([3, 3, 3, 4])})
    return routes


def mesh(generator: random.Random) -> list[dict[str, Any]]:
    """Simple paths through five switches that are all linked."""
    names = ["A", "B", "C", "D", "E"]
    return [
        {
            "path": generator.sample(names, generator.randint(2, 5)),
            "priority": generator.choice([3, 3, 4]),
        }
        for _ in range(generator.randint(2, 9))
    ]


def simpler(case_input: dict[str, Any]) -> list[dict[str, Any]]:
    """One route less, or a route without its first or last hop."""
    routes = case_input["routes"]
    smaller = [routes[:at] + routes[at + 1 :] for at in range(len(routes))]
    for at, route in enumerate(routes):
        if len(route["path"]) > 2:
            for path in (route["path"][1:], route["path"][:-1]):
                smaller.append([*routes[:at], {**route, "path": path}, *routes[at + 1 :]])
    return [{"routes": one, "spare": case_input["spare"]} for one in smaller]


def check(case_input: dict[str, Any], answer: Any, seed: int) -> list[Item] | str:
    """One item for the moves if witness and fix hold, else what is wrong with them."""
    routes, spare = case_input["routes"], case_input["spare"]
    if not isinstance(answer, dict) or set(answer) != {"cycle", "moves"}:
        return say(
            'analyse must return a dict with "cycle" and "moves", got {got}', got=short(answer)
        )
    complaint = cycle_complaint(routes, answer["cycle"])
    if complaint:
        return complaint
    moves = answer["moves"]
    right = fewest_moves(routes, spare)
    complaint = moves_complaint(routes, spare, moves, right)
    if complaint:
        return complaint
    count = 0 if right is None else len(right)
    return [Item("routes to move", "", count, count, 0, ok=True)]


def cycle_complaint(routes: list[dict[str, Any]], cycle: Any) -> str:
    """What is wrong with the witness; empty if nothing is."""
    right = shortest_cycle(routes)
    if cycle is None:
        if right is None:
            return ""
        return say(
            "there is a cyclic buffer dependency, and cycle is None: {cycle}", cycle=in_words(right)
        )
    shape = isinstance(cycle, dict) and set(cycle) == {"priority", "links"}
    if not shape or not isinstance(cycle["links"], list) or not cycle["links"]:
        return say(
            'cycle must be None or {{"priority": p, "links": [[a, b], ...]}}, got {got}',
            got=short(cycle),
        )
    links = cycle["links"]
    if any(not isinstance(link, list) or len(link) != 2 for link in links):
        return say("each link must be [from, to], got {got}", got=short(links))
    waits = dependencies(routes)
    for here, there in zip(links, [*links[1:], links[0]], strict=True):
        try:
            full, next_one = (tuple(here), cycle["priority"]), (tuple(there), cycle["priority"])
            depends = next_one in waits.get(full, ())
        except TypeError:
            return say(
                "names and priority must be those of the routes, got {got}", got=short(cycle)
            )
        if not depends:
            return say(
                "a buffer waits for another only if some route takes their links one after the "
                "other, at that priority: none takes {here} and then {there} at priority "
                "{priority}, which the cycle claims{truth}",
                here="->".join(map(str, here)),
                there="->".join(map(str, there)),
                priority=str(cycle["priority"])[:20],
                truth=truth(right),
            )
    if len({tuple(link) for link in links}) < len(links):
        return say("a cycle must name each link once, got {got}", got=short(links))
    return ""


def moves_complaint(
    routes: list[dict[str, Any]], spare: int, moves: Any, right: list[int] | None
) -> str:
    """What is wrong with the fix; empty if nothing is."""
    if moves is None:
        if right is None:
            return ""
        if not right:
            return say("there is no cycle to break, and moves is None: it must be an empty list")
        return say_n(
            "moving route {right} to priority {spare} leaves no cycle, and moves is None",
            "moving routes {right} to priority {spare} leaves no cycle, and moves is None",
            count=len(right),
            right=right_text(right),
            spare=spare,
        )
    valid = isinstance(moves, list) and all(
        type(one) is int and 0 <= one < len(routes) for one in moves
    )
    if not valid or len(set(moves)) < len(moves):
        return say(
            "moves must be None or a list of different route numbers from 0 to {last}, got {got}",
            last=len(routes) - 1,
            got=short(moves),
        )
    after = moved(routes, tuple(moves), spare)
    if not moves and has_cycle(after):
        return say(
            "no cycle may be left on any priority: no route is moved, and there is {cycle}",
            cycle=in_words(shortest_cycle(after)),
        )
    if has_cycle(after):
        return say(
            "no cycle may be left on any priority: after moving {moves} to priority {spare} there "
            "is {cycle}",
            moves=right_text(moves),
            spare=spare,
            cycle=in_words(shortest_cycle(after)),
        )
    if right is not None and len(moves) > len(right):
        return say(
            "as few routes as possible must be moved: {count} are moved ({moves}), and {least} is "
            "enough: {right}",
            count=len(moves),
            moves=right_text(moves),
            least=len(right),
            right=right_text(right),
        )
    return ""


def in_words(cycle: dict[str, Any] | None) -> str:
    """A cycle as people read it."""
    if cycle is None:
        return say("none")
    links = ", ".join("->".join(link) for link in [*cycle["links"], cycle["links"][0]])
    return say(
        "{links}, each of which waits for the next, at priority {priority}",
        links=links,
        priority=cycle["priority"],
    )


def truth(right: dict[str, Any] | None) -> str:
    """What is there instead."""
    return say(" (there is no cycle)") if right is None else ""


def right_text(routes: list[int]) -> str:
    """Route numbers."""
    return ", ".join(map(str, routes)) or say("none")


def short(value: Any) -> str:
    """A value as Python writes it, cut."""
    return f"{value!r:.120}"
