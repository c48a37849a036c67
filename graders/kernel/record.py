"""The recorder seen from the trusted side: a program in a sandbox, asked for call after call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, TypeAlias

from graders.harness import wire
from graders.kernel.operations.base import Call, Tensor
from graders.kernel.plan import TARGETS, Plan, Target
from graders.kernel.plan_reader import PlanError, read_plan
from graders.kernel.refusals import refusal
from graders.ports import (
    Environment,
    Launcher,
    Outcome,
    Output,
    Program,
    ProgramLimits,
    ProgramSpec,
    StopReason,
    Usage,
)
from graders.text import Text, clean, from_sandbox

START_TIME_LIMIT_S = 60.0  # importing torch on a busy machine is not the submission's time
HARNESS = (
    "text.py",
    "harness/candidate.py",
    "harness/kernel_cuda.py",
    "harness/kernel_host.py",
    "harness/kernel_record.py",
    "harness/kernel_recording.py",
    "harness/kernel_triton.py",
    "harness/wire.py",
)


@dataclass(frozen=True, slots=True)
class Record:
    """One recorded call, as it came: `message` is JSON of the sandbox, `blobs` are cubins."""

    message: Mapping[str, Any]
    blobs: tuple[bytes, ...]
    input_bytes: Mapping[str, int] = field(default_factory=dict)
    target: str = "sm_90"

    def plan_message(self) -> dict[str, Any]:
        """The JSON object that `read_plan` takes, made of the message; it may still break rules.

        Raises
        ------
        PlanError
            If the message has not even the keys that the recorder writes.
        """
        try:
            message = json.loads(json.dumps(self.message))
            numbers = {digest: i for i, digest in enumerate(message["cubins"])}
            return {
                "format": 1,
                "target": self.target,
                "buffers": message["buffers"],
                "cubins": [numbers[one["cubin"]] for one in message["kernels"]],
                "kernels": [one["plan"] for one in message["kernels"]],
                "steps": [_plan_step(one) for one in message["steps"]],
                "results": message["results"],
            }
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise PlanError(refusal("forged", {}, None)) from error

    def plan(self) -> Plan:
        """The call, checked.

        Raises
        ------
        PlanError
            If the record breaks a rule.
        """
        return read_plan(self.plan_message(), self.blobs, self.input_bytes)


def _plan_step(step: Any) -> Any:
    if "launch" in step:
        launch = step["launch"]
        return {
            "launch": {
                "kernel": launch["kernel"],
                "grid": launch["blocks"],
                "arguments": launch["arguments"],
            }
        }
    if "alternatives" in step:
        return {
            "alternatives": [
                [_plan_step(one) for one in choice["steps"]] for choice in step["alternatives"]
            ]
        }
    return step


@dataclass(frozen=True, slots=True)
class Refused:
    """The call cannot be recorded; `message` says why and what to write instead."""

    code: str
    message: Text
    line: int | None
    log: str = ""


@dataclass(frozen=True, slots=True)
class Raised:
    """The submission raised; `traceback` holds its own lines only."""

    error: str
    message: str
    traceback: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """The program ended, or spoke out of turn and was ended."""

    outcome: Outcome


Failure: TypeAlias = Refused | Raised | Stopped


class Recorder:
    """The submission's program. It sees shapes, and never a number of an input."""

    def __init__(
        self,
        launcher: Launcher,
        source: bytes,
        entry_point: str,
        limits: ProgramLimits,
        target: Target,
        multiprocessors: int = 0,
    ) -> None:
        folder = resources.files("graders")
        files = {f"graders/{one}": folder.joinpath(one).read_bytes() for one in HARNESS}
        self._target = target
        self._multiprocessors = multiprocessors or target.multiprocessors
        self._limits = limits
        self._calls = 0
        self._program: Program = launcher.start(
            ProgramSpec(
                argv=("python", "-m", "graders.harness.kernel_record", entry_point),
                files={**files, "submission.py": source},
                limits=limits,
                environment=Environment.TORCH,
            )
        )

    def load(self) -> Failure | None:
        """Import the submission; None if all went well."""
        self._program.send(wire.pack({"target": _as_seen(self._target, self._multiprocessors)}))
        message, _, ended = self._receive(min(START_TIME_LIMIT_S, self._limits.wall_time_s))
        if ended is not None:
            return Stopped(ended)
        if message.get("type") == "failed":
            return _refused(message) if "code" in message else self._raised(message)
        return None if message.get("type") == "ready" else self._forged()

    def record(self, call: Call, *, compiles: bool) -> Record | Failure:
        """Record one call; with `compiles` its kernels are compiled for the target too."""
        self._calls += 1
        request = {
            "call": self._calls,
            "compiles": compiles,
            "arguments": [_argument(one) for one in call.arguments],
        }
        self._program.send(wire.pack(request))
        message, blobs, ended = self._receive(self._limits.wall_time_s)
        if ended is not None:
            return Stopped(ended)
        if message.get("call") != self._calls:
            return self._forged()
        kind = message.get("type")
        if kind == "refused":
            return _refused(message)
        if kind == "raised":
            return self._raised(message)
        if kind != "recorded":
            return self._forged()
        sizes = {
            f"IN{i}": one.storage_elements * one.dtype.n_bytes for i, one in enumerate(call.tensors)
        }
        return Record(message, tuple(blobs), sizes, self._target.name)

    def take_output(self) -> Output:
        """What the submission printed since the last time it was asked."""
        return self._program.take_output()

    def usage(self) -> Usage:
        """What it used so far."""
        return self._program.usage()

    def close(self) -> Outcome:
        """End it."""
        return self._program.close()

    def _receive(
        self, time_limit_s: float
    ) -> tuple[dict[str, Any], Sequence[bytes], Outcome | None]:
        frame = self._program.receive(time_limit_s)
        if isinstance(frame, Outcome):
            return {}, (), frame
        try:
            message, blobs = wire.unpack(frame)
        except wire.WireError:
            return {}, (), self._forged().outcome
        return message, blobs, None

    def _raised(self, message: Mapping[str, Any]) -> Raised | Stopped:
        try:
            said = from_sandbox(message.get("message"))
        except ValueError:
            return self._forged()
        line = message.get("line")
        error, traceback = (clean(str(message.get(key, ""))) for key in ("error", "traceback"))
        return Raised(error, said, traceback, line if type(line) is int else None)

    def _forged(self) -> Stopped:
        used = self._program.usage()
        return Stopped(
            Outcome(StopReason.BAD_FRAME, cpu_time_s=used.cpu_time_s, memory_mib=used.memory_mib)
        )


def _as_seen(target: Target, multiprocessors: int) -> dict[str, Any]:
    """What host code may ask of the chip that is not there."""
    return {
        "name": target.chip,
        "capability": list(divmod(target.architecture, 10)),
        "multiprocessors": multiprocessors,
        "memory_bytes": target.memory_gib << 30,
        "shared_bytes_per_block": target.shared_bytes_per_block,
    }


def _argument(argument: Any) -> dict[str, Any]:
    if not isinstance(argument, Tensor):
        return {"value": argument.value}
    return {
        "shape": list(argument.shape),
        "strides": list(argument.strides),
        "offset": argument.offset,
        "storage_elements": argument.storage_elements,
        "dtype": argument.dtype.value,
    }


def _refused(message: Mapping[str, Any]) -> Refused:
    details = message.get("details")
    line = message.get("line")
    known = details if isinstance(details, dict) else {}
    number = line if type(line) is int else None
    code = clean(str(message.get("code")))
    return Refused(code, refusal(code, known, number), number, clean(str(known.get("log", ""))))


def target_named(name: str) -> Target:
    """The target of that name, e.g. ``sm_90``.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name not in TARGETS:
        raise ValueError(f"a target must be one of {', '.join(TARGETS)}, got {name!r}")
    return TARGETS[name]
