"""Drives the model checker in its sandbox: asks one thing, and reads its answers as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graders.concurrency.results import Message, RunnerError, read_message
from graders.concurrency.runner import runner
from graders.ports import (
    Environment,
    Launcher,
    Outcome,
    ProgramLimits,
    ProgramSpec,
    StopReason,
    Usage,
)
from graders.text import say
from graders.verdict import Verdict

HOME = "/scratch/home"  # where a sandbox lays a program's files
RUNNER = f"{HOME}/runner"
PROGRAM = f"{HOME}/program.so"
DESCRIPTOR = 4


class Stopped(Exception):
    """The runner ended before it was done: the submission ended it, or a limit did."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason.value)
        self.outcome = outcome


class Checker:
    """The model checker with one submission's program."""

    def __init__(self, launcher: Launcher, program: bytes, limits: ProgramLimits) -> None:
        self._launcher = launcher
        self._files = {"runner": runner(), "program.so": program}
        self._limits = limits
        self.usage = Usage(0.0, 0.0)

    def ask(self, command: Sequence[str]) -> Iterator[Message]:
        """Run one task; its messages, the closing one left out.

        Raises
        ------
        Stopped
            If it did not come to its end.
        """
        spec = ProgramSpec(tuple(command), self._files, self._limits, Environment.RUN_CPP)
        program = self._launcher.start(spec)
        try:
            while True:
                frame = program.receive(self._limits.wall_time_s)
                if isinstance(frame, Outcome):
                    raise Stopped(frame)
                self.usage = program.usage()
                message = self._read(frame)
                if message == "done":
                    return
                yield message
        finally:
            program.close()

    @staticmethod
    def _read(frame: bytes) -> Message:
        try:
            return read_message(frame)
        except RunnerError:
            # The runner writes nothing else, so the submission has: it is the submission's fault.
            raise Stopped(Outcome(StopReason.BAD_FRAME)) from None


def how_it_stopped(outcome: Outcome, limits: ProgramLimits) -> tuple[Verdict, str]:
    """Verdict and sentence for a program that ended where it should not."""
    match outcome.reason:
        case StopReason.CPU_TIME | StopReason.WALL_TIME:
            return Verdict.TIME_LIMIT, say(
                "All executions together may take {limit_s} s, and these take longer. Look for a "
                "loop that does not end.",
                limit_s=round(limits.wall_time_s),
            )
        case StopReason.MEMORY:
            return Verdict.MEMORY_LIMIT, say(
                "The program may use {limit_mib} MiB, and it takes more. Look for memory that is "
                "never given back.",
                limit_mib=limits.memory_mib,
            )
        case StopReason.OUTPUT:
            return Verdict.OUTPUT_LIMIT, say(
                "The program may print {limit_kib} KiB, and it prints more. Print nothing.",
                limit_kib=limits.output_kib,
            )
        case StopReason.BAD_FRAME:
            return Verdict.RUNTIME_ERROR, say(
                "Only the judge may write to its descriptors, and something else was written "
                "there. Leave them alone."
            )
        case StopReason.SIGNALLED:
            return Verdict.RUNTIME_ERROR, say(
                "The program must not crash: signal {signal} ended it, outside of any operation. "
                "Look at constructors of global variables.",
                signal=outcome.signal or 0,
            )
    return Verdict.RUNTIME_ERROR, say(
        "The program must not end itself: it ended with code {code}. Report failure by the "
        "operation's answer.",
        code=outcome.exit_code or 0,
    )
