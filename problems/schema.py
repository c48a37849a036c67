"""The shape of problem.yaml as pydantic models: unknown keys are errors, names carry units."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator


class Strict(BaseModel):
    """Unknown keys are errors, and no value is bent into another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]


class Round(IntEnum):
    """The seven rounds of the loop, in the order in which a candidate meets them."""

    LOW_LEVEL_SYSTEMS = 1
    GPU_KERNELS = 2
    DISTRIBUTED_TRAINING = 3
    NETWORKING = 4
    INFERENCE = 5
    RESILIENCE = 6
    CAPSTONE = 7


class Difficulty(StrEnum):
    """How hard, for someone who does this for a living."""

    WARM_UP = "warm-up"
    MEDIUM = "medium"
    HARD = "hard"
    BRUTAL = "brutal"


class Source(Strict):
    """Where the idea or the numbers of a problem come from."""

    title: Text
    url: Text | None = None


class Limits(Strict):
    """Limits on the submission's program over all its cases."""

    cpu_time_s: float = Field(gt=0, le=600)
    wall_time_s: float = Field(gt=0, le=600)
    memory_mib: int = Field(ge=16, le=65536)
    output_kib: int = Field(default=64, ge=1, le=4096)
    processes: int = Field(default=1, ge=1, le=256)
    source_kib: int = Field(default=64, ge=1, le=512)


class FunctionGrader(Strict):
    """A Python function judged case by case by the package's own checker."""

    kind: Literal["function"]
    entry_point: Text  # name of the function that the submission defines
    signature: Text  # shown to the candidate, e.g. "size(model, cluster, plan) -> dict"
    checker: Text = "checker.py"  # runs in a sandbox of its own
    answer_time_limit_s: float = Field(default=2.0, gt=0, le=60)


class SimulationGrader(Strict):
    """A protocol or policy driven step by step by a simulator on the trusted side."""

    kind: Literal["simulation"]
    simulator: Literal["ring-collective"]
    entry_point: Text
    signature: Text
    step_time_limit_s: float = Field(default=2.0, gt=0, le=60)
    parameters: dict[str, Any] = Field(default_factory=dict)  # of the simulator


Grader = Annotated[FunctionGrader | SimulationGrader, Field(discriminator="kind")]


class Case(Strict):
    """One case, named for what it breaks."""

    name: Slug
    breaks: Text
    sample: bool = False
    input: dict[str, Any] = Field(default_factory=dict)


class Expectation(Strict):
    """What a submission of the package must get: the verdict, the case and part of the message."""

    verdict: Literal["AC", "SLOW", "WA", "OLE", "TLE", "MLE", "RE", "CE"]
    case: Slug | None = None
    message: Text | None = None

    @model_validator(mode="after")
    def a_rejection_says_why(self) -> Expectation:
        if self.verdict != "AC" and self.message is None:
            raise ValueError("an expected rejection must name the message it fails with")
        return self


class FollowUp(Strict):
    """A question an interviewer asks after the verdict, and what a good answer holds."""

    question: Text
    points: list[Text] = Field(min_length=1)


class RubricLevel(Strict):
    """One line of the rubric, with what each level looks like from weak to strong."""

    criterion: Text
    levels: list[Text] = Field(min_length=2)


class ProblemSpec(Strict):
    """The whole of problem.yaml."""

    format: Literal[1]
    id: UUID = Field(strict=False)
    version: int = Field(ge=1)
    title: Text
    summary: Text  # one sentence, shown in lists
    round: Round = Field(strict=False)
    difficulty: Difficulty = Field(strict=False)
    minutes: int = Field(ge=5, le=240)
    tags: list[Slug]
    license: Text
    source: list[Source]
    language: Literal["python"]
    grader: Grader
    limits: Limits
    cases: list[Case] = Field(min_length=1)
    hints: list[Text] = Field(default_factory=list)
    follow_ups: list[FollowUp] = Field(default_factory=list)
    rubric: list[RubricLevel] = Field(default_factory=list)
    expected: dict[str, Expectation]  # path under submissions/ -> what it must get

    @model_validator(mode="after")
    def cases_are_named_once_and_one_is_a_sample(self) -> ProblemSpec:
        names = [case.name for case in self.cases]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"case names must be unique, got twice: {', '.join(twice)}")
        if not any(case.sample for case in self.cases):
            raise ValueError("at least one case must be a sample, or Run has nothing to run")
        for path, expectation in self.expected.items():
            if expectation.case is not None and expectation.case not in names:
                raise ValueError(f"expected[{path}] names case {expectation.case!r}, not declared")
        return self
