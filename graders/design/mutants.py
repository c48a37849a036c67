"""Other designs made out of a right one: each value moved by one step, one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ruamel.yaml import YAML

from graders.mutants import STEP, Mutant, scaled


def of_designs(section: Mapping[str, Any], source: str) -> Iterator[Mutant]:
    """Mutants of a right design: whole numbers one up and down, numbers 5 %, words exchanged.

    A neighbour may be as right as the design that it was made from: then the design is not at the
    edge of what its constraints and cost allow, which its author may want to know.

    Parameters
    ----------
    section : mapping
        The grader's section of problem.yaml.
    source : str
        The right design.
    """
    design = YAML(typ="safe", pure=True).load(source)
    for group in section["fields"]:
        for field in group["fields"]:
            written = design.get(group["name"], {})
            if field["name"] not in written:
                continue
            for what, value in _moved(field, written[field["name"]]):
                changed = {**design, group["name"]: {**written, field["name"]: value}}
                # JSON is YAML too, and no word of it is read in two ways.
                text = "".join(f"{name}: {json.dumps(one)}\n" for name, one in changed.items())
                yield Mutant(
                    f"{group['name']}.{field['name']}: {what}",
                    text,
                    f"a constraint on {field['name']}, or a smaller max_cost_ratio",
                )


def _moved(field: Mapping[str, Any], value: Any) -> Iterator[tuple[str, Any]]:
    match field["kind"]:
        case "whole":
            for other in (value - 1, value + 1):
                if field["min"] <= other <= field["max"]:
                    yield f"{value} -> {other}", other
        case "number":
            for factor in (1 - STEP, 1 + STEP):
                moved = scaled(str(value), factor)
                yield f"times {factor:g}", moved if isinstance(value, str) else float(moved)
        case "choice":
            for option in field["options"]:
                if option["name"] != value:
                    yield f"{value} -> {option['name']}", option["name"]
        case "flag":
            yield f"{str(value).lower()} -> {str(not value).lower()}", not value
        case "list" if value:
            if value[::-1] != value:
                yield "the other way round", value[::-1]
            if len(value) > field["min_items"]:
                yield "without the last", value[:-1]
