"""The interface of every sandbox: a command goes in, a value that says how it went comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self


class SandboxError(Exception):
    """The sandbox itself failed: our fault, never the command's."""


class Profile(StrEnum):
    """What kind of program runs; decides what is mounted and which limits do no harm."""

    PYTHON = "python"
    TORCH = "torch"
    COMPILE_CPP = "compile_cpp"
    RUN_CPP = "run_cpp"
    RUN_ASAN = "run_asan"
    RUN_TSAN = "run_tsan"


class RunStatus(StrEnum):
    """How a run ended.

    The first two are the program's own ends. Then those of a program that was refused processes,
    scratch space or files, which the kernel does by an error that the program may live with: they
    are told where it did not, by ending with a code other than 0 or by a signal. For the rest the
    sandbox has ended it.
    """

    EXITED = "exited"
    SIGNALLED = "signalled"
    PROCESSES_EXCEEDED = "processes_exceeded"
    SCRATCH_EXCEEDED = "scratch_exceeded"
    FILES_EXCEEDED = "files_exceeded"  # more files and folders than there are inodes
    CPU_TIME_EXCEEDED = "cpu_time_exceeded"
    WALL_TIME_EXCEEDED = "wall_time_exceeded"
    MEMORY_EXCEEDED = "memory_exceeded"
    OUTPUT_EXCEEDED = "output_exceeded"
    BAD_FRAME = "bad_frame"
    KILLED = "killed"  # by `close`


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on one run, over the whole process tree."""

    cpu_time_s: float = 10.0
    wall_time_s: float = 30.0
    memory_mib: int = 512
    output_kib: int = 256  # standard output and standard error together
    processes: int = 1  # threads count
    scratch_mib: int = 64  # the working directory and /tmp together
    scratch_inodes: int = 4096
    frame_mib: int = 64  # the largest frame an interactive run may send


# What suits a profile where nothing else is said.
DEFAULT_LIMITS: Mapping[Profile, Limits] = {
    Profile.PYTHON: Limits(),
    # Triton compiles in processes of its own, and keeps what it made in the scratch space.
    Profile.TORCH: Limits(60, 120, memory_mib=2048, processes=16, scratch_mib=512),
    Profile.COMPILE_CPP: Limits(30, 60, memory_mib=1024, processes=8, scratch_mib=128),
    Profile.RUN_CPP: Limits(processes=16),
    Profile.RUN_ASAN: Limits(memory_mib=1024, processes=16),
    Profile.RUN_TSAN: Limits(memory_mib=2048, processes=16),
}
_PROFILES_OWN = Limits()  # stands for them in a command, known by its identity
_LEAST_PROCESSES = {Profile.COMPILE_CPP: 4}  # with fewer, g++ waits for ever


@dataclass(frozen=True, slots=True)
class Command:
    """What to run.

    Parameters
    ----------
    argv : tuple of str
        First ``python`` for the runtime's own Python, or an absolute path inside the sandbox:
        ``/usr/bin/g++``, or ``/scratch/home/NAME`` for a file that was laid.
    profile : Profile
        What kind of program it is.
    files : mapping of str to bytes
        Laid read-only into the working directory before the start; names may hold slashes.
    limits : Limits
        Those of the profile (`DEFAULT_LIMITS`) if left out.
    collect : tuple of str
        Names of files that the command leaves in its working directory and that come back.

    Raises
    ------
    SandboxError
        If the limits leave a program of this profile no room to work.
    """

    argv: tuple[str, ...]
    profile: Profile = Profile.PYTHON
    files: Mapping[str, bytes] = field(default_factory=dict)
    limits: Limits = _PROFILES_OWN
    collect: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.limits is _PROFILES_OWN:
            object.__setattr__(self, "limits", DEFAULT_LIMITS[self.profile])
        least = _LEAST_PROCESSES.get(self.profile, 1)
        if self.limits.processes < least:
            raise SandboxError(
                f"a command of the profile {self.profile} needs at least {least} processes, "
                f"got {self.limits.processes}"
            )


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run went. Times in seconds, memory in MiB (peak over the tree)."""

    status: RunStatus
    exit_code: int | None
    signal: int | None
    cpu_time_s: float
    wall_time_s: float
    memory_mib: float
    stdout: bytes
    stderr: bytes
    output_truncated: bool
    collected: Mapping[str, bytes] = field(default_factory=dict)


class BatchRun(Protocol):
    """A running command that has its input and is waited for."""

    def wait(self) -> RunResult:
        """Wait for the end, which some limit brings at the latest, or `close` in another thread."""

    def usage(self) -> tuple[float, float]:
        """CPU seconds and peak MiB so far, over the tree."""

    def close(self) -> RunResult:
        """Kill what still runs; every process is gone when this returns. Safe to call twice."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class InteractiveRun(Protocol):
    """A running command that reads frames on file descriptor 3 and writes frames on 4.

    A frame is a 4-byte little-endian length, then that many bytes.
    """

    def send(self, frame: bytes) -> None:
        """Send one frame; to a run that has ended this does nothing."""

    def receive(self, time_limit_s: float) -> bytes | RunResult:
        """The next frame, or how the run ended. A run that is late is killed."""

    def take_output(self) -> tuple[bytes, bool]:
        """Standard output and error since the last call, in order of arrival; and whether cut."""

    def usage(self) -> tuple[float, float]:
        """CPU seconds and peak MiB so far, over the tree."""

    def close(self) -> RunResult:
        """Kill what still runs; every process is gone when this returns. Safe to call twice."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Sandbox(Protocol):
    """Runs commands, each in a sandbox of its own."""

    def run(self, command: Command, stdin: bytes = b"") -> RunResult:
        """Run to the end and report."""

    def begin(self, command: Command, stdin: bytes = b"") -> BatchRun:
        """As `run`, but return at once, with what can be waited for and ended."""

    def start(self, command: Command) -> InteractiveRun:
        """Start a command that is spoken to in frames, and return at once."""

    def close(self) -> None:
        """Let go of what is kept from one run to the next; more runs may follow."""
