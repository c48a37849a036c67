"""What the grader and the programs on the GPU say to each other: frames of `graders.harness.wire`.

A program is started with its standard input and output as the pipe. Each request holds ``do``; the
answer holds what was asked for, or ``fault`` with the driver's name for it. While a program waits
for the GPU it sends ``{"waiting": true}``.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any

from graders.harness import wire
from graders.kernel.device.replay import Input
from graders.kernel.elements import DType
from graders.kernel.inputs import Fill, Law
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


def tensors_to_json(tensors: Sequence[Tensor]) -> list[dict[str, Any]]:
    """Input tensors as JSON; `tensors_from_json` reads them."""
    return [
        {
            "name": one.name,
            "shape": list(one.shape),
            "strides": list(one.strides),
            "dtype": one.dtype.value,
            "storage_elements": one.storage_elements,
            "offset": one.offset,
            "fill": {
                "law": one.fill.law.value,
                "scale_log2": one.fill.scale_log2,
                "low": one.fill.low,
                "high": one.fill.high,
                "special": str(one.fill.special),  # JSON knows no infinity
                "special_one_in": one.fill.special_one_in,
                "special_row_one_in": one.fill.special_row_one_in,
                "row_elements": one.fill.row_elements,
            },
        }
        for one in tensors
    ]


def tensors_from_json(given: Sequence[Mapping[str, Any]]) -> tuple[Tensor, ...]:
    """The tensors that `tensors_to_json` was given."""
    return tuple(
        Tensor(
            name=one["name"],
            shape=tuple(one["shape"]),
            strides=tuple(one["strides"]),
            dtype=DType(one["dtype"]),
            storage_elements=one["storage_elements"],
            offset=one["offset"],
            fill=Fill(
                **{
                    **one["fill"],
                    "law": Law(one["fill"]["law"]),
                    "special": float(one["fill"]["special"]),
                }
            ),
        )
        for one in given
    )


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
