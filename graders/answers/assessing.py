"""Judges the answers to one question in talk, where no submission is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graders.answers.judging import sentence
from graders.answers.marking import mark
from graders.answers.reading import read
from graders.answers.worksheet.checking import template_of
from graders.answers.worksheet.variant import draw
from graders.text import Text


@dataclass(frozen=True, slots=True)
class Assessed:
    """One answer beside the right one; `message` says what is wrong, None if nothing is."""

    label: str
    given: str
    right: str
    ok: bool
    message: Text | None


def assess(section: Mapping[str, object], source: str, seed: int) -> tuple[Assessed, ...]:
    """Each answer of a worksheet, in the order of its fields.

    Raises
    ------
    Unreadable
        If `source` holds no answers.
    NoVariant
        If the worksheet is wrong, which `question_faults` would have told.
    """
    marks = mark(draw(template_of(section), seed), read(source))
    return tuple(
        Assessed(one.label, one.given, one.right, one.ok, None if one.ok else sentence(one))
        for one in marks
    )
