"""The grader section of a worksheet: drawn parameters, formulas, fields, misconceptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from problems.strict import Location, Slug, Strict, Text

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Formula = Text | int | float
Condition = Text | bool


class Parameter(Strict):
    """A value that is drawn for each attempt, or one that follows another."""

    name: Name
    """What formulas call it."""
    label: Text
    """What the candidate reads beside it."""
    unit: Text | None = None
    """In which its values are written."""
    choose: list[int | float | str] | None = Field(default=None, min_length=1)
    """The values to draw from, all numbers or all texts."""
    follows: Name | None = None
    """The name of a parameter above: this one takes the value at the same place of values."""
    values: list[int | float | str] | None = Field(default=None, min_length=1)
    """As many values as the followed parameter has."""


class Term(Strict):
    """A line of the arithmetic."""

    name: Name
    """What formulas below call it."""
    label: Text
    """What the arithmetic calls it on the page."""
    unit: Text | None = None
    """In which it is shown."""
    formula: Formula
    """How it is computed."""


class NumberField(Strict):
    """A number with a unit; without `unit` a plain number or a share."""

    kind: Literal["number"]
    """One number."""
    name: Name
    """The key in the answers."""
    label: Text
    """The question."""
    help: Text | None = None
    """A smaller line below the question."""
    unit: Text | None = None
    """In which the right answer is shown; it also fixes what is measured. None for a plain number,
    "%" for a share."""
    formula: Formula
    """The right answer."""
    tolerance: Formula = 0.01
    """A share (0.005), or an amount with its unit; a formula too."""


class Option(Strict):
    """An answer that can be chosen."""

    name: Slug
    """What is written in the answers."""
    label: Text
    """What the candidate reads."""
    when: Condition
    """The option is right where this holds."""
    advice: Text | None = None
    """For whom it catches."""


class ChoiceField(Strict):
    """Exactly one of the options."""

    kind: Literal["choice"]
    """One option."""
    name: Name
    """The key in the answers."""
    label: Text
    """The question."""
    help: Text | None = None
    """A smaller line below the question."""
    options: list[Option] = Field(min_length=2, max_length=12)
    """Exactly one is right in every variant, or that is not drawn."""


class SetField(Strict):
    """Any number of the options, none too."""

    kind: Literal["set"]
    """Any number of options, none too."""
    name: Name
    """The key in the answers."""
    label: Text
    """The question."""
    help: Text | None = None
    """A smaller line below the question."""
    options: list[Option] = Field(min_length=2, max_length=12)
    """What can be chosen."""


class Row(Strict):
    """A row of a table; the columns' formulas see its values."""

    name: Slug
    """The key in the answers."""
    label: Text
    """What the candidate reads."""
    values: dict[Name, int | float] = Field(default_factory=dict)
    """Plain numbers that the columns' formulas see."""


class Column(Strict):
    """A column of numbers."""

    name: Name
    """The key in the answers."""
    label: Text
    """What the candidate reads."""
    unit: Text | None = None
    """As of a number."""
    formula: Formula
    """The right answer; it may use the columns to the left."""
    tolerance: Formula = 0.01
    """As of a number."""


class TableField(Strict):
    """Numbers in rows and columns."""

    kind: Literal["table"]
    """Numbers in rows and columns."""
    name: Name
    """The key in the answers."""
    label: Text
    """The question."""
    help: Text | None = None
    """A smaller line below the question."""
    rows: list[Row] = Field(min_length=1, max_length=12)
    """What the table is about."""
    columns: list[Column] = Field(min_length=1, max_length=8)
    """What is asked for of each row."""


AnyField = Annotated[NumberField | ChoiceField | SetField | TableField, Field(discriminator="kind")]


class Misconception(Strict):
    """A named mistake: other formulas instead of some."""

    name: Slug
    """Formed like a slug."""
    advice: Text
    """What is wrong, as the second half of a sentence."""
    fields: list[Name] = Field(min_length=1)
    """The numbers and columns that it is looked for in."""
    instead: dict[Name, Formula] = Field(min_length=1)
    """From a parameter, term, field or column to the wrong formula for it. It sees the right
    values; everything that depends on it is computed anew."""
    when: Condition | None = None
    """A condition for its making a difference; always if left out."""


class AnswersGrader(Strict):
    """Answers to a worksheet whose values are drawn for each attempt.

    Names, units and dimensions of all formulas are checked when the package is read.
    """

    kind: Literal["answers"]
    """A worksheet whose values are drawn for each attempt."""
    parameters: list[Parameter] = Field(min_length=1)
    """What is drawn."""
    require: list[Text] = Field(default_factory=list)
    """Conditions over the parameters; what breaks one is not drawn."""
    terms: list[Term] = Field(default_factory=list)
    """Lines of the arithmetic."""
    fields: list[AnyField] = Field(min_length=1, max_length=40)
    """What is asked for, in the order of the form."""
    misconceptions: list[Misconception] = Field(default_factory=list)
    """Named mistakes that get an advice of their own."""

    def texts(self) -> Iterator[str]:
        """What a reader meets on the form and in verdicts, as the grader says it: templates.

        Braces stand twice, because these texts have no fields.
        """
        found: list[str | None] = [one.label for one in self.parameters]
        found += [one.label for one in self.terms]
        for field in self.fields:
            found += [field.label, field.help]
            match field:
                case ChoiceField() | SetField():
                    for option in field.options:
                        found += [option.label, option.advice]
                case TableField():
                    found += [row.label for row in field.rows]
                    found += [column.label for column in field.columns]
        found += [one.advice for one in self.misconceptions]
        yield from (text.replace("{", "{{").replace("}", "}}") for text in found if text)

    def about_cases(self, cases: list[Any]) -> list[tuple[Location, str]]:
        """What is wrong with the cases of a worksheet: each field in one case, none in a sample."""
        found: list[tuple[Location, str]] = []
        names = [one.name for one in self.fields]
        first: dict[str, str] = {}
        for index, case in enumerate(cases):
            judged = case.input.get("fields", [])
            here: Location = (index, "input", "fields")
            if set(case.input) - {"fields"} or not isinstance(judged, list):
                found.append(
                    (
                        (index, "input"),
                        "a worksheet's case takes a list of fields and nothing else; "
                        "write input: {fields: [...]}",
                    )
                )
                continue
            if case.sample and judged:
                found.append(
                    (
                        here,
                        "a sample judges no field, or Run would tell the answers before they are "
                        "given; remove fields or sample",
                    )
                )
            for position, name in enumerate(judged):
                if name not in names:
                    found.append(
                        (
                            (*here, position),
                            f"a case must name fields of the worksheet, {name} is none; "
                            f"there are {', '.join(names)}",
                        )
                    )
                elif first.setdefault(name, case.name) != case.name:
                    found.append(
                        (
                            (*here, position),
                            f"a field is judged in one case, {name} is judged in {first[name]} "
                            "too; remove it from one",
                        )
                    )
        unjudged = [name for name in names if name not in first]
        if unjudged:
            found.append(
                (
                    (),
                    f"every field must be judged in a case, {', '.join(unjudged)} in none; "
                    "add it to the fields of one",
                )
            )
        return found
