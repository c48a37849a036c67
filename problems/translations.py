"""A package's own sentences in other languages: ``texts.<language>.yaml``, English to translation.

What a page says of a package's checker is looked up here first. A translation must have the
fields of its English text, in any order and number.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from functools import lru_cache

from problems import strict_yaml
from problems.complaints import Complaint
from problems.strict_yaml import Position

_NAME = re.compile(r"texts\.[a-z]{2,3}(-[a-z0-9]+)*\.yaml")
_FORMATTER = string.Formatter()


def texts_name(language: str) -> str:
    """The file for a language, by its code in small letters: ``texts.zh-hans.yaml``."""
    return f"texts.{language.lower()}.yaml"


@lru_cache(maxsize=64)
def read_texts(text: str) -> Mapping[str, str]:
    """The translations in a file that `about_texts` has nothing to say about."""
    value = strict_yaml.read(text).value
    return value if isinstance(value, dict) else {}


def about_texts(files: Mapping[str, str], label: str) -> Iterator[Complaint]:
    """What is wrong with a package's files of texts."""
    for path, text in files.items():
        if "/" in path or not path.startswith("texts."):
            continue
        where = f"{label}/{path}"
        if not _NAME.fullmatch(path):
            yield Complaint(
                where,
                None,
                None,
                "translations must be named texts.<language>.yaml, with the language's code in "
                f"small letters as in texts.zh-hans.yaml, got {path}; rename it",
            )
            continue
        for position, message in _about_text(text):
            yield Complaint(where, position.line, position.column, message)


def _about_text(text: str) -> Iterator[tuple[Position, str]]:
    document = strict_yaml.read(text)
    for fault in document.faults:
        yield fault.position, fault.message
    if document.faults:
        return
    if not isinstance(document.value, dict):
        yield (
            Position(1, 1),
            "translations must be a mapping of English texts to translations, got none; write "
            'lines such as "you forgot {name}": "你漏了 {name}"',
        )
        return
    for english, translation in document.value.items():
        position = document.position((english,))
        if not isinstance(translation, str) or not translation.strip():
            yield position, f"a translation must be text, that of {english!r} is not; write one"
            continue
        needed, given = _fields(english), _fields(translation)
        if needed is None or given is None:
            yield (
                position,
                "a text's fields must be whole, as in {name}, and a brace of its own stands "
                f"twice; got {(english if needed is None else translation)!r}; correct it",
            )
        elif needed != given:
            yield (
                position,
                f"a translation must have the fields of its text, {_listed(needed)}, got "
                f"{_listed(given)}; use the same ones",
            )


def _fields(template: str) -> frozenset[str] | None:
    """Each field as it is written, format and all; None if the braces do not match."""
    try:
        return frozenset(
            f"{{{field}{f'!{conversion}' if conversion else ''}{f':{form}' if form else ''}}}"
            for _, field, form, conversion in _FORMATTER.parse(template)
            if field is not None
        )
    except ValueError:
        return None


def _listed(fields: frozenset[str]) -> str:
    return ", ".join(sorted(fields)) or "none"
