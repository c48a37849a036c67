"""YAML 1.2 read strictly, with the place of every key and value.

Readers of YAML differ on plain words: ``on`` is true to one and text to another, ``1e-5`` a
number or text, ``010`` eight or ten. Here the core schema of YAML 1.2 decides, and a word on which
readers differ in kind is refused, so that what an author reads is what is judged. Aliases, tags
and directives are refused too: they hide what a value is, and aliases can blow a file up.

References
----------
.. [1] YAML 1.2.2, chapter 10.3 (core schema), https://yaml.org/spec/1.2.2/
.. [2] YAML 1.1 types bool, int and float, https://yaml.org/type/
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml_events
from ruamel.yaml.error import MarkedYAMLError, YAMLError

MAX_DEPTH = 20

Location: TypeAlias = "tuple[str | int, ...]"

_SURROGATE = re.compile("[\ud800-\udfff]")
_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
# Booleans, octal numbers, digits with underscores and numbers to base 60 of YAML 1.1.
_OLD_BOOLEAN = re.compile(r"y|yes|on|n|no|off", re.IGNORECASE)
_OLD_NUMBER = re.compile(r"[-+]?0[0-9]+|[-+]?[0-9][0-9_.]*_[0-9_.]*|[-+]?[0-9]+(:[0-5]?[0-9])+")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the text, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule of this reader that the text breaks."""

    position: Position
    message: str


@dataclass(slots=True)
class Document:
    """What a text says.

    `keys` has the place of each key of a mapping and each item of a list, `values` that of what
    it holds; both are keyed by the way from the top, as in ``("cases", 0, "name")``. `blocks` has
    the values that are blocks after ``|``, whose lines stand as they are written.
    """

    value: Any = None
    keys: dict[Location, Position] = field(default_factory=dict)
    values: dict[Location, Position] = field(default_factory=dict)
    blocks: set[Location] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def position(self, location: Location, *, of_key: bool = False) -> Position:
        """The place of what `location` holds, or of its key, or of the nearest key above it."""
        if not of_key and location in self.values:
            return self.values[location]
        for length in range(len(location), 0, -1):
            if location[:length] in self.keys:
                return self.keys[location[:length]]
        return self.values.get((), Position(1, 1))


def read(text: str) -> Document:
    """Read one YAML document into plain dicts, lists, text, numbers, booleans and None.

    Never raises on what the text says: see `Document.faults`. After a fault of syntax, which
    ends the reading, `value` is None.
    """
    document = Document()
    try:
        _Reader(text, document).read()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
        what = " ".join(str(error.problem or error.context or "it is not").split())
        document.value = None
        document.faults.append(
            Fault(
                position,
                f"the file must be YAML 1.2, got stuck here: {what}; look at the indentation, "
                "colons and quotes of this line and the one before",
            )
        )
    except YAMLError as error:
        document.value = None
        what = " ".join(str(error).split())
        document.faults.append(
            Fault(Position(1, 1), f"the file must be YAML 1.2, got stuck: {what}; remove that")
        )
    except _TooDeepError as error:
        document.value = None
        document.faults.append(
            Fault(
                error.position,
                f"values may be nested {MAX_DEPTH} deep, this one is deeper; flatten it",
            )
        )
    return document


class _TooDeepError(Exception):
    def __init__(self, position: Position) -> None:
        self.position = position


class _Reader:
    """Builds the value from the parser's events, which tell quoted words from plain ones."""

    def __init__(self, text: str, document: Document) -> None:
        self._events: Iterator[Any] = YAML(typ="safe", pure=True).parse(text)
        self._document = document

    def read(self) -> None:
        documents = 0
        for event in self._events:
            if isinstance(event, yaml_events.DocumentStartEvent):
                documents += 1
                if event.version or event.tags:
                    self._fault(event, "directives (%YAML, %TAG) are not used here; remove them")
                if documents == 2:
                    self._fault(
                        event,
                        "the file must hold one document, here begins another; remove the line ---",
                    )
            elif isinstance(event, yaml_events.NodeEvent):
                value = self._value(event, ())
                if documents == 1:
                    self._document.value = value

    def _value(self, event: Any, location: Location) -> Any:
        position = _position(event)
        self._document.values.setdefault(location, position)
        if len(location) > MAX_DEPTH:
            raise _TooDeepError(position)
        if isinstance(event, yaml_events.AliasEvent):
            self._fault(
                event, f"aliases are not used here, got *{event.anchor}; write the value out"
            )
            return None
        if event.anchor is not None:
            self._fault(event, f"anchors are not used here, got &{event.anchor}; remove it")
        if event.ctag is not None:
            self._fault(event, f"tags are not used here, got {event.ctag}; remove it")
        if isinstance(event, yaml_events.MappingStartEvent):
            return self._mapping(location)
        if isinstance(event, yaml_events.SequenceStartEvent):
            return self._sequence(location)
        if event.style == "|":
            self._document.blocks.add(location)
        return self._text(event) if event.style is not None else self._plain(event)

    def _mapping(self, location: Location) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml_events.MappingEndEvent):
            key = self._key(event, location)
            here = (*location, key)
            if key in mapping:
                first = self._document.keys[here]
                self._fault(
                    event,
                    f"a key may stand once in a mapping, {key!r} stands at line {first.line} too; "
                    "keep one of them",
                )
                here = (*location, f"{key} (again)")
            self._document.keys[here] = _position(event)
            value = self._value(next(self._events), here)
            mapping.setdefault(key, value)
        return mapping

    def _key(self, event: Any, location: Location) -> str:
        if not isinstance(event, yaml_events.ScalarEvent):
            self._fault(
                event,
                "a key must be one word or text, got a list, a mapping or an alias; write a word",
            )
            self._value(event, (*location, "?"))
            return "?"
        return self._text(event)

    def _text(self, event: Any) -> str:
        """Text that a database and JSON can hold; the escapes of YAML can write other text too."""
        text = str(event.value)
        if "\0" in text or _SURROGATE.search(text):
            self._fault(
                event,
                "text must be Unicode without NUL, got an escape (\\0 or half of a "
                "surrogate pair) that is not; remove it",
            )
            return _SURROGATE.sub("", text).replace("\0", "")
        return text

    def _sequence(self, location: Location) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml_events.SequenceEndEvent):
            here = (*location, len(items))
            self._document.keys[here] = _position(event)
            items.append(self._value(event, here))
        return items

    def _plain(self, event: Any) -> Any:
        """A word without quotes, by the core schema of YAML 1.2."""
        word: str = event.value
        if _NULL.fullmatch(word):
            return None
        if _TRUE.fullmatch(word):
            return True
        if _FALSE.fullmatch(word):
            return False
        if _OLD_BOOLEAN.fullmatch(word):
            self._fault(
                event,
                f"yes and no are written true and false, got {word}, which some readers of YAML "
                f'take for a boolean and others for text; write true or false, or "{word}" in '
                "quotes if text is meant",
            )
            return _OLD_BOOLEAN_VALUES[word.lower()]
        if _OLD_NUMBER.fullmatch(word) or _NOT_FINITE.fullmatch(word):
            self._fault(
                event,
                f"a number is written in plain digits and is finite, got {word}, on which readers "
                f'of YAML differ; write it out, or "{word}" in quotes if text is meant',
            )
            return 0
        if _OTHER_BASE.fullmatch(word):
            return int(word, 0)
        if not _FLOAT.fullmatch(word):
            return word
        number = float(word)
        if not math.isfinite(number):
            self._fault(
                event,
                f"a number must be finite as a 64-bit float, got {word}; write a smaller one",
            )
            return 0
        return int(word) if _INTEGER.fullmatch(word) else number

    def _fault(self, event: Any, message: str) -> None:
        self._document.faults.append(Fault(_position(event), message))


_OLD_BOOLEAN_VALUES = {
    "y": True,
    "yes": True,
    "on": True,
    "n": False,
    "no": False,
    "off": False,
}


def _position(event: Any) -> Position:
    return Position(event.start_mark.line + 1, event.start_mark.column + 1)
