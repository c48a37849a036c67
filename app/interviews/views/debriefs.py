"""The debrief: page, JSON, the shared link; marks and feedback."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from app.accounts.models import User
from app.accounts.requests import SignedInRequest
from app.interviews.access import LEADING, get_interview, get_round
from app.interviews.debrief import debrief_of
from app.interviews.forms import WordsForm
from app.interviews.models import Feedback, Interview, InterviewRound, Link, Mark, Moment, Role
from app.interviews.round_facts import earlier_rounds
from app.interviews.running import settle
from app.interviews.server_time import now
from app.interviews.time_use import time_use
from app.practice.views.panels import drawings_of

# What can show that somebody reached a level.
EVIDENCE = (
    Moment.Kind.SENT,
    Moment.Kind.VERDICT,
    Moment.Kind.COUNTEREXAMPLE,
    Moment.Kind.HINT,
    Moment.Kind.FOLLOW_UP,
    Moment.Kind.ANSWER,
    Moment.Kind.CHAT,
)


@require_GET
def debrief(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The scorecard for those who take part, with forms for what they saw."""
    interview, role = get_interview(request, pk)
    if not interview.is_ended:
        return redirect(interview)
    data = debrief_of(interview)
    marking = request.GET.get("mark", "")
    context = {
        **_context(interview, data),
        "replay_url": reverse("interviews:replay", args=[interview.pk]),
        "role": role.value,
        "is_candidate": role is Role.CANDIDATE,
        "earlier": earlier_rounds(interview) if role is Role.CANDIDATE else {},
        "may_mark": role in LEADING,
        "marking": int(marking) if marking.isdecimal() and role in LEADING else None,
        "mine": mine_of(interview, request.user) if role in LEADING else {},
        "rounds": list(interview.rounds.all()),
        "links": interview.links.filter(scope="debrief", revoked_at=None),
        "notes": interview.moments.filter(kind=Moment.Kind.NOTE).select_related("author")
        if role.knows_the_answers
        else [],
    }
    return render(request, "interviews/debrief.html", context)


def _context(interview: Interview, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "interview": interview,
        "debrief": data,
        "time_use": time_use(data["rounds"]),
        "drawings": {
            one["number"]: drawings_of(one["result"]["counterexample"])
            for one in data["rounds"]
            if one.get("result") and one["result"]["counterexample"]
        },
        "evidence_kinds": EVIDENCE,
    }


def mine_of(interview: Interview, person: User) -> dict[str, Any]:
    """What the person wrote themselves, to fill the forms with."""
    marks = Mark.objects.filter(interview_round__interview=interview, author=person)
    words = interview.feedback.filter(author=person)
    return {
        "marks": {
            (mark.interview_round_id, mark.criterion): mark
            for mark in marks.prefetch_related("evidence")
        },
        "words": {word.interview_round_id: word.text for word in words},
    }


@require_GET
def debrief_json(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The same as data."""
    interview, _role = get_interview(request, pk)
    if not interview.is_ended:
        raise Http404(_("There is a debrief when the interview has ended."))
    return _json(interview)


def _json(interview: Interview) -> HttpResponse:
    response = JsonResponse(debrief_of(interview), json_dumps_params={"ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="debrief-{interview.pk}.json"'
    response["Cache-Control"] = "private, no-store"
    return response


def _shared_interview(token: str) -> Interview | None:
    link = Link.find(token, Link.Scope.DEBRIEF)
    return settle(link.interview) if link else None


@login_not_required
@require_GET
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """The scorecard for whoever has the candidate's link; nothing can be written there."""
    interview = _shared_interview(token)
    if interview is None:
        return render(request, "interviews/link_over.html", status=410)
    context = {
        **_context(interview, debrief_of(interview)),
        "is_shared": True,
        "token": token,
        "replay_url": reverse("interviews:shared-replay", args=[token]),
    }
    response = render(request, "interviews/debrief.html", context)
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"  # the address is the secret
    response["X-Robots-Tag"] = "noindex"
    return response


@login_not_required
@require_GET
def shared_json(request: HttpRequest, token: str) -> HttpResponse:
    """The same as data, by the same link."""
    interview = _shared_interview(token)
    if interview is None:
        return JsonResponse({"error": _("This link is over.")}, status=410)
    return _json(interview)


@require_POST
def marks(request: SignedInRequest, pk: UUID, number: int) -> HttpResponse:
    """The levels that a person saw in one round, with comments and the moments that show them."""
    one, role = get_round(request, pk, number, *LEADING)
    if role is Role.CANDIDATE and not one.interview.is_ended:
        messages.error(request, _("You mark yourself when the interview has ended."))
        return redirect(one.interview)
    with transaction.atomic():
        for index, line in enumerate(one.rubric):
            _keep_mark(request, one, index, len(line.levels))
        _keep_words(request, one.interview, one, request.POST.get("feedback", ""))
    messages.success(request, _("Kept."))
    return redirect(f"{_debrief_or_room(one.interview)}#round-{one.number}")


def _keep_mark(request: SignedInRequest, one: InterviewRound, index: int, levels: int) -> None:
    chosen = request.POST.get(f"level-{index}", "")
    own = Mark.objects.filter(interview_round=one, author=request.user, criterion=index)
    if not chosen.isdecimal() or int(chosen) >= levels:
        own.delete()
        return
    mark, _new = Mark.objects.update_or_create(
        interview_round=one,
        author=request.user,
        criterion=index,
        defaults={
            "level": int(chosen),
            "comment": request.POST.get(f"comment-{index}", "").strip()[:5000],
            "updated_at": now(),
        },
    )
    sequences = [part for part in request.POST.getlist(f"evidence-{index}") if part.isdecimal()]
    shown = one.moments.filter(sequence__in=sequences, kind__in=EVIDENCE)
    mark.evidence.set(shown)


@require_POST
def feedback(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Words about the whole interview."""
    interview, role = get_interview(request, pk, *LEADING)
    if role is Role.CANDIDATE and not interview.is_ended:
        messages.error(request, _("You mark yourself when the interview has ended."))
        return redirect(interview)
    form = WordsForm(request.POST)
    _keep_words(request, interview, None, form.cleaned_data["text"] if form.is_valid() else "")
    return redirect(f"{_debrief_or_room(interview)}#words")


def _keep_words(
    request: SignedInRequest, interview: Interview, one: InterviewRound | None, text: str
) -> None:
    own = Feedback.objects.filter(interview=interview, interview_round=one, author=request.user)
    if not text.strip():
        own.delete()
        return
    Feedback.objects.update_or_create(
        interview=interview,
        interview_round=one,
        author=request.user,
        defaults={"text": text.strip()[:20_000], "updated_at": now()},
    )


def _debrief_or_room(interview: Interview) -> str:
    address = interview.get_absolute_url()
    return f"{address}debrief/" if interview.is_ended else address
