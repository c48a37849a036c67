"""What one call of a host function did, noted while it runs: buffers, steps, results.

Imported by the recorder only, inside its sandbox. Nothing here computes: a tensor is a storage that
nobody touches, and a step is a line in a list.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from graders.harness import candidate

DTYPES = {
    "torch.float16": "fp16",
    "torch.bfloat16": "bf16",
    "torch.float32": "fp32",
    "torch.float64": "fp64",
    "torch.float8_e4m3fn": "fp8e4nv",
    "torch.float8_e5m2": "fp8e5",
    "torch.bool": "i1",
    "torch.int8": "i8",
    "torch.uint8": "u8",
    "torch.int16": "i16",
    "torch.int32": "i32",
    "torch.int64": "i64",
}


class Refusal(BaseException):
    """Something that cannot be recorded. No `Exception`, so that a submission's own handlers let
    it through; `code` chooses the sentence, which the trusted side has."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(code)
        self.code = code
        self.details = details
        self.line = candidate_line()


def candidate_line() -> int | None:
    """The line of the submission that is being executed."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == candidate.FILE_NAME:
            return frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return None


@dataclass
class Recording:
    """One call. `steps` holds JSON objects as `graders.kernel.plan_reader` wants them, with the
    launches still in the recorder's own words (see `kernel_triton` and `kernel_cuda`)."""

    storages: dict[int, tuple[str, Any]] = field(default_factory=dict)  # the storages stay alive
    n_bytes: dict[str, int] = field(default_factory=dict)  # of the allocated buffers
    inputs: int = 0
    steps: list[Any] = field(default_factory=list)
    refusal: Refusal | None = None

    def refuse(self, code: str, **details: Any) -> Refusal:
        """A refusal to raise. The first is kept, whatever the submission does with it."""
        refusal = Refusal(code, **details)
        self.refusal = self.refusal or refusal
        return refusal

    def add_input(self, storage: Any) -> None:
        """Name the next given tensor's storage."""
        self.storages[storage._cdata] = (f"IN{self.inputs}", storage)
        self.inputs += 1

    def add_buffer(self, storage: Any) -> None:
        """Name a storage that the submission allocated."""
        if storage._cdata not in self.storages:
            name = self.new_buffer(storage.nbytes())
            self.storages[storage._cdata] = (name, storage)

    def new_buffer(self, n_bytes: int) -> str:
        """A buffer without a tensor, for what the calling convention asks."""
        name = f"BUF{len(self.n_bytes)}"
        self.n_bytes[name] = n_bytes
        return name

    def find(self, tensor: Any) -> tuple[str, int] | None:
        """The buffer of a tensor and its offset in bytes; None for a tensor of the host."""
        known = self.storages.get(tensor.untyped_storage()._cdata)
        if known is None:
            return None
        return known[0], tensor.storage_offset() * tensor.element_size()

    @contextmanager
    def apart(self) -> Iterator[list[Any]]:
        """Steps of the block go into a list of their own: one choice among alternatives."""
        before, self.steps = self.steps, []
        try:
            yield self.steps
        finally:
            self.steps = before


class _Current:
    """The recording of the call that is under way."""

    recording: Recording | None = None


def current() -> Recording:
    """The recording under way.

    Raises
    ------
    Refusal
        If none is: the submission launches something while it is imported.
    """
    if _Current.recording is None:
        raise Refusal("outside")
    return _Current.recording


@contextmanager
def recording() -> Iterator[Recording]:
    """Note what the block does."""
    _Current.recording = made = Recording()
    try:
        yield made
    finally:
        _Current.recording = None
