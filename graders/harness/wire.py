"""Messages between a grader and a program in a sandbox: a JSON object and raw blobs, one frame.

Layout of a frame's inside: 4 bytes little-endian length of the JSON text, the JSON text (UTF-8),
then the blobs one after the other. The JSON object's key ``blobs`` lists their lengths in bytes.

This file is copied into sandboxes and imported by graders alike; it needs only the standard
library.
"""

from __future__ import annotations

import json
import os
import struct
from typing import Any

REQUEST_FD = 3
ANSWER_FD = 4
MAX_NESTING = 64  # deeper ones could end whoever walks over them; answers have 50 at most
_LENGTH = struct.Struct("<I")


class WireError(ValueError):
    """The bytes are no message."""


def pack(message: dict[str, Any], *blobs: bytes) -> bytes:
    """One message as the inside of a frame."""
    text = json.dumps({**message, "blobs": [len(blob) for blob in blobs]}).encode()
    return b"".join((_LENGTH.pack(len(text)), text, *blobs))


def unpack(frame: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """The message and its blobs.

    Raises
    ------
    WireError
        If the frame is not exactly one message.
    """
    if len(frame) < _LENGTH.size:
        raise WireError(f"a message needs {_LENGTH.size} bytes at least, got {len(frame)}")
    (length,) = _LENGTH.unpack_from(frame)
    end = _LENGTH.size + length
    try:
        message = json.loads(frame[_LENGTH.size : end].decode())
    except (ValueError, RecursionError) as error:
        raise WireError(f"a message must begin with JSON: {error}") from None
    if not isinstance(message, dict) or end > len(frame):
        raise WireError("a message must begin with a whole JSON object")
    if _is_too_deep(message):
        raise WireError(f"a message may be nested {MAX_NESTING} levels at most")
    sizes = message.pop("blobs", None)
    if not isinstance(sizes, list) or not all(type(size) is int and size >= 0 for size in sizes):
        raise WireError("a message must list the lengths of its blobs")
    if end + sum(sizes) != len(frame):
        raise WireError(f"the blobs must fill the frame: {sum(sizes)} of {len(frame) - end} bytes")
    blobs = []
    for size in sizes:
        blobs.append(frame[end : end + size])
        end += size
    return message, blobs


def _is_too_deep(message: dict[str, Any]) -> bool:
    level: list[Any] = [message]
    for _ in range(MAX_NESTING):
        inside = [one.values() if isinstance(one, dict) else one for one in level]
        level = [one for values in inside for one in values if isinstance(one, dict | list)]
        if not level:
            return False
    return True


def read_request() -> tuple[dict[str, Any], list[bytes]] | None:
    """In the sandbox: the grader's next message, None when it has hung up."""
    header = _read_exactly(_LENGTH.size)
    if header is None:
        return None
    (length,) = _LENGTH.unpack(header)
    body = _read_exactly(length)
    return None if body is None else unpack(body)


def write_answer(message: dict[str, Any], *blobs: bytes) -> None:
    """In the sandbox: answer the grader."""
    body = pack(message, *blobs)
    data = memoryview(_LENGTH.pack(len(body)) + body)
    while data:
        data = data[os.write(ANSWER_FD, data) :]


def _read_exactly(size: int) -> bytes | None:
    parts = []
    while size:
        part = os.read(REQUEST_FD, min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
