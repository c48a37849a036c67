"""Reads a worksheet as its author wrote it, and says what is wrong with it.

`template_of` takes the plain mapping of a package's ``grader`` section, checks every formula with
its dimensions and compiles it. What is wrong is collected, each fault with its place, so that an
author is told everything at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graders.answers.worksheet import units
from graders.answers.worksheet.formulas import Formula, FormulaError, Kind, Plain, kind_text, parse
from graders.answers.worksheet.template import (
    Choice,
    Field,
    Line,
    Misconception,
    Number,
    Option,
    Parameter,
    Row,
    Table,
    Template,
    Tolerance,
)
from graders.answers.worksheet.units import NONE, Unit, UnitError
from graders.text import say

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a place of the section, the rule first."""

    place: Place
    message: str


class TemplateInvalid(Exception):
    """The section breaks rules; `faults` are all that were found."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("; ".join(fault.message for fault in faults))


def template_of(section: Mapping[str, Any]) -> Template:
    """Check and compile the ``grader`` section of a package, as plain data.

    Raises
    ------
    TemplateInvalid
        With every fault that was found.
    """
    reader = _Reader(section)
    template = reader.read()
    if reader.faults:
        raise TemplateInvalid(reader.faults)
    return template


@dataclass(slots=True)
class _Reader:
    section: Mapping[str, Any]
    faults: list[Fault] = field(default_factory=list)
    kinds: dict[str, Kind] = field(default_factory=dict)
    # Names with one value a row, by the table that they belong to: nothing outside sees them.
    inside: dict[str, str] = field(default_factory=dict)
    row_values: set[str] = field(default_factory=set)

    def _scope(self, table: str | None = None) -> dict[str, Kind]:
        """What a formula sees, inside a table or outside of all."""
        return {
            name: kind
            for name, kind in self.kinds.items()
            if self.inside.get(name) in (None, table)
        }

    def read(self) -> Template:
        parameters = tuple(self._parameters())
        require = tuple(
            formula
            for index, text in enumerate(self.section.get("require", []))
            if (formula := self._condition(("require", index), text)) is not None
        )
        terms = tuple(self._terms())
        fields = tuple(self._fields())
        misconceptions = tuple(self._misconceptions(terms, fields))
        return Template(parameters, require, terms, fields, misconceptions, self.kinds)

    def _fault(self, place: Place, message: str) -> None:
        self.faults.append(Fault(place, message))

    def _formula(self, place: Place, text: object, scope: Mapping[str, Kind]) -> Formula | None:
        try:
            return parse(str(text), scope)
        except FormulaError as error:
            advice = f"at character {error.column} of the formula; correct it"
            self._fault(place, f"{error.message}; {advice}")
            return None

    def _condition(
        self, place: Place, text: object, scope: Mapping[str, Kind] | None = None
    ) -> Formula | None:
        formula = self._formula(place, text, self._scope() if scope is None else scope)
        if formula is not None and formula.kind is not Plain.TRUTH:
            got = kind_text(formula.kind)
            self._fault(place, f"this must be a condition, got {got}; compare it with something")
            return None
        return formula

    def _define(self, place: Place, name: str, kind: Kind) -> None:
        """A name stands for one thing in a worksheet, and never for a unit."""
        if name in self.kinds:
            self._fault(
                place, f"a name may be defined once, {name} is defined above too; rename one"
            )
        try:
            found = units.named(name)
        except UnitError:
            pass
        else:
            # What is counted has no unit: layers may be a value as well.
            if found.dimension or found.scale != 1:
                self._fault(place, f"a name must not be that of a unit, {name} is one; rename it")
        self.kinds[name] = kind

    def _unit(self, place: Place, text: str) -> Unit:
        try:
            return units.unit(text)
        except UnitError as error:
            advice = f"write {error.meant}" if error.meant else "see problems/README.md for units"
            self._fault(place, f"a unit must be known, {error.name} is not; {advice}")
            return Unit(text, 1.0, NONE)

    def _parameters(self) -> Iterator[Parameter]:
        lengths: dict[str, int] = {}
        for index, one in enumerate(self.section["parameters"]):
            place: Place = ("parameters", index)
            name, follows = one["name"], one.get("follows")
            key = "values" if follows else "choose"
            given = one.get(key)
            if (one.get("choose") is None) == (one.get("values") is None) or given is None:
                self._fault(
                    place, "a parameter must have choose, or follows with values; give one of them"
                )
                given = given or one.get("choose") or one.get("values") or [1]
            if follows and lengths.get(follows) != len(given):
                fact = (
                    f"{follows} has {lengths[follows]}, this has {len(given)}"
                    if follows in lengths
                    else f"{follows} is none that is drawn above"
                )
                self._fault(
                    (*place, "values"),
                    f"a parameter follows one that is drawn above it, value by value, {fact}; "
                    "correct it",
                )
            if not follows:
                lengths[name] = len(given)
            measured = self._unit((*place, "unit"), one.get("unit") or "")
            is_text = all(isinstance(value, str) for value in given)
            if not is_text and any(isinstance(value, str | bool) for value in given):
                self._fault(
                    (*place, key),
                    "values must be all numbers or all texts, these are mixed; write one kind",
                )
            kind: Kind = Plain.TEXT if is_text else measured.dimension
            values = tuple(
                value
                if isinstance(value, str)
                else value
                if measured.scale == 1
                else value * measured.scale
                for value in given
            )
            self._define((*place, "name"), name, kind)
            yield Parameter(name, _said(one["label"]), one.get("unit") or "", kind, values, follows)

    def _line(self, place: Place, one: Mapping[str, Any], scope: Mapping[str, Kind]) -> Line | None:
        formula = self._formula((*place, "formula"), one["formula"], scope)
        shown = one.get("unit") or ""
        measured = self._unit((*place, "unit"), shown)
        # Defined with its unit's dimension even if the formula is wrong: one fault, told once.
        kind: Kind = measured.dimension
        if formula is not None:
            kind = formula.kind
            if isinstance(kind, Plain):
                self._fault((*place, "formula"), f"this must be a number, got {kind.value}")
                kind = measured.dimension
            elif kind != measured.dimension:
                wanted = f"{units.name_of(measured.dimension)} ({shown or 'no unit'})"
                self._fault(
                    (*place, "formula"),
                    f"the formula of {one['name']} must give {wanted}, "
                    f"it gives {units.name_of(kind)}; correct the formula or the unit",
                )
                kind = measured.dimension
        self._define((*place, "name"), one["name"], kind)
        return Line(one["name"], _said(one["label"]), shown, formula) if formula else None

    def _terms(self) -> Iterator[Line]:
        for index, one in enumerate(self.section.get("terms", [])):
            line = self._line(("terms", index), one, self._scope())
            if line is not None:
                yield line

    def _fields(self) -> Iterator[Field]:
        seen: set[str] = set()
        for index, one in enumerate(self.section["fields"]):
            place: Place = ("fields", index)
            if one["name"] in seen:
                self._fault((*place, "name"), f"{one['name']} names two fields; rename one")
            seen.add(one["name"])
            match one["kind"]:
                case "number":
                    made: Field | None = self._number(place, one, self._scope())
                case "table":
                    made = self._table(place, one)
                case _:
                    made = self._choice(place, one)
            if made is not None:
                yield made

    def _number(
        self, place: Place, one: Mapping[str, Any], scope: Mapping[str, Kind]
    ) -> Number | None:
        line = self._line(place, one, scope)
        text = one.get("tolerance", 0.01)
        allowed = self._formula((*place, "tolerance"), text, scope)
        if line is None or allowed is None:
            return None
        try:
            wanted = units.unit(line.unit)
        except UnitError:  # `_line` has said so
            return None
        if allowed.kind not in (NONE, wanted.dimension):
            self._fault(
                (*place, "tolerance"),
                "a tolerance must be a share (a plain number) or an amount of the field's kind, "
                f"got {kind_text(allowed.kind)}; write 0.01 for 1 %",
            )
        tolerance = Tolerance(allowed, is_relative=allowed.kind == NONE)
        return Number(line, wanted, tolerance, _said(one.get("help")))

    def _choice(self, place: Place, one: Mapping[str, Any]) -> Choice | None:
        options, names = [], [option["name"] for option in one["options"]]
        if len(set(names)) != len(names):
            self._fault((*place, "options"), "options must have different names; rename one")
        for index, option in enumerate(one["options"]):
            here = (*place, "options", index)
            when = self._condition((*here, "when"), option["when"])
            if when is not None:
                options.append(
                    Option(
                        option["name"], _said(option["label"]), when, _said(option.get("advice"))
                    )
                )
        many = one["kind"] == "set"
        return Choice(
            one["name"], _said(one["label"]), tuple(options), many, _said(one.get("help"))
        )

    def _table(self, place: Place, one: Mapping[str, Any]) -> Table | None:
        names = [row["name"] for row in one["rows"]]
        if len(set(names)) != len(names):
            self._fault((*place, "rows"), "rows must have different names; rename one")
        first = set(one["rows"][0].get("values") or {})
        for name in sorted(first):
            self._define((*place, "rows", 0, "values", name), name, NONE)
            self.inside[name] = one["name"]
        self.row_values |= first
        rows = []
        for index, row in enumerate(one["rows"]):
            values = row.get("values") or {}
            if set(values) != first:
                self._fault(
                    (*place, "rows", index, "values"),
                    "every row must give the same values, this one differs from the first; "
                    "add or remove",
                )
            rows.append(Row(row["name"], _said(row["label"]), {**values}))
        columns = []
        for index, column in enumerate(one["columns"]):
            columns.append(
                self._number((*place, "columns", index), column, self._scope(one["name"]))
            )
            self.inside[column["name"]] = one["name"]
        sound = tuple(column for column in columns if column is not None)
        return Table(one["name"], _said(one["label"]), tuple(rows), sound, _said(one.get("help")))

    def _misconceptions(
        self, terms: tuple[Line, ...], fields: tuple[Field, ...]
    ) -> Iterator[Misconception]:
        numbers = {one.name for one in fields if isinstance(one, Number)}
        columns = {
            column.name for one in fields if isinstance(one, Table) for column in one.columns
        }
        for index, one in enumerate(self.section.get("misconceptions", [])):
            place: Place = ("misconceptions", index)
            for position, name in enumerate(one["fields"]):
                if name not in numbers | columns:
                    self._fault(
                        (*place, "fields", position),
                        f"a misconception is of a number or of a table's column, {name} is none; "
                        f"there are {', '.join(sorted(numbers | columns))}",
                    )
            instead: dict[str, Formula] = {}
            for name, text in one["instead"].items():
                here = (*place, "instead", name)
                if name not in self.kinds or name in self.row_values:
                    self._fault(
                        here,
                        f"instead must name a parameter, term, field or column, {name} is "
                        "none; correct it",
                    )
                    continue
                formula = self._formula(here, text, self._scope(self.inside.get(name)))
                if formula is not None and formula.kind != self.kinds[name]:
                    self._fault(
                        here,
                        f"what stands instead of {name} must give {kind_text(self.kinds[name])}, "
                        f"got {kind_text(formula.kind)}; correct it",
                    )
                elif formula is not None:
                    instead[name] = formula
            when = self._condition((*place, "when"), one["when"]) if one.get("when") else None
            changes = _dependent(set(instead), terms, fields)
            yield Misconception(
                one["name"], _said(one["advice"]), tuple(one["fields"]), instead, when, changes
            )


def _said(text: str | None) -> str:
    """A text of the package as a sentence, which its ``texts.<language>.yaml`` may translate."""
    # Braces stand for themselves: the package's file of texts has them twice, as all templates do.
    return say(text.replace("{", "{{").replace("}", "}}")) if text else ""


def _dependent(
    changed: set[str], terms: tuple[Line, ...], fields: tuple[Field, ...]
) -> frozenset[str]:
    """`changed` with every line below that uses one of them, at first hand or not."""
    lines = list(terms)
    for one in fields:
        numbers = one.columns if isinstance(one, Table) else (one,)
        lines += [number.line for number in numbers if isinstance(number, Number)]
    for line in lines:
        if line.formula.names & changed:
            changed.add(line.name)
    return frozenset(changed)
