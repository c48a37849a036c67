"""What a design must keep to: each constraint with its rule, its arithmetic and what to do.

A constraint is left out where one that it rests on has failed, because its figures would mean
nothing: a fabric that cannot be cabled has no bandwidth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from sheet import Sheet

from graders.text import say


class Rule(NamedTuple):
    """One constraint.

    Attributes
    ----------
    shows : tuple of str
        The lines of its arithmetic, the one that decides last.
    holds : function of Sheet to bool
    message : function of Sheet to str
        Rule, fact and what to do, where it does not hold.
    needs : tuple of str
        Names of constraints that must hold before this one means anything.
    """

    name: str
    rule: str
    shows: tuple[str, ...]
    holds: Callable[[Sheet], bool]
    message: Callable[[Sheet], str]
    needs: tuple[str, ...] = ()


def judge(sheet: Sheet, rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """The constraints of a sheet that can be computed, as the grader wants them."""
    held: set[str] = set()
    found = []
    for rule in rules:
        if not held.issuperset(rule.needs):
            continue
        holds = rule.holds(sheet)
        if holds:
            held.add(rule.name)
        found.append(
            {
                "name": rule.name,
                "rule": rule.rule,
                "holds": holds,
                "terms": [sheet.term(name) for name in rule.shows],
                "message": "" if holds else rule.message(sheet),
            }
        )
    return found


def all_hold(sheet: Sheet, rules: Iterable[Rule]) -> bool:
    """Whether every rule holds, without writing any of the arithmetic."""
    return all(rule.holds(sheet) for rule in rules)


CLAIM_TOLERANCE = 0.03  # of what arithmetic on paper gives; counts must be exact


def claim(name: str, line: str, shows: tuple[str, ...], needs: tuple[str, ...]) -> Rule:
    """A figure that the candidate states must be the design's, within 3 %."""
    claimed = f"claimed_{name}"

    def message(sheet: Sheet) -> str:
        return say(
            "your {name} must be what your design gives, within {tolerance:.0f} %; you say "
            "{claimed:.5g} {unit}, and the arithmetic gives {right:.5g} {unit}; find the line "
            "where yours differs",
            name=name,
            tolerance=100 * CLAIM_TOLERANCE,
            claimed=float(sheet[claimed]),
            right=float(sheet[line]),
            unit=sheet.lines[line].unit,
        )

    return Rule(
        f"claim_{name}",
        say("The {name} that you state is what your design gives.", name=name),
        shows,
        lambda sheet: abs(sheet[claimed] - sheet[line]) <= CLAIM_TOLERANCE * abs(sheet[line]),
        message,
        needs,
    )
