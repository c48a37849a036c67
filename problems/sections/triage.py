"""The grader section of a trace to triage: causes to name, measurements with what they read."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from problems.strict import Location, Slug, Strict, Text

ANSWERS = ("cause", "span", "measurement")


class TriageCause(Strict):
    """A cause that can be named."""

    name: Slug
    """What is written in the findings."""
    label: Text
    """What the candidate reads."""
    look_alike: Slug
    """The name of another cause that it is easily taken for."""
    telltale: Text
    """What tells it from its look-alike; said with the verdict."""


class TriageMeasurement(Strict):
    """What can be measured next: what it reads for which cause, and for all others."""

    name: Slug
    """What is written in the findings."""
    label: Text
    """What the candidate reads."""
    ordinary: Text
    """What it reads for the causes that it does not notice."""
    shows: dict[Slug, Text] = Field(default_factory=dict)
    """From causes to what it reads for them."""


class TriageGrader(Strict):
    """A recorded training step, another one for each attempt.

    Whether causes and measurements fit the simulation is checked when the package is read.
    """

    kind: Literal["triage"]
    """A recorded training step, simulated for each attempt."""
    causes: list[TriageCause] = Field(min_length=2)
    """Every cause that the simulation plants."""
    measurements: list[TriageMeasurement] = Field(min_length=2)
    """What can be measured next. One is right if it reads something for the planted cause that it
    reads for no other; each cause needs one."""

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
