"""The interview itself: its page at each stage, and what moves it on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from app.accounts.requests import SignedInRequest
from app.interviews import running
from app.interviews.access import LEADING, get_interview
from app.interviews.clock_state import clock_state
from app.interviews.doorbell import ring
from app.interviews.forms import WordsForm
from app.interviews.models import Interview, Moment, Role
from app.interviews.views.between import between_context
from app.interviews.views.rounds import keep_what_came_along, round_page

ONE_AT_A_TIME = gettext_lazy(
    "One interview runs at a time. End the other one before you begin this."
)


@require_GET
def interview_page(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Where the interview stands: the plan, the round, the break; after it the debrief."""
    interview, role = get_interview(request, pk)
    if interview.is_ended:
        return redirect("interviews:debrief", pk=pk)
    current = interview.current_round()
    if current is not None and (not interview.is_paused or role.knows_the_answers):
        return round_page(request, current, role)
    context = {
        **stage_context(interview, role),
        **between_context(interview, role, request),
        "links": _links(interview, role),
    }
    return render(request, "interviews/stage.html", context)


def stage_context(interview: Interview, role: Role) -> dict[str, Any]:
    """What every page of a living interview shows: the plan and the clock."""
    rounds = list(interview.rounds.select_related("version__problem"))
    return {
        "interview": interview,
        "role": role.value,
        "is_candidate": role is Role.CANDIDATE,
        "leads": role in LEADING,
        "knows_the_answers": role.knows_the_answers,
        "rounds": rounds,
        "total_minutes": sum(one.minutes for one in rounds),
        "clock": clock_state(interview),
        "upcoming": interview.next_round(),
        "seats": interview.seats.filter(link__revoked_at=None).select_related("user"),
        "last_sequence": interview.moment_count,
    }


def _links(interview: Interview, role: Role) -> Any:
    if role is not Role.CANDIDATE:
        return []
    return [link for link in interview.links.filter(scope="interviewer") if not link.revoked_at]


@require_GET
def clock(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The server's time and what it counts down to, for the page's clock to follow."""
    interview, _role = get_interview(request, pk)
    response = JsonResponse(clock_state(interview))
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def start(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Begin the first round, unless the candidate sits another interview."""
    interview, _role = get_interview(request, pk, *LEADING)
    if not running.start(interview, request.user) and interview.another_running():
        messages.error(request, ONE_AT_A_TIME)
    return redirect(interview)


@require_POST
def ready(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Somebody is ready for the next round, or takes that back with ``ready=no``."""
    interview, _role = get_interview(request, pk, *LEADING)
    said = running.say_ready(interview, request.user, request.POST.get("ready") != "no")
    if said and interview.status == Interview.Status.PLANNED and interview.another_running():
        messages.error(request, ONE_AT_A_TIME)
    return redirect(interview)


@require_POST
def begin_next(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """End the break."""
    interview, _role = get_interview(request, pk, *LEADING)
    running.begin_next_round(interview, request.user)
    return redirect(interview)


@require_POST
def pause(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Stop the clock, where the rules allow it."""
    interview, role = get_interview(request, pk, *LEADING)
    current = interview.current_round()
    if current is not None:
        keep_what_came_along(current, role, request)
    if not running.pause(interview, request.user):
        messages.error(request, _("The clock of this interview does not stop."))
    return redirect(interview)


@require_POST
def resume(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Let the clock go on."""
    interview, _role = get_interview(request, pk, *LEADING)
    running.resume(interview, request.user)
    return redirect(interview)


@require_POST
def end(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """End the interview before its last round."""
    interview, role = get_interview(request, pk)
    current = interview.current_round()
    if current is not None:
        keep_what_came_along(current, role, request)
    running.end_interview(interview, request.user)
    return redirect("interviews:debrief", pk=pk)


@require_POST
def discard(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Delete what was planned and never begun."""
    interview, _role = get_interview(request, pk, Role.CANDIDATE)
    deleted, _by_model = Interview.objects.filter(
        pk=interview.pk, status=Interview.Status.PLANNED
    ).delete()
    if not deleted:
        messages.error(request, _("An interview that has begun stays. End it instead."))
        return redirect(interview)
    return redirect("interviews:list")


@require_POST
def note(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """A private note of the interviewer's, on the timeline."""
    interview, _role = get_interview(request, pk, Role.INTERVIEWER)
    form = WordsForm(request.POST)
    if form.is_valid():
        interview.record(
            Moment.Kind.NOTE,
            {"text": form.cleaned_data["text"]},
            author=request.user,
            interview_round=interview.current_round(),
        )
        ring(interview.pk)
    return redirect(interview)
