"""The shape of problem.yaml as pydantic models: unknown keys are errors, names carry units."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from problems.sections.answers import (
    AnswersGrader,
    AnyField,
    Misconception,
    Parameter,
    Term,
)
from problems.sections.concurrency import ConcurrencyGrader
from problems.sections.design import DesignGrader
from problems.sections.function import FunctionGrader
from problems.sections.kernel import KernelGrader
from problems.sections.simulation import SimulationGrader
from problems.sections.triage import TriageGrader
from problems.strict import Location, Slug, Strict, Text, contradiction


def _whole_number(value: object) -> object:
    """Enums of numbers take 3.0, "3" and true for 3 or 1; a strict reader takes numbers only."""
    if type(value) is int or isinstance(value, IntEnum):
        return value
    raise PydanticCustomError("int_type", "must be a whole number")


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


class Language(StrEnum):
    """What a submission is written in."""

    PYTHON = "python"
    CPP = "cpp"  # a C++20 header
    YAML = "yaml"  # answers or a design

    @property
    def suffix(self) -> str:
        """The ending of the starter's, the reference's and the submissions' names."""
        return {"python": ".py", "cpp": ".hpp", "yaml": ".yaml"}[self.value]


class Source(Strict):
    """Where the idea or the numbers of a problem come from."""

    title: Text
    """Author, title, and where it was published."""
    url: Text | None = None
    """Where to read it."""


class Limits(Strict):
    """Limits on the submission's program over all its cases."""

    cpu_time_s: float = Field(gt=0, le=600)
    """Seconds of CPU time."""
    wall_time_s: float = Field(gt=0, le=600)
    """Seconds by the clock."""
    memory_mib: int = Field(ge=16, le=65536)
    """Memory in MiB."""
    output_kib: int = Field(default=64, ge=1, le=4096)
    """KiB of the program's own output that is kept."""
    processes: int = Field(default=1, ge=1, le=256)
    """Processes and threads together."""
    source_kib: int = Field(default=64, ge=1, le=512)
    """KiB of source that may be sent."""


Grader = Annotated[
    AnswersGrader
    | ConcurrencyGrader
    | DesignGrader
    | FunctionGrader
    | KernelGrader
    | SimulationGrader
    | TriageGrader,
    Field(discriminator="kind"),
]


class Case(Strict):
    """One case, named for what it breaks."""

    name: Slug
    """Formed like a slug, once in a package."""
    breaks: Text
    """The mistake that the case is there to catch."""
    sample: bool = False
    """Whether the candidate sees it and Run judges it. At least one case must be a sample."""
    input: dict[str, Any] = Field(default_factory=dict)
    """What is put to the submission, as the grader or the checker wants it."""


class Expectation(Strict):
    """What a submission of the package must get: the verdict, the case and part of the message."""

    verdict: Literal["AC", "SLOW", "WA", "OLE", "TLE", "MLE", "RE", "CE"]
    """What it must get; under accepted/ always AC."""
    case: Slug | None = None
    """The case of the counterexample; any if left out."""
    message: Text | None = None
    """Part of the message or of the counterexample's summary; needed unless the verdict is AC."""

    @model_validator(mode="after")
    def a_rejection_says_why(self) -> Expectation:
        if self.verdict != "AC" and self.message is None:
            raise contradiction(
                [
                    (
                        ("message",),
                        f"a submission that must get {self.verdict} must say the message it fails "
                        "with, or it could fail for another reason; add message",
                    )
                ]
            )
        return self


class Trigger(Strict):
    """When a follow-up is due: after a verdict, so many minutes into the round, or on a metric."""

    verdict: Literal["accepted", "rejected", "any"] | None = None
    """After a submit with such a verdict."""
    minutes: int | None = Field(default=None, ge=0, le=240)
    """So many minutes into the round."""
    metric: Text | None = None
    """On what the grader measures: a key of the report's metrics or a case's, or score."""
    below: float | None = None
    """The metric is due under this."""
    above: float | None = None
    """The metric is due over this."""

    @model_validator(mode="after")
    def is_one_of_three(self) -> Trigger:
        given = [self.verdict is not None, self.minutes is not None, self.metric is not None]
        if sum(given) != 1:
            raise contradiction(
                [((), "a trigger must have one of verdict, minutes and metric; keep one")]
            )
        bounds = sum(bound is not None for bound in (self.below, self.above))
        if bounds != (1 if self.metric is not None else 0):
            message = "a metric, and only a metric, must have one of below and above; correct it"
            raise contradiction([((), message)])
        return self


class FollowUpAnswer(Strict):
    """Answers to a follow-up that can be judged: a worksheet, most often without parameters."""

    parameters: list[Parameter] = Field(default_factory=list)
    """What is drawn for the round; without, formulas hold constants."""
    require: list[Text] = Field(default_factory=list)
    """Conditions that drawn values must meet."""
    terms: list[Term] = Field(default_factory=list)
    """The steps of the arithmetic that the verdict shows."""
    fields: list[AnyField] = Field(min_length=1, max_length=6)
    """What is asked."""
    misconceptions: list[Misconception] = Field(default_factory=list)
    """Mistakes that have a name, with the value that they give."""


class FollowUp(Strict):
    """A question an interviewer goes on with, and what a good answer holds."""

    question: Text
    """What an interviewer asks after the verdict."""
    points: list[Text] = Field(min_length=1)
    """What a good answer holds."""
    trigger: Trigger = Trigger(verdict="accepted")
    """When it is due in a mock interview."""
    answer: FollowUpAnswer | None = None
    """Fields that the answers grader judges; without, people judge the words."""


class RubricLevel(Strict):
    """One line of the rubric, with what each level looks like from weak to strong."""

    criterion: Text
    """What is looked at."""
    levels: list[Text] = Field(min_length=2)
    """What it looks like, from weak to strong."""


# Of a worksheet, of which nothing is run: only the size of what is sent counts.
_ANSWERS_LIMITS = {"cpu_time_s": 1.0, "wall_time_s": 5.0, "memory_mib": 16, "source_kib": 16}


class ProblemSpec(Strict):
    """The whole of problem.yaml."""

    format: Literal[1]
    """The version of this format."""
    id: UUID = Field(strict=False)
    """A UUID that the problem keeps for ever, also when its folder is renamed."""
    version: int = Field(ge=1)
    """Raise it with each change that you publish."""
    title: Text
    """The name in lists and at the top of the page."""
    summary: Text
    """One sentence for lists."""
    round: Annotated[Round, BeforeValidator(_whole_number)] = Field(strict=False)
    """As in the name of the folder that it lies in."""
    difficulty: Difficulty = Field(strict=False)
    """For someone who does this for a living."""
    minutes: int = Field(ge=5, le=240)
    """How long an interview would give."""
    tags: list[Slug]
    """Words, formed like slugs."""
    license: Text
    """Of the package's text and code, e.g. Apache-2.0."""
    source: list[Source]
    """Works that the idea or the numbers come from."""
    language: Language = Field(strict=False)
    """What a submission is written in: cpp for the grader concurrency, yaml for answers, designs
    and findings, else python."""
    grader: Grader
    """How a submission is judged."""
    limits: Limits
    """Limits on the submission's program. A worksheet runs none and may leave them out."""
    cases: list[Case] = Field(min_length=1)
    """The inputs, smallest first."""
    hints: list[Text] = Field(default_factory=list)
    """Opened one by one."""
    follow_ups: list[FollowUp] = Field(default_factory=list)
    """Questions for after the verdict."""
    rubric: list[RubricLevel] = Field(default_factory=list)
    """What an interviewer scores."""
    expected: dict[str, Expectation]
    """From a path under submissions/ to what it must get; every file there must be named."""

    @model_validator(mode="before")
    @classmethod
    def answers_need_no_limits(cls, given: Any) -> Any:
        grader = given.get("grader") if isinstance(given, dict) else None
        if isinstance(grader, dict) and grader.get("kind") == "answers":
            return {"limits": _ANSWERS_LIMITS, **given}
        return given

    @property
    def starter_name(self) -> str:
        """The file that the editor begins with."""
        return f"starter{self.language.suffix}"

    @property
    def solution_name(self) -> str:
        """What the page calls the candidate's own file."""
        if isinstance(self.grader, DesignGrader):
            return f"design{self.language.suffix}"
        return f"{'answers' if self.is_drawn_per_attempt else 'solution'}{self.language.suffix}"

    @property
    def is_drawn_per_attempt(self) -> bool:
        """Whether the candidate sees what is drawn from the seed, other values in each attempt."""
        return isinstance(self.grader, AnswersGrader | TriageGrader)

    @property
    def reference_name(self) -> str:
        """The file with our own solution."""
        return f"reference{self.language.suffix}"

    @field_validator("cases")
    @classmethod
    def cases_are_named_once_and_one_is_a_sample(
        cls, cases: list[Case], info: ValidationInfo
    ) -> list[Case]:
        grader = info.data.get("grader")  # absent where it is wrong in itself
        found: list[tuple[Location, str]] = []
        if isinstance(grader, AnswersGrader | DesignGrader | TriageGrader):
            found += grader.about_cases(cases)
        first: dict[str, int] = {}
        for index, case in enumerate(cases):
            if first.setdefault(case.name, index) != index:
                found.append(
                    (
                        (index, "name"),
                        f"case names must be unique, {case.name!r} names an earlier case too; "
                        "rename one",
                    )
                )
        if not any(case.sample for case in cases):
            found.append(
                (
                    (),
                    "at least one case must be a sample, or Run has nothing to run; "
                    "add sample: true to a small case",
                )
            )
        if found:
            raise contradiction(found)
        return cases

    @field_validator("expected")
    @classmethod
    def expected_cases_are_declared(
        cls, expected: dict[str, Expectation], info: ValidationInfo
    ) -> dict[str, Expectation]:
        cases = info.data.get("cases")  # absent where a case is wrong in itself
        names = None if cases is None else {case.name for case in cases}
        found: list[tuple[Location, str]] = [
            (
                (path, "case"),
                f"case must name one of the cases, got {expectation.case!r}; declare it or correct "
                "the name",
            )
            for path, expectation in expected.items()
            if names is not None and expectation.case is not None and expectation.case not in names
        ]
        if found:
            raise contradiction(found)
        return expected


class SingleFileSpec(ProblemSpec):
    """The whole of problem.yaml; in a problem of one file, what a folder holds beside it too."""

    files: dict[str, str]
    """Only in a problem of one file: from a path, as in a folder (statement.md, starter.py,
    submissions/...), to its text, a block after |."""

    @property
    def problem(self) -> ProblemSpec:
        """The same without the files."""
        return ProblemSpec.model_validate({name: getattr(self, name) for name in _PROBLEM_KEYS})


_PROBLEM_KEYS = tuple(ProblemSpec.model_fields)
