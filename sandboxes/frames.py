"""Frames: a 4-byte little-endian length, then that many bytes."""

from __future__ import annotations

import struct

_LENGTH = struct.Struct("<I")


def framed(content: bytes) -> bytes:
    """The content with its length before it.

    Raises
    ------
    ValueError
        If it is longer than four bytes can say.
    """
    if len(content) >= 1 << 32:
        raise ValueError(f"a frame must be shorter than 4 GiB, got {len(content)} bytes")
    return _LENGTH.pack(len(content)) + content


class FrameReader:
    """Cuts what a program wrote into frames. Nothing is reserved on the word of a length."""

    def __init__(self, size_limit_bytes: int) -> None:
        self._size_limit_bytes = size_limit_bytes
        self._pending = bytearray()

    def feed(self, data: bytes) -> None:
        self._pending += data

    def take(self) -> bytes | None:
        """The next whole frame; None if there is none, or one that is too large."""
        size = self._size()
        if size is None or size > self._size_limit_bytes:
            return None
        end = _LENGTH.size + size
        if len(self._pending) < end:
            return None
        with memoryview(self._pending) as view:
            frame = bytes(view[_LENGTH.size : end])
        del self._pending[:end]
        return frame

    @property
    def too_large(self) -> bool:
        """Whether the next frame's length is over the limit."""
        size = self._size()
        return size is not None and size > self._size_limit_bytes

    @property
    def broken_off(self) -> bool:
        """Whether part of a frame is here; at the end of a program, it broke off."""
        return bool(self._pending)

    def _size(self) -> int | None:
        if len(self._pending) < _LENGTH.size:
            return None
        return int(_LENGTH.unpack_from(self._pending)[0])
