"""Judges a Python function case by case, against the package's own checker.

Two programs run, each in a sandbox of its own: the submission, which sees only inputs, and the
checker, which sees inputs and answers. See ``README.md`` in this folder.
"""

from graders.function.judging import QUEUE, judge

__all__ = ["QUEUE", "judge"]
