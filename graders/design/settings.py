"""What is wrong with a design's section of problem.yaml and its cases, beyond their shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from graders.design.fields import groups_of, unit_faults
from graders.design.reading import default_fault

Place: TypeAlias = "tuple[str | int, ...]"


def faults(settings: Mapping[str, object]) -> Iterator[tuple[Place, str]]:
    """Units that nobody knows, and defaults that no candidate could write."""
    unknown = list(unit_faults(settings))
    yield from unknown
    if unknown:
        return
    for index, group in enumerate(groups_of(settings)):
        for position, field in enumerate(group.fields):
            fault = default_fault(field)
            if fault is not None:
                place = ("fields", index, "fields", position, "default")
                yield place, f"a default must be what a candidate could write: {fault}"
