"""The one place where graders, sandboxes and problems meet: (problem, source, sandbox) -> events.

Pure: no Django, no database. The web's worker, `manage.py judge` and `manage.py verify_problems`
all come through `judge`, so that a verdict is the same whoever asks.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from enum import StrEnum
from functools import cache
from importlib import import_module
from types import TracebackType
from typing import Protocol, Self, cast

import graders.answers
import graders.design
import graders.triage
from app.practice import gpu, gpu_workers
from graders.ports import (
    Case,
    Environment,
    Finished,
    Launcher,
    Outcome,
    Output,
    Program,
    ProgramLimits,
    ProgramSpec,
    Shortage,
    StopReason,
    Task,
    Usage,
)
from graders.text import storable
from graders.verdict import Event, EventKind, JsonObject
from problems.schema import ProblemSpec
from problems.spec_errors import kinds
from problems.strict import Location
from sandboxes.doctor import BACKENDS, AnySandbox
from sandboxes.interface import (
    DEFAULT_LIMITS,
    BatchRun,
    Command,
    InteractiveRun,
    Profile,
    RunResult,
    RunStatus,
    Sandbox,
    SandboxError,
)
from sandboxes.runtime import TORCH, is_built


class Mode(StrEnum):
    """Which cases count."""

    RUN = "run"  # the samples
    SUBMIT = "submit"  # all
    REPLAY = "replay"  # one counterexample


class Grader(Protocol):
    """What a grader's package offers."""

    QUEUE: str  # the Celery queue whose workers can judge this kind

    def judge(
        self, task: Task, source: bytes, launcher: Launcher, seed: int
    ) -> Iterator[Event]: ...


def grader_of(spec: ProblemSpec) -> Grader:
    """The grader's package, imported when first asked for: not every process judges."""
    return cast(Grader, import_module(f"graders.{spec.grader.kind}"))


def load_graders() -> None:
    """Import them all now: a worker's processes then share what its first one has read."""
    for kind in kinds():
        import_module(f"graders.{kind}")


def about_grader(spec: ProblemSpec) -> Iterator[tuple[Location, str]]:
    """What graders say is wrong with their section, cases and follow-ups, beyond their shape."""
    settings = spec.grader.model_dump()
    for number, follow_up in enumerate(spec.follow_ups):
        if follow_up.answer is not None:
            for fault in graders.answers.question_faults(follow_up.answer.model_dump()):
                yield ("follow_ups", number, "answer", *fault.place), fault.message
    if spec.grader.kind == "answers":
        for fault in graders.answers.faults(settings):
            yield ("grader", *fault.place), fault.message
    elif spec.grader.kind == "design":
        for place, message in graders.design.faults(settings):
            yield ("grader", *place), message
    elif spec.grader.kind == "concurrency":
        from graders import concurrency

        for index, message in concurrency.faults(settings, cases_for(spec, Mode.SUBMIT)):
            yield ("cases", index, "input"), message
    elif spec.grader.kind == "triage":
        for place, message in graders.triage.faults(settings):
            yield ("grader", *place), message


def queue_of(spec: ProblemSpec) -> str:
    """The Celery queue for submissions to this problem, as long as somebody listens to it."""
    queue = grader_of(spec).QUEUE
    if queue == gpu_workers.QUEUE and not gpu_workers.one_is_alive():
        return gpu_workers.FALLBACK
    return queue


def seed_of(replay: JsonObject) -> int:
    """The seed that a counterexample was found with."""
    return int(cast(int, replay["seed"]))


def as_typed(spec: ProblemSpec, source: str, seed: int) -> str:
    """A file of an author's, as a candidate who was given this seed's values would have typed it.

    The files of a worksheet hold formulas and those of a triage words, because what they are about
    differs from seed to seed; any other file is what it is.
    """
    if spec.grader.kind == "triage":
        return graders.triage.fill(spec.grader.model_dump(), source, seed)
    if not spec.is_drawn_per_attempt:
        return source
    return graders.answers.fill(spec.grader.model_dump(), source, seed)


def judge(
    spec: ProblemSpec,
    files: Mapping[str, str],
    source: str,
    mode: Mode,
    seed: int,
    launcher: SandboxLauncher,
    replay: JsonObject | None = None,
) -> Iterator[Event]:
    """Judge one source; the last event is the verdict.

    Parameters
    ----------
    files : mapping of path to text
        The problem package's files, for the checkers that it brings.
    seed : int
        Draws the inputs; the same seed gives the same verdict and counterexample.
    replay : JsonObject, optional
        With Mode.REPLAY: a counterexample's own ``replay``; its seed replaces `seed`.

    Raises
    ------
    Exception
        Whatever goes wrong on our side. What the submission does wrong is in the events.
    """
    if mode is Mode.REPLAY:
        if replay is None:
            raise ValueError("a replay needs the counterexample's replay data, got none")
        seed = seed_of(replay)
    task = Task(
        settings=spec.grader.model_dump(),
        cases=cases_for(spec, mode, replay),
        limits=ProgramLimits(
            cpu_time_s=spec.limits.cpu_time_s,
            wall_time_s=spec.limits.wall_time_s,
            memory_mib=spec.limits.memory_mib,
            output_kib=spec.limits.output_kib,
            processes=spec.limits.processes,
        ),
        files={path: text.encode() for path, text in files.items()},
    )
    events = grader_of(spec).judge(task, source.encode(), launcher, seed)
    # Closing runs the grader's own `finally` where the caller stops listening early.
    with launcher, closing(cast("_Closable", events)):
        last = None
        for event in events:
            # Graders clean what they say of a sandbox. This holds where one of them forgot.
            last = replace(event, data=storable(event.data))
            yield last
    if last is None or last.kind is not EventKind.VERDICT:
        raise RuntimeError(
            f"a grader must end with a verdict, {spec.grader.kind} ended with {last}"
        )


def cases_for(spec: ProblemSpec, mode: Mode, replay: JsonObject | None = None) -> tuple[Case, ...]:
    """The cases that `mode` judges, in the package's order.

    Raises
    ------
    ValueError
        If a replay names a case that this version of the problem does not have.
    """
    declared = [
        Case(name=case.name, breaks=case.breaks, sample=case.sample, input=case.input)
        for case in spec.cases
    ]
    if mode is Mode.RUN:
        return tuple(case for case in declared if case.sample)
    if mode is Mode.SUBMIT or replay is None:
        return tuple(declared)
    named = next((case for case in declared if case.name == replay["case"]), None)
    if named is None:
        raise ValueError(f"the replay names case {replay['case']!r}, which the problem has not")
    given = cast("JsonObject | None", replay.get("input"))
    return (Case(named.name, named.breaks, sample=True, input=given or named.input),)


class _Closable(Protocol):
    def close(self) -> None: ...


class SandboxLauncher:
    """Starts a grader's programs in sandboxes. Leaving its context kills what still runs."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._running: list[BatchRun | InteractiveRun | gpu.GpuProgram] = []
        self._lock = threading.Lock()
        self.cancelled = False

    def start(self, spec: ProgramSpec) -> Program:
        with self._lock:
            if self.cancelled:
                raise Cancelled
            if spec.environment is Environment.GPU:
                program = gpu.GpuProgram(spec)
                self._running.append(program)
                return program
            run = self._sandbox.start(_command(spec))
            self._running.append(run)
        return SandboxProgram(run)

    def run(self, spec: ProgramSpec, collect: tuple[str, ...] = ()) -> Finished:
        with self._lock:
            if self.cancelled:
                raise Cancelled
            run = self._sandbox.begin(_command(spec, collect))
            self._running.append(run)
        with run:
            result = run.wait()
        with self._lock:
            if self.cancelled:
                raise Cancelled
            self._running.remove(run)
        return Finished(_outcome(result), result.stdout, result.stderr, result.collected)

    def offers(self, environment: Environment) -> bool:
        if environment is Environment.GPU:
            return gpu.properties() is not None
        return environment is not Environment.TORCH or is_built(TORCH)

    def cancel(self) -> None:
        """From another thread: end every program now and start no more."""
        with self._lock:
            self.cancelled = True
        self._close_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close_all()

    def _close_all(self) -> None:
        with self._lock:
            running, self._running = self._running, []
        for run in running:
            run.close()


class Cancelled(Exception):
    """Somebody called `SandboxLauncher.cancel`."""


class SandboxProgram:
    """An interactive run, as the program that a grader expects."""

    def __init__(self, run: InteractiveRun) -> None:
        self._run = run

    def send(self, frame: bytes) -> None:
        self._run.send(frame)

    def receive(self, time_limit_s: float) -> bytes | Outcome:
        answer = self._run.receive(time_limit_s)
        return _outcome(answer) if isinstance(answer, RunResult) else answer

    def take_output(self) -> Output:
        data, truncated = self._run.take_output()
        return Output(data.decode(errors="replace"), truncated)

    def usage(self) -> Usage:
        return Usage(*self._run.usage())

    def close(self) -> Outcome:
        return _outcome(self._run.close())


def _command(spec: ProgramSpec, collect: tuple[str, ...] = ()) -> Command:
    limits = spec.limits
    profile = Profile(spec.environment.value)
    return Command(
        argv=spec.argv,
        profile=profile,
        files=spec.files,
        limits=replace(
            DEFAULT_LIMITS[profile],
            cpu_time_s=limits.cpu_time_s,
            wall_time_s=limits.wall_time_s,
            memory_mib=limits.memory_mib,
            output_kib=limits.output_kib,
            processes=limits.processes,
        ),
        collect=collect,
    )


_REASONS = {
    RunStatus.EXITED: StopReason.EXITED,
    RunStatus.SIGNALLED: StopReason.SIGNALLED,
    RunStatus.CPU_TIME_EXCEEDED: StopReason.CPU_TIME,
    RunStatus.WALL_TIME_EXCEEDED: StopReason.WALL_TIME,
    RunStatus.MEMORY_EXCEEDED: StopReason.MEMORY,
    RunStatus.OUTPUT_EXCEEDED: StopReason.OUTPUT,
    RunStatus.BAD_FRAME: StopReason.BAD_FRAME,
    RunStatus.KILLED: StopReason.SIGNALLED,
}


_SHORTAGES = {
    RunStatus.PROCESSES_EXCEEDED: Shortage.PROCESSES,
    RunStatus.SCRATCH_EXCEEDED: Shortage.SCRATCH,
    RunStatus.FILES_EXCEEDED: Shortage.FILES,
}


def _outcome(result: RunResult) -> Outcome:
    by_itself = StopReason.EXITED if result.signal is None else StopReason.SIGNALLED
    return Outcome(
        reason=_REASONS.get(result.status, by_itself),
        shortage=_SHORTAGES.get(result.status),
        exit_code=result.exit_code,
        signal=result.signal,
        cpu_time_s=result.cpu_time_s,
        wall_time_s=result.wall_time_s,
        memory_mib=result.memory_mib,
    )


DEFAULT_BACKEND = "slot"


def backend_name() -> str:
    """Which sandbox judges here. Raises SandboxError if the environment names none that we have."""
    name = os.environ.get("SANDBOX_BACKEND") or DEFAULT_BACKEND
    if name not in BACKENDS:
        raise SandboxError(f"SANDBOX_BACKEND must be one of {', '.join(BACKENDS)}, got {name!r}")
    return name


@cache
def host_sandbox() -> AnySandbox:
    """This host's sandbox, examined once a process. Raises SandboxError where none holds.

    There is no silent second choice: what a run's CPU time and memory count differs a little
    between the two, and a verdict must not depend on which worker took the submission.
    """
    name = backend_name()
    try:
        return BACKENDS[name]()
    except SandboxError as error:
        if name != DEFAULT_BACKEND:
            raise
        raise SandboxError(
            f"{error}. Where slots cannot be made, SANDBOX_BACKEND=bubblewrap may hold: it "
            "isolates as well and starts more slowly. Set it for all workers of a site"
        ) from error


def make_launcher() -> SandboxLauncher:
    """A launcher for one judging."""
    return SandboxLauncher(host_sandbox())
