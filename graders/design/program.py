"""The package's model in its sandbox: what it is asked, and its answer as it came."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from graders.harness import wire
from graders.harness_files import harness_files
from graders.ports import (
    JudgeError,
    Launcher,
    Outcome,
    Program,
    ProgramLimits,
    ProgramSpec,
    Task,
)
from graders.verdict import JsonObject

MODEL_LIMITS = ProgramLimits(
    cpu_time_s=120.0, wall_time_s=600.0, memory_mib=1024, output_kib=64, processes=1
)
START_TIME_LIMIT_S = 15.0
MAX_ANSWER_BYTES = 4 << 20


class Model:
    """The program that assesses designs. What breaks here is our fault, never the candidate's."""

    def __init__(self, launcher: Launcher, task: Task) -> None:
        self._launcher = launcher
        self._module = str(task.settings["model"])
        self._time_limit_s = float(str(task.settings["answer_time_limit_s"]))
        if self._module not in task.files:
            raise JudgeError(f"the package must hold its model {self._module}, and it does not")
        # submissions/ are no part of a model
        self._files = {
            name: data
            for name, data in task.files.items()
            if name.endswith(".py") and "/" not in name
        }
        self._program: Program | None = None

    def assess(self, design: JsonObject, parameters: JsonObject) -> dict[str, Any]:
        """What the model says about a design, unchecked.

        Raises
        ------
        JudgeError
            If it raises, ends, is late, or says what is no JSON object.
        """
        if self._program is None:
            self._program = self._start()
        self._program.send(wire.pack({"design": design, "parameters": parameters}))
        answer = _message(self._program.receive(self._time_limit_s)).get("assessment")
        if not isinstance(answer, dict):
            raise JudgeError(f"a model must give a dict, got {answer!r:.200}")
        return answer

    def _start(self) -> Program:
        program = self._launcher.start(
            ProgramSpec(
                argv=("python", "-m", "graders.harness.model", self._module.removesuffix(".py")),
                files={**self._files, **harness_files("model.py", "wire.py")},
                limits=MODEL_LIMITS,
            )
        )
        _message(program.receive(START_TIME_LIMIT_S))
        return program

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._program is not None:
            self._program.close()


def _message(frame: bytes | Outcome) -> dict[str, Any]:
    if isinstance(frame, Outcome):
        raise JudgeError(f"the model must answer, but it ended: {frame!r:.200}")
    if len(frame) > MAX_ANSWER_BYTES:
        raise JudgeError(f"a model may say {MAX_ANSWER_BYTES} bytes, got {len(frame)}")
    try:
        message, _ = wire.unpack(frame)
    except wire.WireError as error:
        raise JudgeError(f"the model must answer in messages: {error}") from None
    if "failed" in message:
        raise JudgeError(f"the model failed:\n{message['failed']}")
    return message
