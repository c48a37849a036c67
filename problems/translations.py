"""A package's own sentences in other languages: ``texts.<language>.yaml``, English to translation.

What a page says of a package's checker or worksheet, and what a case is there to catch, is looked
up here first. A translation must have the fields of its English text, in any order and number.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator, Mapping
from functools import lru_cache

from problems import strict_yaml
from problems.complaints import Complaint, nearest
from problems.python_source import parse
from problems.schema import ProblemSpec
from problems.sections.answers import AnswersGrader
from problems.sections.triage import TriageGrader
from problems.strict_yaml import Position

_NAME = re.compile(r"texts\.[a-z]{2,3}(-[a-z0-9]+)*\.yaml")
_FORMATTER = string.Formatter()
_MARKS = {"say": 1, "say_n": 2}  # of `graders.text`, with how many templates each takes


def texts_name(language: str) -> str:
    """The file for a language, by its code in small letters: ``texts.zh-hans.yaml``."""
    return f"texts.{language.lower()}.yaml"


@lru_cache(maxsize=64)
def read_texts(text: str) -> Mapping[str, str]:
    """The translations in a file that `about_texts` has nothing to say about."""
    value = strict_yaml.read(text).value
    return value if isinstance(value, dict) else {}


def about_texts(files: Mapping[str, str], label: str) -> Iterator[Complaint]:
    """What is wrong with a package's files of texts, each by itself."""
    for path, text in _texts_files(files):
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


def about_what_is_said(
    spec: ProblemSpec, files: Mapping[str, str], label: str
) -> Iterator[Complaint]:
    """Whether each file of texts has every text of the package, and no other."""
    said = {case.breaks for case in spec.cases} | {
        template
        for path, source in files.items()
        if path.endswith(".py") and "/" not in path
        for template in _templates(source)
    }
    if isinstance(spec.grader, AnswersGrader | TriageGrader):
        said |= set(spec.grader.texts())
    for path, text in _texts_files(files):
        document = strict_yaml.read(text)
        if document.faults or not isinstance(document.value, dict) or not _NAME.fullmatch(path):
            continue
        given = set(document.value)
        for template in sorted(said - given):
            yield Complaint(
                f"{label}/{path}",
                None,
                None,
                f"translations must be of every text that the package says, {template!r} has "
                "none; add it",
            )
        for template in sorted(given - said):
            position = document.position((template,), of_key=True)
            meant = nearest(template, said - given)
            yield Complaint(
                f"{label}/{path}",
                position.line,
                position.column,
                f"a translation must be of a text that the package says, {template!r} is none; "
                + (f"did you mean {meant!r}?" if meant else "remove it"),
            )


def _texts_files(files: Mapping[str, str]) -> list[tuple[str, str]]:
    return [
        (path, text)
        for path, text in files.items()
        if path.startswith("texts.") and "/" not in path
    ]


def _templates(source: str) -> Iterator[str]:
    """The templates that a module gives to `say` and `say_n`."""
    try:
        module = parse(source)
    except SyntaxError:  # `about_entry_points` or the checker's own run says so
        return
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            for argument in node.args[: _MARKS.get(node.func.id, 0)]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


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
