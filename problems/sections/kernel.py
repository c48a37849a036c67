"""The grader section of a kernel: Triton or CUDA C++ behind an ordinary host function."""

from __future__ import annotations

from typing import Literal

from problems.strict import Strict, Text


class KernelGrader(Strict):
    """A host function that launches kernels; recorded without a GPU, replayed on one."""

    kind: Literal["kernel"]
    """A host function that launches kernels."""
    operation: Literal["matmul", "softmax", "add-rmsnorm", "attention"]
    """What it computes. The class of that name in graders/kernel/operations says its arguments,
    its cases' inputs and how wrong a right answer may be."""
    entry_point: Text
    """The host function that a submission defines; starter and reference define it too."""
    signature: Text
    """How it is called, shown to the candidate."""
    target: Literal["sm_80", "sm_90", "sm_100"] = "sm_90"
    """What is compiled for where no GPU says otherwise."""
