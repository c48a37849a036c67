"""The grader section of a kernel: Triton or CUDA C++ behind an ordinary host function."""

from __future__ import annotations

from typing import Literal

from problems.strict import Strict, Text


class KernelGrader(Strict):
    """A host function that launches kernels; recorded without a GPU, replayed on one."""

    kind: Literal["kernel"]
    operation: Literal["matmul", "softmax", "add-rmsnorm", "attention"]
    entry_point: Text
    signature: Text
    target: Literal["sm_80", "sm_90", "sm_100"] = "sm_90"  # what is compiled for
