"""Named lines of arithmetic, computed when they are asked for.

What a line shows, its formula with and without numbers, and its value come from one text, so they
cannot disagree. Nothing is computed that nobody asks for, which is what lets the search of
`search.py` price thousands of designs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple

from graders.text import say

_NAME = re.compile(r"\b[a-z_][a-z_0-9]*")
_FUNCTIONS = {"ceil": math.ceil, "floor": math.floor, "min": min, "max": max, "sqrt": math.sqrt}


class Line(NamedTuple):
    """One line: what it is, its formula over inputs and other lines, and the unit of its value."""

    label: str
    formula: str
    unit: str


class Sheet(dict[str, float]):
    """Lines over inputs, by name; a line's value is kept once it was asked for.

    Asking for a name that is neither gives a KeyError; a ZeroDivisionError tells of a design that
    makes a formula divide by zero.

    Parameters
    ----------
    inputs : mapping of name to number
        What formulas start from.
    lines : mapping of name to Line
        No name may be an input's too.
    """

    def __init__(self, inputs: Mapping[str, float], lines: Mapping[str, Line]) -> None:
        super().__init__(inputs)
        self.lines = lines

    def __missing__(self, name: str) -> float:
        # Names in a formula come back here while they have no value.
        # Formulas are constants of this package; nothing of a candidate's is ever evaluated.
        value: float = eval(_compiled(self.lines[name].formula), _SCOPE, self)  # noqa: S307
        self[name] = value
        return value

    def term(self, name: str) -> dict[str, Any]:
        """A line as the grader shows it, the formula once in names and once in numbers."""
        line = self.lines[name]
        numbers = _NAME.sub(lambda match: self._number_of(match[0]), line.formula)
        formula = line.formula if numbers == line.formula else f"{line.formula} = {numbers}"
        return {
            "label": say("{name}: {label}", name=name, label=line.label),
            "formula": formula,
            "value": float(self[name]),
            "unit": line.unit,
        }

    def _number_of(self, name: str) -> str:
        return name if name in _FUNCTIONS else shown(self[name])


_SCOPE = {"__builtins__": {}, **_FUNCTIONS}


@lru_cache(maxsize=1024)
def _compiled(formula: str) -> CodeType:
    return compile(formula, "<formula>", "eval")


def shown(value: float) -> str:
    """A number as a person would write it into a formula: ``8192``, ``0.0718``, ``1.001e+12``."""
    if float(value).is_integer() and abs(value) < 1e10:
        return f"{value:.0f}"
    return f"{value:.5g}"
