"""One program at a time on a GPU."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_POLL_S = 0.01
_TELL_S = 1.0


@contextmanager
def gpu_locked(folder: Path, uuid: str, tell: Callable[[], None]) -> Iterator[None]:
    """Wait until this process alone may use the GPU. The kernel lets go when the process ends.

    Parameters
    ----------
    tell : callable
        Called about once a second while another process has it, so that whoever waits for this one
        knows that it is not dead.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / f"gpu-{uuid}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        told = time.monotonic()
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(_POLL_S)
                if time.monotonic() - told >= _TELL_S:
                    tell()
                    told = time.monotonic()
        yield
    finally:
        os.close(descriptor)
