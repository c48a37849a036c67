"""YAML as nodes that know their place: text, lists and mappings, and nothing guessed about them.

What a word means (a number, a choice, true) is decided by the field that it is written for, so the
words on which readers of YAML differ (``on``, ``010``, ``1_000``) can surprise nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml_events
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from graders.answers.reading import UNSTORABLE
from graders.text import Text, say

MAX_CHARACTERS = 64 * 1024
MAX_NODES = 4000
MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Span:
    """A place in the text: line and column from 1, and the column behind its end on that line."""

    line: int
    column: int
    end: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A word or a text. `plain`: written without quotes."""

    text: str
    plain: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping with its value."""

    key: str
    key_span: Span
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys with values, in the order in which they are written; a key may stand twice."""

    entries: tuple[Entry, ...]
    span: Span


Node: TypeAlias = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that the text breaks, at a place."""

    span: Span
    message: Text


class Unreadable(Exception):
    """The text is no YAML that could be a design."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.message)


def parse(source: str) -> Node:
    """The one document in `source`; an empty mapping if there is none.

    Raises
    ------
    Unreadable
        With the first thing that cannot be read.
    """
    start = Span(1, 1, 2)
    if len(source) > MAX_CHARACTERS:
        message = say(
            "a design may have {most} characters, this one has {count}. Shorten it",
            most=MAX_CHARACTERS,
            count=len(source),
        )
        raise Unreadable(Fault(start, message))
    try:
        return _Reader(source).document()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Span(mark.line + 1, mark.column + 1, mark.column + 2) if mark else start
        message = say(
            "a design must be YAML, and reading stopped here: {problem}. Look at the indentation, "
            "the colons and the quotes of this line and the one before",
            problem=" ".join(str(error.problem or error.context).split())[:200],
        )
        raise Unreadable(Fault(at, message)) from None
    except (YAMLError, StopIteration, RecursionError, ValueError, OverflowError) as error:
        # The last two are ruamel's: an escape such as "\\U00110000" is beyond Unicode.
        what = UNSTORABLE.sub("\ufffd", " ".join(str(error).split()))[:200]
        message = say("a design must be YAML, and reading stopped: {problem}", problem=what)
        raise Unreadable(Fault(start, message)) from None


class _Reader:
    def __init__(self, source: str) -> None:
        self._lines = source.splitlines() or [""]
        self._events: Iterator[Any] = YAML(typ="safe", pure=True).parse(source)
        self._nodes = 0

    def document(self) -> Node:
        next(self._events)  # the stream's start
        first = next(self._events)
        if isinstance(first, yaml_events.StreamEndEvent):
            return Mapping((), Span(1, 1, 2))
        if first.version or first.tags:
            raise self._fault(first, say("directives are not used here. Remove the line with %"))
        node = self._node(next(self._events), 0)
        next(self._events)  # the document's end
        after = next(self._events)
        if not isinstance(after, yaml_events.StreamEndEvent):
            raise self._fault(
                after, say("a design is one document, and a second one begins. Remove the line ---")
            )
        return node

    def _node(self, event: Any, depth: int) -> Node:
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            message = say(
                "a design may have {count} values, nested {depth} deep, and this is one more. "
                "Shorten it",
                count=MAX_NODES,
                depth=MAX_DEPTH,
            )
            raise self._fault(event, message)
        if isinstance(event, yaml_events.AliasEvent) or event.anchor or event.ctag is not None:
            raise self._fault(
                event, say("aliases, anchors and tags are not used here. Write the value out")
            )
        span = self._span(event)
        if isinstance(event, yaml_events.ScalarEvent):
            return Scalar(self._text(event), event.style is None, span)
        if isinstance(event, yaml_events.SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(event := next(self._events), yaml_events.SequenceEndEvent):
                items.append(self._node(event, depth + 1))
            return Sequence(tuple(items), span)
        entries: list[Entry] = []
        while not isinstance(event := next(self._events), yaml_events.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise self._fault(event, say("a key must be one word. Write a field's name"))
            entries.append(Entry(key.text, key.span, self._node(next(self._events), depth + 1)))
        return Mapping(tuple(entries), span)

    def _text(self, event: Any) -> str:
        text = str(event.value)
        if UNSTORABLE.search(text):
            raise self._fault(
                event,
                say("text must be Unicode without NUL, and an escape here is not. Remove it"),
            )
        return text

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        is_mapping = isinstance(event, yaml_events.MappingStartEvent)
        if end.line == start.line and end.column > start.column and not is_mapping:
            return Span(start.line + 1, start.column + 1, end.column + 1)
        line = self._lines[start.line] if start.line < len(self._lines) else ""
        return Span(start.line + 1, start.column + 1, max(len(line), start.column + 1) + 1)

    def _fault(self, event: Any, message: Text) -> Unreadable:
        return Unreadable(Fault(self._span(event), message))
