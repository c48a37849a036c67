"""One slot: a process that makes namespaces once, and runs one program at a time in them."""

from __future__ import annotations

import array
import contextlib
import os
import select
import signal
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

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

    Raises
    ------
    SandboxError
        If this host does not let it make its namespaces.
    """

    own_processes = 3  # in the user namespace: the watch, the server and the run's init

    def __init__(
        self, launcher: Launcher, identity: Identity, settings: bytes, is_zygote: bool
    ) -> None:
        self.identity = identity
        self._has_ended = False
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
            self._process_id = spawn([str(launcher.program)], {}, descriptors)
        try:
            self._expect(_READY, _ZYGOTE_PATIENCE_S if is_zygote else _PATIENCE_S)
        except BaseException:
            self.end()
            raise

    def start(self, descriptors: Sequence[int]) -> None:
        """Let the server fork a run that has these; `started` must follow."""
        socket.send_fds(self._socket, [b"\0"], descriptors)

    def started(self) -> int:
        """A pidfd of the run's init, the caller's to close."""
        _, passed = self._expect(_STARTED, _PATIENCE_S)
        if passed is None:
            raise SandboxError("a slot started a run without a descriptor of it")
        return passed

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
        self.identity.release()

    def forget(self) -> None:
        """After a fork, in the child: close our copies of what is the parent's slot."""
        self._socket.close()
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
