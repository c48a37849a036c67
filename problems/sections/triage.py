"""The grader section of a trace to triage: causes to name, measurements with what they read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from problems.strict import Location, Slug, Strict, Text

ANSWERS = ("cause", "span", "measurement")


class TriageCause(Strict):
    """A cause that can be named."""

    name: Slug
    """One that the simulation plants; all of them must be offered."""
    label: Text
    """What the candidate reads: a few words that fit behind "without"."""
    look_alike: Slug
    """The name of another cause that it is easily taken for."""
    telltale: Text
    """What tells it from its look-alike; said with the verdict."""


class TriageMeasurement(Strict):
    """What can be measured next: what it reads for which cause, and for all others."""

    name: Slug
    """The key in the answers."""
    label: Text
    """What the candidate reads."""
    ordinary: Text
    """What it reads for the causes that it does not notice."""
    shows: dict[Slug, Text] = Field(default_factory=dict)
    """From the causes that it notices to what it reads for them."""


class TriageGrader(Strict):
    """A recorded training step, another one for each attempt.

    Whether causes and measurements fit the simulation is checked when the package is read.
    """

    kind: Literal["triage"]
    """A recorded training step: which cause, which span proves it, what to measure next."""
    causes: list[TriageCause] = Field(min_length=2)
    """What can be named, in the order of the form."""
    measurements: list[TriageMeasurement] = Field(min_length=2)
    """What can be chosen to measure next. Each cause needs one that reads something of its own."""

    def texts(self) -> Iterator[str]:
        """What a reader meets on the form and in verdicts, as the grader says it: templates.

        Braces stand twice, because these texts have no fields.
        """
        found = [text for one in self.causes for text in (one.label, one.telltale)]
        for one in self.measurements:
            found += [one.label, one.ordinary, *one.shows.values()]
        yield from (text.replace("{", "{{").replace("}", "}}") for text in found)

    def about_cases(self, cases: list[Any]) -> list[tuple[Location, str]]:
        """What is wrong with the cases: each answer in one of them, none in a sample."""
        found: list[tuple[Location, str]] = []
        judged = []
        for index, case in enumerate(cases):
            answer = case.input.get("answer")
            if set(case.input) - {"answer"} or (answer is not None and answer not in ANSWERS):
                found.append(
                    (
                        (index, "input"),
                        f"a case judges one answer; write input: {{answer: {'|'.join(ANSWERS)}}}",
                    )
                )
            elif case.sample == (answer is not None):
                found.append(
                    (
                        (index, "input"),
                        "a sample judges no answer, or Run would tell the cause, and every other "
                        "case judges one; add answer or sample, and not both",
                    )
                )
            judged.append(answer)
        found += [
            ((), f"every answer must be judged in one case, {answer} is in {judged.count(answer)}")
            for answer in ANSWERS
            if judged.count(answer) != 1
        ]
        return found
