"""The grader section of a trace to triage: causes to name, measurements with what they read."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from problems.strict import Location, Slug, Strict, Text

ANSWERS = ("cause", "span", "measurement")


class TriageCause(Strict):
    """A cause that can be named."""

    name: Slug
    label: Text
    look_alike: Slug
    telltale: Text


class TriageMeasurement(Strict):
    """What can be measured next: what it reads for which cause, and for all others."""

    name: Slug
    label: Text
    ordinary: Text
    shows: dict[Slug, Text] = Field(default_factory=dict)


class TriageGrader(Strict):
    """A recorded training step, another one for each attempt.

    This is the shape; whether causes and measurements fit the simulation, the grader says.
    """

    kind: Literal["triage"]
    causes: list[TriageCause] = Field(min_length=2)
    measurements: list[TriageMeasurement] = Field(min_length=2)

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
