"""What the grader and the programs on the GPU say to each other: frames of `graders.harness.wire`.

A program is started with its standard input and output as the pipe. Each request holds ``do``; the
answer holds what was asked for, or ``fault`` with the driver's name for it. While a program waits
for the GPU it sends ``{"waiting": true}``.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Sequence

from graders.harness import wire
from graders.kernel.device.replay import Input
from graders.kernel.operations.base import Tensor
from graders.kernel.plan import Plan
from graders.kernel.plan_reader import read_plan

_PR_SET_PDEATHSIG = 1


def adopt_standard_streams() -> None:
    """Speak over standard input and output; what libraries print goes to standard error."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # Out of the way first: a pipe's end may already be number 3 or 4.
    spare = [os.dup(0), os.dup(1)]
    high = [os.dup2(one, 100 + i) for i, one in enumerate(spare)]
    os.dup2(high[0], wire.REQUEST_FD)
    os.dup2(high[1], wire.ANSWER_FD)
    os.dup2(2, 1)
    for one in {*spare, *high} - {wire.REQUEST_FD, wire.ANSWER_FD}:
        os.close(one)


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
