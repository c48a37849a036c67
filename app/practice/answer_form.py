"""A worksheet as a form: this person's values, the fields with what was answered so far.

The form works without scripts: its fields come back one by one and become the same YAML that the
scripts keep as the draft.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from django.http import QueryDict
from django.utils.translation import gettext as _

from app.practice.models import ProblemVersion, Submission
from app.practice.wording import in_words, texts_of
from graders.answers import Answer, Answers, Unreadable, read, unreadable, written
from graders.answers.explaining import parameter_rows
from graders.answers.quantities import Misread, read_quantity, units_for
from graders.answers.worksheet import units
from graders.answers.worksheet.checking import template_of
from graders.answers.worksheet.template import Choice, Field, Number, Table
from graders.answers.worksheet.variant import Variant, draw
from graders.text import to_json
from problems.schema import ProblemSpec

PREFIX = "answer."
_PLACEHOLDER = re.compile(r"\[\[([a-z][a-z0-9_]*)\]\]")


def variant_of(spec: ProblemSpec, seed: int) -> Variant:
    """The values that a seed draws."""
    return variant_of_section(spec.grader.model_dump(), seed)


def variant_of_section(section: Mapping[str, Any], seed: int) -> Variant:
    """The same for any worksheet, such as the answer to a follow-up."""
    return draw(template_of(section), seed)


def values_of(submission: Submission) -> list[Any]:
    """Labels and values that a submission's answers belong to; none if nothing was drawn."""
    spec = submission.version.spec
    if not spec.is_drawn_per_attempt:
        return []
    replay = submission.replay or {}
    rows = parameter_rows(variant_of(spec, int(cast(int, replay.get("seed", submission.seed)))))
    return cast("list[Any]", in_words(to_json(rows), lambda: texts_of(submission.version)))


def with_values(statement: str, variant: Variant) -> str:
    """The statement with ``[[name]]`` replaced by the value of that parameter."""
    values = values_by_name(variant)
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), statement)


def values_by_name(variant: Variant) -> dict[str, str]:
    """The parameters as people read them: ``{"link": "50 GB/s"}``."""
    rows = cast("list[dict[str, str]]", parameter_rows(variant))
    return {row["name"]: row["value"] for row in rows}


def form_context(version: ProblemVersion, variant: Variant, text: str) -> dict[str, Any]:
    """What ``practice/parts/answer_form.html`` shows, filled in from a draft."""
    values = in_words(to_json(parameter_rows(variant)), lambda: texts_of(version))
    return {"values": values, "fields": fields_of(variant, text, version)}


def fields_of(
    variant: Variant, text: str, version: ProblemVersion | None = None
) -> list[dict[str, Any]]:
    """The fields of a form, filled in from YAML, in the reader's language as `version` has it."""
    try:
        answers = read(text)
    except Unreadable:
        answers = {}
    shown = [_field(one, answers.get(one.name, "")) for one in variant.template.fields]
    texts = dict if version is None else lambda: texts_of(version)
    return cast("list[dict[str, Any]]", in_words(to_json(shown), texts))


def canonical(spec: ProblemSpec, text: str) -> str:
    """Answers in the form that the scripts write; what is no worksheet or no YAML as it is."""
    if not spec.is_drawn_per_attempt:
        return text
    try:
        return written(read(text))
    except Unreadable:
        return text


def unread(version: ProblemVersion, source: str, seed: int) -> str:
    """Why answers cannot be judged yet, in the reader's language; empty if they can."""
    message = unreadable(version.spec.grader.model_dump(), source, seed)
    return "" if message is None else str(in_words(to_json(message), lambda: texts_of(version)))


def source_of(spec: ProblemSpec, data: QueryDict) -> str:
    """The answers of a form that was sent without scripts, as YAML."""
    return source_of_section(spec.grader.model_dump(), data)


def source_of_section(section: Mapping[str, Any], data: QueryDict) -> str:
    """The same for any worksheet."""
    template = template_of(section)
    answers: Answers = {}
    for one in template.fields:
        name = PREFIX + one.name
        if isinstance(one, Table):
            answers[one.name] = {
                row.name: {
                    column.name: data.get(f"{name}.{row.name}.{column.name}", "").strip()
                    for column in one.columns
                }
                for row in one.rows
            }
        elif isinstance(one, Choice) and one.many:
            answers[one.name] = [str(value) for value in data.getlist(name)]
        else:
            answers[one.name] = data.get(name, "").strip()
    return written(answers)


def reading(spec: ProblemSpec, path: str, text: str) -> dict[str, str] | None:
    """How one answer is read, in words; None if there is no such field.

    ``state`` is empty, read or misread. The judge's own reader answers, so that what the page says
    is what will be judged.
    """
    number = _numbers(template_of(spec.grader.model_dump()).fields).get(path)
    if number is None:
        return None
    given = text.strip()
    if not given:
        return {"state": "empty", "text": ""}
    read_as = read_quantity(given, number.wanted)
    if isinstance(read_as, Misread):
        return {"state": "misread", "text": str(in_words(to_json(read_as.message)))}
    return {"state": "read", "text": f"= {units.understood(read_as, number.wanted)}"}


def _numbers(fields: tuple[Field, ...]) -> dict[str, Number]:
    numbers: dict[str, Number] = {}
    for one in fields:
        if isinstance(one, Number):
            numbers[one.name] = one
        elif isinstance(one, Table):
            for row in one.rows:
                for column in one.columns:
                    numbers[f"{one.name}.{row.name}.{column.name}"] = column
    return numbers


def _field(one: Field, answer: Answer) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": one.name, "label": one.label, "help": one.help}
    match one:
        case Number():
            shown |= {"kind": "number", **_input(one, answer, one.name)}
        case Table():
            given = answer if isinstance(answer, dict) else {}
            shown |= {
                "kind": "table",
                "columns": [
                    {"label": column.label, "hint": _hint(column)} for column in one.columns
                ],
                "rows": [
                    {
                        "name": row.name,
                        "label": row.label,
                        "cells": [
                            {
                                "column": column.name,
                                **_input(
                                    column,
                                    given.get(row.name, {}).get(column.name, ""),
                                    f"{one.name}.{row.name}.{column.name}",
                                ),
                            }
                            for column in one.columns
                        ],
                    }
                    for row in one.rows
                ],
            }
        case Choice():
            chosen = answer if isinstance(answer, list) else [answer]
            shown |= {
                "kind": "set" if one.many else "choice",
                "options": [
                    {
                        "name": option.name,
                        "label": option.label,
                        "is_chosen": option.name in chosen,
                    }
                    for option in one.options
                ],
            }
    return shown


def _input(number: Number, answer: Answer, path: str) -> dict[str, Any]:
    return {
        "path": path,
        "label": number.label,
        "value": answer if isinstance(answer, str) else "",
        "hint": _hint(number),
    }


def _hint(number: Number) -> str:
    """Which units would do, without giving the right one away."""
    if number.wanted.dimension:
        return units_for(number.wanted)
    return _("a share, such as 0.45 or 45 %") if number.wanted.text == "%" else _("a plain number")
