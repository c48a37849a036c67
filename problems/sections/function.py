"""The grader section of a Python function that is judged case by case."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from problems.strict import Strict, Text


class FunctionGrader(Strict):
    """A Python function judged case by case by the package's own checker."""

    kind: Literal["function"]
    entry_point: Text  # name of the function that the submission defines
    signature: Text  # shown to the candidate, e.g. "size(model, cluster, plan) -> dict"
    checker: Text = "checker.py"  # runs in a sandbox of its own
    answer_time_limit_s: float = Field(default=2.0, gt=0, le=60)
