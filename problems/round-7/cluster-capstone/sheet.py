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

_NAME = re.compile(r"[a-z_][a-z_0-9]*")
_FUNCTIONS = {"ceil": math.ceil, "floor": math.floor, "min": min, "max": max, "sqrt": math.sqrt}


class Line(NamedTuple):
    """One line: what it is, its formula over inputs and other lines, and the unit of its value."""

    label: str
    formula: str
    unit: str


class Sheet:
    """Lines over inputs; a line's value is kept once it was asked for.

    Parameters
    ----------
    inputs : mapping of name to number
        What formulas start from.
    lines : mapping of name to Line
        No name may be an input's too.
    """

    def __init__(self, inputs: Mapping[str, float], lines: Mapping[str, Line]) -> None:
        self.values: dict[str, float] = dict(inputs)
        self.lines = lines

    def __getitem__(self, name: str) -> float:
        """The value of an input or a line.

        Raises
        ------
        KeyError
            If there is neither.
        ZeroDivisionError
            If the design makes a formula divide by zero.
        """
        if name not in self.values:
            code, names = _compiled(self.lines[name].formula)
            # Formulas are constants of this package; nothing of a candidate's is ever evaluated.
            scope = {used: self[used] for used in names}
            self.values[name] = eval(code, _SCOPE, scope)  # noqa: S307
        return self.values[name]

    def term(self, name: str) -> dict[str, Any]:
        """A line as the grader shows it, the formula once in names and once in numbers."""
        line = self.lines[name]
        names = set(_compiled(line.formula)[1])
        numbers = _NAME.sub(
            lambda match: shown(self[match[0]]) if match[0] in names else match[0], line.formula
        )
        formula = line.formula if numbers == line.formula else f"{line.formula} = {numbers}"
        return {
            "label": say("{name}: {label}", name=name, label=line.label),
            "formula": formula,
            "value": float(self[name]),
            "unit": line.unit,
        }


_SCOPE = {"__builtins__": {}, **_FUNCTIONS}


@lru_cache(maxsize=1024)
def _compiled(formula: str) -> tuple[CodeType, tuple[str, ...]]:
    code = compile(formula, "<formula>", "eval")
    return code, tuple(name for name in code.co_names if name not in _FUNCTIONS)


def shown(value: float) -> str:
    """A number as a person would write it into a formula: ``8192``, ``0.0718``, ``1.001e+12``."""
    if float(value).is_integer() and abs(value) < 1e10:
        return f"{value:.0f}"
    return f"{value:.5g}"
