"""The grader section of a protocol or policy that a simulator drives."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from problems.strict import Strict, Text


class SimulationGrader(Strict):
    """A protocol or policy driven step by step by a simulator on the trusted side."""

    kind: Literal["simulation"]
    simulator: Literal[
        "checkpointing", "continuous-batching", "kv-cache", "pipeline-schedule", "ring-collective"
    ]
    entry_point: Text
    signature: Text
    step_time_limit_s: float = Field(default=2.0, gt=0, le=60)
    parameters: dict[str, Any] = Field(default_factory=dict)  # of the simulator
