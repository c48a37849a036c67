"""A worksheet as its author meant it: parameters to draw, terms, fields, misconceptions.

`template_of` in ``checking.py`` makes one of a package's ``grader`` section.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from graders.answers.worksheet.formulas import Formula, Kind
from graders.answers.worksheet.units import Unit


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that is drawn for each attempt, or follows one that is."""

    name: str
    label: str
    unit: str
    kind: Kind
    values: tuple[float | str, ...]  # numbers in base units
    follows: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """A named formula: a term on the way, a field, or a column of a table."""

    name: str
    label: str
    unit: str
    formula: Formula


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far an answer may be off: a share of the right value, or an amount with its unit."""

    formula: Formula
    is_relative: bool


@dataclass(frozen=True, slots=True)
class Number:
    """A field that takes a number with a unit; as a column of a table, one in each row."""

    line: Line
    wanted: Unit
    tolerance: Tolerance
    help: str = ""

    @property
    def name(self) -> str:
        return self.line.name

    @property
    def label(self) -> str:
        return self.line.label


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers to a choice or a set; right when `when` holds."""

    name: str
    label: str
    when: Formula
    advice: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A field with options: one is right, or with `many` any number of them."""

    name: str
    label: str
    options: tuple[Option, ...]
    many: bool
    help: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table with the values that its columns' formulas see."""

    name: str
    label: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Table:
    """A field of numbers in rows and columns; a column's formula may use those left of it."""

    name: str
    label: str
    rows: tuple[Row, ...]
    columns: tuple[Number, ...]
    help: str = ""


Field = Number | Choice | Table


@dataclass(frozen=True, slots=True)
class Misconception:
    """A named mistake: the worksheet with other formulas `instead` of some.

    Each formula sees the right values; what depends on the replaced ones is computed anew.
    """

    name: str
    advice: str
    fields: tuple[str, ...]  # numbers and columns that it is looked for in
    instead: Mapping[str, Formula]
    when: Formula | None
    changes: frozenset[str]  # what is replaced, and every line that depends on it


@dataclass(frozen=True, slots=True)
class Template:
    """A worksheet, checked and compiled."""

    parameters: tuple[Parameter, ...]
    require: tuple[Formula, ...]
    terms: tuple[Line, ...]
    fields: tuple[Field, ...]
    misconceptions: tuple[Misconception, ...]
    kinds: Mapping[str, Kind]

    @property
    def combinations(self) -> int:
        """How many different ways there are to draw, allowed or not."""
        drawn = [one for one in self.parameters if one.follows is None]
        return math.prod(
            len(
                set(
                    zip(
                        one.values,
                        *(other.values for other in self.parameters if other.follows == one.name),
                        strict=True,
                    )
                )
            )
            for one in drawn
        )
