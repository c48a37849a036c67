"""The two programs of a judging: what they are asked, and what their frames may say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from graders.harness import wire
from graders.harness.items import Item, Step
from graders.harness_files import harness_files
from graders.json_faults import fault_of
from graders.ports import (
    JudgeError,
    Launcher,
    Outcome,
    Output,
    Program,
    ProgramLimits,
    ProgramSpec,
    StopReason,
    Task,
    Usage,
)
from graders.text import clean, from_sandbox
from graders.verdict import Json, JsonObject

CHECKER_LIMITS = ProgramLimits(
    cpu_time_s=120.0, wall_time_s=600.0, memory_mib=512, output_kib=64, processes=1
)
CHECKER_ANSWER_TIME_LIMIT_S = 30.0
START_TIME_LIMIT_S = 10.0  # importing a heavy library takes long, and it is not the answer's time


@dataclass(frozen=True, slots=True)
class Returned:
    """The function returned; `answer` is JSON with finite numbers."""

    answer: Json


@dataclass(frozen=True, slots=True)
class NoJson:
    """The function returned something that no answer can be; `message` says rule and fact."""

    message: str


@dataclass(frozen=True, slots=True)
class Raised:
    """The function raised; `traceback` holds the candidate's own lines only."""

    error: str
    message: str
    traceback: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The program ended, or spoke out of turn and was ended, before it answered."""

    outcome: Outcome


Reply: TypeAlias = Returned | NoJson | Raised | Stopped


class Submission:
    """The candidate's program. Started when first asked, and again after it has ended."""

    def __init__(self, launcher: Launcher, source: bytes, task: Task) -> None:
        self._launcher = launcher
        self._answer_time_limit_s = float(str(task.settings["answer_time_limit_s"]))
        self._spec = ProgramSpec(
            argv=("python", "-m", "graders.harness.function", str(task.settings["entry_point"])),
            files={
                **harness_files("function.py", "candidate.py", "wire.py"),
                "submission.py": source,
            },
            limits=task.limits,
        )
        self._program: Program | None = None
        self._calls = 0

    def load(self) -> Raised | Stopped | None:
        """Start and import; None if all went well."""
        self._program = program = self._launcher.start(self._spec)
        frame = program.receive(min(START_TIME_LIMIT_S, self._spec.limits.wall_time_s))
        message = _message(frame)
        if message is None:
            return self._stopped(frame)
        if message.get("type") == "failed":
            return self._raised(message, frame)
        return None if message.get("type") == "ready" else self._stopped(frame)

    def call(self, arguments: JsonObject) -> Reply:
        """Call the function once."""
        if self._program is None:
            failed = self.load()
            if failed is not None:
                return failed
        program = self._program
        assert program is not None  # noqa: S101  # `load` made it
        self._calls += 1
        program.send(wire.pack({"call": self._calls, "arguments": arguments}))
        frame = program.receive(self._answer_time_limit_s)
        message = _message(frame)
        # An answer to another call was not written by the harness: whoever forges frames gets out
        # of step at once, and from there on no answer could be laid beside its question.
        if message is None or message.get("call") != self._calls:
            return self._stopped(frame)
        if message.get("type") == "raised":
            return self._raised(message, frame)
        if message.get("type") == "no_json":
            try:
                return NoJson(from_sandbox(message.get("message")))
            except ValueError:
                return self._stopped(frame)
        if message.get("type") != "returned" or "answer" not in message:
            return self._stopped(frame)
        fault = fault_of(message["answer"])
        if fault:
            return NoJson(fault)
        return Returned(message["answer"])

    def take_output(self) -> Output:
        """What the living program printed since the last time it was asked."""
        return self._program.take_output() if self._program else Output("", truncated=False)

    def usage(self) -> Usage:
        """What the living program used so far; nothing if none lives."""
        return self._program.usage() if self._program else Usage(0.0, 0.0)

    def close(self) -> Outcome | None:
        """Kill the program if it lives, and say how it ended."""
        program, self._program = self._program, None
        return program.close() if program else None

    @property
    def ended(self) -> bool:
        """No program lives: it was not started, or it was closed."""
        return self._program is None

    def _raised(self, message: dict[str, Any], frame: bytes | Outcome) -> Raised | Stopped:
        try:
            said = from_sandbox(message.get("message"))
        except ValueError:
            return self._stopped(frame)
        error, traceback = (clean(str(message.get(key, ""))) for key in ("error", "traceback"))
        return Raised(error, said, traceback)

    def _stopped(self, frame: bytes | Outcome) -> Stopped:
        if isinstance(frame, Outcome):
            return Stopped(frame)
        used = self.usage()
        return Stopped(
            Outcome(StopReason.BAD_FRAME, cpu_time_s=used.cpu_time_s, memory_mib=used.memory_mib)
        )


class Checker:
    """The package's program. What breaks here is our fault."""

    def __init__(self, launcher: Launcher, task: Task, seed: int) -> None:
        module = str(task.settings["checker"])
        if module not in task.files:
            raise JudgeError(f"the package must hold its checker {module}, and it does not")
        own = {
            name: data
            for name, data in task.files.items()
            if name.endswith(".py") and "/" not in name  # submissions/ are no part of a checker
        }
        self._seed = seed
        self._program = launcher.start(
            ProgramSpec(
                argv=("python", "-m", "graders.harness.checker", module.removesuffix(".py")),
                files={**own, **harness_files("checker.py", "items.py", "wire.py")},
                limits=CHECKER_LIMITS,
            )
        )

    def load(self) -> None:
        """Wait until the checker has imported."""
        self._receive()

    def draw(self, case_input: Mapping[str, Any], seed: int) -> list[JsonObject]:
        """The literal inputs that a generator gives for this seed."""
        return self._inputs({"do": "draw", "input": dict(case_input), "seed": seed})

    def simpler(self, case_input: JsonObject) -> list[JsonObject]:
        """Inputs with one feature less."""
        return self._inputs({"do": "simpler", "input": case_input})

    def check(self, case_input: JsonObject, answer: Json) -> list[Item] | str:
        """The items of an answer, or a complaint about its shape."""
        said = self._ask({"do": "check", "input": case_input, "answer": answer, "seed": self._seed})
        if "complaint" in said:
            try:
                return from_sandbox(said["complaint"])
            except ValueError as error:
                raise JudgeError(f"a checker's complaint is broken: {error}") from None
        items = said.get("items")
        if not isinstance(items, list) or not items:
            raise JudgeError(f"a checker must give at least one item, got {items!r:.200}")
        return [_item(item) for item in items]

    def close(self) -> None:
        self._program.close()

    def _inputs(self, request: dict[str, Any]) -> list[JsonObject]:
        inputs = self._ask(request).get("inputs")
        if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
            raise JudgeError(f"a checker's {request['do']} must give dicts, got {inputs!r:.200}")
        return inputs

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self._program.send(wire.pack(request))
        return self._receive()

    def _receive(self) -> dict[str, Any]:
        frame = self._program.receive(CHECKER_ANSWER_TIME_LIMIT_S)
        message = _message(frame)
        if message is None:
            raise JudgeError(f"the checker must answer, but it ended: {frame!r:.200}")
        if "failed" in message:
            raise JudgeError(f"the checker failed:\n{message['failed']}")
        return message


def _message(frame: bytes | Outcome) -> dict[str, Any] | None:
    if isinstance(frame, Outcome):
        return None
    try:
        return wire.unpack(frame)[0]
    except wire.WireError:
        return None


def _item(said: object) -> Item:
    """An item as a checker gave it, seen to be whole and to agree with itself.

    Raises
    ------
    JudgeError
        If a field is missing or of another type, a text is too large, a number is not finite, or
        `ok` is not what `expected`, `got` and `tolerance` say.
    """
    try:
        fields = _with_texts(dict(said), "name", "unit", "misconception", "advice")  # type: ignore[call-overload]
        steps = tuple(
            Step(**_with_texts(step, "label", "formula", "numbers", "unit"))
            for step in fields.pop("arithmetic")
        )
        item = Item(**fields, arithmetic=steps)
        numbers = [item.expected, item.got, item.tolerance, *(step.value for step in steps)]
        within = abs(item.got - item.expected) <= item.tolerance
        if not all(math.isfinite(number) for number in numbers) or item.ok is not within:
            raise ValueError("numbers must be finite, and ok must say whether got is within")
    except (KeyError, TypeError, ValueError) as error:
        raise JudgeError(f"a checker's item is broken: {error}: {said!r:.500}") from None
    return item


def _with_texts(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {**fields, **{name: from_sandbox(fields[name]) for name in names}}
