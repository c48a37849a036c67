"""Starts bubblewrap for one run: identity, control group, scratch space, pipes, limits."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sandboxes.arguments import HOME, Descriptors, bubblewrap_arguments, program, spawn_argv
from sandboxes.cgroups import Cgroup
from sandboxes.identity import take_identity
from sandboxes.interface import Command
from sandboxes.kernel import become_subreaper, mount_private_tmpfs, spawn

if TYPE_CHECKING:
    from sandboxes.bubblewrap import Host

MIB = 1 << 20
_OWN_PROCESSES = 2  # bubblewrap's monitor outside and its init inside
_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
_PIPE_BYTES = 1 << 20  # frames of numpy data move in fewer turns than with 64 KiB


class Launched:
    """One started bubblewrap and all that belongs to it. Made and released by one thread.

    Attributes
    ----------
    process_id : int
        bubblewrap's monitor; it ends when the program ends.
    output_fds : list of int
        Read ends: one pipe for both streams if interactive, else standard output, then error.
    request_fd, answer_fd : int or None
        Of the frames, if interactive: our ends of the program's descriptors 3 and 4.
    is_held : bool
        Whether bubblewrap, with everything mounted, waits for a first `home_fd` to succeed.
    status_fd : int
        Where bubblewrap tells, as JSON, its child's process id and later its exit code.
    """

    def __init__(self, host: Host, command: Command, interactive: bool, stdin: bytes) -> None:
        self._cleanup = contextlib.ExitStack()
        self._theirs = contextlib.ExitStack()
        self._host = host
        self.cgroup: Cgroup | None = None
        self.request_fd: int | None = None
        self.answer_fd: int | None = None
        self.output_fds: list[int] = []
        self._scratch_fd: int | None = None
        self.is_held = False
        try:
            with self._theirs:
                self._start(command, interactive, stdin)
        except BaseException:
            self.abandon()
            raise

    def _start(self, command: Command, interactive: bool, stdin: bytes) -> None:
        limits = command.limits
        host = self._host
        identity = self._cleanup.enter_context(take_identity(host.first_uid, host.last_uid))
        self.uid = identity.uid
        if host.hierarchies.directories():
            self.cgroup = Cgroup(
                host.hierarchies,
                limits.memory_mib * MIB,
                limits.processes + _OWN_PROCESSES,
            )
            self._cleanup.callback(self.cgroup.remove)
        if host.scratch_mount is not None:
            inodes = limits.scratch_inodes + len(command.files) + 4  # the root and three folders
            self._scratch_fd = mount_private_tmpfs(
                host.scratch_mount,
                f"size={limits.scratch_mib}m,nr_inodes={inodes},mode=0700,"
                f"uid={self.uid},gid={self.uid}",
            )
            self._cleanup.callback(os.close, self._scratch_fd)

        descriptors = [self._their_stdin(stdin), *self._their_output(interactive)]
        if interactive:
            descriptors += self._their_frames()
        arguments_read, arguments_write = os.pipe2(os.O_CLOEXEC)
        self._theirs.callback(os.close, arguments_read)
        arguments_sent = self._theirs.enter_context(contextlib.ExitStack())
        arguments_sent.callback(os.close, arguments_write)
        self.status_fd, status_write = os.pipe2(os.O_CLOEXEC)
        self._cleanup.callback(os.close, self.status_fd)
        self._theirs.callback(os.close, status_write)
        first = len(descriptors)
        descriptors += [arguments_read, self._memory_file(host.seccomp), status_write]
        hold = None
        if command.collect and self._scratch_fd is None:
            hold = len(descriptors)
            descriptors.append(self._hold())
        numbers = Descriptors(first, first + 1, first + 2, hold, len(descriptors))
        descriptors += [self._memory_file(content) for content in command.files.values()]

        inner = program(command, bursts_bounded=host.hierarchies.memory is not None)
        uid = self.uid if host.is_root else None
        arguments = bubblewrap_arguments(command, numbers, host.runtime, host.scratch_mount)
        become_subreaper()
        self.started_at = time.monotonic()
        self.process_id = spawn(
            spawn_argv(host.bwrap, uid, numbers.arguments, inner), {}, descriptors
        )
        # From here on it waits for its arguments, and holds still while it is bound.
        try:
            self.process_fd = os.pidfd_open(self.process_id)
            self._cleanup.callback(os.close, self.process_fd)
            if self.cgroup is not None:
                self.cgroup.add(self.process_id)
            with contextlib.suppress(ProcessLookupError):  # it has died; its status will tell
                Path(f"/proc/{self.process_id}/oom_score_adj").write_text("1000")
            with contextlib.suppress(BrokenPipeError):  # it has died; its status will tell
                view = memoryview(arguments)
                while view:
                    view = view[os.write(arguments_write, view) :]
        except BaseException:
            os.kill(self.process_id, 9)
            os.waitpid(self.process_id, 0)
            raise
        finally:
            arguments_sent.close()

    def _their_stdin(self, stdin: bytes) -> int:
        if stdin:
            return self._memory_file(stdin)
        fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self._theirs.callback(os.close, fd)
        return fd

    def _their_output(self, interactive: bool) -> list[int]:
        first = self._their_write_end()
        # One pipe for both keeps the order of arrival; a batch run tells them apart.
        return [first, first] if interactive else [first, self._their_write_end()]

    def _their_write_end(self) -> int:
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        self.output_fds.append(read_fd)  # closed by `Output`
        self._theirs.callback(os.close, write_fd)
        return write_fd

    def _their_frames(self) -> list[int]:
        requests_read, self.request_fd = os.pipe2(os.O_CLOEXEC)
        self.answer_fd, answers_write = os.pipe2(os.O_CLOEXEC)
        self._theirs.callback(os.close, requests_read)
        self._theirs.callback(os.close, answers_write)
        with contextlib.suppress(OSError):  # over the user's share of pipe memory
            for fd in (self.request_fd, self.answer_fd):
                fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        for fd in (self.request_fd, self.answer_fd):
            os.set_blocking(fd, False)
        return [requests_read, answers_write]

    def _hold(self) -> int:
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        self._theirs.callback(os.close, read_fd)
        self.is_held = True
        self._held = self._cleanup.enter_context(contextlib.ExitStack())
        self._held.callback(os.close, write_fd)
        return read_fd

    def _memory_file(self, content: bytes) -> int:
        fd = os.memfd_create("gauntlet", os.MFD_CLOEXEC)
        self._theirs.callback(os.close, fd)
        view = memoryview(content)
        while view:
            view = view[os.write(fd, view) :]
        os.lseek(fd, 0, os.SEEK_SET)
        return fd

    def home_fd(self, sandbox_init: int | None) -> int | None:
        """The program's working directory seen from outside, or None if it cannot be had.

        A scratch space that we mounted is ours to look into. One that bubblewrap made is reached
        through its init, which holds still until we have done so: after the end it would be gone.
        """
        root = f"/proc/{sandbox_init}/root"
        try:
            if self._scratch_fd is not None:
                return os.open("home", _DIRECTORY, dir_fd=self._scratch_fd)
            if sandbox_init is None:
                return None
            if os.path.samefile(root, "/"):
                return None  # not in its own root yet
            home_fd = os.open(f"{root}{HOME}", _DIRECTORY)
        except OSError:
            return None
        self._held.close()
        self.is_held = False
        return home_fd

    def release(self) -> None:
        """Give everything back. The processes must be gone."""
        self._cleanup.close()

    def abandon(self) -> None:
        """Give everything back after a failed start, our ends of the pipes included."""
        for fd in (self.request_fd, self.answer_fd, *self.output_fds):
            if fd is not None:
                os.close(fd)
        self._cleanup.close()


class Status:
    """What bubblewrap tells about itself: JSON documents, one after the other."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._text = b""
        self.at_end = False
        os.set_blocking(fd, False)

    def read(self) -> None:
        """Read what is there, without waiting."""
        while not self.at_end:
            try:
                data = os.read(self._fd, 4096)
            except BlockingIOError:
                return
            self._text += data
            self.at_end = not data

    def get(self, key: str) -> int | None:
        """The value under a key in any of the documents."""
        decoder = json.JSONDecoder()
        text = self._text.decode(errors="replace").strip()
        while text:
            try:
                document, end = decoder.raw_decode(text)
            except ValueError:
                return None
            if key in document:
                return int(document[key])
            text = text[end:].lstrip()
        return None
