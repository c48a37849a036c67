"""The `kernel` grader: recorded in a sandbox without a GPU, replayed by us on one.

A submission's host function runs once for each case, in a sandbox that has no GPU, and what it
would have launched is noted (`record`, with `graders/harness/kernel_*.py` inside the sandbox). The
record becomes a `plan` that nobody has to believe (`plan_reader`). With a GPU the trusted
`executor` replays the plan and holds the clock; without one the kernels are `interpreted` on small
inputs. Either way a process that has the reference, and no candidate's code, compares the bytes.
"""

from __future__ import annotations

from graders.kernel.judging import QUEUE, judge

__all__ = ["QUEUE", "judge"]
