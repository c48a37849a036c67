"""What a checker says about one answer. Imported by checkers in a sandbox and by the grader.

It needs only the standard library. Labels, units and advice may be sentences of
`graders.text.say`, which a page says in the reader's language; plain strings are English.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the arithmetic that leads to the right value.

    Attributes
    ----------
    label : str
        What is computed, in words.
    formula : str
        The rule with names, e.g. ``layers * hidden``.
    numbers : str
        The same rule with the numbers of this case put in.
    value : float
        What it gives, in `unit`.
    unit : str
        Empty for a plain number.
    """

    label: str
    formula: str
    numbers: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Item:
    """One number of an answer beside the right one.

    Attributes
    ----------
    expected, got, tolerance : float
        In `unit`; `tolerance` is the largest absolute difference that passes.
    misconception, advice : str
        The name of the mistake that gives exactly `got`, and in words what it is; empty where
        none is known or the item is right.
    arithmetic : tuple of Step
        How `expected` comes about; the last step's value is `expected`. May be empty where the
        item is right.
    """

    name: str
    unit: str
    expected: float
    got: float
    tolerance: float
    ok: bool
    misconception: str = ""
    advice: str = ""
    arithmetic: tuple[Step, ...] = ()
