"""Answers as YAML, read as text alone: no word becomes a number or a boolean behind one's back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml_events
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from graders.text import Text, say

MAX_CHARACTERS = 64 * 1024
MAX_NODES = 1000
MAX_DEPTH = 3  # table, row, column
UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # no database and no page takes them

Answer = str | list[str] | dict[str, dict[str, str]]
Answers = dict[str, Answer]


class Unreadable(Exception):
    """The text holds no answers; `message` says why, with the line."""

    def __init__(self, message: Text) -> None:
        self.message = message
        super().__init__(message)


def read(source: str) -> Answers:
    """The answers in a YAML mapping: texts, lists of texts, or mappings of rows to columns.

    Raises
    ------
    Unreadable
        If it is no such mapping, or far too large.
    """
    if len(source) > MAX_CHARACTERS:
        raise Unreadable(
            say("Answers must be short, these have {count} characters.", count=len(source))
        )
    try:
        value = _Reader(source).read()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(
            say(
                "The answers must be YAML, one field a line such as weights: 15 GB. "
                "Line {line} is not: {problem}.",
                line=mark.line + 1 if mark else 1,
                problem=" ".join(str(error.problem or error.context).split()),
            )
        ) from None
    except (YAMLError, RecursionError, StopIteration, ValueError, OverflowError):
        # The last two are ruamel's: an escape such as "\\U00110000" is beyond Unicode.
        raise Unreadable(
            say("The answers must be YAML, one field a line such as weights: 15 GB.")
        ) from None
    return {name: _answer(name, one) for name, one in value.items()}


def _answer(name: str, value: Any) -> Answer:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    if isinstance(value, dict):
        # A row without columns yet is an empty text.
        rows = {row: {} if cells == "" else cells for row, cells in value.items()}
        if all(
            isinstance(cells, dict) and all(isinstance(cell, str) for cell in cells.values())
            for cells in rows.values()
        ):
            return rows
    raise Unreadable(
        say(
            "An answer is a text, a list of texts, or rows of columns; {name} is none of them.",
            name=name,
        )
    )


def written(answers: Mapping[str, Answer]) -> str:
    """The answers as YAML in one form: a field a line, a table's row a line, values as JSON."""
    lines: list[str] = []
    for name, answer in answers.items():
        if isinstance(answer, dict):
            lines.append(f"{name}:")
            lines += [f"  {row}: {_json(cells)}" for row, cells in answer.items()]
        else:
            lines.append(f"{name}: {_json(answer)}")
    return "\n".join(lines) + "\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


class _Reader:
    def __init__(self, source: str) -> None:
        self._events: Iterator[Any] = YAML(typ="safe", pure=True).parse(source)
        self._nodes = 0

    def read(self) -> dict[str, Any]:
        next(self._events)  # the stream's start
        if isinstance(next(self._events), yaml_events.StreamEndEvent):
            return {}
        value = self._value(next(self._events), 0)
        next(self._events)  # the document's end
        if not isinstance(next(self._events), yaml_events.StreamEndEvent):
            raise Unreadable(say("The answers must be one document, a second one begins."))
        if value == "":
            return {}
        if not isinstance(value, dict):
            raise Unreadable(
                say("The answers must be a mapping, one field a line such as weights: 15 GB.")
            )
        return value

    def _value(self, event: Any, depth: int) -> Any:
        self._nodes += 1
        line = event.start_mark.line + 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            raise Unreadable(
                say("The answers must be few and flat, line {line} goes on.", line=line)
            )
        if isinstance(event, yaml_events.AliasEvent) or event.anchor or event.ctag is not None:
            raise Unreadable(
                say("Aliases, anchors and tags are not used here, line {line} has one.", line=line)
            )
        if isinstance(event, yaml_events.ScalarEvent):
            if UNSTORABLE.search(event.value):
                raise Unreadable(
                    say(
                        "Text must be Unicode without NUL, and an escape in line {line} is not.",
                        line=line,
                    )
                )
            is_null = event.style is None and event.value in ("null", "~")
            return "" if is_null else str(event.value).strip()
        if isinstance(event, yaml_events.SequenceStartEvent):
            items = []
            while not isinstance(event := next(self._events), yaml_events.SequenceEndEvent):
                items.append(self._value(event, depth + 1))
            return items
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml_events.MappingEndEvent):
            key = self._value(event, depth + 1)
            if not isinstance(key, str) or key in mapping:
                raise Unreadable(
                    say(
                        "A field is answered once, by its name; line {line} does not.",
                        line=event.start_mark.line + 1,
                    )
                )
            mapping[key] = self._value(next(self._events), depth + 1)
        return mapping
