"""Reads Yjs updates before the document does: a plain text is all that one may bring.

The document's library trusts the counts inside an update (six bytes can ask it for gigabytes), and
Yjs can carry maps, embedded objects and formats that an editor of plain text does not survive. So
every update is read here to its last byte first.

References
----------
.. [1] Yjs, update format v1: src/utils/encoding.js and src/structs/Item.js, version 13.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ROOT = "text"  # the one shared type of a document
MAX_CLOCK = 2**31 - 1
MAX_CLIENT = 2**53 - 1
FORBIDDEN = "\0\r"  # PostgreSQL keeps no NUL; CodeMirror counts CR LF as one character

GC, DELETED, STRING = 0, 1, 4  # what a struct may hold
HAS_ORIGIN, HAS_RIGHT_ORIGIN, HAS_PARENT_KEY = 0x80, 0x40, 0x20


class MalformedUpdate(ValueError):
    """Not an update of one plain text."""


@dataclass
class Reach:
    """What an update builds on and how far it goes: for each client a clock."""

    begins: dict[int, int] = field(default_factory=dict)  # where its first struct stands
    ends: dict[int, int] = field(default_factory=dict)
    needs: dict[int, int] = field(default_factory=dict)  # whatever it stands beside or deletes

    def need(self, client: int, clock: int) -> None:
        """It names what this client had written before it reached this clock."""
        self.needs[client] = max(clock, self.needs.get(client, 0))

    def is_complete(self, clocks: Mapping[int, int]) -> bool:
        """Whether a document that has each client up to these clocks can take all of it."""
        return all(clock <= clocks.get(client, 0) for client, clock in self.begins.items()) and all(
            clock <= max(clocks.get(client, 0), self.ends.get(client, 0))
            for client, clock in self.needs.items()
        )

    def is_new(self, clocks: Mapping[int, int]) -> bool:
        """Whether it brings anything that was written after these clocks."""
        return any(clock > clocks.get(client, 0) for client, clock in self.ends.items())


def check_update(update: bytes) -> Reach:
    """How far an update of the text ``text`` goes; `MalformedUpdate` if it is anything else."""
    reader, reach = _Reader(update), Reach()
    for _client in range(reader.count(3)):
        structs = reader.count(1)
        client = reader.number(MAX_CLIENT)
        clock = reader.number(MAX_CLOCK)
        reach.begins[client] = min(clock, reach.begins.get(client, clock))
        for _struct in range(structs):
            clock += _struct_length(reader, reach)
            if clock > MAX_CLOCK:
                raise MalformedUpdate(f"clocks must be under {MAX_CLOCK}, got {clock}")
        reach.ends[client] = max(clock, reach.ends.get(client, 0))
    for _client in range(reader.count(2)):
        client = reader.number(MAX_CLIENT)
        for _range in range(reader.count(2)):
            begin, length = reader.number(MAX_CLOCK), reader.number(MAX_CLOCK)
            if begin + length > MAX_CLOCK:
                raise MalformedUpdate(f"a deletion must end under {MAX_CLOCK}")
            reach.need(client, begin + length)
    reader.end()
    return reach


def check_state_vector(state: bytes) -> dict[int, int]:
    """The clock of each client in a state vector; `MalformedUpdate` unless it is one."""
    reader = _Reader(state)
    clocks = {}
    for _client in range(reader.count(2)):
        client = reader.number(MAX_CLIENT)
        clocks[client] = reader.number(MAX_CLOCK)
    reader.end()
    return clocks


def _struct_length(reader: _Reader, reach: Reach) -> int:
    info = reader.byte()
    content = info & 0x1F
    if info == GC:
        return reader.number(MAX_CLOCK)
    if content not in (DELETED, STRING) or info & HAS_PARENT_KEY:
        raise MalformedUpdate(f"a struct must hold text or a deletion, got {info:#x}")
    for flag in (HAS_ORIGIN, HAS_RIGHT_ORIGIN):
        if info & flag:
            client = reader.number(MAX_CLIENT)
            reach.need(client, reader.number(MAX_CLOCK) + 1)
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
