"""The page before, between and in the pauses of rounds: who is there, what comes, notes."""

from __future__ import annotations

from typing import Any

from app.accounts.requests import SignedInRequest
from app.interviews.access import LEADING
from app.interviews.debrief import debrief_of
from app.interviews.models import Interview, InterviewRound, Moment, Role
from app.interviews.readiness import people
from app.interviews.views.besides import answers_of
from app.interviews.views.debriefs import EVIDENCE, mine_of
from app.practice.markdown import render as render_markdown
from app.practice.rounds import round_text


def between_context(interview: Interview, role: Role, request: SignedInRequest) -> dict[str, Any]:
    """What ``interviews/stage.html`` shows to this role besides plan, clock and rules."""
    upcoming = interview.next_round()
    is_planned = interview.status == Interview.Status.PLANNED
    context: dict[str, Any] = {
        "another": interview.another_running() if is_planned else None,
        "next_text": None if upcoming is None else round_text(upcoming.loop_round or 0),
        "may_ready": role in LEADING and not interview.is_paused,
    }
    if interview.with_interviewer:
        everybody = people(interview)
        context |= {
            "people": everybody,
            "is_ready": any(one.is_ready for one in everybody if one.user == request.user),
            "chat": interview.moments.filter(kind=Moment.Kind.CHAT)
            .select_related("author")
            .order_by("sequence"),
            "may_chat": role in LEADING,
        }
    if role.knows_the_answers:
        context |= _for_the_interviewer(interview, role, request, upcoming)
    return context


def _for_the_interviewer(
    interview: Interview, role: Role, request: SignedInRequest, upcoming: InterviewRound | None
) -> dict[str, Any]:
    """What was seen so far, to mark while it is fresh; and the next round, to prepare it."""
    marking = request.GET.get("mark", "")
    may_mark = role is Role.INTERVIEWER
    notes = interview.moments.filter(kind=Moment.Kind.NOTE)
    return {
        "debrief": debrief_of(interview),
        "may_mark": may_mark,
        "marking": int(marking[:3]) if marking.isdecimal() and may_mark else None,
        "mine": mine_of(interview, request.user) if may_mark else {},
        "evidence_kinds": EVIDENCE,
        "notes": notes.select_related("author", "interview_round").order_by("sequence"),
        "next_statement": "" if upcoming is None else _statement(upcoming),
        "next_answers": {} if upcoming is None else answers_of(upcoming),
    }


def _statement(one: InterviewRound) -> str:
    """What the candidate will read; a worksheet's with the names of its values."""
    if one.version is None:
        return render_markdown(one.question_spec.prompt, {})
    return render_markdown(one.version.statement, one.version.files)
