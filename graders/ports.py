"""What a grader needs from the outside, as protocols. `app.practice.judging` supplies them.

A grader never starts a process. It asks a `Launcher` for a `Program`, which runs in a sandbox of
its own, and exchanges frames (opaque bytes) with it. What the program does wrong comes back as a
value, an `Outcome`; an exception from here is our own fault and becomes a judge error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class JudgeError(Exception):
    """Judging failed through our own fault: a checker or a package that breaks its contract."""


class CannotJudge(JudgeError):
    """This worker lacks what the problem needs; the message is a sentence for the candidate."""


class StopReason(StrEnum):
    """Why a program gave no (further) answer."""

    EXITED = "exited"
    SIGNALLED = "signalled"
    CPU_TIME = "cpu_time"
    WALL_TIME = "wall_time"  # over the whole run, or over the time allowed for one answer
    MEMORY = "memory"
    OUTPUT = "output"
    BAD_FRAME = "bad_frame"  # what came over the pipe was no frame, or too large a one


class Shortage(StrEnum):
    """What a program was refused before it failed: ended with a code other than 0, or a signal."""

    PROCESSES = "processes"  # threads count
    SCRATCH = "scratch"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended."""

    reason: StopReason
    exit_code: int | None = None
    signal: int | None = None
    shortage: Shortage | None = None
    cpu_time_s: float = 0.0
    wall_time_s: float = 0.0
    memory_mib: float = 0.0


@dataclass(frozen=True, slots=True)
class ProgramLimits:
    """Limits on one program, over its whole life."""

    cpu_time_s: float
    wall_time_s: float
    memory_mib: int
    output_kib: int
    processes: int = 1


class Environment(StrEnum):
    """What a program finds in its sandbox, and which limits do it no harm."""

    PYTHON = "python"  # the sandbox's own Python with numpy
    TORCH = "torch"  # the same with torch and triton
    COMPILE_CPP = "compile_cpp"  # g++ and the system's headers
    RUN_CPP = "run_cpp"  # laid files can be executed
    RUN_ASAN = "run_asan"  # a program built with AddressSanitizer: no bound on address space
    RUN_TSAN = "run_tsan"  # a program built with ThreadSanitizer: no random layout either
    GPU = "gpu"  # no sandbox: a program of our own, on the worker's GPU


@dataclass(frozen=True, slots=True)
class ProgramSpec:
    """A program to start.

    `files` are laid read-only into the program's working directory, names may hold slashes.
    `argv` starts with ``python`` for the sandbox's own Python, or with an absolute path in there.
    """

    argv: tuple[str, ...]
    files: Mapping[str, bytes]
    limits: ProgramLimits
    environment: Environment = Environment.PYTHON


@dataclass(frozen=True, slots=True)
class Output:
    """What a program printed to its standard output and error since it was last asked."""

    text: str
    truncated: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """Resources used so far by a living program and its children."""

    cpu_time_s: float
    memory_mib: float


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that ran to its end without a word from us: a compiler, a test run.

    `collected` holds the files that were asked for and that it left in its working directory.
    """

    outcome: Outcome
    stdout: bytes
    stderr: bytes
    collected: Mapping[str, bytes]


class Program(Protocol):
    """A program in a sandbox, spoken to in frames: it reads file descriptor 3 and writes 4.

    On the wire a frame is its length in bytes as a 4-byte little-endian unsigned integer, then
    the bytes; `graders.harness.wire` packs and unpacks what is inside.
    """

    def send(self, frame: bytes) -> None:
        """Send one frame. To a program that has ended this does nothing; `receive` tells."""

    def receive(self, time_limit_s: float) -> bytes | Outcome:
        """The program's next frame, or how it ended. A late program is killed."""

    def take_output(self) -> Output:
        """What was printed since the last call, decoded as UTF-8 with replacement."""

    def usage(self) -> Usage:
        """CPU time and peak memory so far."""

    def close(self) -> Outcome:
        """Kill what still runs and say how it ended; safe to call twice."""


class Launcher(Protocol):
    """Starts programs, each in a sandbox that shares nothing with any other."""

    def start(self, spec: ProgramSpec) -> Program:
        """Start a program without waiting for its first frame."""

    def run(self, spec: ProgramSpec, collect: tuple[str, ...] = ()) -> Finished:
        """Run a program to its end and bring back the files that `collect` names."""

    def offers(self, environment: Environment) -> bool:
        """Whether this worker can start programs in `environment`."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a problem, as its package declares it."""

    name: str
    breaks: str  # what kind of mistake this case is there to catch
    sample: bool  # shown to the candidate and used by Run
    input: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """A problem as a grader sees it: no statement, no Django, no paths."""

    settings: Mapping[str, object]  # the `grader` section of problem.yaml, validated
    cases: tuple[Case, ...]
    limits: ProgramLimits  # of the submission's program
    files: Mapping[str, bytes]  # the package's own files, for checkers that run in a sandbox
