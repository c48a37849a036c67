"""One recorded call of CUDA C++ kernels, run on the processor in a sandbox."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graders.kernel.emulation import program
from graders.kernel.plan import (
    DTYPE_BYTES,
    Copy,
    Fill,
    Launch,
    NullPointer,
    Plan,
    Pointer,
    Result,
    Scalar,
)
from graders.kernel.record import Record
from graders.ports import Environment, JudgeError, Launcher, ProgramLimits, ProgramSpec, StopReason
from graders.text import clean

LIMITS = ProgramLimits(
    cpu_time_s=30.0, wall_time_s=120.0, memory_mib=1024, output_kib=64, processes=1
)
MAX_BYTES = 4 << 20  # of all buffers: each byte has 72 beside it that say who touched it
_END, _LAUNCH, _FILL, _COPY = range(4)
_POINTER, _WHOLE, _REAL = range(3)
_STATIC_SHARED, _DYNAMIC_SHARED = -1, -2
_FAULTS = {
    "outside",
    "misaligned",
    "writes_input",
    "read_after_write",
    "write_after_write",
    "write_after_read",
    "barrier",
}

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Ran:
    """The bytes of each result, row-major, and for each element whether it was written."""

    parts: tuple[tuple[Bytes, Bytes], ...]


@dataclass(frozen=True, slots=True)
class ThreadFault:
    """What a thread of a kernel must not do, and did.

    Attributes
    ----------
    kind : str
        ``outside``, ``misaligned``, ``writes_input``, ``read_after_write``,
        ``write_after_write``, ``write_after_read`` or ``barrier``.
    buffer : str
        The plan's name of the memory; ``shared`` for a block's; empty if it is in none.
    thread, block, other_thread, other_block : tuple of int
        x, y, z. The other is the one that a race is with.
    text : str
        The source line, as it stands in the kernel.
    """

    kind: str
    access: str
    buffer: str
    offset_bytes: int
    buffer_bytes: int
    n_bytes: int
    thread: tuple[int, ...]
    block: tuple[int, ...]
    other_thread: tuple[int, ...] | None
    other_block: tuple[int, ...] | None
    line: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """It did not come to its end. `kind`: ``late``, ``crashed``, ``too_large``, ``assembly`` or
    ``compile``."""

    kind: str
    message: str = ""
    line: int | None = None


Run: TypeAlias = Ran | ThreadFault | Stopped


class Emulator:
    """Runs calls; keeps what it compiled, since many cases launch the same kernels."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._programs: dict[tuple[Any, ...], bytes | program.NotCompiled] = {}

    def run(self, record: Record, inputs: Sequence[bytes]) -> Run:
        """Run one recorded call, all of whose launches are CUDA C++.

        Parameters
        ----------
        inputs : sequence of bytes
            The storage of each argument, in the plan's order.

        Raises
        ------
        PlanError
            If the record breaks a rule.
        JudgeError
            If what we made of it breaks.
        """
        sources = [str(one["launch"]["cuda"]) for one in record.message["steps"] if "launch" in one]
        return self.run_plan(record.plan(), sources, inputs)

    def run_plan(self, plan: Plan, sources: Sequence[str], inputs: Sequence[bytes]) -> Run:
        """The same for a plan that is read already; `sources` has one for each launch."""
        units = list(dict.fromkeys(sources))
        for unit in units:
            line = program.assembly_line(unit)
            if line is not None:
                return Stopped("assembly", line=line)
        if sum(buffer.n_bytes for buffer in plan.buffers) > MAX_BYTES:
            return Stopped("too_large", str(MAX_BYTES >> 20))
        launches = [step for step in plan.steps if isinstance(step, Launch)]
        kernels = [
            (units.index(source), plan.kernels[launch.kernel].name)
            for source, launch in zip(sources, launches, strict=True)
        ]
        key = (tuple(units), tuple(kernels))
        if key not in self._programs:
            self._programs[key] = program.build(self._launcher, units, kernels)
        made = self._programs[key]
        if isinstance(made, program.NotCompiled):
            return Stopped("compile", clean(made.output)[:2000])
        return self._run(plan, made, units, inputs)

    def _run(self, plan: Plan, made: bytes, units: Sequence[str], inputs: Sequence[bytes]) -> Run:
        spec = ProgramSpec(
            argv=("/scratch/home/program",),
            files={"program": made, "call.bin": b"".join(_call(plan, inputs))},
            limits=LIMITS,
            environment=Environment.RUN_CPP,
        )
        done = self._launcher.run(spec, ("result.bin", "fault.json"))
        outcome = done.outcome
        if outcome.reason in (StopReason.CPU_TIME, StopReason.WALL_TIME):
            return Stopped("late", str(round(LIMITS.cpu_time_s)))
        # The kernel shares a process with the code that writes these files, so it may have spoilt
        # them: whatever is none of ours is its crash.
        fault = _read_fault(done.collected.get("fault.json", b""))
        if fault is not None:
            return self._fault(plan, made, units, fault)
        parts = _read_result(plan, inputs, done.collected.get("result.bin", b""))
        if parts is None or outcome.exit_code != 0:
            return Stopped("crashed", str(outcome.signal or outcome.exit_code))
        return Ran(tuple(_gather(result, parts) for result in plan.results))

    def _fault(
        self, plan: Plan, made: bytes, units: Sequence[str], said: Mapping[str, Any]
    ) -> ThreadFault:
        number = int(said.get("buffer", -3))
        name, size = "", int(said.get("buffer_bytes", 0))
        if 0 <= number < len(plan.buffers):
            name, size = plan.buffers[number].name, plan.buffers[number].n_bytes
        elif number in (_STATIC_SHARED, _DYNAMIC_SHARED):
            name = "shared"
        address = int(said.get("pc", 0))
        line = program.source_line(self._launcher, made, address) if address else None
        text = ""
        for unit in units if line else ():
            lines = unit.splitlines()
            text = text or (lines[line - 1].strip() if line and line <= len(lines) else "")
        return ThreadFault(
            kind=said["kind"],
            access="store" if said.get("access") == "store" else "load",
            buffer=name,
            offset_bytes=int(said.get("offset_bytes", 0)),
            buffer_bytes=size,
            n_bytes=int(said.get("bytes", 0)),
            thread=_triple(said["thread"]),
            block=_triple(said["block"]),
            other_thread=_triple(said["other_thread"]) if "other_thread" in said else None,
            other_block=_triple(said["other_block"]) if "other_block" in said else None,
            line=line,
            text=clean(text),
        )


def _call(plan: Plan, inputs: Sequence[bytes]) -> Iterator[bytes]:
    """The words of call.bin, as ``runtime/main.cpp`` reads them."""
    numbers = {buffer.name: i for i, buffer in enumerate(plan.buffers)}

    def at(pointer: Pointer) -> tuple[int, int]:
        return numbers[pointer.buffer], pointer.offset_bytes

    yield _words(len(plan.buffers))
    for buffer in plan.buffers:
        yield _words(buffer.n_bytes, int(buffer.is_input))
    given = iter(inputs)
    for buffer in plan.buffers:
        if buffer.is_input:
            data = next(given)
            if len(data) != buffer.n_bytes:
                raise JudgeError(f"{buffer.name} has {buffer.n_bytes} bytes, got {len(data)}")
            yield data
    n_launches = 0
    for step in plan.steps:
        if isinstance(step, Launch):
            kernel = plan.kernels[step.kernel]
            yield _words(_LAUNCH, n_launches, *step.grid, *kernel.threads)
            yield _words(kernel.dynamic_shared_bytes, len(step.arguments))
            for argument in step.arguments:
                yield _argument(argument, numbers)
            n_launches += 1
        elif isinstance(step, Fill):
            yield _words(_FILL, *at(step.to), step.n_bytes, len(step.pattern)) + step.pattern
        elif isinstance(step, Copy):
            yield _words(_COPY, *at(step.to), *at(step.source), step.n_bytes)
        else:
            raise JudgeError(f"CUDA C++ has no {type(step).__name__}")
    yield _words(_END)


def _argument(argument: object, numbers: Mapping[str, int]) -> bytes:
    if isinstance(argument, Pointer):
        return _words(_POINTER, numbers[argument.buffer], argument.offset_bytes)
    if isinstance(argument, Scalar) and isinstance(argument.value, float):
        return _words(_REAL) + struct.pack("<d", argument.value)
    if isinstance(argument, Scalar):
        return _words(_WHOLE, int(argument.value) & (1 << 64) - 1)
    if isinstance(argument, NullPointer):
        return _words(_WHOLE, 0)
    raise JudgeError(f"CUDA C++ takes no {type(argument).__name__}")


def _words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}Q", *values)


def _read_result(
    plan: Plan, inputs: Sequence[bytes], data: bytes
) -> dict[str, tuple[Bytes, Bytes]] | None:
    """Each buffer's bytes, and for each byte whether it was written; None if they are not there."""
    own = [buffer for buffer in plan.buffers if not buffer.is_input]
    if len(data) != sum(2 * buffer.n_bytes for buffer in own):
        return None
    flat = np.frombuffer(data, np.uint8)
    parts = {
        buffer.name: (np.frombuffer(given, np.uint8), np.ones(len(given), np.uint8))
        for buffer, given in zip(
            (buffer for buffer in plan.buffers if buffer.is_input), inputs, strict=True
        )
    }
    start = 0
    for buffer in own:
        middle, end = start + buffer.n_bytes, start + 2 * buffer.n_bytes
        parts[buffer.name] = flat[start:middle], flat[middle:end]
        start = end
    return parts


def _gather(result: Result, parts: Mapping[str, tuple[Bytes, Bytes]]) -> tuple[Bytes, Bytes]:
    size = DTYPE_BYTES[result.dtype]
    places = np.full((), result.at.offset_bytes, np.int64)
    for n, step in zip(result.shape, result.strides, strict=True):
        places = places[..., None] + np.arange(n, dtype=np.int64) * step * size
    data, written = parts[result.at.buffer]
    each = places.reshape(-1)[:, None] + np.arange(size)
    return data[each].reshape(-1), written[each].all(axis=1)


def _read_fault(raw: bytes) -> dict[str, Any] | None:
    """What the runtime wrote of a fault; None if there is none, or none that it could write."""
    try:
        said = json.loads(raw)
        if said["kind"] not in _FAULTS:
            return None
        for key in ("thread", "block"):
            _triple(said[key])
        for key in ("other_thread", "other_block"):
            _triple(said.get(key, [0, 0, 0]))
        for key in ("buffer", "buffer_bytes", "offset_bytes", "bytes", "pc"):
            int(said.get(key, 0))
        return dict(said)
    except (ValueError, KeyError, TypeError):
        return None


def _triple(value: object) -> tuple[int, int, int]:
    if not isinstance(value, list) or len(value) != 3 or any(type(one) is not int for one in value):
        raise ValueError(f"must be three whole numbers, got {value!r:.50}")
    return value[0], value[1], value[2]
