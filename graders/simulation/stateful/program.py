"""Programs with the candidate's code, asked frame by frame; an object given batches of calls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, TypeAlias

from graders.harness import wire
from graders.json_faults import fault_of
from graders.ports import Launcher, Outcome, Output, Program, ProgramSpec, StopReason, Task, Usage
from graders.shortages import shortage_text
from graders.text import from_sandbox, say
from graders.verdict import Json, JsonObject, Verdict

Call: TypeAlias = tuple[str, tuple[Json, ...]]  # method and its arguments

CALLS_PER_FRAME = 2000
START_TIME_LIMIT_S = 10.0
_VERDICTS = {
    StopReason.CPU_TIME: Verdict.TIME_LIMIT,
    StopReason.WALL_TIME: Verdict.TIME_LIMIT,
    StopReason.MEMORY: Verdict.MEMORY_LIMIT,
    StopReason.OUTPUT: Verdict.OUTPUT_LIMIT,
}


class ImportFailed(Exception):
    """The submission could not be imported: the candidate's fault. `output` is what it said."""

    def __init__(self, text: str, output: str) -> None:
        super().__init__(text)
        self.text = text
        self.output = output


@dataclass(frozen=True, slots=True)
class Broken:
    """Why a call gave no answer.

    `kind` tells one such failure from another while a sequence is shrunk: of an exception its
    type and line, with numbers struck out of what it says.
    """

    kind: str
    verdict: Verdict
    text: str
    traceback: str = ""

    @property
    def stopped(self) -> bool:
        """The program is gone; asking again costs a whole new one."""
        return self.kind.startswith("stopped")


@dataclass(frozen=True, slots=True)
class Replies:
    """The answers of a batch, in order; `broken` says why they end early."""

    answers: list[Json] = field(default_factory=list)
    broken: Broken | None = None


class Harnessed:
    """One program of a harness, started when first asked and again after it has ended.

    Parameters
    ----------
    harness : str
        The module of `graders.harness` to run.
    more : tuple of str
        Modules of `graders.harness` that it needs besides `candidate` and `wire`.
    """

    def __init__(
        self, launcher: Launcher, source: bytes, task: Task, harness: str, more: tuple[str, ...]
    ) -> None:
        self._launcher = launcher
        self._call_time_limit_s = float(str(task.settings["step_time_limit_s"]))
        self._limits = task.limits
        folder = resources.files("graders")
        modules = (harness, *more, "candidate", "wire")
        names = ("text.py", *(f"harness/{module}.py" for module in modules))
        self._spec = ProgramSpec(
            argv=("python", "-m", f"graders.harness.{harness}", str(task.settings["entry_point"])),
            files={
                **{f"graders/{name}": folder.joinpath(name).read_bytes() for name in names},
                "submission.py": source,
            },
            limits=task.limits,
        )
        self._program: Program | None = None
        self._asked = 0
        self._peak_mib = 0.0
        self._last_output = Output("", truncated=False)

    def ensure(self) -> Program:
        """The program, imported and waiting.

        Raises
        ------
        ImportFailed
            If the submission cannot be imported, or has no entry point.
        """
        if self._program is not None:
            return self._program
        self._program = program = self._launcher.start(self._spec)
        frame = program.receive(min(START_TIME_LIMIT_S, self._limits.wall_time_s))
        if isinstance(frame, Outcome):
            raise ImportFailed(
                say(
                    "the submission must be imported without ending its program, but {how}",
                    how=how_it_ended(frame),
                ),
                program.take_output().text,
            )
        message = _unpack(frame)
        if message.get("type") != "ready":
            said = sandbox_text(message.get("message"))
            raise ImportFailed(
                say("the submission must be importable: {said}", said=said),
                sandbox_text(message.get("traceback", "")),
            )
        return program

    def ask(
        self, request: JsonObject, *blobs: bytes
    ) -> tuple[dict[str, Any], list[bytes]] | Broken:
        """Send one request and wait for its answer; a program that gives none is closed.

        Raises
        ------
        ImportFailed
            If a program started anew could not import what an earlier one could.
        """
        program = self.ensure()
        self._asked += 1
        program.send(wire.pack({**request, "number": self._asked}, *blobs))
        frame = program.receive(self._call_time_limit_s)
        if isinstance(frame, Outcome):
            self.close()
            return _stopped(frame, self._call_time_limit_s)
        try:
            message, given = wire.unpack(frame)
        except wire.WireError:
            message, given = {}, []
        # An answer to another request was not written by the harness: no later one could be laid
        # beside its question.
        if message.pop("number", None) != self._asked:
            return self.forged()
        return message, given

    def forged(self) -> Broken:
        """What came was not written by the harness: close the program and say so."""
        self.close()
        return _forged()

    def usage(self) -> Usage:
        """CPU time and peak memory of the living program."""
        return self.ensure().usage()

    def memory_mib(self) -> float:
        """The largest peak of any program so far."""
        if self._program is not None:
            self._peak_mib = max(self._peak_mib, self._program.usage().memory_mib)
        return self._peak_mib

    def take_output(self) -> Output:
        """What was printed since last asked, by a program that has ended too."""
        output, self._last_output = self._last_output, Output("", truncated=False)
        if self._program is not None:
            more = self._program.take_output()
            output = Output(output.text + more.text, output.truncated or more.truncated)
        return output

    def close(self) -> None:
        """End the program; the next call starts another."""
        if self._program is not None:
            self._last_output = self.take_output()
            self._peak_mib = max(self._peak_mib, self._program.close().memory_mib)
            self._program = None


class Candidate(Harnessed):
    """The candidate's object, which is given batches of calls."""

    def __init__(self, launcher: Launcher, source: bytes, task: Task) -> None:
        super().__init__(launcher, source, task, "stateful", ("function",))

    def run(self, make: JsonObject | None, calls: Sequence[Call]) -> Replies:
        """Make the object (or go on with it, where `make` is None), then do `calls`.

        Raises
        ------
        ImportFailed
            If a program started anew could not import what an earlier one could.
        """
        answers: list[Json] = []
        first = True
        for begin in range(0, max(len(calls), 1), CALLS_PER_FRAME):
            part = calls[begin : begin + CALLS_PER_FRAME]
            replies = self._batch(make if first else None, part)
            first = False
            answers += replies.answers
            if replies.broken is not None:
                return Replies(answers, replies.broken)
        return Replies(answers)

    def _batch(self, make: JsonObject | None, calls: Sequence[Call]) -> Replies:
        listed: list[Json] = [[method, list(arguments)] for method, arguments in calls]
        request: JsonObject = {"calls": listed}
        if make is not None:
            request["make"] = make
        said = self.ask(request)
        if isinstance(said, Broken):
            return Replies([], said)
        message, _ = said
        answers = message.get("answers")
        raised, no_json = message.get("raised"), message.get("no_json")
        if not isinstance(answers, list) or len(answers) > len(calls):
            return Replies([], self.forged())
        if raised is None and no_json is None and len(answers) < len(calls):
            return Replies([], self.forged())
        for at, answer in enumerate(answers):
            fault = fault_of(answer)
            if fault:
                return Replies(answers[:at], _no_json(fault))
        if no_json is not None:
            return Replies(answers, _no_json(sandbox_text(no_json)))
        if raised is not None:
            return Replies(answers, raised_in(raised, sandbox_text(message.get("doing"))))
        return Replies(answers)


def how_it_ended(outcome: Outcome) -> str:
    """How a program ended, as the rest of a sentence."""
    if outcome.shortage is not None:
        return say("it failed when {fact}", fact=shortage_text(outcome.shortage))
    match outcome.reason:
        case StopReason.EXITED:
            return say("it exited with code {code}", code=outcome.exit_code or 0)
        case StopReason.SIGNALLED:
            return say("it was ended by signal {signal}", signal=outcome.signal or 0)
        case StopReason.CPU_TIME:
            return say("it used up its CPU time")
        case StopReason.WALL_TIME:
            return say("it gave no answer in time")
        case StopReason.MEMORY:
            return say("it used more memory than it may")
        case StopReason.OUTPUT:
            return say("it printed more than it may")
        case StopReason.BAD_FRAME:
            return say("it wrote to the descriptors of the harness")


def same(expected: Json, got: Json) -> bool:
    """Equal as JSON: unlike in Python true is not 1; 1.0 is 1, and NaN is nothing."""
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, int | float) and isinstance(got, int | float):
        return expected == got
    if isinstance(expected, list) and isinstance(got, list):
        pairs = zip(expected, got, strict=False)
        return len(expected) == len(got) and all(same(one, other) for one, other in pairs)
    if isinstance(expected, dict) and isinstance(got, dict):
        return expected.keys() == got.keys() and all(same(expected[key], got[key]) for key in got)
    return type(expected) is type(got) and expected == got


def _stopped(outcome: Outcome, call_time_limit_s: float) -> Broken:
    verdict = _VERDICTS.get(outcome.reason, Verdict.RUNTIME_ERROR)
    if outcome.reason is StopReason.WALL_TIME:
        text = say(
            "an answer may take {limit} s: none came in that time. Look for a loop that does not "
            "end.",
            limit=f"{call_time_limit_s:g}",
        )
    else:
        text = say(
            "the program must live until all calls are answered, but {how}. Return from the "
            "method instead.",
            how=how_it_ended(outcome),
        )
    return Broken(f"stopped_{outcome.reason}", verdict, text)


def _no_json(fault: str) -> Broken:
    text = say("every answer must be plain JSON: {fault}", fault=fault)
    return Broken("no_json", Verdict.WRONG_ANSWER, text)


def _forged() -> Broken:
    text = say(
        "only the harness may write to its descriptors: what came is no answer of it. Return your "
        "answers instead."
    )
    return Broken("stopped_stray_frame", Verdict.RUNTIME_ERROR, text)


def raised_in(raised: object, doing: str) -> Broken:
    """The failure of a call that raised; `raised` is as `candidate.explain` writes it."""
    said = raised if isinstance(raised, dict) else {}
    error, message = sandbox_text(said.get("error")), sandbox_text(said.get("message"))
    verdict = Verdict.MEMORY_LIMIT if error == "MemoryError" else Verdict.RUNTIME_ERROR
    text = say(
        "{method} must return without an exception: it raised {said}", method=doing, said=message
    )
    kind = f"raised {doing} {error} at {said.get('line')}: {re.sub('[0-9]+', '#', message)}"
    return Broken(kind, verdict, text, sandbox_text(said.get("traceback")))


def _unpack(frame: bytes) -> dict[str, Any]:
    try:
        return wire.unpack(frame)[0]
    except wire.WireError:
        return {}


def sandbox_text(value: object) -> str:
    """A sentence or text of a sandbox; what is none is said to be none."""
    try:
        return from_sandbox(value)
    except ValueError:
        return say("it wrote to the descriptors of the harness")
