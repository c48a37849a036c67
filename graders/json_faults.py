"""What must not be in an answer out of a sandbox before anybody computes with it."""

from __future__ import annotations

import math

from graders.text import say
from graders.verdict import Json

NESTING_LIMIT = 50
PATH_CHARACTERS = 80
LARGEST_INT_BITS = 1023  # any larger one would not even fit a float


def fault_of(answer: Json) -> str:
    """Rule and fact about the first thing that must not be in an answer; empty if there is none.

    Numbers must be finite and fit a float, and nothing may be nested so deeply that a walk over it
    could fail.
    """
    return "" if _is_fit(answer, 0) else _fault(answer, "", 0)


def _is_fit(value: Json, depth: int) -> bool:
    """Without a path for each value, which is what takes time."""
    if isinstance(value, int):
        return value.bit_length() <= LARGEST_INT_BITS and depth <= NESTING_LIMIT
    if isinstance(value, list):
        return all(_is_fit(one, depth + 1) for one in value) and depth <= NESTING_LIMIT
    if isinstance(value, dict):
        return all(_is_fit(one, depth + 1) for one in value.values()) and depth <= NESTING_LIMIT
    if isinstance(value, float):
        return math.isfinite(value) and depth <= NESTING_LIMIT
    return depth <= NESTING_LIMIT


def _fault(value: Json, path: str, depth: int) -> str:
    shown = path if len(path) <= PATH_CHARACTERS else f"{path[:PATH_CHARACTERS]}..."
    if depth > NESTING_LIMIT:
        return say(
            "the answer{path} must be nested {limit} levels at most",
            path=shown,
            limit=NESTING_LIMIT,
        )
    if isinstance(value, float) and not math.isfinite(value):
        return say("the answer{path} must be finite, got {value}", path=shown, value=str(value))
    if isinstance(value, int) and value.bit_length() > LARGEST_INT_BITS:
        return say(
            "the answer{path} must be less than 2**{bits}, got a larger int",
            path=shown,
            bits=LARGEST_INT_BITS,
        )
    inside: list[tuple[str, Json]] = []
    if isinstance(value, dict):
        inside = [(f"{path}[{key!r:.80}]", one) for key, one in value.items()]
    elif isinstance(value, list):
        inside = [(f"{path}[{i}]", one) for i, one in enumerate(value)]
    for name, one in inside:
        fault = _fault(one, name, depth + 1)
        if fault:
            return fault
    return ""
