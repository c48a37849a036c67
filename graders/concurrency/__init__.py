"""Judges C++ structures shared by threads: a model checker over the C++ memory model, then threads.

See ``README.md`` in this folder.
"""

from graders.concurrency.judging import QUEUE, judge
from graders.concurrency.scenarios import faults

__all__ = ["QUEUE", "faults", "judge"]
