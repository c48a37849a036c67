"""Judges C++ structures shared by threads: a model checker over the C++ memory model, then threads.

See ``README.md`` in this folder.
"""

from graders.concurrency.judging import QUEUE, judge

__all__ = ["QUEUE", "judge"]
