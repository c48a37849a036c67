"""Compares an answer with the reference, item by item, and names the mistake behind a wrong one."""

from __future__ import annotations

from typing import Any

import draws
from arithmetic import Sheet, sheet
from misconceptions import explanation
from reference import size

from graders.harness.items import Item
from graders.text import say

RELATIVE_TOLERANCE = 1e-6  # everything is a closed form; this only forgives rounding

UNITS = {
    "parameters": "",
    "active_parameters": "",
    "model_flops": "FLOP",
    "bubble_fraction": "",
    "step_time_s": "s",
    "mfu": "",
}


def draw(case_input: dict[str, Any], seed: int) -> list[dict[str, Any]]:
    """The configurations of a case that declares ``draw`` (a kind) and ``count``."""
    return draws.draw(case_input["draw"], case_input["count"], seed)


def simpler(case_input: dict[str, Any]) -> list[dict[str, Any]]:
    """Configurations with one feature less."""
    return draws.simpler(case_input)


def check(case_input: dict[str, Any], answer: Any, seed: int) -> list[Item] | str:
    """Every item of the answer beside the right one; a str if the answer has not those items."""
    right = size(**case_input)
    complaint = complaint_about(answer, right)
    if complaint:
        return complaint
    lines = sheet(**case_input)
    return [item(case_input, right, name, float(answer[name]), lines) for name in right]


def complaint_about(answer: Any, right: dict[str, float]) -> str:
    """Rule and fact about an answer of another shape; empty if there is nothing to say."""
    if not isinstance(answer, dict):
        return say(
            "size must return a dict of {n_items} numbers, got {type}",
            n_items=len(right),
            type=type(answer).__name__,
        )
    missing = [name for name in right if name not in answer]
    unknown = [name for name in answer if name not in right]
    if missing or unknown:
        lacks = say("missing: {keys}", keys=", ".join(missing))
        fact = say("unknown: {keys}", keys=", ".join(repr(name)[:40] for name in unknown[:10]))
        if missing:
            fact = say("{first}; {second}", first=lacks, second=fact) if unknown else lacks
        return say(
            "size must return exactly the {n_items} keys asked for; {fact}",
            n_items=len(right),
            fact=fact,
        )
    for name in right:
        value = answer[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            return say("{name} must be a number, got {type}", name=name, type=type(value).__name__)
    return ""


def item(
    config: dict[str, Any], right: dict[str, float], name: str, got: float, lines: Sheet
) -> Item:
    """One number, with its arithmetic and the likely mistake where it is wrong."""
    expected = right[name]
    tolerance = RELATIVE_TOLERANCE * abs(expected)
    unit = UNITS.get(name, "B")
    if abs(got - expected) <= tolerance:
        return Item(name, unit, expected, got, tolerance, ok=True)
    mistake = explanation(config, right, name, got)
    return Item(
        name,
        unit,
        expected,
        got,
        tolerance,
        ok=False,
        misconception=mistake.name if mistake else "",
        advice=mistake.advice if mistake else "",
        arithmetic=lines.steps(name),
    )
