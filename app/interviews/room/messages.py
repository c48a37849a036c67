"""What a room's sockets say to each other, as JSON.

From a browser:

- ``{"type": "hello", "state": <state vector>}`` once, at the beginning;
- ``{"type": "write", "number": 7, "update": <update>, "cursor": {"anchor": ..., "head": ...}}``:
  a burst of keystrokes with where the cursor is after it. `update` is null where only the cursor
  moved, `cursor` where the editor has no focus.

To a browser:

- ``{"type": "text", "update": ..., "state": ...}`` after its hello: what it lacks,
  and how far the server has everybody;
- ``{"type": "kept", "number": 7}`` once a burst stands in the database;
- ``{"type": "written", "update": ..., "cursors": {<person>: {"name", "role", "cursor"}}}`` for
  what others did; a person whose entry is null has left.

Yjs's bytes, state vectors, updates and relative positions, are base64. The codes with which a
socket closes are below.
"""

from __future__ import annotations

import time
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.interviews.room.updates import MalformedUpdate, check_state_vector, check_update

BROKEN = 1011  # our fault: come again
NOT_SIGNED_IN = 4401
NOT_FOUND = 4404  # no such room for you
MALFORMED = 4400
READ_ONLY = 4403
OUT_OF_STEP = 4409  # the update builds on words that are not here: come again and say hello
NOT_RUNNING = 4410
TOO_LARGE = 4413
TOO_FAST = 4429

UPDATE_LIMIT_BYTES = 512 * 1024
MESSAGE_LIMIT_CHARS = 4 * UPDATE_LIMIT_BYTES // 3 + 2048
MESSAGES_PER_S = 30.0  # a page sends 20 at most
MESSAGES_AT_ONCE = 60.0
BYTES_PER_S = 64.0 * 1024
BYTES_AT_ONCE = 2.0 * UPDATE_LIMIT_BYTES


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Cursor(_Strict):
    """Where somebody's selection begins and where its moving end is."""

    anchor: str = Field(max_length=64)
    head: str = Field(max_length=64)


class _Hello(_Strict):
    type: str = Field(pattern="^hello$")
    state: str


class _Write(_Strict):
    type: str = Field(pattern="^write$")
    number: int = Field(ge=0, lt=2**53)
    update: str | None
    cursor: Cursor | None


@dataclass(frozen=True)
class Hello:
    """A browser that has this much of the document."""

    state: bytes


@dataclass(frozen=True)
class Write:
    """A burst of keystrokes, a moved cursor, or both."""

    number: int
    update: bytes | None
    cursor: Cursor | None


class MalformedMessage(ValueError):
    """Not a message that a page of ours sends."""


def read(text: str) -> Hello | Write:
    """What a browser says. Raises `MalformedMessage`."""
    if len(text) > MESSAGE_LIMIT_CHARS:
        raise MalformedMessage(f"a message must have {MESSAGE_LIMIT_CHARS} characters at most")
    try:
        if '"hello"' in text[:40]:
            state = b64decode(_Hello.model_validate_json(text).state, validate=True)
            check_state_vector(state)
            return Hello(state)
        write = _Write.model_validate_json(text)
        update = None
        if write.update is not None:
            update = b64decode(write.update, validate=True)
            check_update(update)
        return Write(write.number, update, write.cursor)
    except (ValidationError, MalformedUpdate, ValueError) as error:
        raise MalformedMessage(str(error)) from error


class Pace:
    """How much one socket may say: two buckets that fill with time."""

    def __init__(self) -> None:
        self._messages, self._bytes = MESSAGES_AT_ONCE, BYTES_AT_ONCE
        self._at = time.monotonic()

    def allows(self, text: str) -> bool:
        """Take this message out of the buckets; False if one is empty."""
        at = time.monotonic()
        spent_s, self._at = at - self._at, at
        self._messages = min(MESSAGES_AT_ONCE, self._messages + spent_s * MESSAGES_PER_S) - 1
        self._bytes = min(BYTES_AT_ONCE, self._bytes + spent_s * BYTES_PER_S) - len(text)
        return self._messages >= 0 and self._bytes >= 0


def as_json(cursor: Cursor | None) -> dict[str, Any] | None:
    """A cursor for the way."""
    return None if cursor is None else cursor.model_dump()
