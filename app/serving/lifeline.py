"""What a process and its parent tell each other: "I am ready", and "I have died"."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal

READY_FD = "READY_FD"  # in the environment: write one byte to this descriptor when ready

_PR_SET_PDEATHSIG = 1
# Looked up once and early: between fork and exec as little as possible may happen.
_prctl = ctypes.CDLL(None, use_errno=True).prctl


def die_with_parent(parent_pid: int | None = None) -> None:
    """Have the kernel kill this process when its parent dies, however the parent dies.

    Parameters
    ----------
    parent_pid : int, optional
        Of the expected parent: if it has died before this call, this process ends here.

    Raises
    ------
    OSError
        If the kernel refuses.
    """
    if _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    if parent_pid is not None and os.getppid() != parent_pid:
        os._exit(1)


def announce_ready() -> None:
    """Tell the supervisor, if there is one, that this process now does its work."""
    number = os.environ.pop(READY_FD, "")
    if number:
        with contextlib.suppress(OSError):  # the supervisor is gone: there is nobody to tell
            os.write(int(number), b"\n")
            os.close(int(number))
