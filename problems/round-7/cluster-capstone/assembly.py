"""A design as a sheet: its numbers, what its words stand for, and the lines that they choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import economics
import fabric
import operations
import training
from givens import VALUES
from sheet import Sheet

SHARES = {"mfu", "goodput"}  # claimed as shares, computed in percent

_NUMBERS = {int, float}  # a flag is neither

Design = dict[str, dict[str, Any]]


def given(parameters: Mapping[str, float]) -> dict[str, float]:
    """The exercise's constants, with a case's own in place of some.

    Raises
    ------
    ValueError
        If a parameter is none of the constants.
    """
    unknown = parameters.keys() - VALUES.keys()
    if unknown:
        raise ValueError(f"parameters must be constants of givens.py, got {sorted(unknown)}")
    return VALUES | dict(parameters)


def sheet_of(design: Design, constants: dict[str, float]) -> Sheet:
    """The sheet of a design that reading has let through."""
    numbers = {
        name: value
        for label, group in design.items()
        if label != "claims"
        for name, value in group.items()
        if type(value) in _NUMBERS
    }
    claims = {
        f"claimed_{name}": 100 * value if name in SHARES else value
        for name, value in design["claims"].items()
    }
    plan = design["training"]
    step = {
        "gradient_bytes": 4 if plan["gradients"] == "fp32" else 2,
        "passes": 6 if plan["recompute"] == "full" else 4,
        "ring_passes": 4 if plan["recompute"] == "full" else 3,
        "outer": plan["tp"] if plan["sequence_parallel"] else 1,
    }
    lines = (
        fabric.lines(design["fabric"]["pods"])
        | training.lines(plan)
        | operations.lines(design["resilience"], design["storage"])
        | economics.LINES
    )
    inputs = {**constants, **economics.choices(design, constants), **step, **numbers, **claims}
    return Sheet(inputs, lines)
