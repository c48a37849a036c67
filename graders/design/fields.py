"""What a design consists of: groups of fields, as the grader's section of problem.yaml declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from graders.answers.worksheet import units
from graders.answers.worksheet.units import Unit


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds, both included."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Number:
    """A number within bounds, both included and in `unit`; the model gets it in `unit` too."""

    least: float
    most: float
    unit: Unit


@dataclass(frozen=True, slots=True)
class Option:
    """A word that may be chosen, and what it means."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""


@dataclass(frozen=True, slots=True)
class Words:
    """Text for a person, which no formula reads."""

    max_characters: int


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping of fields, inside a list."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """Values of one shape, in order."""

    of: Shape
    least: int
    most: int


Shape: TypeAlias = Whole | Number | Choice | Flag | Words | Items | Record


@dataclass(frozen=True, slots=True)
class Field:
    """A key of the design. `default` is what a candidate would have written; None: required."""

    name: str
    label: str
    help: str
    shape: Shape
    default: Any = None


@dataclass(frozen=True, slots=True)
class Group:
    """A mapping at the first level of the design."""

    name: str
    label: str
    help: str
    fields: tuple[Field, ...]


def groups_of(settings: Mapping[str, object]) -> tuple[Group, ...]:
    """The groups of a validated `problems.sections.design.DesignGrader` section.

    Raises
    ------
    UnitError
        If a unit is unknown; `unit_faults` says where.
    """
    return tuple(
        Group(
            name=one["name"],
            label=one["label"],
            help=one["help"],
            fields=tuple(_field(field) for field in one["fields"]),
        )
        for one in cast("list[dict[str, Any]]", settings["fields"])
    )


def unit_faults(
    settings: Mapping[str, object],
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The place of each unit that nobody knows, and what is wrong with it."""
    for index, group in enumerate(cast("list[dict[str, Any]]", settings["fields"])):
        for position, one in enumerate(group["fields"]):
            yield from _unit_faults(one, ("fields", index, "fields", position))


def _unit_faults(
    one: Mapping[str, Any], place: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if one["kind"] == "number" and one["unit"]:
        try:
            units.unit(one["unit"])
        except units.UnitError as error:
            yield (*place, "unit"), f"a unit must be known, {error}; see the units of worksheets"
    elif one["kind"] == "list":
        yield from _unit_faults(one["of"], (*place, "of"))
    elif one["kind"] == "record":
        for position, field in enumerate(one["fields"]):
            yield from _unit_faults(field, (*place, "fields", position))


def _field(one: Mapping[str, Any]) -> Field:
    return Field(one["name"], one["label"], one["help"], _shape(one), one["default"])


def _shape(one: Mapping[str, Any]) -> Shape:
    match one["kind"]:
        case "whole":
            return Whole(one["min"], one["max"])
        case "number":
            return Number(float(one["min"]), float(one["max"]), units.unit(one["unit"] or ""))
        case "choice":
            return Choice(tuple(Option(o["name"], o["label"]) for o in one["options"]))
        case "flag":
            return Flag()
        case "text":
            return Words(one["max_characters"])
        case "list":
            return Items(_shape(one["of"]), one["min_items"], one["max_items"])
        case kind:
            assert kind == "record"  # noqa: S101  the section's schema knows no other
            return Record(tuple(_field(field) for field in one["fields"]))
