"""Sentences for people that remember how they were made, so that a page can say them again.

A grader writes ``say("rank {rank} must send {n_bytes} bytes", rank=3, n_bytes=64)``. The result is
the English sentence, a `str` like any other; to JSON goes the template with its values. The page
looks the template up in the catalogue of the reader's language and fills it in again. Templates
reach the catalogue because ``makemessages`` knows `say` and `say_n` as marks, so a template must
stand in the call as a literal. An f-string or ``+`` gives a plain string: English for everybody.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from graders.verdict import Json, JsonObject

Value = bool | int | float | str  # a Text too, which is said in the reader's language as well

_MARK = "$say"  # the key that tells a sentence in JSON from an object of the grader's
_FORMATTER = string.Formatter()


class Text(str):
    """An English sentence that knows its template and values. Made by `say` and `say_n`."""

    template: str
    plural: str | None  # the template for any number but one; it has a `{count}`
    values: dict[str, Value]


def say(template: str, /, **values: Value) -> Text:
    """The sentence that `template`, a ``str.format`` string, makes of `values`.

    Raises
    ------
    ValueError
        If a field is not a plain name: attributes and indices would let a catalogue reach into
        objects.
    KeyError
        If a value is missing.
    """
    return _make(template, None, values)


def say_n(singular: str, plural: str, /, *, count: int, **values: Value) -> Text:
    """As `say`, with a template for one and a template for any other `count`.

    Raises
    ------
    ValueError, KeyError
        As `say`.
    """
    return _make(singular, plural, {"count": count, **values})


def _make(template: str, plural: str | None, values: dict[str, Value]) -> Text:
    text = Text(fill(template if plural is None or values["count"] == 1 else plural, values))
    text.template, text.plural, text.values = template, plural, values
    return text


def fill(template: str, values: dict[str, Value]) -> str:
    """`template` with `values` in it; every field must be a plain name.

    Raises
    ------
    ValueError, KeyError
        As `say`.
    """
    for _, field, _, _ in _FORMATTER.parse(template):
        if field is not None and not field.isidentifier():
            raise ValueError(f"a field must be a plain name, got {{{field}}} in {template!r}")
    return template.format_map(values)


def to_json(value: object) -> Json:
    """`value`, with each `Text` inside as an object that `from_json` reads.

    Parameters
    ----------
    value : object
        JSON's own types, with tuples as lists and sentences wherever strings may stand.
    """
    if isinstance(value, Text):
        given: JsonObject = {"template": value.template, "values": _values_to_json(value)}
        if value.plural is not None:
            given["plural"] = value.plural
        return {_MARK: given}
    if isinstance(value, dict):
        return {str(key): to_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(one) for one in value]
    return cast("Json", value)


def _values_to_json(text: Text) -> JsonObject:
    return {name: to_json(value) for name, value in text.values.items()}


Translate = Callable[[str, str | None, int], str]  # template, its plural, the count -> template


def from_json(value: Json, translate: Translate | None = None) -> Json:
    """`value` with each sentence inside as a string, in the words that `translate` finds.

    A sentence that a translation does not fit (a field too many) is said in English.
    """
    if isinstance(value, dict):
        if value.keys() == {_MARK}:
            return _said(cast("JsonObject", value[_MARK]), translate)
        return {key: from_json(one, translate) for key, one in value.items()}
    if isinstance(value, list):
        return [from_json(one, translate) for one in value]
    return value


def _said(given: JsonObject, translate: Translate | None) -> str:
    template, plural = str(given["template"]), cast("str | None", given.get("plural"))
    values = cast("dict[str, Value]", from_json(given["values"], translate))
    count = int(values.get("count", 1)) if plural is not None else 1
    english = template if plural is None or count == 1 else plural
    if translate is None:
        return fill(english, values)
    try:
        return fill(translate(template, plural, count), values)
    except (KeyError, ValueError, IndexError):
        return fill(english, values)
