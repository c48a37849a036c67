"""One variant of a worksheet: parameters drawn from a seed, and everything that follows.

A variant that could mislead is not drawn: every number must be finite and positive, exactly one
option of a choice right, and every misconception that applies must differ from the truth by more
than twice the tolerance, so that an answer near one is never near the other.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graders.answers.worksheet import units
from graders.answers.worksheet.formulas import Formula, Scope, Value
from graders.answers.worksheet.template import (
    Choice,
    Line,
    Misconception,
    Number,
    Parameter,
    Row,
    Table,
    Template,
)

MAX_TRIES = 2000
ENOUGH = 30  # allowed draws that a share is taken from
APART = 2.0  # tolerances between a misconception and the truth


class NoVariant(Exception):
    """The template's conditions leave nothing to draw: the package's fault."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One number that is asked for: a field, or a column in one row of a table."""

    number: Number
    table: Table | None = None
    row: Row | None = None

    @property
    def path(self) -> tuple[str, ...]:
        """Where it stands in the answers: ``(field,)`` or ``(table, row, column)``."""
        if self.table is None or self.row is None:
            return (self.number.name,)
        return (self.table.name, self.row.name, self.number.name)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the arithmetic, with the value it has under a misconception if that differs."""

    line: Line
    value: float
    numbers: str
    slipped: float | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """Parameters with their values, and every term and field that follows from them.

    Attributes
    ----------
    given : mapping
        The parameters, numbers in base units.
    scope : mapping
        The parameters, terms and number fields.
    rows : mapping of (table, row) to mapping
        What a table's formulas see in each row: the scope, the row's values and columns.
    tries : int
        How many draws it took.
    """

    template: Template
    seed: int
    given: Mapping[str, Value]
    scope: Mapping[str, Value]
    rows: Mapping[tuple[str, str], Mapping[str, Value]]
    tries: int = 1

    def cells(self) -> Iterator[Cell]:
        """Every number that is asked for, in the order of the form."""
        for one in self.template.fields:
            if isinstance(one, Number):
                yield Cell(one)
            elif isinstance(one, Table):
                for row in one.rows:
                    for column in one.columns:
                        yield Cell(column, one, row)

    def scope_of(self, cell: Cell) -> Scope:
        """What the cell's formula sees."""
        if cell.table is None or cell.row is None:
            return self.scope
        return self.rows[cell.table.name, cell.row.name]

    def value(self, cell: Cell) -> float:
        """The right number, in base units."""
        return float(self.scope_of(cell)[cell.number.name])

    def allowance(self, cell: Cell) -> float:
        """How far an answer may be off, in base units."""
        scope, right = self.scope_of(cell), self.value(cell)
        allowed = float(cell.number.tolerance.formula(scope))
        amount = abs(right) * allowed if cell.number.tolerance.is_relative else allowed
        return max(amount, 1e-9 * abs(right))

    def right_options(self, choice: Choice) -> list[str]:
        """Names of the options that are right."""
        return [option.name for option in choice.options if option.when(self.scope)]

    def applies(self, misconception: Misconception) -> bool:
        """Whether the mistake can be made here."""
        return misconception.when is None or bool(misconception.when(self.scope))

    def under(self, misconception: Misconception) -> Variant:
        """The same parameters, computed with the misconception."""
        return _slipped(self, misconception)

    def misconceptions_of(self, cell: Cell) -> Iterator[tuple[Misconception, Variant]]:
        """Those that change this cell, each with the worksheet that it leads to."""
        for one in self.template.misconceptions:
            if cell.number.name in one.fields and self.applies(one):
                slipped = self.under(one)
                if abs(slipped.value(cell) - self.value(cell)) > self.allowance(cell):
                    yield one, slipped

    def steps(self, cell: Cell, slipped: Variant | None = None) -> list[Step]:
        """The lines that lead to a cell, itself last, with their numbers."""
        lines = {line.name: line for line in self.template.terms}
        for one in self.template.fields:
            if isinstance(one, Number):
                lines[one.name] = one.line
        if cell.table is not None:
            lines |= {column.name: column.line for column in cell.table.columns}
        needed, waiting = set(), [cell.number.name]
        while waiting:
            name = waiting.pop()
            if name in lines and name not in needed:
                needed.add(name)
                waiting += lines[name].formula.names
        scope = self.scope_of(cell)
        other = slipped.scope_of(cell) if slipped else scope
        return [
            Step(
                line,
                float(scope[name]),
                line.formula.with_numbers(self.written(line.formula, scope)),
                float(other[name]) if other[name] != scope[name] else None,
            )
            for name, line in lines.items()
            if name in needed
        ]

    def written(self, formula: Formula, scope: Scope) -> dict[str, str]:
        """The values of a formula's names, as they are put into it."""
        shown = {one.name: one.unit for one in self.template.parameters}
        shown |= {line.name: line.unit for line in self.template.terms}
        for one in self.template.fields:
            numbers = (one,) if isinstance(one, Number) else getattr(one, "columns", ())
            shown |= {number.name: number.line.unit for number in numbers}
        written = {}
        for name in formula.names:
            value = scope[name]
            if isinstance(value, str):
                written[name] = f"'{value}'"
            else:
                text = units.text_in(float(value), shown.get(name, ""))
                written[name] = f"({text})" if shown.get(name) else text
        return written


def draw(template: Template, seed: int) -> Variant:
    """The variant of a seed, the same for ever: the first of its draws that misleads nobody.

    Raises
    ------
    NoVariant
        If 2000 draws give none.
    """
    for attempt in range(MAX_TRIES):
        variant, reason = _attempt(template, seed, attempt)
        if variant is not None:
            return variant
    raise NoVariant(f"a worksheet must have variants, {MAX_TRIES} draws gave none: {reason}")


def variants_about(template: Template) -> int:
    """About how many variants can be drawn: the combinations, times the share that is allowed.

    The share is that of draws of a fixed seed, until 30 were allowed (so it is within a third of
    the truth) or 2000 were tried. 0 if none of these was.
    """
    allowed = tries = 0
    while allowed < ENOUGH and tries < MAX_TRIES:
        variant, _ = _attempt(template, 0, tries)
        tries += 1
        allowed += variant is not None
    return template.combinations * allowed // tries


def _attempt(template: Template, seed: int, attempt: int) -> tuple[Variant | None, str]:
    """The variant of one draw, or why it must not be given to anybody."""
    given = _drawn(template.parameters, seed, attempt)
    try:
        if not all(condition(given) for condition in template.require):
            return None, "a condition under require does not hold"
        variant = _computed(template, seed, given, attempt + 1)
        reason = next(misleading(variant), "")
    except ArithmeticError as error:
        return None, f"a formula has no value: {error}"
    return (None if reason else variant), reason


def at(template: Template, given: Mapping[str, Value]) -> Variant:
    """The worksheet for parameters that somebody names, numbers in base units; nothing is drawn."""
    return _computed(template, 0, given)


def misleading(variant: Variant) -> Iterator[str]:
    """Why a variant must not be given to anybody; nothing if it may."""
    template = variant.template
    for line in template.terms:
        if not math.isfinite(float(variant.scope[line.name])):
            yield f"{line.name} is not finite"
    known: dict[str, list[tuple[Cell, float, float]]] = {}
    for cell in variant.cells():
        value, allowed = variant.value(cell), variant.allowance(cell)
        known.setdefault(cell.number.name, []).append((cell, value, allowed))
        if not (math.isfinite(value) and value > 0):
            yield f"{'.'.join(cell.path)} must be finite and positive, got {value:g}"
        if not 0 <= allowed < value:
            yield f"the tolerance of {'.'.join(cell.path)} must be smaller than the value"
    for one in template.fields:
        if isinstance(one, Choice) and not one.many and len(variant.right_options(one)) != 1:
            yield f"exactly one option of {one.name} must be right"
    for misconception in template.misconceptions:
        if not variant.applies(misconception):
            continue
        slipped = variant.under(misconception)
        for name in misconception.fields:
            told_apart = any(
                abs(slipped.value(cell) - value) > APART * allowed
                for cell, value, allowed in known[name]
            )
            if not told_apart:
                yield f"{misconception.name} is too near to the right {name}"


def _drawn(parameters: tuple[Parameter, ...], seed: int, attempt: int) -> dict[str, Value]:
    given: dict[str, Value] = {}
    index: dict[str, int] = {}
    for one in parameters:
        if one.follows is None:
            # A hash and no generator: the same draw in every version of every library.
            digest = hashlib.sha256(f"{seed}/{attempt}/{one.name}".encode()).digest()
            index[one.name] = int.from_bytes(digest[:8], "big") % len(one.values)
            given[one.name] = one.values[index[one.name]]
        else:
            given[one.name] = one.values[index[one.follows]]
    return given


def _computed(template: Template, seed: int, given: Mapping[str, Value], tries: int = 1) -> Variant:
    scope = dict(given)
    for line in template.terms:
        scope[line.name] = line.formula(scope)
    rows: dict[tuple[str, str], dict[str, Value]] = {}
    for one in template.fields:
        if isinstance(one, Number):
            scope[one.name] = one.line.formula(scope)
        elif isinstance(one, Table):
            for row in one.rows:
                inner: dict[str, Value] = {**scope, **row.values}
                for column in one.columns:
                    inner[column.name] = column.line.formula(inner)
                rows[one.name, row.name] = inner
    return Variant(template, seed, given, scope, rows, tries)


def _slipped(right: Variant, misconception: Misconception) -> Variant:
    """The worksheet with a misconception: only what it changes is computed again."""
    instead, changes = misconception.instead, misconception.changes
    scope = dict(right.scope)
    for name, formula in instead.items():
        if name in right.given:
            scope[name] = formula(right.scope)

    def again(line: Line, into: dict[str, Value], seen: Scope) -> None:
        replaced = instead.get(line.name)
        into[line.name] = line.formula(into) if replaced is None else replaced(seen)

    for line in right.template.terms:
        if line.name in changes:
            again(line, scope, right.scope)
    rows = dict(right.rows)
    for one in right.template.fields:
        if isinstance(one, Number) and one.name in changes:
            again(one.line, scope, right.scope)
        elif isinstance(one, Table) and any(column.name in changes for column in one.columns):
            for row in one.rows:
                seen = right.rows[one.name, row.name]
                inner = {**seen, **scope}
                for column in one.columns:
                    if column.name in changes:
                        again(column.line, inner, seen)
                rows[one.name, row.name] = inner
    return Variant(right.template, right.seed, right.given, scope, rows)
