"""The shape of a question's and of an interview template's YAML."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from problems.schema import RubricLevel
from problems.strict import Slug, Strict, Text, contradiction

MAX_MINUTES = 240
MAX_STAGES = 12


class QuestionSpec(Strict):
    """A question that people judge: no grader, no score."""

    format: Literal[1]
    title: Text
    summary: Text  # one sentence, for whoever chooses
    minutes: int = Field(ge=3, le=MAX_MINUTES)
    prompt: Text  # Markdown
    points: list[Text] = Field(min_length=1)  # what a good answer holds; the interviewer's
    rubric: list[RubricLevel] = Field(min_length=1)


class Stage(Strict):
    """One round of a template: a problem of one of the seven rounds, or a question."""

    round: int | None = Field(default=None, ge=1, le=7)
    tags: list[Slug] = Field(default_factory=list)  # draw among problems with one of these
    problem: Slug | None = None  # this one, instead of drawing
    question: Slug | None = None
    minutes: int | None = Field(default=None, ge=1, le=MAX_MINUTES)  # default: as the problem says

    @model_validator(mode="after")
    def is_a_round_or_a_question(self) -> Stage:
        chosen = [self.round is not None, self.problem is not None, self.question is not None]
        if sum(chosen) != 1:
            raise contradiction(
                [((), "a stage must have one of round, problem and question; keep one")]
            )
        if self.tags and self.round is None:
            raise contradiction(
                [(("tags",), "tags choose among the problems of a round; name the round")]
            )
        return self


class TemplateSpec(Strict):
    """A saved set-up."""

    format: Literal[1]
    title: Text
    summary: Text
    hints: bool = True
    pause: bool = False
    break_minutes: int | None = Field(default=None, ge=0, le=MAX_MINUTES)
    stages: list[Stage] = Field(min_length=1, max_length=MAX_STAGES)
