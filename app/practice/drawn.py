"""What is drawn for each attempt, the values of a worksheet or a trace: one face for the views."""

from __future__ import annotations

from typing import Any, cast

from django.http import QueryDict

from app.practice import answer_form, trace_form
from app.practice.answer_form import canonical
from app.practice.models import ProblemVersion, Submission
from problems.schema import ProblemSpec

__all__ = ["canonical", "page_context", "source_of", "unread", "values_by_name", "values_of"]


def is_trace(spec: ProblemSpec) -> bool:
    """Whether an attempt draws a trace; values otherwise."""
    return spec.grader.kind == "triage"


def page_context(
    version: ProblemVersion, seed: int, statement: str, text: str
) -> tuple[str, dict[str, Any]]:
    """The statement as this attempt reads it, and what the form shows of a draft."""
    if is_trace(version.spec):
        return statement, trace_form.form_context(version, seed, text)
    variant = answer_form.variant_of(version.spec, seed)
    form = answer_form.form_context(version, variant, text)
    return answer_form.with_values(statement, variant), form


def unread(version: ProblemVersion, source: str, seed: int) -> str:
    """Why answers cannot be judged yet, in the reader's language; empty if they can."""
    if is_trace(version.spec):
        return trace_form.unread(version, source, seed)
    return answer_form.unread(version, source, seed)


def source_of(spec: ProblemSpec, data: QueryDict) -> str:
    """The answers of a form that was sent without scripts, as YAML."""
    return trace_form.source_of(data) if is_trace(spec) else answer_form.source_of(spec, data)


def values_of(submission: Submission) -> list[Any]:
    """Labels and values that a submission's answers belong to; none if nothing was drawn."""
    spec = submission.version.spec
    if is_trace(spec):
        return trace_form.facts(seed_of(submission))
    return answer_form.values_of(submission)


def values_by_name(spec: ProblemSpec, seed: int) -> dict[str, str]:
    """What a seed draws, for the command line."""
    if is_trace(spec):
        return {row["name"]: row["value"] for row in trace_form.facts(seed)}
    return answer_form.values_by_name(answer_form.variant_of(spec, seed))


def seed_of(submission: Submission) -> int:
    """The seed that a submission is judged with."""
    replay = submission.replay or {}
    return int(cast(int, replay.get("seed", submission.seed)))
