"""A launcher for tests: programs as plain child processes, without a sandbox.

It speaks the same frames as the real one and keeps the limits on wall time, on the time of one
answer and on output. It bounds neither memory, CPU time nor processes, and it isolates nothing:
whatever a test of these needs belongs to the tests of the sandbox.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from graders.ports import Environment, Finished, Outcome, Output, ProgramSpec, StopReason, Usage

MAX_FRAME_BYTES = 64 << 20
_LENGTH = struct.Struct("<I")
_ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"}


class PlainLauncher:
    """Starts plain processes and remembers them, so that a test can count and close them."""

    def __init__(self) -> None:
        self.programs: list[PlainProgram] = []

    def start(self, spec: ProgramSpec) -> PlainProgram:
        program = PlainProgram(spec)
        self.programs.append(program)
        return program

    def offers(self, environment: Environment) -> bool:
        return environment is not Environment.GPU

    def run(self, spec: ProgramSpec, collect: tuple[str, ...] = ()) -> Finished:
        with tempfile.TemporaryDirectory(prefix="plain-run-") as name:
            folder = Path(name)
            _lay(spec, folder)
            started = time.monotonic()
            try:
                ended = subprocess.run(
                    _argv(spec),
                    cwd=folder,
                    env=_ENVIRONMENT,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=spec.limits.wall_time_s,
                    check=False,
                )
            except subprocess.TimeoutExpired as late:
                outcome = Outcome(StopReason.WALL_TIME, wall_time_s=time.monotonic() - started)
                return Finished(outcome, late.stdout or b"", late.stderr or b"", {})
            by_signal = ended.returncode < 0
            outcome = Outcome(
                StopReason.SIGNALLED if by_signal else StopReason.EXITED,
                exit_code=None if by_signal else ended.returncode,
                signal=-ended.returncode if by_signal else None,
                wall_time_s=time.monotonic() - started,
            )
            left = {one: (folder / one).read_bytes() for one in collect if (folder / one).exists()}
        return Finished(outcome, ended.stdout, ended.stderr, left)

    @property
    def running(self) -> list[PlainProgram]:
        """Programs that were started and not closed."""
        return [program for program in self.programs if not program.closed]

    def close(self) -> None:
        for program in self.programs:
            program.close()


@contextlib.contextmanager
def plain_launcher() -> Iterator[PlainLauncher]:
    """A launcher whose programs are gone at the end of the block."""
    launcher = PlainLauncher()
    try:
        yield launcher
    finally:
        launcher.close()


class PlainProgram:
    """One child process in a folder of its own; implements `graders.ports.Program`."""

    def __init__(self, spec: ProgramSpec) -> None:
        self.spec = spec
        self.closed = False
        self._folder = Path(tempfile.mkdtemp(prefix="plain-program-"))
        _lay(spec, self._folder)
        request_read, self._request = _high_pipe()
        self._answer, answer_write = _high_pipe()
        self._stdout, stdout_write = _high_pipe()
        os.set_blocking(self._stdout, False)
        null = os.open(os.devnull, os.O_RDONLY)
        self._started = time.monotonic()
        # posix_spawn cannot change the folder, hence env; its dup2 lets the ends through exec.
        self._pid = os.posix_spawnp(
            "env",
            ["env", "-C", str(self._folder), *_argv(spec)],
            _ENVIRONMENT,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, source, target)
                for source, target in (
                    (null, 0),
                    (stdout_write, 1),
                    (stdout_write, 2),
                    (request_read, 3),
                    (answer_write, 4),
                )
            ],
            setpgroup=0,
        )
        for descriptor in (null, request_read, answer_write, stdout_write):
            os.close(descriptor)
        self._incoming = b""
        self._outcome: Outcome | None = None
        self._output = bytearray()
        self._output_left = spec.limits.output_kib * 1024
        self._truncated = self._flooded = False
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read_output, daemon=True)
        self._reader.start()

    def send(self, frame: bytes) -> None:
        data = memoryview(_LENGTH.pack(len(frame)) + frame)
        # A program that has ended, or ends while we write, is told of by `receive`.
        with contextlib.suppress(BrokenPipeError, OSError):
            while data:
                data = data[os.write(self._request, data) :]

    def receive(self, time_limit_s: float) -> bytes | Outcome:
        if self._outcome is not None:
            return self._outcome
        now = time.monotonic()
        deadline = min(now + time_limit_s, self._started + self.spec.limits.wall_time_s)
        with selectors.DefaultSelector() as selector:
            selector.register(self._answer, selectors.EVENT_READ)
            while True:
                frame = self._next_frame()
                if frame is not None:
                    return frame
                if self._outcome is not None:
                    return self._outcome
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not selector.select(left_s):
                    return self._end(StopReason.WALL_TIME)
                part = os.read(self._answer, 1 << 20)
                if not part:
                    return self._end(None)
                self._incoming += part

    def take_output(self) -> Output:
        if self._outcome is not None:
            self._reader.join(timeout=5)
        with self._lock:
            self._drain()  # what was printed before a frame must be told with that frame
            text = self._output.decode("utf-8", "replace")
            truncated, self._truncated = self._truncated, False
            self._output.clear()
        return Output(text, truncated)

    def usage(self) -> Usage:
        if self._outcome is not None:
            return Usage(self._outcome.cpu_time_s, self._outcome.memory_mib)
        ticks_s = os.sysconf("SC_CLK_TCK")
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        cpu_time_s = (int(fields[11]) + int(fields[12])) / ticks_s
        status = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        peak_kib = [int(line.split()[1]) for line in status if line.startswith("VmHWM")]
        return Usage(cpu_time_s, sum(peak_kib) / 1024)

    def close(self) -> Outcome:
        outcome = self._outcome or self._end(StopReason.SIGNALLED)
        if not self.closed:
            self.closed = True
            os.close(self._request)
            os.close(self._answer)
            shutil.rmtree(self._folder, ignore_errors=True)
        return outcome

    def _next_frame(self) -> bytes | None:
        if len(self._incoming) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._incoming)
        if length > MAX_FRAME_BYTES:
            self._end(StopReason.BAD_FRAME)
            return None
        end = _LENGTH.size + length
        if len(self._incoming) < end:
            return None
        frame, self._incoming = self._incoming[_LENGTH.size : end], self._incoming[end:]
        return frame

    def _end(self, reason: StopReason | None) -> Outcome:
        """Kill what runs and keep how it ended; `reason` None: it closed its pipe itself."""
        if self._outcome is not None:
            return self._outcome
        if reason is None:
            # The pipe closes at exit; a program that only closed it gets a moment to end.
            ended = _wait_until(lambda: _exited(self._pid), 1.0)
            reason = StopReason.EXITED if ended else StopReason.BAD_FRAME
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        _, status, usage = os.wait4(self._pid, 0)
        self._reader.join(timeout=5)
        if reason is StopReason.EXITED:
            if self._flooded:
                reason = StopReason.OUTPUT
            elif os.WIFSIGNALED(status):
                reason = StopReason.SIGNALLED
        self._outcome = Outcome(
            reason,
            exit_code=os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            signal=os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
            cpu_time_s=usage.ru_utime + usage.ru_stime,
            wall_time_s=time.monotonic() - self._started,
            memory_mib=usage.ru_maxrss / 1024,
        )
        return self._outcome

    def _read_output(self) -> None:
        while True:
            with selectors.DefaultSelector() as selector:
                selector.register(self._stdout, selectors.EVENT_READ)
                selector.select()
            with self._lock:
                if not self._drain():
                    os.close(self._stdout)
                    self._stdout = -1
                    return

    def _drain(self) -> bool:
        """Read all that is in the pipe, under the lock; False at its end."""
        while self._stdout >= 0:
            try:
                part = os.read(self._stdout, 1 << 16)
            except BlockingIOError:
                return True
            if not part:
                break
            self._output += part[: self._output_left]
            self._output_left -= len(part)
            if self._output_left < 0:
                self._truncated = self._flooded = True
                self._output_left = 0
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._pid, signal.SIGKILL)
        return False


def _argv(spec: ProgramSpec) -> list[str]:
    name, *rest = spec.argv
    return [sys.executable if name == "python" else name, *rest]


def _lay(spec: ProgramSpec, folder: Path) -> None:
    for name, content in spec.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o755)


def _high_pipe() -> tuple[int, int]:
    """A pipe whose ends are above 9, so that dup2 to 0..4 in the child overwrites none of them."""
    ends = []
    for end in os.pipe():
        ends.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10))
        os.close(end)
    return ends[0], ends[1]


def _exited(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _wait_until(condition: Callable[[], bool], time_limit_s: float) -> bool:
    deadline = time.monotonic() + time_limit_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True
