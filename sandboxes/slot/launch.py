"""Starts one run in a slot, and sees it dead."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import time
from collections.abc import Callable

from sandboxes.arguments import resource_limits
from sandboxes.cgroups import MIB, Hierarchies
from sandboxes.interface import Command, SandboxError
from sandboxes.pipes import Pipes, memory_file
from sandboxes.profiles import processes
from sandboxes.run import Ending
from sandboxes.slot import records
from sandboxes.slot.slot import Slot, complaint, receive_message

_HOME, _BEGAN, _ENDED = b"H", b"B", b"S"
_WAIT_STATUS = struct.Struct("=i")
_PATIENCE_S = 10.0


class SlotLaunched:
    """A run in a slot; see `sandboxes.run.Launched` for what its attributes mean.

    Parameters
    ----------
    take : callable
        Gives an idle slot, made for the command's profile.
    give_back : callable
        Takes the slot when the run is over, and whether it can be used again.
    make_ready : callable
        Takes a slot that can, when the caller has its result.
    """

    own_processes = 1  # init is the root of the tree
    is_held = False

    def __init__(
        self,
        take: Callable[[], Slot],
        give_back: Callable[[Slot, bool], None],
        make_ready: Callable[[Slot], None],
        hierarchies: Hierarchies,
        command: Command,
        interactive: bool,
        stdin: bytes,
    ) -> None:
        bounds = resource_limits(command, hierarchies, Slot.own_processes)
        request = records.request(command, bounds)
        self._slot = slot = take()
        self._make_ready = make_ready
        self.uid = slot.identity.uid
        self._is_sound = False  # whether the slot is known to be empty and in step with us
        self._has_begun = False  # the program; what happens to it before is not its doing
        self._message = b""
        self._home_fd: int | None = None
        self.cpu_time_s = 0.0
        self._cleanup = contextlib.ExitStack()
        self._ahead = slot.take_ahead()
        self._control, self.cgroup = self._ahead.control, self._ahead.cgroup
        self.process_fd, self.process_id = self._ahead.process_fd, self._ahead.process_id
        self._cleanup.callback(lambda: give_back(slot, self._is_sound))
        self._cleanup.callback(self._ahead.close)
        try:
            self.pipes = Pipes(interactive, stdin)
            try:
                self._start(request, command)
            except BaseException:
                self.pipes.close_ours()
                raise
            finally:
                self.pipes.close_theirs()
        except BaseException:
            try:
                self.end()
            finally:
                self.release()
                self.afterwards()
            raise

    def _start(self, request: bytes, command: Command) -> None:
        limits = command.limits
        if self.cgroup is not None:
            self.cgroup.forget_cpu_time()
            self.cgroup.limit(limits.memory_mib * MIB, processes(command) + self.own_processes)
        request_fd = memory_file(request)
        try:
            self.started_at = time.monotonic()
            with contextlib.suppress(ConnectionError):  # it has died; its last words will tell
                socket.send_fds(self._control, [b"\0"], [request_fd, *self.pipes.theirs])
        finally:
            os.close(request_fd)

    def look(self) -> None:
        """Read what init has said by now, without waiting."""
        while self._message[:1] != _ENDED:
            try:
                message, passed = receive_message(self._control, 0.0)
            except BlockingIOError:
                return
            if not message:
                return
            if message[:1] == _HOME and passed is not None:
                self._home_fd = passed
                self._cleanup.callback(self._close_home)
            elif message[:1] == _BEGAN:
                self._has_begun = True
            else:
                self._message = message

    def home_fd(self) -> int | None:
        """The program's working directory, held open since before its start."""
        self.look()
        home_fd, self._home_fd = self._home_fd, None
        return home_fd

    def end(self) -> None:
        """Kill the run's init and see it reaped: everything in its pid namespace went before."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.process_fd, signal.SIGKILL)
        try:
            self.cpu_time_s = self._slot.finish()
        except SandboxError:
            self._slot.end()  # or the control group would not become empty
            raise
        self._is_sound = True

    def ending(self, said: bytes) -> Ending:
        """How the program ended, as init saw it."""
        self.look()
        if self._message[:1] != _ENDED:
            raise SandboxError(complaint("a run's init", self._message))
        if not self._has_begun:
            raise SandboxError("a run's program was ended before its first instruction")
        (status,) = _WAIT_STATUS.unpack(self._message[1:])
        if os.WIFSIGNALED(status):
            return Ending(None, os.WTERMSIG(status))
        return Ending(os.WEXITSTATUS(status), None)

    def release(self) -> None:
        """Give everything back. The processes must be gone, or the slot is ended."""
        self._cleanup.close()

    def afterwards(self) -> None:
        """Make the slot ready for its next run."""
        if self._is_sound:
            self._make_ready(self._slot)

    def _close_home(self) -> None:
        if self._home_fd is not None:
            os.close(self._home_fd)
