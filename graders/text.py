"""Sentences for people that remember how they were made, so that a page can say them again.

A grader writes ``say("rank {rank} must send {n_bytes} bytes", rank=3, n_bytes=64)``. The result is
the English sentence, a `str` like any other; `to_json` writes the template with its values. The
page looks the template up in the reader's language and fills it in again.

Templates reach the catalogue because ``manage.py makemessages`` knows `say` and `say_n` as marks,
so a template must stand in the call as a literal. An f-string or ``+`` gives a plain string:
English for everybody.

This file is laid into the sandboxes of packages' checkers too; it needs only the standard library.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias, cast

# As `graders.verdict` has them, which is not there in a sandbox.
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]

Value = bool | int | float | str  # a Text too, which is said in the reader's language as well

# Bounds on a sentence that comes out of a sandbox.
MAX_CHARACTERS = 4000
MAX_FIELDS = 20
MAX_NESTING = 3
MAX_INT_BITS = 1023

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_MARK = "$say"  # the key that tells a sentence in JSON from an object of the grader's
_LIKE_MARK = re.compile(r"\$+say")
_FORMATTER = string.Formatter()
# Widths and precisions of two digits: "{x:999999999}" would fill the memory of whoever says it.
_FORMAT = re.compile(r"[<>^]?[-+ ]?#?0?\d{0,2},?(\.\d{1,2})?[bdeEfFgGosxX%]?")


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
        If a field is not a plain name, since attributes and indices would let a catalogue reach
        into objects; or its width or precision has more than two digits.
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


def say_list(parts: list[str]) -> str:
    """``0``, ``0 and 2`` or ``0, 2 and 3``; a sentence like its parts.

    Raises
    ------
    IndexError
        If there is nothing to list.
    """
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    for part in parts[1:-1]:
        first = say("{first}, {second}", first=first, second=part)
    return say("{first} and {last}", first=first, last=parts[-1])


def _make(template: str, plural: str | None, values: dict[str, Value]) -> Text:
    text = Text(fill(template if plural is None or values["count"] == 1 else plural, values))
    text.template, text.plural, text.values = template, plural, values
    return text


def fill(template: str, values: dict[str, Value]) -> str:
    """`template` with `values` in it.

    Raises
    ------
    ValueError, KeyError
        As `say`.
    """
    _count_fields(template)
    return template.format_map(values)


@lru_cache(maxsize=4096)
def _count_fields(template: str) -> int:
    """How many fields a template has, each seen to be one that `say` takes."""
    count = 0
    for _, field, form, conversion in _FORMATTER.parse(template):
        if field is None:
            continue
        count += 1
        if not field.isidentifier():
            raise ValueError(f"a field must be a plain name, got {{{field}}} in {template!r}")
        if conversion not in (None, "r") or not _FORMAT.fullmatch(form or ""):
            raise ValueError(
                f"a format must be !r or a short one such as :.3f, got another for {{{field}}} "
                f"in {template!r}"
            )
    return count


def to_json(value: object) -> Json:
    """`value`, with each `Text` inside as an object that `from_json` reads.

    Parameters
    ----------
    value : object
        JSON's own types, with tuples as lists and sentences wherever strings may stand. A sentence
        about NaN or infinity, which JSON has not, stays English.
    """
    if isinstance(value, Text):
        if any(isinstance(one, float) and not math.isfinite(one) for one in value.values.values()):
            return str(value)
        values = {name: to_json(one) for name, one in value.values.items()}
        given: JsonObject = {"template": value.template, "values": values}
        if value.plural is not None:
            given["plural"] = value.plural
        return {_MARK: given}
    if isinstance(value, dict):
        return {_escaped(str(key)): to_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(one) for one in value]
    return cast("Json", value)


def _escaped(key: str) -> str:
    """A key of somebody's own that looks like the mark, so that nobody can forge a sentence."""
    return f"${key}" if _LIKE_MARK.fullmatch(key) else key


def _unescaped(key: str) -> str:
    return key[1:] if _LIKE_MARK.fullmatch(key) else key


Translate = Callable[[str, str | None, int], str]  # template, its plural, the count -> template


def from_json(value: Json, translate: Translate | None = None) -> Json:
    """`value` with each sentence inside as a string, in the words that `translate` finds.

    A sentence that a translation does not fit (a field too many) is said in English.
    """
    if isinstance(value, dict):
        if value.keys() == {_MARK}:
            return _said(cast("JsonObject", value[_MARK]), translate)
        return {_unescaped(key): from_json(one, translate) for key, one in value.items()}
    if isinstance(value, list):
        return [from_json(one, translate) for one in value]
    return value


def _said(given: JsonObject, translate: Translate | None) -> str:
    template, plural = str(given["template"]), cast("str | None", given.get("plural"))
    values = cast("dict[str, Value]", from_json(given["values"], translate))
    count = int(values["count"]) if plural is not None else 1
    english = template if plural is None or count == 1 else plural
    if translate is None:
        return fill(english, values)
    try:
        return fill(translate(template, plural, count), values)
    except (KeyError, ValueError, IndexError):
        return fill(english, values)


def from_sandbox(value: Any, depth: int = 0) -> str:
    """A string or a sentence that a program in a sandbox wrote with `to_json`; a `Text` again.

    Only strings and finite numbers go into it, and it says `MAX_CHARACTERS` at most. A plain
    string is cut there, and loses what a database cannot hold.

    Raises
    ------
    ValueError
        If it is neither, or larger than allowed.
    """
    if isinstance(value, str):
        return clean(value)
    given = value.get(_MARK) if isinstance(value, dict) else None
    if not isinstance(given, dict) or depth == MAX_NESTING:
        raise ValueError(f"a text must be a string or a sentence, got {value!r:.200}")
    template, plural, values = (given.get(key) for key in ("template", "plural", "values"))
    forms = [template] if plural is None else [template, plural]
    if not isinstance(values, dict) or not all(_is_template(form) for form in forms):
        raise ValueError(f"a sentence must be a template with its values, got {value!r:.200}")
    filled = {clean(name): _value(one, depth) for name, one in values.items()}
    if plural is not None and type(filled.get("count")) is not int:
        raise ValueError(f"a sentence with a plural must have a count, got {value!r:.200}")
    try:
        said = _make(str(template), plural, filled)
    except KeyError as missing:
        raise ValueError(f"a sentence must have all its values, {missing} is missing") from None
    if len(said) > MAX_CHARACTERS:
        raise ValueError(f"a sentence may have {MAX_CHARACTERS} characters, got {said!r:.200}")
    return said


def clean(value: str) -> str:
    """Text of a sandbox, cut at `MAX_CHARACTERS`, without what a database cannot hold."""
    kept = value[:MAX_CHARACTERS].encode("utf-8", "replace").decode()
    return kept.replace("\0", "\N{REPLACEMENT CHARACTER}")


def storable(value: object) -> Any:
    """`value` without what UTF-8 or a database cannot hold; the same object if there is none.

    Lone surrogates and NUL become U+FFFD, NaN and infinity their names.

    Parameters
    ----------
    value : object
        JSON's own types, with tuples and sentences as `to_json` takes them.
    """
    if isinstance(value, Text):
        values = {name: storable(one) for name, one in value.values.items()}
        same = all(values[name] is one for name, one in value.values.items())
        if same and not _UNSTORABLE.search(value):
            return value
        try:
            said = _make(value.template, value.plural, values)
        except ValueError:  # a format for a number that is now a name
            return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", str(value))
        return said
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {storable(str(key)): storable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [storable(one) for one in value]
    return value


def _is_template(form: object) -> bool:
    """Short enough, and nothing in it that a database cannot hold."""
    return isinstance(form, str) and form == clean(form) and _count_fields(form) <= MAX_FIELDS


def _value(value: Any, depth: int) -> Value:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value.bit_length() <= MAX_INT_BITS:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, str | dict):
        return from_sandbox(value, depth + 1)
    raise ValueError(f"a value must be a string, a sentence or a finite number, got {value!r:.200}")
