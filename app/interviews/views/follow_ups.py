"""Asking a follow-up, and answering it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from app.accounts.requests import SignedInRequest
from app.interviews import follow_ups
from app.interviews.access import get_interview, get_round
from app.interviews.forms import WordsForm
from app.interviews.models import AskedFollowUp, InterviewRound, Role
from app.practice.answer_form import source_of_section
from app.practice.wording import in_words
from graders.answers import Unreadable
from graders.text import to_json


@require_POST
def ask(request: SignedInRequest, pk: UUID, number: int) -> HttpResponse:
    """The interviewer asks: one of the problem's by its index, or words of their own."""
    one, _role = get_round(request, pk, number, Role.INTERVIEWER)
    if one.status != InterviewRound.Status.RUNNING:
        messages.error(request, _("A follow-up is asked while the round runs."))
        return redirect(one.interview)
    index = request.POST.get("index", "")
    if index:
        known = [] if one.version is None else one.version.spec.follow_ups
        if not index.isdecimal() or int(index) >= len(known):
            raise Http404(_("There is no such follow-up."))
        follow_ups.push(one, int(index), known[int(index)].question, request.user)
        return redirect(one.interview)
    form = WordsForm(request.POST)
    if form.is_valid():
        follow_ups.push(one, None, form.cleaned_data["text"], request.user)
    return redirect(one.interview)


@require_POST
def answer(request: SignedInRequest, pk: UUID, asked: int) -> HttpResponse:
    """The candidate answers, once, while the interview runs."""
    interview, _role = get_interview(request, pk, Role.CANDIDATE)
    asked_here = AskedFollowUp.objects.filter(
        interview_round__interview=interview, asked_at__isnull=False
    )
    row = get_object_or_404(
        asked_here.select_related("interview_round__version", "interview_round__interview"),
        pk=asked,
    )
    if interview.is_ended or row.interview_round.status != InterviewRound.Status.RUNNING:
        messages.error(request, _("A follow-up is answered while its round runs."))
        return redirect(interview)
    spec = row.spec
    if spec is not None and spec.answer is not None:
        text = source_of_section(spec.answer.model_dump(), request.POST)
    else:
        form = WordsForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("An answer needs words, yours is empty. Write some."))
            return redirect(interview)
        text = form.cleaned_data["text"]
    try:
        follow_ups.answer(row, text, request.user)
    except Unreadable as error:
        messages.error(request, str(in_words(to_json(error.message))))
    return redirect(interview)
