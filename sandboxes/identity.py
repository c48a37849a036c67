"""A user id of its own for each run, so that limits and signals of two runs never meet."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from sandboxes.interface import SandboxError

FIRST_UID = 61184  # the range that systemd gives to passing users
LAST_UID = 65519
_LOCKS = Path("/run/gauntlet/uids")


class Identity:
    """An unprivileged user and group id, held through a lock file until `release`."""

    def __init__(self, uid: int, lock_fd: int | None) -> None:
        self.uid = uid
        self._lock_fd = lock_fd

    def release(self) -> None:
        """Let others have it; safe to call twice."""
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def take_identity(first: int = FIRST_UID, last: int = LAST_UID) -> Identity:
    """An id that no other run on this host uses; an ordinary user can only give its own.

    Raises
    ------
    SandboxError
        If all ids of the range are taken.
    """
    if os.geteuid() != 0:
        return Identity(os.geteuid(), None)
    _LOCKS.mkdir(mode=0o700, parents=True, exist_ok=True)
    for uid in range(first, last + 1):
        lock_fd = os.open(_LOCKS / str(uid), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock_fd)
            continue
        return Identity(uid, lock_fd)
    raise SandboxError(f"all user ids from {first} to {last} are in use; configure a larger range")
