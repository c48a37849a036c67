"""From a request's JSON to what the device needs."""

from __future__ import annotations

from collections.abc import Sequence

from graders.kernel.device.replay import Input
from graders.kernel.operations.base import Tensor
from graders.kernel.plan import Plan
from graders.kernel.plan_reader import read_plan


def inputs_of(tensors: Sequence[Tensor]) -> list[Input]:
    """What must be on the device."""
    return [Input(one.dtype, one.storage_elements, one.fill) for one in tensors]


def plan_from(message: object, blobs: Sequence[bytes], inputs: Sequence[Input]) -> Plan:
    """Read a recorded plan; it is not believed here either, though the grader has read it before.

    Raises
    ------
    PlanError
        If it breaks a rule.
    """
    return read_plan(message, blobs, {f"IN{i}": one.n_bytes for i, one in enumerate(inputs)})
