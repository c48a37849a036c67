"""Reads Yjs updates before the document does: a plain text is all that one may bring.

The document's library trusts the counts inside an update (six bytes can ask it for gigabytes), and
Yjs can carry maps, embedded objects and formats that an editor of plain text does not survive. So
every update is read here to its last byte first.

References
----------
.. [1] Yjs, update format v1: src/utils/encoding.js and src/structs/Item.js, version 13.6.
"""

from __future__ import annotations

ROOT = "text"  # the one shared type of a document
MAX_CLOCK = 2**31 - 1
MAX_CLIENT = 2**53 - 1
FORBIDDEN = "\0\r"  # PostgreSQL keeps no NUL; CodeMirror counts CR LF as one character

GC, DELETED, STRING = 0, 1, 4  # what a struct may hold
HAS_ORIGIN, HAS_RIGHT_ORIGIN, HAS_PARENT_KEY = 0x80, 0x40, 0x20


class MalformedUpdate(ValueError):
    """Not an update of one plain text."""


def check_update(update: bytes) -> None:
    """Raise `MalformedUpdate` unless this is an update of the plain text ``text`` and no more."""
    reader = _Reader(update)
    for _client in range(reader.count(3)):
        structs = reader.count(1)
        reader.number(MAX_CLIENT)
        clock = reader.number(MAX_CLOCK)
        for _struct in range(structs):
            clock += _struct_length(reader)
            if clock > MAX_CLOCK:
                raise MalformedUpdate(f"clocks must be under {MAX_CLOCK}, got {clock}")
    for _client in range(reader.count(2)):
        reader.number(MAX_CLIENT)
        for _range in range(reader.count(2)):
            begin, length = reader.number(MAX_CLOCK), reader.number(MAX_CLOCK)
            if begin + length > MAX_CLOCK:
                raise MalformedUpdate(f"a deletion must end under {MAX_CLOCK}")
    reader.end()


def check_state_vector(state: bytes) -> None:
    """Raise `MalformedUpdate` unless this is a state vector: pairs of a client and its clock."""
    reader = _Reader(state)
    for _client in range(reader.count(2)):
        reader.number(MAX_CLIENT)
        reader.number(MAX_CLOCK)
    reader.end()


def _struct_length(reader: _Reader) -> int:
    info = reader.byte()
    content = info & 0x1F
    if info == GC:
        return reader.number(MAX_CLOCK)
    if content not in (DELETED, STRING) or info & HAS_PARENT_KEY:
        raise MalformedUpdate(f"a struct must hold text or a deletion, got {info:#x}")
    for flag in (HAS_ORIGIN, HAS_RIGHT_ORIGIN):
        if info & flag:
            reader.number(MAX_CLIENT)
            reader.number(MAX_CLOCK)
    if not info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN) and (
        reader.number(1) != 1 or reader.string() != ROOT
    ):
        raise MalformedUpdate(f"a struct must belong to the text {ROOT!r}")
    if content == DELETED:
        return reader.number(MAX_CLOCK)
    written = reader.string()
    if any(character in written for character in FORBIDDEN):
        raise MalformedUpdate("a text must have neither NUL nor carriage return")
    return len(written.encode("utf-16-le")) // 2  # Yjs counts UTF-16 code units


class _Reader:
    """Numbers and strings as lib0 writes them."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def byte(self) -> int:
        if self._at >= len(self._data):
            raise MalformedUpdate("an update must be whole, this one ends early")
        self._at += 1
        return self._data[self._at - 1]

    def number(self, maximum: int) -> int:
        """Seven bits a byte, lowest first."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if value > maximum or shift > 63:
                raise MalformedUpdate(f"a number must be {maximum} at most, got {value}")
            if byte < 0x80:
                return value

    def count(self, least_bytes: int) -> int:
        """A number of items, each of which takes at least so many of the bytes to come."""
        return self.number((len(self._data) - self._at) // least_bytes)

    def string(self) -> str:
        size = self.count(1)
        if self._at + size > len(self._data):
            raise MalformedUpdate("an update must be whole, this one ends early")
        self._at += size
        try:
            return self._data[self._at - size : self._at].decode()
        except UnicodeDecodeError as error:
            raise MalformedUpdate("a text must be UTF-8") from error

    def end(self) -> None:
        if self._at != len(self._data):
            raise MalformedUpdate(f"an update must end, {len(self._data) - self._at} bytes follow")
