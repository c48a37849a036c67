"""What the editor of a design asks the server: which fields there are, what cannot be read."""

from __future__ import annotations

from typing import Any, cast

from app.practice.wording import in_words
from graders.design import groups_of, json_schema, read, wanted
from graders.text import to_json
from problems.schema import ProblemSpec


def is_design(spec: ProblemSpec) -> bool:
    """Whether the problem asks for a design."""
    return spec.grader.kind == "design"


def schema_of(spec: ProblemSpec) -> dict[str, Any]:
    """A JSON Schema of the design, its sentences in the reader's language."""
    schema = json_schema(groups_of(spec.grader.model_dump()))
    return cast("dict[str, Any]", in_words(to_json(schema)))


def groups_in_words(spec: ProblemSpec) -> list[dict[str, Any]]:
    """The groups of fields with their help and what each field takes, for the statement's side."""
    return [
        {
            "name": group.name,
            "help": group.help,
            "fields": [
                {
                    "name": field.name,
                    "help": field.help,
                    "wanted": in_words(to_json(wanted(field.shape))),
                }
                for field in group.fields
            ],
        }
        for group in groups_of(spec.grader.model_dump())
    ]


def complaints(spec: ProblemSpec, text: str) -> list[dict[str, Any]]:
    """What the judge's own reader says against a text, as the editor takes it.

    Each has `line` and `column` from 1, `end` (the column behind it) and `message`. Nothing is said
    about whether a constraint holds: for that a design is sent.
    """
    faults = read(groups_of(spec.grader.model_dump()), text).faults
    return [
        {
            "line": fault.span.line,
            "column": fault.span.column,
            "end": fault.span.end,
            "message": in_words(to_json(fault.message)),
        }
        for fault in faults
    ]
