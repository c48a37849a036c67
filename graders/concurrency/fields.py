"""Names the parts of the candidate's object: 64 bytes into the ring is ``tail``.

From what ``readelf --debug-dump=info`` prints of the program. The debugging information is the
compiler's; the names in it are the candidate's, and only ever shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_ENTRY = re.compile(r"\s*<([0-9a-f]+)><([0-9a-f]+)>: Abbrev Number: (\d+)(?: \((\w+)\))?")
_ATTRIBUTE = re.compile(r"\s*<[0-9a-f]+>\s+(DW_AT_\w+)\s*:\s(.*)")
_PLACE = re.compile(r"(?:queue|stack|pool|value)(?:_(\d+))?(?:\+(\d+))?")
_ALIASES = ("DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type")
_RECORDS = ("DW_TAG_structure_type", "DW_TAG_class_type", "DW_TAG_union_type")
_KEPT = {"DW_AT_name", "DW_AT_type", "DW_AT_byte_size", "DW_AT_data_member_location",
         "DW_AT_upper_bound", "DW_AT_count", "DW_AT_external"}  # fmt: skip
_DEEPEST = 12


@dataclass(slots=True)
class _Entry:
    """One entry of the debugging information."""

    tag: str
    in_std: bool
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[_Entry] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.attributes.get("DW_AT_name", "").rpartition("): ")[2].strip()

    def number(self, key: str) -> int | None:
        text = self.attributes.get(key, "").split(" ")[0]
        try:
            return int(text, 0)
        except ValueError:
            return None

    @property
    def type_offset(self) -> int | None:
        found = re.search(r"<0x([0-9a-f]+)>", self.attributes.get("DW_AT_type", ""))
        return int(found[1], 16) if found else None


class Fields:
    """The objects' layout, or none of it where the text tells nothing."""

    def __init__(self, debug_info: str) -> None:
        self._entries: dict[int, _Entry] = {}
        self._objects: dict[str, _Entry] = {}
        self._read(debug_info)

    def _read(self, text: str) -> None:
        parents: list[_Entry] = []
        entry: _Entry | None = None
        for line in text.splitlines():
            if (match := _ENTRY.match(line)) is not None:
                depth, offset, tag = int(match[1], 16), int(match[2], 16), match[4] or ""
                del parents[depth:]
                in_std = any(one.in_std or _is_std(one) for one in parents[-1:])
                entry = _Entry(tag, in_std)
                self._entries[offset] = entry
                if parents:
                    parents[-1].children.append(entry)
                parents.append(entry)
            elif (match := _ATTRIBUTE.match(line)) and entry is not None and match[1] in _KEPT:
                entry.attributes[match[1]] = match[2]
        for entry in self._entries.values():
            if entry.tag == "DW_TAG_typedef" and entry.name.startswith("Object_"):
                self._objects[entry.name] = entry

    def name(self, place: str) -> str:
        """What a person calls a place such as ``queue_1+64``; the place itself if unknown."""
        match = _PLACE.fullmatch(place)
        entry = self._objects.get(f"Object_{match[1] or 0}") if match else None
        if match is None or entry is None:
            return place
        parts = "".join(self._parts(entry, int(match[2] or 0), _DEEPEST))
        return parts.removeprefix(".") or place

    def _parts(self, entry: _Entry, offset: int, depth: int) -> Iterator[str]:
        resolved = self._resolve(entry)
        if resolved is None or depth == 0:
            return
        if resolved.tag == "DW_TAG_array_type":
            yield from self._element(resolved, offset, depth)
            return
        if resolved.tag not in _RECORDS:
            return
        is_array = resolved.in_std and resolved.name.startswith("array<")
        if resolved.in_std and not is_array:
            return  # what a library keeps in its own objects tells nobody anything
        best: tuple[int, _Entry] | None = None
        for child in resolved.children:
            if child.tag not in ("DW_TAG_member", "DW_TAG_inheritance"):
                continue
            at = child.number("DW_AT_data_member_location")
            if at is None:
                if resolved.tag != "DW_TAG_union_type" or "DW_AT_external" in child.attributes:
                    continue  # a static member
                at = 0
            if at <= offset and (best is None or at > best[0]):
                best = (at, child)
        if best is None:
            return
        at, member = best
        if member.tag == "DW_TAG_member" and member.name and not is_array:
            yield f".{member.name}"
        yield from self._parts(member, offset - at, depth - 1)

    def _element(self, array: _Entry, offset: int, depth: int) -> Iterator[str]:
        size = self._size(array, _DEEPEST)
        if not size:
            return
        yield f"[{offset // size}]"
        element = self._entries.get(array.type_offset or -1)
        if element is not None:
            yield from self._own_parts(element, offset % size, depth - 1)

    def _own_parts(self, entry: _Entry, offset: int, depth: int) -> Iterator[str]:
        resolved = entry if entry.tag in _RECORDS else self._resolve(entry)
        if resolved is not None:
            yield from self._parts(resolved, offset, depth)

    def _resolve(self, entry: _Entry) -> _Entry | None:
        """The type of a member or behind an alias."""
        for _ in range(_DEEPEST):
            if entry.tag in _RECORDS or entry.tag == "DW_TAG_array_type":
                return entry
            following = self._entries.get(entry.type_offset or -1)
            if following is None:
                return entry
            entry = following
        return None

    def _size(self, array: _Entry, depth: int) -> int:
        """Bytes of an array's element."""
        element = self._entries.get(array.type_offset or -1)
        while element is not None and element.tag in _ALIASES and depth:
            element, depth = self._entries.get(element.type_offset or -1), depth - 1
        if element is None:
            return 0
        return element.number("DW_AT_byte_size") or 0


def _is_std(entry: _Entry) -> bool:
    return entry.tag == "DW_TAG_namespace" and entry.name in ("std", "__gnu_cxx")
