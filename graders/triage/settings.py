"""The grader section of a triage problem: what can be named, and what each measurement reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graders.text import say
from graders.triage.deviations import Cause

FIELDS = ("cause", "span", "measurement")


@dataclass(frozen=True, slots=True)
class CauseOption:
    """A cause that can be named. `telltale` tells it from its look-alike."""

    cause: Cause
    label: str
    look_alike: Cause
    telltale: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """Something to measure next: what it reads for the causes that it notices, and otherwise."""

    name: str
    label: str
    ordinary: str
    shows: Mapping[str, str]

    def reading(self, cause: Cause) -> str:
        """What it reads if this is the cause."""
        return self.shows.get(cause.value, self.ordinary)

    def mistaken_for(self, cause: Cause) -> Cause | None:
        """Another cause for which it reads the same; None if it singles this one out."""
        others = (other for other in Cause if other is not cause)
        return next((one for one in others if self.reading(one) == self.reading(cause)), None)


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole section."""

    causes: tuple[CauseOption, ...]
    measurements: tuple[Measurement, ...]

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> Settings:
        """Read a section in which `faults` finds nothing."""
        return cls(
            tuple(
                CauseOption(
                    Cause(one["name"]),
                    _said(one["label"]),
                    Cause(one["look_alike"]),
                    _said(one["telltale"]),
                )
                for one in section["causes"]
            ),
            tuple(
                Measurement(
                    one["name"],
                    _said(one["label"]),
                    _said(one["ordinary"]),
                    {cause: _said(reading) for cause, reading in one["shows"].items()},
                )
                for one in section["measurements"]
            ),
        )

    def option(self, cause: Cause) -> CauseOption:
        """The option for a cause."""
        return next(one for one in self.causes if one.cause is cause)

    def measurement(self, name: str) -> Measurement | None:
        """The measurement of that name, if there is one."""
        return next((one for one in self.measurements if one.name == name), None)

    def that_singles_out(self, cause: Cause) -> Measurement:
        """The first measurement that tells this cause from all others."""
        return next(one for one in self.measurements if one.mistaken_for(cause) is None)


def _said(text: str) -> str:
    """A text of the package as a sentence, which its ``texts.<language>.yaml`` may translate."""
    # Braces stand for themselves: the package's file of texts has them twice, as all templates do.
    return say(text.replace("{", "{{").replace("}", "}}"))


def faults(section: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong with a section beyond its shape: the place in it and a sentence."""
    known = [cause.value for cause in Cause]
    names = [one["name"] for one in section["causes"]]
    for index, one in enumerate(section["causes"]):
        for key in ("name", "look_alike"):
            if one[key] not in known:
                yield (
                    ("causes", index, key),
                    f"a cause must be one that the simulation plants, {one[key]} is none; "
                    f"there are {', '.join(known)}",
                )
        if one["look_alike"] == one["name"]:
            yield (
                ("causes", index, "look_alike"),
                f"a look-alike must be another cause, {one['name']} names itself; name another",
            )
    for name in known:
        if names.count(name) != 1:
            yield (
                ("causes",),
                f"each cause must be offered once, {name} is offered {names.count(name)} times; "
                "any of them may be planted",
            )
    for index, one in enumerate(section["measurements"]):
        for name in one["shows"]:
            if name not in known:
                yield (
                    ("measurements", index, "shows"),
                    f"a measurement must show causes that exist, {name} is none; "
                    f"there are {', '.join(known)}",
                )
    measured = [one["name"] for one in section["measurements"]]
    for name in sorted({name for name in measured if measured.count(name) > 1}):
        yield ("measurements",), f"measurements must have names of their own, {name} stands twice"
    readings = [
        Measurement(one["name"], one["label"], one["ordinary"], one["shows"])
        for one in section["measurements"]
    ]
    for cause in Cause:
        if not any(one.mistaken_for(cause) is None for one in readings):
            yield (
                ("measurements",),
                f"some measurement must single out each cause, none does {cause.value}; "
                "give one a reading that no other cause has",
            )
