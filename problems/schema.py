"""The shape of problem.yaml as pydantic models: unknown keys are errors, names carry units."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from problems.sections.answers import AnswersGrader
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
    url: Text | None = None


class Limits(Strict):
    """Limits on the submission's program over all its cases."""

    cpu_time_s: float = Field(gt=0, le=600)
    wall_time_s: float = Field(gt=0, le=600)
    memory_mib: int = Field(ge=16, le=65536)
    output_kib: int = Field(default=64, ge=1, le=4096)
    processes: int = Field(default=1, ge=1, le=256)
    source_kib: int = Field(default=64, ge=1, le=512)


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


class FollowUp(Strict):
    """A question an interviewer asks after the verdict, and what a good answer holds."""

    question: Text
    points: list[Text] = Field(min_length=1)


class RubricLevel(Strict):
    """One line of the rubric, with what each level looks like from weak to strong."""

    criterion: Text
    levels: list[Text] = Field(min_length=2)


# Of a worksheet, of which nothing is run: only the size of what is sent counts.
_ANSWERS_LIMITS = {"cpu_time_s": 1.0, "wall_time_s": 5.0, "memory_mib": 16, "source_kib": 16}


class ProblemSpec(Strict):
    """The whole of problem.yaml."""

    format: Literal[1]
    id: UUID = Field(strict=False)
    version: int = Field(ge=1)
    title: Text
    summary: Text  # one sentence, shown in lists
    round: Annotated[Round, BeforeValidator(_whole_number)] = Field(strict=False)
    difficulty: Difficulty = Field(strict=False)
    minutes: int = Field(ge=5, le=240)
    tags: list[Slug]
    license: Text
    source: list[Source]
    language: Language = Field(strict=False)
    grader: Grader
    limits: Limits
    cases: list[Case] = Field(min_length=1)
    hints: list[Text] = Field(default_factory=list)
    follow_ups: list[FollowUp] = Field(default_factory=list)
    rubric: list[RubricLevel] = Field(default_factory=list)
    expected: dict[str, Expectation]  # path under submissions/ -> what it must get

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
