"""The drawing of an execution: where each call and each step stands in its tables."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.filter
def history_rows(data: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each thread; its cells span the steps from call to return, or the gap between.

    A call that never returns reaches to the last step. Calls of which no step is shown come first,
    a column each.
    """
    n_steps = len(data["steps"])
    rows = []
    for thread in data["threads"]:
        own = [one for one in data["operations"] if one["thread"] == thread["number"]]
        cells: list[dict[str, Any]] = []
        at = 0
        for operation in sorted(own, key=lambda one: one["first_step"] or 0):
            first = operation["first_step"]
            if first is None:
                continue
            last = operation["last_step"]
            end = n_steps if last is None else last + 1
            if first > at:
                cells.append({"span": first - at})
            cells.append({"span": end - first, "operation": operation, "is_open": last is None})
            at = end
        if at < n_steps:
            cells.append({"span": n_steps - at})
        if own:
            rows.append({**thread, "cells": cells})
    return rows


@register.filter
def step_rows(data: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each step, with one cell a thread; all but one are empty."""
    numbers = [thread["number"] for thread in data["threads"]]
    names = {thread["number"]: thread["name"] for thread in data["threads"]}
    return [
        {
            "number": number,
            "name": names[step["thread"]],
            "step": step,
            "cells": [step if step["thread"] == thread else None for thread in numbers],
        }
        for number, step in enumerate(data["steps"], start=1)
    ]


@register.filter
def used_lines(data: dict[str, Any]) -> dict[int, str]:
    """Line number -> "wrong" or "used", of the lines that a step names."""
    used: dict[int, str] = {}
    for step in data["steps"]:
        if step["line"] is not None and used.get(step["line"]) != "wrong":
            used[step["line"]] = "wrong" if step["wrong"] else "used"
    return used


@register.filter
def at(mapping: dict[int, str], key: int) -> str:
    """The value under a key, or nothing."""
    return mapping.get(key, "")
