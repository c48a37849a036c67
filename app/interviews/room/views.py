"""What the room needs besides its socket: a word of chat, and the result that somebody else ran."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from app.accounts.requests import SignedInRequest
from app.interviews.access import LEADING, get_interview, get_round
from app.interviews.doorbell import ring
from app.interviews.models import InterviewRound, Moment, Role
from app.interviews.room.documents import is_live
from app.interviews.server_time import now
from app.interviews.views.rounds import panel_in_interview
from app.practice.views.submissions import from_the_editor

CHAT_LIMIT_CHARS = 2000
ONE_MINUTE = timedelta(minutes=1)
CHATS_PER_MINUTE = 60  # of one person


class ChatForm(forms.Form):
    """One message."""

    text = forms.CharField(max_length=CHAT_LIMIT_CHARS, strip=True)


def room_context(one: InterviewRound, role: Role) -> dict[str, Any]:
    """What a round's page needs of the room: who writes, and chat where somebody else may be."""
    interview, live = one.interview, is_live(one)
    context: dict[str, Any] = {
        "is_live": live,
        "writes": role is Role.CANDIDATE or (live and role is Role.INTERVIEWER),
    }
    if not interview.with_interviewer:
        return context
    chat = interview.moments.filter(kind=Moment.Kind.CHAT).select_related("author")
    return {**context, "chat": chat.order_by("sequence"), "may_chat": role in LEADING}


@require_POST
def chat(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Say something to the other, on the timeline."""
    interview, _role = get_interview(request, pk, *LEADING)
    form = ChatForm(request.POST)
    error = ""
    if interview.is_ended:
        error = _("The interview is over, and with it the chat.")
    elif not form.is_valid():
        error = form.errors.as_data().popitem()[1][0].messages[0]
    elif _said_too_much(interview.pk, request.user.pk):
        error = _("That was too many messages in one minute. Wait a moment.")
    else:
        interview.record(
            Moment.Kind.CHAT,
            {"text": form.cleaned_data["text"]},
            author=request.user,
            interview_round=interview.current_round(),
        )
        ring(interview.pk)
    if not from_the_editor(request):
        return redirect(interview)
    return JsonResponse({"error": error}, status=400) if error else HttpResponse(status=204)


def _said_too_much(interview: UUID, person: int) -> bool:
    lately = Moment.objects.filter(
        interview=interview, kind=Moment.Kind.CHAT, author=person, at__gt=now() - ONE_MINUTE
    )
    return lately.count() >= CHATS_PER_MINUTE


@require_GET
def panel(request: SignedInRequest, pk: UUID, number: int, submission: UUID) -> HttpResponse:
    """Fragment: the panel of a submission of this round, for whoever did not send it."""
    one, _role = get_round(request, pk, number)
    found = get_object_or_404(one.submissions(), pk=submission)
    return render(request, "practice/panel.html", panel_in_interview(one, found))
