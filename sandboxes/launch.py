"""Starts bubblewrap for one run: identity, control group, scratch space, pipes, limits."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sandboxes.arguments import Descriptors, bubblewrap_arguments, program, spawn_argv
from sandboxes.cgroups import Cgroup
from sandboxes.identity import take_identity
from sandboxes.interface import Command, SandboxError
from sandboxes.kernel import become_subreaper, mount_private_tmpfs, spawn
from sandboxes.pipes import Pipes, memory_file
from sandboxes.profiles import HOME, TRAITS, packages_of, processes
from sandboxes.run import Ending

if TYPE_CHECKING:
    from sandboxes.bubblewrap import Host

MIB = 1 << 20
_SETUP_PATIENCE_S = 10.0
_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW


class BubblewrapLaunched:
    """One started bubblewrap and all that belongs to it. Made and released by one thread.

    Attributes
    ----------
    process_id : int
        bubblewrap's monitor; it ends when the program ends.
    is_held : bool
        Whether bubblewrap, with everything mounted, waits for a first `home_fd` to succeed.
    cpu_time_s : float
        After `end`: CPU seconds of all processes that were waited for.
    """

    own_processes = 2  # at the root of the tree: bubblewrap's monitor outside, and init inside

    def __init__(self, host: Host, command: Command, interactive: bool, stdin: bytes) -> None:
        self._cleanup = contextlib.ExitStack()
        self._theirs = contextlib.ExitStack()
        self._host = host
        self.cgroup: Cgroup | None = None
        self.cpu_time_s = 0.0
        self._init_fd: int | None = None
        self._scratch_fd: int | None = None
        self.is_held = False
        self._collects = bool(command.collect)
        self.pipes = Pipes(interactive, stdin)
        try:
            with self._theirs:
                self._theirs.callback(self.pipes.close_theirs)
                self._start(command)
        except BaseException:
            self.pipes.close_ours()
            self._cleanup.close()
            raise

    def _start(self, command: Command) -> None:
        limits = command.limits
        host = self._host
        identity = self._cleanup.enter_context(take_identity(host.first_uid, host.last_uid))
        self.uid = identity.uid
        if host.hierarchies.directories():
            self.cgroup = Cgroup(host.hierarchies)
            self._cleanup.callback(self.cgroup.remove)
            self.cgroup.limit(limits.memory_mib * MIB, processes(command) + self.own_processes)
        if host.scratch_mount is not None:
            inodes = limits.scratch_inodes + len(command.files) + 4  # the root and three folders
            self._scratch_fd = mount_private_tmpfs(
                host.scratch_mount,
                f"size={limits.scratch_mib}m,nr_inodes={inodes},mode=0700,"
                f"uid={self.uid},gid={self.uid}",
            )
            self._cleanup.callback(os.close, self._scratch_fd)

        descriptors = list(self.pipes.theirs)
        arguments_read, arguments_write = os.pipe2(os.O_CLOEXEC)
        self._theirs.callback(os.close, arguments_read)
        arguments_sent = self._theirs.enter_context(contextlib.ExitStack())
        arguments_sent.callback(os.close, arguments_write)
        status_read, status_write = os.pipe2(os.O_CLOEXEC)
        self._status = Status(status_read)
        self._cleanup.callback(os.close, status_read)
        self._theirs.callback(os.close, status_write)
        first = len(descriptors)
        descriptors += [arguments_read, self._memory_file(host.seccomp), status_write]
        hold = None
        if command.collect and self._scratch_fd is None:
            hold = len(descriptors)
            descriptors.append(self._hold())
        numbers = Descriptors(first, first + 1, first + 2, hold, len(descriptors))
        descriptors += [self._memory_file(content) for content in command.files.values()]

        inner = program(command, host.hierarchies)
        uid = self.uid if host.is_root else None
        runtime = packages_of(command.profile, host.runtime)
        arguments = bubblewrap_arguments(command, numbers, runtime, host.scratch_mount)
        become_subreaper()
        self.started_at = time.monotonic()
        self.process_id = spawn(
            spawn_argv(host.bwrap, uid, numbers.arguments, inner),
            {},
            descriptors,
            TRAITS[command.profile].is_randomized,
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

    def _hold(self) -> int:
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        self._theirs.callback(os.close, read_fd)
        self.is_held = True
        self._held = self._cleanup.enter_context(contextlib.ExitStack())
        self._held.callback(os.close, write_fd)
        return read_fd

    def _memory_file(self, content: bytes) -> int:
        fd = memory_file(content)
        self._theirs.callback(os.close, fd)
        return fd

    def look(self) -> None:
        """Read what bubblewrap has told by now, without waiting."""
        self._status.read()
        if self._init_fd is None and (init := self._status.get("child-pid")) is not None:
            # By descriptor, or a signal could hit whoever has its number next.
            with contextlib.suppress(ProcessLookupError):
                self._init_fd = os.pidfd_open(init)
                self._cleanup.callback(os.close, self._init_fd)

    def home_fd(self) -> int | None:
        """The program's working directory seen from outside, or None if it cannot be had (yet).

        A scratch space that we mounted is ours to look into. One that bubblewrap made is reached
        through its init, which holds still until we have done so: after the end it would be gone.
        That takes time, so it is had only where files are going to be collected.
        """
        init = self._status.get("child-pid")
        root = f"/proc/{init}/root"
        try:
            if self._scratch_fd is not None:
                return os.open("home", _DIRECTORY, dir_fd=self._scratch_fd)
            if init is None or not self._collects:
                return None
            if os.path.samefile(root, "/"):
                return None  # not in its own root yet
            home_fd = os.open(f"{root}{HOME}", _DIRECTORY)
        except OSError:
            return None
        self._held.close()
        self.is_held = False
        return home_fd

    def end(self) -> None:
        """Kill the tree, see it empty, and reap it."""
        self._find_init()
        for process_fd in (self._init_fd, self.process_fd):
            if process_fd is not None:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(process_fd, signal.SIGKILL)
        init = self._status.get("child-pid")
        _, _, usage = os.wait4(self.process_id, 0)
        self.cpu_time_s = usage.ru_utime + usage.ru_stime
        if init is not None:
            # Its monitor gone, init is ours, as we are a subreaper. The end of a pid namespace's
            # init comes after the end of everything in it.
            with contextlib.suppress(ChildProcessError):
                _, _, usage = os.wait4(init, 0)
                self.cpu_time_s += usage.ru_utime + usage.ru_stime
        if self.cgroup is not None:
            self.cgroup.kill_until_empty()

    def _find_init(self) -> None:
        """Wait until bubblewrap has told its child's process id, or has died before."""
        deadline = time.monotonic() + _SETUP_PATIENCE_S
        self.look()
        while self._status.get("child-pid") is None and not self._status.at_end:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return
            select.select([self._status.fd], [], [], left_s)
            self.look()

    def ending(self, said: bytes) -> Ending:
        """How the program ended by itself; `said` is what bubblewrap may have complained.

        Raises
        ------
        SandboxError
            If there was no program.
        """
        code = self._status.get("exit-code")
        if code is None:
            text = said.decode(errors="replace").strip()
            raise SandboxError(f"bubblewrap could not set up the sandbox: {text or 'no reason'}")
        # bubblewrap's init, like a shell, says 128 + n for a program that signal n ended.
        if 128 < code <= 128 + signal.NSIG:
            return Ending(None, code - 128)
        return Ending(code, None)

    def release(self) -> None:
        """Give everything back. The processes must be gone."""
        self._cleanup.close()

    def afterwards(self) -> None:
        """Nothing is made ahead."""


class Status:
    """What bubblewrap tells about itself: JSON documents, one after the other."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._text = b""
        self.at_end = False
        os.set_blocking(fd, False)

    def read(self) -> None:
        """Read what is there, without waiting."""
        while not self.at_end:
            try:
                data = os.read(self.fd, 4096)
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
