"""A candidate's YAML as a complete design, or everything that is wrong with it, at its place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from graders.answers.quantities import Misread, read_quantity
from graders.answers.worksheet.units import number_text
from graders.design.fields import (
    Choice,
    Field,
    Flag,
    Group,
    Items,
    Number,
    Record,
    Shape,
    Whole,
    Words,
)
from graders.design.nodes import (
    Entry,
    Fault,
    Mapping,
    Node,
    Scalar,
    Sequence,
    Span,
    Unreadable,
    parse,
)
from graders.text import Text, say, say_n
from graders.verdict import JsonObject

MAX_FAULTS = 50  # told at once
SHOWN_CHARACTERS = 40  # of what somebody wrote, in a sentence about it

_WHOLE = re.compile(r"[-+]?\d{1,16}")
_NULL = ("", "~", "null")


@dataclass(frozen=True, slots=True)
class Reading:
    """A design as plain values, complete with defaults; or None with the faults in reading order.

    `design` is ``{group: {field: value}}``; a number is in its field's unit.
    """

    design: JsonObject | None
    faults: tuple[Fault, ...] = ()


def read(groups: tuple[Group, ...], source: str) -> Reading:
    """What `source` says, held against the groups of fields. Never raises on what it says."""
    try:
        node = parse(source)
    except Unreadable as error:
        return Reading(None, (error.fault,))
    reader = _Reader(groups)
    design = reader.design(node)
    faults = sorted(reader.faults, key=lambda fault: (fault.span.line, fault.span.column))
    return Reading(None, tuple(faults[:MAX_FAULTS])) if faults else Reading(design)


def default_fault(field: Field) -> Text | None:
    """What is wrong with a field's default, read as a candidate would write it."""
    if field.default is None:
        return None
    reader = _Reader(())
    reader.value(field.shape, as_node(field.default), field.name)
    return reader.faults[0].message if reader.faults else None


def as_node(value: Any) -> Node:
    """A plain value as if it had been written."""
    nowhere = Span(1, 1, 2)
    match value:
        case bool():
            return Scalar("true" if value else "false", True, nowhere)
        case int() | float():
            return Scalar(f"{value!r}", True, nowhere)
        case list():
            return Sequence(tuple(as_node(one) for one in value), nowhere)
        case dict():
            entries = [Entry(str(key), nowhere, as_node(one)) for key, one in value.items()]
            return Mapping(tuple(entries), nowhere)
        case _:
            return Scalar(str(value), not isinstance(value, str), nowhere)


class _Reader:
    """Turns nodes into values; what cannot be is a fault and the value None."""

    def __init__(self, groups: tuple[Group, ...]) -> None:
        self._groups = groups
        self.faults: list[Fault] = []

    def design(self, node: Node) -> JsonObject:
        known = {group.name: group for group in self._groups}
        entries = self._entries(node, known, say("the design"))
        design: JsonObject = {}
        for group in self._groups:
            entry = entries.get(group.name)
            if entry is None:
                if any(field.default is None for field in group.fields):
                    self._tell(
                        node.span,
                        say(
                            "the design must have {group}, and it has none. Add it",
                            group=group.name,
                        ),
                    )
                    continue
                nothing = Mapping((), node.span)
                design[group.name] = self._fields(group.fields, nothing, node.span, group.name)
            else:
                at, given = entry
                design[group.name] = self._fields(group.fields, self._given(given), at, group.name)
        return design

    def value(self, shape: Shape, node: Node, name: str) -> Any:
        """The value of one field, or None with a fault."""
        match shape:
            case Items():
                return self._items(shape, node, name)
            case Record():
                return self._fields(shape.fields, node, node.span, name)
        if not isinstance(node, Scalar):
            got = say("a list") if isinstance(node, Sequence) else say("a mapping")
            return self._wrong(node, name, shape, got)
        if node.plain and node.text in _NULL and not isinstance(shape, Words | Choice):
            return self._wrong(node, name, shape, say("nothing"))
        match shape:
            case Whole():
                return self._whole(shape, node, name)
            case Number():
                return self._number(shape, node, name)
            case Choice():
                return self._choice(shape, node, name)
            case Flag():
                if node.text in ("true", "false"):
                    return node.text == "true"
                return self._wrong(node, name, shape, _shown(node.text))
            case Words():
                return self._words(shape, node, name)

    def _whole(self, shape: Whole, node: Scalar, name: str) -> int | None:
        value = int(node.text) if _WHOLE.fullmatch(node.text) else None
        if value is None or not shape.least <= value <= shape.most:
            self._wrong(node, name, shape, _shown(node.text))
            return None
        return value

    def _number(self, shape: Number, node: Scalar, name: str) -> float | None:
        read_as = read_quantity(node.text.strip(), shape.unit)
        if isinstance(read_as, Misread):
            self._tell(node.span, say("{field}: {misread}", field=name, misread=read_as.message))
            return None
        value = read_as.value / shape.unit.scale
        if not shape.least <= value <= shape.most:
            self._wrong(node, name, shape, _shown(node.text))
            return None
        return value

    def _choice(self, shape: Choice, node: Scalar, name: str) -> str | None:
        names = [option.name for option in shape.options]
        if node.text in names:
            return node.text
        meant = nearest(node.text, names)
        if meant is None:
            self._wrong(node, name, shape, _shown(node.text))
        else:
            self._tell(
                node.span,
                say(
                    "{field} must be one of {options}, got {got}. Did you mean {meant}?",
                    field=name,
                    options=", ".join(names),
                    got=_shown(node.text),
                    meant=meant,
                ),
            )
        return None

    def _words(self, shape: Words, node: Scalar, name: str) -> str | None:
        text = "" if node.plain and node.text in _NULL else node.text
        if len(text) <= shape.max_characters:
            return text
        self._tell(
            node.span,
            say(
                "{field} may have {most} characters, this text has {count}. Shorten it",
                field=name,
                most=shape.max_characters,
                count=len(text),
            ),
        )
        return None

    def _items(self, shape: Items, node: Node, name: str) -> list[Any] | None:
        if isinstance(node, Scalar) and node.plain and node.text in _NULL:
            node = Sequence((), node.span)
        if not isinstance(node, Sequence):
            self._wrong(node, name, shape, say("no list"))
            return None
        if not shape.least <= len(node.items) <= shape.most:
            got = say_n("{count} item", "{count} items", count=len(node.items))
            self._wrong(node, name, shape, got)
            return None
        return [
            self.value(shape.of, one, f"{name}[{index}]") for index, one in enumerate(node.items)
        ]

    def _fields(self, fields: tuple[Field, ...], node: Node, at: Span, name: str) -> JsonObject:
        known = {field.name: field for field in fields}
        entries = self._entries(node, known, name)
        miswritten = {nearest(key, known) for key in self._unknown_keys(node, known)}
        values: JsonObject = {}
        for field in fields:
            path = f"{name}.{field.name}"
            entry = entries.get(field.name)
            if entry is not None:
                values[field.name] = self.value(field.shape, entry[1], path)
            elif field.default is not None:
                values[field.name] = self.value(field.shape, as_node(field.default), path)
            elif field.name not in miswritten:  # that has been said, where it stands
                self._tell(
                    at,
                    say(
                        "{group} must have {field}, and it has none. Add it: {wanted}",
                        group=name,
                        field=field.name,
                        wanted=wanted(field.shape),
                    ),
                )
        return values

    def _entries(self, node: Node, known: Iterable[str], name: str) -> dict[str, tuple[Span, Node]]:
        """The known keys of a mapping, each with its place and value; a fault for every other."""
        names = list(known)
        if not isinstance(node, Mapping):
            message = say(
                "{name} must be a mapping, one key a line such as {key}: ..., and it is none. "
                "Indent its keys below it",
                name=name,
                key=names[0] if names else "key",
            )
            self._tell(node.span, message)
            return {}
        found: dict[str, tuple[Span, Node]] = {}
        for entry in node.entries:
            if entry.key in found:
                first = found[entry.key][0].line
                self._tell(
                    entry.key_span,
                    say(
                        "a key may stand once, and {key} stands at line {line} too. Keep one",
                        key=_shown(entry.key),
                        line=first,
                    ),
                )
            elif entry.key in names:
                found[entry.key] = (entry.key_span, entry.value)
            else:
                self._tell(entry.key_span, self._unknown(entry.key, names, name))
        return found

    def _unknown_keys(self, node: Node, known: Iterable[str]) -> list[str]:
        if not isinstance(node, Mapping):
            return []
        return [entry.key for entry in node.entries if entry.key not in known]

    def _unknown(self, key: str, names: list[str], where: str) -> Text:
        meant = nearest(key, names)
        if meant is not None:
            return say(
                "{where} has no key {key}. Did you mean {meant}?",
                where=where,
                key=_shown(key),
                meant=meant,
            )
        home = next((g.name for g in self._groups for field in g.fields if field.name == key), None)
        if home is not None:
            return say(
                "{where} has no key {key}, it belongs below {home}. Move it there",
                where=where,
                key=key,
                home=home,
            )
        return say(
            "{where} has no key {key}. It has {names}",
            where=where,
            key=_shown(key),
            names=", ".join(names),
        )

    def _given(self, node: Node) -> Node:
        """A group of which nothing is written yet is an empty one."""
        is_empty = isinstance(node, Scalar) and node.plain and node.text in _NULL
        return Mapping((), node.span) if is_empty else node

    def _wrong(self, node: Node, name: str, shape: Shape, got: str) -> None:
        self._tell(
            node.span,
            say("{field} must be {wanted}, got {got}", field=name, wanted=wanted(shape), got=got),
        )

    def _tell(self, span: Span, message: Text) -> None:
        self.faults.append(Fault(span, message))


def wanted(shape: Shape) -> Text:
    """What a field takes, as the middle of a sentence."""
    match shape:
        case Whole(least, most):
            return say(
                "a whole number from {least} to {most}",
                least=number_text(least),
                most=number_text(most),
            )
        case Number(least, most, unit) if unit.text:
            return say(
                "a number with its unit, from {least} to {most} {unit}",
                least=number_text(least),
                most=number_text(most),
                unit=unit.text,
            )
        case Number(least, most):
            return say(
                "a number from {least} to {most}",
                least=number_text(least),
                most=number_text(most),
            )
        case Choice(options):
            return say("one of {options}", options=", ".join(option.name for option in options))
        case Flag():
            return say("true or false")
        case Words(most):
            return say("text of {most} characters at most", most=most)
        case Items(of, least, most):
            return say(
                "a list of {least} to {most} items, each {item}",
                least=least,
                most=most,
                item=wanted(of),
            )
        case Record(fields):
            return say("a mapping with {keys}", keys=", ".join(field.name for field in fields))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """What somebody may have meant by a word that is not known."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return close[0] if close else None


def _shown(text: str) -> str:
    if not text:
        return say("nothing")
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
