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
    label: Text
    unit: Text | None = None
    choose: list[int | float | str] | None = Field(default=None, min_length=1)
    follows: Name | None = None
    values: list[int | float | str] | None = Field(default=None, min_length=1)


class Term(Strict):
    """A line of the arithmetic."""

    name: Name
    label: Text
    unit: Text | None = None
    formula: Formula


class NumberField(Strict):
    """A number with a unit; without `unit` a plain number or a share."""

    kind: Literal["number"]
    name: Name
    label: Text
    help: Text | None = None
    unit: Text | None = None
    formula: Formula
    tolerance: Formula = 0.01


class Option(Strict):
    """An answer that can be chosen."""

    name: Slug
    label: Text
    when: Condition
    advice: Text | None = None  # said to whom it catches


class ChoiceField(Strict):
    """Exactly one of the options."""

    kind: Literal["choice"]
    name: Name
    label: Text
    help: Text | None = None
    options: list[Option] = Field(min_length=2, max_length=12)


class SetField(Strict):
    """Any number of the options, none too."""

    kind: Literal["set"]
    name: Name
    label: Text
    help: Text | None = None
    options: list[Option] = Field(min_length=2, max_length=12)


class Row(Strict):
    """A row of a table; the columns' formulas see its values."""

    name: Slug
    label: Text
    values: dict[Name, int | float] = Field(default_factory=dict)


class Column(Strict):
    """A column of numbers."""

    name: Name
    label: Text
    unit: Text | None = None
    formula: Formula
    tolerance: Formula = 0.01


class TableField(Strict):
    """Numbers in rows and columns."""

    kind: Literal["table"]
    name: Name
    label: Text
    help: Text | None = None
    rows: list[Row] = Field(min_length=1, max_length=12)
    columns: list[Column] = Field(min_length=1, max_length=8)


AnyField = Annotated[NumberField | ChoiceField | SetField | TableField, Field(discriminator="kind")]


class Misconception(Strict):
    """A named mistake: other formulas instead of some."""

    name: Slug
    advice: Text
    fields: list[Name] = Field(min_length=1)
    instead: dict[Name, Formula] = Field(min_length=1)
    when: Condition | None = None


class AnswersGrader(Strict):
    """Answers to a worksheet whose values are drawn for each attempt.

    This is the shape; whether its formulas hold together, the grader says (`SettingsCheck`).
    """

    kind: Literal["answers"]
    parameters: list[Parameter] = Field(min_length=1)
    require: list[Text] = Field(default_factory=list)
    terms: list[Term] = Field(default_factory=list)
    fields: list[AnyField] = Field(min_length=1, max_length=40)
    misconceptions: list[Misconception] = Field(default_factory=list)

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
