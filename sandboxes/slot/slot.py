"""One slot: a process that makes namespaces once, and runs one program at a time in them."""

from __future__ import annotations

import array
import contextlib
import os
import select
import signal
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from sandboxes.cgroups import Cgroup, Hierarchies
from sandboxes.identity import Identity
from sandboxes.interface import SandboxError
from sandboxes.kernel import spawn
from sandboxes.pipes import memory_file
from sandboxes.slot.build import Launcher

_STARTED, _REAPED, _FAILED, _READY = b"P", b"R", b"E", b"Y"
_MESSAGE_BYTES = 512
_PATIENCE_S = 10.0
_ZYGOTE_PATIENCE_S = 60.0  # imports on a busy machine
_ZYGOTE = Path(__file__).with_name("zygote.py")
_CPU_TIME = struct.Struct("=Q")


@dataclass(frozen=True, slots=True)
class Ahead:
    """A run's init that waits, in its control group, for what the run needs."""

    control: socket.socket
    process_fd: int
    process_id: int
    cgroup: Cgroup | None
    _cleanup: contextlib.ExitStack

    def close(self) -> None:
        """Give it all back; init must be gone."""
        self._cleanup.close()


class Slot:
    """A server inside namespaces, and the process that watches over it.

    Parameters
    ----------
    identity : Identity
        Whose uid every run of the slot has, one after the other; released when the slot ends.
    settings : bytes
        What `records.settings` made.
    is_zygote : bool
        Whether its server is a Python that has imported something.
    is_randomized : bool
        Whether its programs find their memory at random addresses.

    Raises
    ------
    SandboxError
        If this host does not let it make its namespaces.
    """

    own_processes = 3  # in the user namespace: the watch, the server and the run's init

    def __init__(
        self,
        launcher: Launcher,
        identity: Identity,
        settings: bytes,
        is_zygote: bool,
        is_randomized: bool,
    ) -> None:
        self.identity = identity
        self._has_ended = False
        self._ahead: Ahead | None = None
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with contextlib.ExitStack() as passed, theirs:
            null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            passed.callback(os.close, null)
            config = memory_file(settings)
            passed.callback(os.close, config)
            runner = os.pidfd_open(os.getpid())
            passed.callback(os.close, runner)
            descriptors = [null, null, null, theirs.fileno(), config, runner]
            if is_zygote:
                library = os.open(launcher.library, os.O_RDONLY | os.O_CLOEXEC)
                passed.callback(os.close, library)
                source = memory_file(_ZYGOTE.read_bytes())
                passed.callback(os.close, source)
                descriptors += [library, source]
            self._process_id = spawn([str(launcher.program)], {}, descriptors, is_randomized)
        try:
            self._expect(_READY, _ZYGOTE_PATIENCE_S if is_zygote else _PATIENCE_S)
        except BaseException:
            self.end()
            raise

    def fork_ahead(self, hierarchies: Hierarchies) -> None:
        """Let the server fork the next run's init, and put it into a control group.

        It waits there for what the run needs; so does a zygote's program, which it forks there. To
        enter a group may take milliseconds.
        """
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ahead = contextlib.ExitStack()
        ahead.callback(control.close)
        try:
            with theirs:
                socket.send_fds(self._socket, [b"\0"], [theirs.fileno()])
            _, process_fd = self._expect(_STARTED, _PATIENCE_S)
            if process_fd is None:
                raise SandboxError("a slot forked a run without a descriptor of it")
            ahead.callback(os.close, process_fd)
            process_id = _process_id(process_fd)
            cgroup = None
            if hierarchies.directories():
                cgroup = Cgroup(hierarchies)
                ahead.callback(cgroup.remove)
                cgroup.add(process_id)
            with contextlib.suppress(ConnectionError):  # it has died; whoever uses it learns that
                control.send(b"\0")
        except BaseException:
            self.end()
            ahead.close()
            raise
        self._ahead = Ahead(control, process_fd, process_id, cgroup, ahead)

    def take_ahead(self) -> Ahead:
        """The init that was forked ahead; the caller has to close it."""
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            raise SandboxError("a slot has to fork ahead before it is used")
        return ahead

    def finish(self) -> float:
        """Wait until the server has reaped the run's init; CPU seconds of all that was reaped."""
        body, _ = self._expect(_REAPED, _PATIENCE_S)
        return float(_CPU_TIME.unpack(body)[0]) / 1e6

    def end(self) -> None:
        """End the server and whatever is in the slot, and see it gone. Safe to call twice."""
        if self._has_ended:
            return
        self._has_ended = True
        self._socket.close()
        watch = os.pidfd_open(self._process_id)
        try:
            # The server ends by itself when its socket is closed, and the watch after it.
            if not select.select([watch], [], [], _PATIENCE_S)[0]:
                signal.pidfd_send_signal(watch, signal.SIGKILL)
        finally:
            os.close(watch)
        os.waitpid(self._process_id, 0)
        if self._ahead is not None:
            self._ahead.close()
        self.identity.release()

    def forget(self) -> None:
        """After a fork, in the child: close our copies of what is the parent's slot."""
        self._socket.close()
        if self._ahead is not None:
            self._ahead.control.close()
            os.close(self._ahead.process_fd)
        self.identity.release()

    def _expect(self, kind: bytes, patience_s: float) -> tuple[bytes, int | None]:
        message, passed = receive_message(self._socket, patience_s)
        if message[:1] == kind:
            return message[1:], passed
        if passed is not None:
            os.close(passed)
        raise SandboxError(complaint("a slot", message))


def receive_message(connection: socket.socket, patience_s: float) -> tuple[bytes, int | None]:
    """A message and the descriptor that came with it; an empty one if the other side is gone."""
    connection.settimeout(patience_s)
    try:
        message, ancillary, _, _ = connection.recvmsg(
            _MESSAGE_BYTES, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC
        )
    except TimeoutError:
        raise SandboxError(f"a slot did not answer within {patience_s:g} s") from None
    except ConnectionError:
        return b"", None
    fds = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    return message, fds[0] if fds else None


def complaint(who: str, message: bytes) -> str:
    """A sentence about a message that is not the one that was due."""
    if message[:1] == _FAILED:
        return f"{who} failed: {message[1:].decode(errors='replace')}"
    return f"{who} ended unasked" if not message else f"{who} said {message[:1]!r} out of turn"


def _process_id(process_fd: int) -> int:
    """The number, as we see it, of the process that a pidfd stands for."""
    fd = os.open(f"/proc/self/fdinfo/{process_fd}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        text = os.read(fd, 4096).decode()
    finally:
        os.close(fd)
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name == "Pid":
            return int(value)
    raise SandboxError("the kernel does not tell the process of a pidfd: Linux 5.3 does")
