"""What to change where a run costs too much: the fewest fields that we find to be enough."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from assembly import Design, sheet_of
from rules import all_hold
from search import WITHOUT_CLAIMS, Outcome
from sheet import Sheet

MAX_COST_RATIO = 1.2  # problem.yaml's own; who is above it is shown what to change

_Changes = dict[tuple[str, str], Any]


def better(design: Design, cost: float, outcome: Outcome, constants: dict[str, float]) -> Any:
    """Changes that bring the candidate's cost within what is allowed; None if it is already.

    Tried are the fields in which the best design differs: one, those of a group, of two, then all.
    Of the first that will do, what can be left out is.
    """
    allowed = MAX_COST_RATIO * outcome.best.cost
    if cost <= allowed:
        return None
    changes: _Changes = {
        (group, name): value
        for group, fields in outcome.best.design.items()
        for name, value in fields.items()
        if design[group][name] != value
    }
    for some in _sets(changes):
        found = _allowed(design, allowed, some, constants)
        if found is not None:
            break
    else:
        return None
    for key in list(some):
        fewer = {other: value for other, value in some.items() if other != key}
        cheaper = _allowed(design, allowed, fewer, constants)
        if cheaper is not None:
            found, some = cheaper, fewer
    return {
        "changes": [
            {"field": f"{group}.{name}", "from": _plain(design[group][name]), "to": _plain(value)}
            for (group, name), value in some.items()
        ],
        "cost": found,
    }


def _sets(changes: _Changes) -> Iterator[_Changes]:
    """Single changes, those of one group, of two, and all."""
    for key, value in changes.items():
        yield {key: value}
    groups = sorted({group for group, _ in changes})
    for count in (1, 2):
        for chosen in itertools.combinations(groups, count):
            yield {key: value for key, value in changes.items() if key[0] in chosen}
    yield changes


def _allowed(
    design: Design, allowed: float, changes: _Changes, constants: dict[str, float]
) -> float | None:
    """The cost after some changes, if that holds and is no more than is allowed."""
    changed = {group: dict(fields) for group, fields in design.items()}
    for (group, name), value in changes.items():
        changed[group][name] = value
    sheet = sheet_of(changed, constants)
    if not changes or not _holds(sheet) or sheet["run_musd"] > allowed:
        return None
    return sheet["run_musd"]


def _holds(sheet: Sheet) -> bool:
    try:
        return all_hold(sheet, WITHOUT_CLAIMS)
    except ZeroDivisionError:
        return False


def _plain(value: Any) -> str | int | float:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value  # type: ignore[no-any-return]
