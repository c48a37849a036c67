"""The grader section of a design: its fields in groups, and the constraints on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from problems.strict import Location, Strict, Text, contradiction

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=40)]
EXACT = 2**53  # whole numbers below it are exact in JSON wherever it is read


class Option(Strict):
    """A word that may be chosen."""

    name: Word
    """What is written in the design."""
    label: Text
    """What the candidate reads."""


class _Bounded(Strict):
    @model_validator(mode="after")
    def the_bounds_leave_something(self) -> _Bounded:
        least, most = getattr(self, "min"), getattr(self, "max")  # noqa: B009  the subclasses' own
        if least > most:
            raise contradiction(
                [(("max",), f"max must be at least min, got {most} below {least}; exchange them")]
            )
        return self


class WholeShape(_Bounded):
    """A whole number."""

    kind: Literal["whole"]
    """A whole number."""
    min: int = Field(gt=-EXACT, lt=EXACT)
    """The least that may be written."""
    max: int = Field(gt=-EXACT, lt=EXACT)
    """The most, itself included."""


class NumberShape(_Bounded):
    """A number, with a unit if it has one; the bounds are in that unit."""

    kind: Literal["number"]
    """A number."""
    unit: Text | None = None
    """It is written with a unit of this dimension, and reaches the model in this one; none for a
    plain number or a share."""
    min: float
    """The least that may be written, in the unit."""
    max: float
    """The most, itself included."""


class ChoiceShape(Strict):
    """One of some words."""

    kind: Literal["choice"]
    """One of some words."""
    options: list[Option] = Field(min_length=2, max_length=40)
    """What may be chosen."""

    @field_validator("options")
    @classmethod
    def options_are_named_once(cls, options: list[Option]) -> list[Option]:
        found = list(_twice([one.name for one in options], "options"))
        if found:
            raise contradiction(found)
        return options


class FlagShape(Strict):
    """true or false."""

    kind: Literal["flag"]
    """True or false."""


class TextShape(Strict):
    """Words for a person."""

    kind: Literal["text"]
    """Words for a person."""
    max_characters: int = Field(ge=1, le=10_000)
    """How long it may be."""


class _Described(Strict):
    name: Name
    """The key in the design."""
    label: Text
    """What the candidate reads."""
    help: Text
    """One sentence, for the editor's hover help."""


class WholeField(WholeShape, _Described):
    """A whole number by its name."""

    default: int | None = None
    """What holds where the field is left out, as a candidate would write it; without one the field
    must be there."""


class NumberField(NumberShape, _Described):
    """A number by its name."""

    default: str | int | float | None = None
    """What holds where the field is left out, as a candidate would write it; without one the field
    must be there."""


class ChoiceField(ChoiceShape, _Described):
    """A choice by its name."""

    default: str | None = None
    """What holds where the field is left out, as a candidate would write it; without one the field
    must be there."""


class FlagField(FlagShape, _Described):
    """A flag by its name."""

    default: bool | None = None
    """What holds where the field is left out, as a candidate would write it; without one the field
    must be there."""


class TextField(TextShape, _Described):
    """Words by their name."""

    default: str | None = None
    """What holds where the field is left out, as a candidate would write it; without one the field
    must be there."""


PlainField = Annotated[
    WholeField | NumberField | ChoiceField | FlagField | TextField, Field(discriminator="kind")
]


class RecordShape(Strict):
    """A mapping of plain fields, inside a list."""

    kind: Literal["record"]
    """A mapping, inside a list."""
    fields: list[PlainField] = Field(min_length=1, max_length=30)
    """What it holds."""

    @field_validator("fields")
    @classmethod
    def fields_are_named_once(cls, fields: list[PlainField]) -> list[PlainField]:
        found = list(_twice([one.name for one in fields], "the fields of a record"))
        if found:
            raise contradiction(found)
        return fields


class ListField(_Described):
    """Values of one shape."""

    kind: Literal["list"]
    """A list."""
    of: Annotated[
        WholeShape | NumberShape | ChoiceShape | FlagShape | TextShape | RecordShape,
        Field(discriminator="kind"),
    ]
    """What each item is: a field without name, label and help."""
    min_items: int = Field(default=0, ge=0, le=100)
    """How many there must be."""
    max_items: int = Field(ge=1, le=100)
    """How many there may be."""
    default: list[Any] | None = None
    """What holds where the field is left out, as a candidate would write it; without one the field
    must be there."""


AnyField = Annotated[
    WholeField | NumberField | ChoiceField | FlagField | TextField | ListField,
    Field(discriminator="kind"),
]


class Group(Strict):
    """A mapping at the first level of a design."""

    name: Name
    """The key in the design."""
    label: Text
    """What the candidate reads."""
    help: Text
    """One sentence, for the editor's hover help."""
    fields: list[AnyField] = Field(min_length=1, max_length=60)
    """What it holds."""

    @field_validator("fields")
    @classmethod
    def fields_are_named_once(cls, fields: list[AnyField]) -> list[AnyField]:
        found = list(_twice([one.name for one in fields], "the fields of a group"))
        if found:
            raise contradiction(found)
        return fields


class DesignGrader(Strict):
    """A structured design, judged by the constraints and the cost of the package's own model."""

    kind: Literal["design"]
    """A structured design."""
    model: Text = "model.py"
    """The model's file; all .py files at the top of the package lie beside it. What it defines is
    in graders/design/README.md."""
    answer_time_limit_s: float = Field(default=10.0, gt=0, le=60)
    """Seconds by the clock for assessing one design."""
    constraints: list[Name] = Field(min_length=1, max_length=100)
    """The names of all constraints, in order of dependence: the first one that fails speaks."""
    fields: list[Group] = Field(min_length=1, max_length=20)
    """The groups of the design."""

    @field_validator("constraints")
    @classmethod
    def constraints_are_named_once(cls, constraints: list[str]) -> list[str]:
        found = [((index,), message) for (index, _), message in _twice(constraints, "constraints")]
        if found:
            raise contradiction(found)
        return constraints

    @field_validator("fields")
    @classmethod
    def groups_are_named_once(cls, fields: list[Group]) -> list[Group]:
        found = list(_twice([one.name for one in fields], "groups"))
        if found:
            raise contradiction(found)
        return fields

    def about_cases(self, cases: list[Any]) -> list[tuple[Location, str]]:
        """What is wrong with the cases: unknown keys or constraints, a constraint in none."""
        found: list[tuple[Location, str]] = []
        judged: set[str] = set()
        for index, case in enumerate(cases):
            here: Location = (index, "input")
            for key in set(case.input) - {"parameters", "constraints", "max_cost_ratio"}:
                found.append(
                    (
                        (*here, key),
                        "a design's case takes parameters, constraints and max_cost_ratio, "
                        f"got {key}; move it into parameters or remove it",
                    )
                )
            if not isinstance(case.input.get("parameters", {}), dict):
                found.append(((*here, "parameters"), "parameters must be a mapping; write one"))
            found += list(_about_ratio(case.input.get("max_cost_ratio"), here))
            names = case.input.get("constraints", self.constraints)
            if not isinstance(names, list) or not names:
                found.append(
                    (
                        (*here, "constraints"),
                        "constraints must be a list of names, got none; name some, or remove the "
                        "key to judge all",
                    )
                )
                continue
            for position, name in enumerate(names):
                if name not in self.constraints:
                    found.append(
                        (
                            (*here, "constraints", position),
                            f"a case must name declared constraints, {name} is none; there are "
                            f"{', '.join(self.constraints)}",
                        )
                    )
            judged.update(str(name) for name in names)
        unjudged = [name for name in self.constraints if name not in judged]
        if unjudged:
            found.append(
                (
                    (),
                    f"every constraint must be judged in a case, {', '.join(unjudged)} in none; "
                    "add it to one",
                )
            )
        return found


def _about_ratio(ratio: object, here: Location) -> Iterator[tuple[Location, str]]:
    is_number = isinstance(ratio, int | float) and not isinstance(ratio, bool)
    if ratio is not None and (not is_number or not 1 <= ratio <= 100):  # type: ignore[operator]
        yield (
            (*here, "max_cost_ratio"),
            f"max_cost_ratio must be a number from 1 to 100, got {ratio}; change it",
        )


def _twice(names: list[str], what: str) -> Iterator[tuple[Location, str]]:
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if first.setdefault(name, index) != index:
            yield (index, "name"), f"{what} must be named once, {name!r} stands twice; rename one"
