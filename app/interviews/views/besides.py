"""What stands beside the statement and changes while a round runs: hints, follow-ups, notes."""

from __future__ import annotations

from typing import Any

from app.interviews.models import AskedFollowUp, InterviewRound, Moment, Role
from app.practice.answer_form import fields_of, variant_of_section
from app.practice.markdown import render as render_markdown
from app.practice.wording import in_words


def beside_context(one: InterviewRound, role: Role) -> dict[str, Any]:
    """What ``interviews/beside.html`` shows to this role."""
    interview = one.interview
    context: dict[str, Any] = {
        "interview": interview,
        "round": one,
        "is_candidate": role is Role.CANDIDATE,
        "knows_the_answers": role.knows_the_answers,
        "may_ask": role is Role.INTERVIEWER,
        "hints": one.hints[: one.hints_shown],
        "hints_total": len(one.hints),
        "more_hints": one.hints_shown < len(one.hints)
        and (role is Role.INTERVIEWER or (role is Role.CANDIDATE and interview.hints_allowed)),
        "asked": [shown(asked, role) for asked in _asked(one)],
    }
    if role.knows_the_answers:
        context |= answers_of(one)
    return context


def _asked(one: InterviewRound) -> Any:
    return one.follow_ups.filter(asked_at__isnull=False).select_related(
        "asked_by", "interview_round__version", "interview_round__interview"
    )


def shown(asked: AskedFollowUp, role: Role) -> dict[str, Any]:
    """A follow-up that was asked, as a page shows it: its form, or its answer and what it is worth.

    The judgement stays with those who know the answers until the interview is over, unless the
    candidate is alone.
    """
    interview = asked.interview_round.interview
    spec = asked.spec
    fields: list[dict[str, Any]] = []
    if spec is not None and spec.answer is not None and asked.answered_at is None:
        section = spec.answer.model_dump()
        fields = fields_of(variant_of_section(section, asked.interview_round.seed), asked.answer)
    is_open = role.knows_the_answers or interview.is_ended or not interview.with_interviewer
    return {
        "pk": asked.pk,
        "question": asked.question,
        "asked_at": asked.asked_at,
        "asked_by": asked.asked_by,
        "answered_at": asked.answered_at,
        "answer": asked.answer_in_words,
        "fields": fields,
        "judgement": in_words(asked.judgement) if asked.judgement and is_open else None,  # type: ignore[arg-type]
        "points": spec.points if spec and (role.knows_the_answers or interview.is_ended) else [],
    }


def answers_of(one: InterviewRound) -> dict[str, Any]:
    """What only those see who know the answers: follow-ups, points, rubric, editorial, notes."""
    version = one.version
    rows = {row.index: row for row in one.follow_ups.all() if row.index is not None}
    own = [] if version is None else version.spec.follow_ups
    follow_ups = [
        {
            "index": index,
            "question": follow_up.question,
            "points": follow_up.points,
            "trigger": follow_up.trigger,
            "is_due": index in rows,
            "is_asked": index in rows and rows[index].asked_at is not None,
        }
        for index, follow_up in enumerate(own)
    ]
    spec = one.question_spec if version is None else None
    return {
        "follow_ups": follow_ups,
        "points": spec.points if spec else [],
        "rubric": one.rubric,
        "editorial": "" if version is None else render_markdown(version.editorial, version.files),
        "notes": one.moments.filter(kind=Moment.Kind.NOTE).select_related("author"),
    }
