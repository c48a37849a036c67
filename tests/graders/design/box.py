"""A small design problem: racks in a room, with every kind of field and a model of two rules."""

from __future__ import annotations

from typing import Any

from graders.design import groups_of, judge
from graders.design.fields import Group
from graders.ports import Case, ProgramLimits, Task
from problems.sections.design import DesignGrader
from tests.graders.plain_launcher import plain_launcher

SECTION: dict[str, Any] = {
    "kind": "design",
    "constraints": ["space", "power"],
    "fields": [
        {
            "name": "room",
            "label": "Room",
            "help": "What stands in it.",
            "fields": [
                {"kind": "whole", "name": "racks", "label": "Racks", "help": "How many.",
                 "min": 1, "max": 100},
                {"kind": "number", "name": "power", "label": "Power", "help": "Of a rack.",
                 "unit": "kW", "min": 1, "max": 200},
                {"kind": "number", "name": "load", "label": "Load", "help": "A share.",
                 "min": 0, "max": 1, "default": 0.5},
                {"kind": "choice", "name": "cooling", "label": "Cooling", "help": "By what.",
                 "options": [{"name": "air", "label": "fans"},
                             {"name": "water", "label": "plates"}]},
                {"kind": "flag", "name": "spare", "label": "Spare", "help": "A spare rack.",
                 "default": False},
                {"kind": "text", "name": "why", "label": "Why", "help": "In words.",
                 "max_characters": 40, "default": ""},
            ],
        },
        {
            "name": "network",
            "label": "Network",
            "help": "What connects it.",
            "fields": [
                {"kind": "list", "name": "tiers", "label": "Tiers", "help": "From below.",
                 "min_items": 1, "max_items": 3,
                 "of": {"kind": "record", "fields": [
                     {"kind": "whole", "name": "ports", "label": "Ports", "help": "Of a switch.",
                      "min": 2, "max": 512}]},
                 "default": [{"ports": 64}]},
                {"kind": "list", "name": "order", "label": "Order", "help": "Of something.",
                 "max_items": 2, "default": [],
                 "of": {"kind": "choice", "options": [{"name": "a", "label": "A"},
                                                      {"name": "b", "label": "B"}]}},
            ],
        },
    ],
}  # fmt: skip

MODEL = """
from graders.text import say

def assess(design, parameters):
    room = design["room"]
    rows = room["racks"] * 0.6
    found = [{
        "name": "space", "rule": say("The racks stand side by side."), "holds": rows <= 30,
        "terms": [{"label": say("length"), "formula": "racks * 0.6", "value": rows, "unit": "m"}],
        "message": "" if rows <= 30 else say(
            "racks must fit into 30 m, {rows:.1f} m are needed", rows=rows),
    }]
    nothing = {"cost": None, "best": None, "better": None, "metrics": [], "rubric": [],
               "pictures": {}}
    if rows > 30:
        return {"constraints": found, **nothing}
    total = room["racks"] * room["power"]
    limit = parameters.get("limit_kw", 1000)
    found.append({
        "name": "power", "rule": "The room has enough power.", "holds": total <= limit,
        "terms": [{"label": "needed", "formula": "racks * power", "value": total, "unit": "kW"}],
        "message": "" if total <= limit else say(
            "power must be {limit} kW at most, {total:g} are needed", limit=limit, total=total),
    })
    if total > limit:
        return {"constraints": found, **nothing}
    cost = 100 + abs(room["racks"] - 20)
    better = {"changes": [{"field": "room.racks", "from": room["racks"], "to": 20}], "cost": 100.0}
    return {
        "constraints": found,
        "metrics": [{"name": "total", "label": "Power", "value": total, "unit": "kW"}],
        "cost": {"label": "The cost", "value": cost, "unit": "USD"}, "best": 100,
        "better": better if cost > 100 else None,
        "rubric": [{"name": "Size", "level": 1, "why": "it is computed"}],
        "pictures": {"bars": {"charts": [{"title": "Power", "unit": "kW", "limit": None, "rows": [
            {"label": "room", "parts": [{"label": "racks", "value": total}]}]}]}},
    }
"""

CASES = (
    Case("room", "size", sample=True, input={"constraints": ["space"]}),
    Case("power", "power", sample=False, input={"constraints": ["power"]}),
    Case("cheap", "cost", sample=False, input={"max_cost_ratio": 1.05}),
)
RIGHT = "room: {racks: 20, power: 40 kW, cooling: air}\n"


def section(**changes: Any) -> dict[str, Any]:
    """The section as the package's reader validates it."""
    return DesignGrader.model_validate(SECTION | changes).model_dump()


def groups() -> tuple[Group, ...]:
    """Its groups of fields."""
    return groups_of(section())


def report_of(
    source: str,
    cases: tuple[Case, ...] = CASES,
    model: str = MODEL,
    model_file: str = "model.py",
    **changes: Any,
) -> dict[str, Any]:
    """The report on a design, judged with plain processes."""
    limits = ProgramLimits(cpu_time_s=5, wall_time_s=20, memory_mib=256, output_kib=16)
    declared = section(**changes) | {"model": model_file}
    task = Task(declared, cases, limits, {"model.py": model.encode()})
    with plain_launcher() as launcher:
        *_, last = judge(task, source.encode(), launcher, seed=1)
        assert launcher.running == []
    return dict(last.data)
