"""The `answers` grader: quantities, choices, sets and tables for drawn parameters.

A submission is data: YAML that maps each field to an answer. Nothing of it is ever run, so no
sandbox is needed; its size is bounded before it is read. The seed draws the parameters, the same
that the candidate saw. See `graders.answers.worksheet` for the language of the formulas.
"""

from graders.answers.assessing import Assessed, assess
from graders.answers.authors import fill
from graders.answers.judging import QUEUE, judge, unreadable
from graders.answers.reading import Answer, Answers, Unreadable, read, written
from graders.answers.settings import faults, question_faults

__all__ = [
    "QUEUE",
    "Answer",
    "Answers",
    "Assessed",
    "Unreadable",
    "assess",
    "faults",
    "fill",
    "judge",
    "question_faults",
    "read",
    "unreadable",
    "written",
]
