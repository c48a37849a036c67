"""Correctness without a GPU: the recorded launches, interpreted on small inputs, compared here.

What runs beside the numbers is a program of ours and the bodies of the kernels, which it lets pass
only where they keep to Triton's language. The results come back as bytes and are compared in this
process, which has the reference and has no candidate's code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, TypeAlias

import numpy as np

from graders.harness import wire
from graders.kernel import emulation
from graders.kernel.comparison import Comparison, compare
from graders.kernel.elements import DType, Float64, widen
from graders.kernel.inputs import draw
from graders.kernel.operations.base import Call, Operation, Tensor
from graders.kernel.record import Record
from graders.ports import (
    Environment,
    JudgeError,
    Launcher,
    Outcome,
    Program,
    ProgramLimits,
    ProgramSpec,
)
from graders.text import clean

LIMITS = ProgramLimits(
    cpu_time_s=300.0, wall_time_s=600.0, memory_mib=2048, output_kib=64, processes=8
)
CALL_TIME_LIMIT_S = 60.0
START_TIME_LIMIT_S = 60.0
HARNESS = ("kernel_interpret.py", "kernel_language.py", "kernel_memory.py", "wire.py")
DTYPES = {DType.FLOAT16, DType.FLOAT32, DType.INT32}  # Triton's interpreter gets bf16 wrong


@dataclass(frozen=True, slots=True)
class Compared:
    """The call ran; one comparison for each output."""

    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class MemoryFault:
    """A kernel made an access that it must not make; see `graders.harness.kernel_memory.Fault`."""

    kind: str
    access: str
    buffer: str
    offset_bytes: int
    buffer_bytes: int
    index: tuple[int, ...]
    program: tuple[int, ...]
    other: tuple[int, ...] | None
    line: int | None


@dataclass(frozen=True, slots=True)
class Broke:
    """The interpreter did not get to the end.

    `kind` is ``raised``, ``forbidden``, ``too_many_programs`` or ``late``; of CUDA C++ ``mixed`` or
    one of `emulation.Stopped`'s.
    """

    kind: str
    message: str
    line: int | None
    program: tuple[int, ...] | None = None
    in_cuda: bool = False


Run: TypeAlias = Compared | MemoryFault | emulation.ThreadFault | Broke


def can_interpret(call: Call) -> bool:
    """Whether the interpreter knows the types of all tensors."""
    types = {one.dtype for one in call.tensors} | {one.dtype for one in call.outputs}
    return types <= DTYPES


class Interpreter:
    """The program that interprets; started when first asked, and again after it was killed."""

    def __init__(self, launcher: Launcher) -> None:
        folder = resources.files("graders.harness")
        self._launcher = launcher
        self._spec = ProgramSpec(
            argv=("python", "-m", "graders.harness.kernel_interpret"),
            files={f"graders/harness/{one}": folder.joinpath(one).read_bytes() for one in HARNESS},
            limits=LIMITS,
            environment=Environment.TORCH,
        )
        self._emulator = emulation.Emulator(launcher)
        self._program: Program | None = None
        self._calls = 0

    def run(self, record: Record, operation: Operation, given: Mapping[str, Any], seed: int) -> Run:
        """Interpret one recorded call on inputs of `seed` and compare its results.

        Raises
        ------
        JudgeError
            If the interpreting program does not answer as it must.
        """
        call = operation.call(given)
        words = [
            draw(one.fill, one.dtype, one.storage_elements, seed, stream).tobytes()
            for stream, one in enumerate(call.tensors)
        ]
        launches = [one["launch"] for one in record.message["steps"] if "launch" in one]
        in_cuda = [launch for launch in launches if "cuda" in launch]
        if in_cuda and len(in_cuda) < len(record.message["steps"]) - _plain(record):
            return Broke("mixed", "", int(in_cuda[0]["line"] or 0), in_cuda=True)
        if in_cuda:
            return self._emulated(record, operation, given, call, seed, words)
        said, parts = self._ask(record, words)
        kind = said.get("type")
        if kind == "ran":
            return Compared(_compare(operation, given, call, seed, parts))
        if kind == "fault":
            return _memory_fault(said)
        return _broke(str(kind), said)

    def _emulated(
        self,
        record: Record,
        operation: Operation,
        given: Mapping[str, Any],
        call: Call,
        seed: int,
        words: list[bytes],
    ) -> Run:
        ran = self._emulator.run(record, words)
        if isinstance(ran, emulation.ThreadFault):
            return ran
        if isinstance(ran, emulation.Stopped):
            return Broke(ran.kind, ran.message, ran.line, in_cuda=True)
        parts = [part.tobytes() for pair in ran.parts for part in pair]
        return Compared(_compare(operation, given, call, seed, parts))

    def close(self) -> None:
        """End it."""
        if self._program is not None:
            self._program.close()
            self._program = None

    def _ask(self, record: Record, words: list[bytes]) -> tuple[dict[str, Any], list[bytes]]:
        if self._program is None:
            self._program = self._launcher.start(self._spec)
            frame = self._program.receive(START_TIME_LIMIT_S)
            if isinstance(frame, Outcome):
                printed = self._program.take_output().text[-2000:]
                raise JudgeError(f"the interpreter must start, and it ended: {frame}\n{printed}")
        self._calls += 1
        message = {key: record.message[key] for key in ("buffers", "steps", "functions", "results")}
        self._program.send(wire.pack({**message, "call": self._calls}, *words))
        frame = self._program.receive(CALL_TIME_LIMIT_S)
        if isinstance(frame, Outcome):
            self._program = None
            return {"type": "late", "message": frame.reason.value}, []
        try:
            said, parts = wire.unpack(frame)
        except wire.WireError as error:
            raise JudgeError(f"the interpreter must answer in messages: {error}") from error
        if said.get("call") != self._calls:
            raise JudgeError(f"the interpreter answered call {said.get('call')!r:.50}")
        return said, parts


def _compare(
    operation: Operation,
    given: Mapping[str, Any],
    call: Call,
    seed: int,
    parts: list[bytes],
) -> tuple[Comparison, ...]:
    tensors = {one.name: _exact(one, seed, stream) for stream, one in enumerate(call.tensors)}
    if len(parts) != 2 * len(call.outputs):
        raise JudgeError(f"the interpreter must give two parts a result, got {len(parts)}")
    found = []
    with np.errstate(all="ignore"):
        exact = operation.expected(np, given, tensors)
        for i, (output, expected) in enumerate(zip(call.outputs, exact, strict=True)):
            raw = np.frombuffer(parts[2 * i], output.dtype.word).reshape(output.shape)
            written = np.frombuffer(parts[2 * i + 1], bool).reshape(output.shape)
            found.append(compare(np, expected, output.dtype, widen(raw, output.dtype), ~written))
    return tuple(found)


def _plain(record: Record) -> int:
    """Steps of a record that are no launches."""
    return sum("fill" in step or "copy" in step for step in record.message["steps"])


def _exact(tensor: Tensor, seed: int, stream: int) -> Float64:
    """An input in float64, with the shape and layout that the submission saw."""
    words = draw(tensor.fill, tensor.dtype, tensor.storage_elements, seed, stream)
    numbers = widen(words, tensor.dtype)
    return np.lib.stride_tricks.as_strided(
        numbers[tensor.offset :],
        tensor.shape,
        [step * numbers.itemsize for step in tensor.strides],
        writeable=False,
    )


def _memory_fault(said: Mapping[str, Any]) -> MemoryFault:
    other = said["other"]
    return MemoryFault(
        kind=clean(str(said["kind"])),
        access=clean(str(said["access"])),
        buffer=clean(str(said["buffer"])),
        offset_bytes=int(said["offset_bytes"]),
        buffer_bytes=int(said["buffer_bytes"]),
        index=tuple(int(one) for one in said["index"]),
        program=tuple(int(one) for one in said["program"]),
        other=None if other is None else tuple(int(one) for one in other),
        line=said["line"],
    )


def _broke(kind: str, said: Mapping[str, Any]) -> Broke:
    message = said.get("message", said.get("what", said.get("limit", "")))
    program = said.get("program")
    return Broke(
        kind, clean(str(message)), said.get("line"), tuple(program) if program is not None else None
    )
