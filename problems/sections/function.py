"""The grader section of a Python function that is judged case by case."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from problems.strict import Strict, Text


class FunctionGrader(Strict):
    """A Python function judged case by case by the package's own checker."""

    kind: Literal["function"]
    """A Python function, case by case."""
    entry_point: Text
    """The function that a submission defines; starter and reference define it too."""
    signature: Text
    """How it is called, shown to the candidate."""
    checker: Text = "checker.py"
    """The checker's file; its protocol is in graders/function/README.md."""
    answer_time_limit_s: float = Field(default=2.0, gt=0, le=60)
    """Seconds for one answer."""
