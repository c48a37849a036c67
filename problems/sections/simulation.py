"""The grader section of a protocol or policy that a simulator drives."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from problems.strict import Strict, Text


class SimulationGrader(Strict):
    """A protocol or policy driven step by step by a simulator on the trusted side."""

    kind: Literal["simulation"]
    """A protocol or policy, driven step by step by a simulator."""
    simulator: Literal[
        "checkpointing",
        "continuous-batching",
        "gang-scheduling",
        "kv-cache",
        "pipeline-schedule",
        "ring-collective",
    ]
    """Which one; what a case's input holds is in graders/simulation."""
    entry_point: Text
    """The function or class that a submission defines; starter and reference define it too."""
    signature: Text
    """How it is called, shown to the candidate."""
    step_time_limit_s: float = Field(default=2.0, gt=0, le=60)
    """Seconds for one step of one program."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """The simulator's own constants, units in their names."""
