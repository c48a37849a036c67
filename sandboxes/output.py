"""What a run prints: drained always, kept up to a cap, and counted to tell a flood."""

from __future__ import annotations

import os
import threading

_READ_BYTES = 1 << 16
FLOOD_FACTOR = 64  # a run that prints this many times what is kept is stopped


class Output:
    """Bytes from the pipes of one run. Standard output and error share one cap."""

    def __init__(self, kept_limit_bytes: int, read_fds: list[int]) -> None:
        self._limit_bytes = kept_limit_bytes
        self._kept: dict[int, bytearray] = {fd: bytearray() for fd in read_fds}
        self._taken_bytes = 0
        self._total_bytes = 0
        self._open = set(read_fds)
        self._lock = threading.Lock()
        for fd in read_fds:
            os.set_blocking(fd, False)

    @property
    def open_fds(self) -> list[int]:
        return sorted(self._open)

    @property
    def truncated(self) -> bool:
        return self._total_bytes > self._limit_bytes

    @property
    def flooded(self) -> bool:
        return self._total_bytes > FLOOD_FACTOR * self._limit_bytes

    def drain(self) -> None:
        """Read what is in the pipes, without waiting and, in a flood, not for ever."""
        with self._lock:
            for fd in list(self._open):
                while not self.flooded:
                    try:
                        data = os.read(fd, _READ_BYTES)
                    except BlockingIOError:
                        break
                    if not data:
                        self._close(fd)
                        break
                    room = self._limit_bytes - min(self._total_bytes, self._limit_bytes)
                    self._kept[fd] += data[:room]
                    self._total_bytes += len(data)

    def take(self) -> tuple[bytes, bool]:
        """What the first pipe gave since the last call, and whether anything was cut so far."""
        self.drain()
        with self._lock:
            kept = next(iter(self._kept.values()))
            new = bytes(kept[self._taken_bytes :])
            self._taken_bytes = len(kept)
            return new, self.truncated

    def streams(self) -> list[bytes]:
        """All that was kept of each pipe."""
        with self._lock:
            return [bytes(kept) for kept in self._kept.values()]

    def close(self) -> None:
        """Close the pipes; what was kept stays."""
        with self._lock:
            for fd in list(self._open):
                self._close(fd)

    def _close(self, fd: int) -> None:
        os.close(fd)
        self._open.discard(fd)
