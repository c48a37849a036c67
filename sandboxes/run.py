"""One run, from start to the end of its last process.

Every run has a thread of its own, which starts the program, watches limits, drains output and sees
the tree dead. It has to be one thread from start to end: bubblewrap asks the kernel to kill it
when its parent dies, and to the kernel the parent is a thread; so is the owner of the private
mount with the scratch space. If this process is killed, both vanish with it.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Protocol, Self

from sandboxes.cgroups import MIB, Cgroup, Hierarchies
from sandboxes.collect import collect
from sandboxes.frames import FrameReader, framed
from sandboxes.interface import Command, RunResult, RunStatus, SandboxError
from sandboxes.meter import Meter
from sandboxes.output import Output
from sandboxes.pipes import Pipes

_READ_BYTES = 1 << 20
_LOOK_EVERY_S = 0.05
_LOOK_AT_LEAST_AFTER_S = 0.002


@dataclass(frozen=True, slots=True)
class Ending:
    """How a program ended by itself: with a code, or by a signal."""

    exit_code: int | None
    signal: int | None


class Launched(Protocol):
    """A started program in its sandbox, as a backend gives it. Used by one thread.

    Attributes
    ----------
    uid : int
        Whose it is in the eyes of the kernel.
    process_id : int
        The root of the tree to meter, of which the first `own_processes` are the sandbox's.
    process_fd : int
        Readable when the tree has ended.
    is_held : bool
        Whether the program does not start before `home_fd` has succeeded.
    cpu_time_s : float
        After `end`: CPU seconds of all processes that were waited for.
    """

    uid: int
    process_id: int
    process_fd: int
    own_processes: int
    started_at: float
    cgroup: Cgroup | None
    pipes: Pipes
    is_held: bool
    cpu_time_s: float

    def look(self) -> None:
        """Read what the sandbox has told by now, without waiting."""

    def home_fd(self) -> int | None:
        """The program's working directory, the caller's to close; None if there is none yet."""

    def end(self) -> None:
        """Kill the tree, see it empty, and reap it."""

    def ending(self, said: bytes) -> Ending:
        """How the program ended by itself. Raises SandboxError if there was no program."""

    def release(self) -> None:
        """Give everything back. The processes must be gone."""

    def afterwards(self) -> None:
        """What can wait until the caller has its result; raises nothing."""


class Run:
    """A command in its sandbox; an `InteractiveRun` when started as one, else a `BatchRun`.

    Parameters
    ----------
    launch : callable
        Starts the command in the run's own thread.
    hierarchies : Hierarchies
        What its control group bounds and accounts for.
    """

    def __init__(
        self,
        launch: Callable[[], Launched],
        hierarchies: Hierarchies,
        command: Command,
        interactive: bool = False,
    ) -> None:
        self._launch = launch
        self._hierarchies = hierarchies
        self._command = command
        self._interactive = interactive
        self._lock = threading.Lock()
        self._receiving = threading.Lock()
        self._started = threading.Event()
        self._ended = threading.Event()
        self._told = threading.Event()  # the run's thread has done with our descriptors
        self._ended_fd = os.eventfd(0, os.EFD_CLOEXEC)
        self._wake_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._outbox: deque[memoryview] = deque()
        self._inbox = FrameReader(command.limits.frame_mib * MIB)
        self._request_fd: int | None = None
        self._answer_fd: int | None = None
        self._stop_reason: RunStatus | None = None
        self._result: RunResult | None = None
        self._error: SandboxError | None = None
        self._closed = False
        # A daemon: a forgotten run must not keep the interpreter; the kernel then ends the run.
        self._thread = threading.Thread(target=self._live, name="sandbox-run", daemon=True)
        self._thread.start()
        try:
            self._started.wait()
        except BaseException:  # an interrupt: nobody will have this run to close it
            self._stop(RunStatus.KILLED)
            raise
        if self._error is not None:
            self._thread.join()
            self._close_fds()
            raise self._error

    # What callers do. `close` may come from a thread of its own, to cancel; it wakes `receive`.

    def send(self, frame: bytes) -> None:
        """Send one frame; to a run that has ended this does nothing."""
        with self._lock:
            if self._request_fd is None:
                return
            was_empty = not self._outbox
            self._outbox.append(memoryview(framed(frame)))
            if was_empty:
                self._write_outbox()
            if self._outbox:  # the supervisor goes on when the program reads
                os.eventfd_write(self._wake_fd, 1)

    def receive(self, time_limit_s: float) -> bytes | RunResult:
        """The next frame, or how the run ended. A run that is late is killed."""
        deadline = time.monotonic() + time_limit_s
        with self._receiving:
            while True:
                frame = self._inbox.take()
                if frame is not None:
                    return frame
                if self._inbox.too_large:
                    return self._stop_and_wait(RunStatus.BAD_FRAME)
                left_s = deadline - time.monotonic()
                if left_s <= 0 and not self._ended.is_set():
                    return self._stop_and_wait(RunStatus.WALL_TIME_EXCEEDED)
                if self._answer_fd is not None:
                    self._read_answers(self._answer_fd, left_s)
                elif self._ended.wait(max(left_s, 0.0)):  # it closed its end, or we did
                    return self._how_it_ended()

    def take_output(self) -> tuple[bytes, bool]:
        """Standard output and error since the last call, in order of arrival; and whether cut."""
        return self._output.take()

    def usage(self) -> tuple[float, float]:
        """CPU seconds and peak MiB so far, over the tree."""
        with self._lock:
            if self._measurable:
                self._meter.read(self._command.limits.memory_mib)
            return self._meter.cpu_time_s, self._meter.memory_mib

    def wait(self) -> RunResult:
        """Wait for the end, which some limit brings at the latest, or `close` in another thread."""
        self._ended.wait()
        return self._how_it_ended()

    def close(self) -> RunResult:
        """Kill what still runs; every process is gone when this returns. Safe to call twice."""
        self._stop(RunStatus.KILLED)
        self._told.wait()
        self._close_fds()
        return self._how_it_ended()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except SandboxError:
            if kind is None:
                raise

    # Frames.

    def _read_answers(self, answer_fd: int, time_limit_s: float) -> None:
        """Read once, or find out that there is nothing more; or return after the time limit."""
        poll = select.poll()
        poll.register(answer_fd, select.POLLIN)
        if not self._ended.is_set():
            poll.register(self._ended_fd, select.POLLIN)
        poll.poll(max(time_limit_s, 0.0) * 1000)
        try:
            data = os.read(answer_fd, _READ_BYTES)
        except BlockingIOError:
            return
        self._inbox.feed(data)
        if not data:
            os.close(answer_fd)
            self._answer_fd = None

    def _write_outbox(self) -> None:
        """Write what the pipe takes. The lock is held."""
        while self._outbox and self._request_fd is not None:
            try:
                written = os.write(self._request_fd, self._outbox[0])
            except BlockingIOError:
                return
            except BrokenPipeError:
                self._outbox.clear()
                os.close(self._request_fd)
                self._request_fd = None
                return
            rest = self._outbox.popleft()[written:]
            if rest:
                self._outbox.appendleft(rest)

    # The end.

    def _stop(self, reason: RunStatus) -> None:
        with self._lock:
            if self._stop_reason is None and not self._ended.is_set():
                self._stop_reason = reason
                os.eventfd_write(self._wake_fd, 1)

    def _stop_and_wait(self, reason: RunStatus) -> RunResult:
        self._stop(reason)
        self._ended.wait()
        return self._how_it_ended()

    def _how_it_ended(self) -> RunResult:
        if self._error is not None:
            raise self._error
        if self._result is None:
            raise SandboxError("a run ended without a result")
        if self._result.status is RunStatus.EXITED and self._inbox.broken_off:
            return replace(self._result, status=RunStatus.BAD_FRAME)
        return self._result

    def _close_fds(self) -> None:
        # A `receive` in another thread returns, the run having ended, before its pipe goes.
        with self._receiving, self._lock:
            if self._closed:
                return
            self._closed = True
            for fd in (
                self._request_fd,
                self._answer_fd,
                self._ended_fd,
                self._wake_fd,
            ):
                if fd is not None:
                    os.close(fd)
            self._request_fd = self._answer_fd = None

    # The supervisor: everything below runs in the run's own thread.

    def _live(self) -> None:
        try:
            launched = self._launch()
        except BaseException as error:
            self._fail(error)
            self._ended.set()
            self._started.set()
            return
        self._launched = launched
        pipes = launched.pipes
        self._output = Output(self._command.limits.output_kib << 10, pipes.output_fds)
        self._meter = Meter(launched.cgroup, launched.process_id, launched.own_processes)
        self._request_fd, self._answer_fd = pipes.request_fd, pipes.answer_fd
        self._home_fd: int | None = None
        self._measurable = True
        self._started.set()
        try:
            try:
                try:
                    self._watch()
                finally:
                    self._end_all()
                self._result = self._sum_up()
            finally:
                launched.release()
        except BaseException as error:
            self._fail(error)
        finally:
            if self._home_fd is not None:
                os.close(self._home_fd)
            self._ended.set()
            os.eventfd_write(self._ended_fd, 1)
            self._told.set()
        launched.afterwards()

    def _fail(self, error: BaseException) -> None:
        """Keep an error of ours for whoever asks how the run ended."""
        if not isinstance(error, SandboxError):
            cause, error = error, SandboxError(f"a run failed on our side: {error!r}")
            error.__cause__ = cause
        self._error = error

    def _watch(self) -> None:
        """Return when the program has ended or has to be ended."""
        launched, limits = self._launched, self._command.limits
        wall_deadline = launched.started_at + limits.wall_time_s
        process_has_ended = False
        self._next_look_at = launched.started_at + _LOOK_AT_LEAST_AFTER_S
        while not process_has_ended and self._stop_reason is None:
            now = time.monotonic()
            if now >= wall_deadline:
                self._stop(RunStatus.WALL_TIME_EXCEEDED)
                return
            poll = select.poll()
            poll.register(launched.process_fd, select.POLLIN)
            poll.register(self._wake_fd, select.POLLIN)
            for fd in self._output.open_fds:
                poll.register(fd, select.POLLIN)
            with self._lock:
                if self._outbox and self._request_fd is not None:
                    poll.register(self._request_fd, select.POLLOUT)
            wait_s = min(self._next_look_s(), wall_deadline - now)
            if launched.is_held:
                wait_s = _LOOK_AT_LEAST_AFTER_S
            ready = {fd for fd, _ in poll.poll(wait_s * 1000)}
            process_has_ended = launched.process_fd in ready
            if self._wake_fd in ready:
                os.eventfd_read(self._wake_fd)
            launched.look()
            self._output.drain()
            with self._lock:
                self._write_outbox()
            self._remember_home()
            if self._output.flooded:
                self._stop(RunStatus.OUTPUT_EXCEEDED)
            elif not process_has_ended and time.monotonic() >= self._next_look_at:
                self._check_limits()  # at the end, `_sum_up` does

    def _next_look_s(self) -> float:
        """How long the run can be left alone without passing its CPU time by much."""
        limits = self._command.limits
        left_s = limits.cpu_time_s - self._meter.cpu_time_s
        parallel = min(limits.processes, os.cpu_count() or 1)
        return max(min(_LOOK_EVERY_S, left_s / parallel), _LOOK_AT_LEAST_AFTER_S)

    def _check_limits(self) -> None:
        limits = self._command.limits
        with self._lock:
            self._meter.read(limits.memory_mib)
        self._next_look_at = time.monotonic() + _LOOK_AT_LEAST_AFTER_S
        if self._is_out_of_memory():
            self._stop(RunStatus.MEMORY_EXCEEDED)
        elif self._meter.cpu_time_s > limits.cpu_time_s:
            self._stop(RunStatus.CPU_TIME_EXCEEDED)

    def _is_out_of_memory(self) -> bool:
        cgroup = self._launched.cgroup
        if cgroup is not None and self._hierarchies.memory is not None:
            return cgroup.out_of_memory()
        return self._meter.memory_mib > self._command.limits.memory_mib

    def _remember_home(self) -> None:
        """Hold the working directory, so that it outlives the namespace it is in."""
        if self._home_fd is None:
            self._home_fd = self._launched.home_fd()

    def _end_all(self) -> None:
        """Kill the tree, see it empty, and reap it."""
        self._launched.end()
        self._output.drain()
        self._output.close()
        with self._lock:
            self._meter.read(self._command.limits.memory_mib)
            self._measurable = False
            if self._hierarchies.cpu is None:
                ended_cpu_time_s = self._launched.cpu_time_s
                self._meter.cpu_time_s = max(self._meter.cpu_time_s, ended_cpu_time_s)
            if self._request_fd is not None:
                os.close(self._request_fd)
                self._request_fd = None

    def _sum_up(self) -> RunResult:
        limits, launched = self._command.limits, self._launched
        wall_time_s = time.monotonic() - launched.started_at
        out_of_memory = self._is_out_of_memory()
        collected = {}
        self._remember_home()
        if self._home_fd is not None:
            collected = collect(self._home_fd, self._command.collect, limits.scratch_mib * MIB)
        streams = self._output.streams()
        stderr = b"" if self._interactive else streams[1]
        status, ending = self._status_of_the_end(out_of_memory, streams[-1])
        return RunResult(
            status=status,
            exit_code=ending.exit_code,
            signal=ending.signal,
            cpu_time_s=self._meter.cpu_time_s,
            wall_time_s=wall_time_s,
            memory_mib=self._meter.memory_mib,
            stdout=streams[0],
            stderr=stderr,
            output_truncated=self._output.truncated,
            collected=collected,
        )

    def _status_of_the_end(self, out_of_memory: bool, said: bytes) -> tuple[RunStatus, Ending]:
        stopped = self._stop_reason
        if stopped is None and out_of_memory:
            stopped = RunStatus.MEMORY_EXCEEDED
        if stopped is None and self._meter.cpu_time_s > self._command.limits.cpu_time_s:
            stopped = RunStatus.CPU_TIME_EXCEEDED
        if stopped is not None:
            return stopped, Ending(None, signal.SIGKILL)
        ending = self._launched.ending(said)
        if ending.exit_code != 0:
            refused = self._what_was_refused(ending)
            if refused is not None:
                return refused, ending
        return RunStatus.EXITED if ending.signal is None else RunStatus.SIGNALLED, ending

    def _what_was_refused(self, ending: Ending) -> RunStatus | None:
        """Which limit a program that failed has met, of those that end nothing by themselves."""
        cgroup = self._launched.cgroup
        if cgroup is not None and cgroup.out_of_processes():
            return RunStatus.PROCESSES_EXCEEDED
        if ending.signal == signal.SIGXFSZ:
            return RunStatus.SCRATCH_EXCEEDED
        if self._home_fd is not None:
            scratch = os.fstatvfs(self._home_fd)
            if scratch.f_bavail == 0:
                return RunStatus.SCRATCH_EXCEEDED
            if scratch.f_ffree == 0 and scratch.f_files > 0:  # 0 files: not bounded
                return RunStatus.FILES_EXCEEDED
        return None
