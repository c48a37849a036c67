"""A round that runs: its page, its text, what is sent from it, and what the interviewer does."""

from __future__ import annotations

import logging
import math
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from app.accounts.requests import SignedInRequest
from app.interviews import running
from app.interviews.access import LEADING, get_round
from app.interviews.doorbell import ring
from app.interviews.forms import (
    TOO_LARGE,
    TOO_LATE,
    UPDATE,
    MinutesForm,
    RoundSubmissionForm,
    take_along,
)
from app.interviews.models import InterviewRound, Moment, Role, StaleText, TooLate
from app.interviews.room.documents import TooLarge
from app.interviews.views.besides import beside_context
from app.practice.answer_form import PREFIX
from app.practice.drawn import canonical, is_trace, page_context, source_of
from app.practice.forms import DraftChange, check_text
from app.practice.markdown import render as render_markdown
from app.practice.models import Submission
from app.practice.views.panels import panel_context, verdict_context
from app.practice.views.problems import design_context
from app.practice.views.submissions import from_the_editor
from app.practice.views.traces import trace_file

logger = logging.getLogger(__name__)

NOTES_KIB = 64  # of the text that a question's round keeps
SAVE_AFTER_MS = 300  # a form's pause before a draft: each one is an edit that the replay shows
REFUSED_WITH = {"too_large": 413, "too_late": 423}  # by the code of what is said; else 400


def round_page(
    request: SignedInRequest,
    interview_round: InterviewRound,
    role: Role,
    *,
    typed: str | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    """The running round for the role that looks at it."""
    from app.interviews.room.views import room_context
    from app.interviews.views.rooms import stage_context

    context = {
        **stage_context(interview_round.interview, role),
        **round_context(interview_round, role),
        **beside_context(interview_round, role),
        **room_context(interview_round, role),
        "error": error,
        "is_unsaved": typed is not None,
    }
    if typed is not None:
        context["text"] = typed
    return render(request, "interviews/round.html", context, status=status)


def round_context(one: InterviewRound, role: Role) -> dict[str, Any]:
    """Statement or prompt, the text, and the latest submission."""
    interview = one.interview
    addresses = {
        name: reverse(f"interviews:{name}", args=[interview.pk, one.number])
        for name in ("draft", "submit")
    }
    shared = {
        "round": one,
        "draft_url": addresses["draft"],
        "draft_key": f"interview:{one.pk}",
        "save_after_ms": SAVE_AFTER_MS,
        "revision": one.revision,
        "submit_url": addresses["submit"],
        "text": one.text,
    }
    if one.version is None:
        prompt = render_markdown(one.question_spec.prompt, {})
        return {**shared, "question": one.question_spec, "statement": prompt, "starter": ""}
    version, spec = one.version, one.version.spec
    statement = version.statement
    worksheet: dict[str, Any] = {}
    if spec.is_drawn_per_attempt:
        statement, worksheet = page_context(version, one.seed, statement, one.text)
    if is_trace(spec):
        worksheet["trace_url"] = reverse("interviews:trace", args=[interview.pk, one.number])
    latest = one.submissions().last()
    return {
        **shared,
        "problem": version.problem,
        "version": version,
        "spec": spec,
        "language": spec.language.value,
        "statement": render_markdown(statement, version.files),
        "samples": [case for case in spec.cases if case.sample],
        "hidden_count": sum(not case.sample for case in spec.cases),
        "starter": canonical(spec, version.starter),
        **worksheet,
        **design_context(spec),
        **(panel_in_interview(one, latest) if latest else {}),
    }


def panel_in_interview(one: InterviewRound, submission: Submission) -> dict[str, Any]:
    """What ``practice/panel.html`` shows of a submission of this round."""
    return {**panel_context(submission), **_in_interview(one, submission)}


def _in_interview(one: InterviewRound, submission: Submission) -> dict[str, Any]:
    """What keeps a panel inside the interview: its own addresses, no editorial."""
    place = [one.interview_id, one.number]
    return {
        "in_interview": True,
        "submit_url": reverse("interviews:submit", args=place),
        "verdict_url": reverse("interviews:verdict", args=[*place, submission.pk]),
    }


@require_http_methods(["GET", "PUT", "POST"])
def draft(request: SignedInRequest, pk: UUID, number: int) -> HttpResponse:
    """The draft of a form, of a worksheet or a trace: each one saved is an edit on the timeline.

    GET gives ``{text, revision}``; PUT or POST saves, as the draft of a problem does. A text that
    comes after deadline and grace is answered 423 with ``{error}``: it is not kept.
    """
    one, _role = get_round(request, pk, number, Role.CANDIDATE)
    if request.method == "GET":
        return JsonResponse({"text": one.text, "revision": one.revision})
    limit_kib = NOTES_KIB if one.version is None else one.version.spec.limits.source_kib
    try:
        change = DraftChange.parse(request.body, limit_kib)
        revision = one.save_text(change.text, change.base_revision, request.user)
    except ValidationError as refusal:
        status = 413 if refusal.code == "too_large" else 400
        return JsonResponse({"error": refusal.messages[0]}, status=status)
    except TooLarge:
        return JsonResponse({"error": str(TOO_LARGE)}, status=413)
    except TooLate:
        return JsonResponse({"error": str(TOO_LATE)}, status=423)
    except StaleText as stale:
        newer = {"text": stale.interview_round.text, "revision": stale.interview_round.revision}
        return JsonResponse(newer, status=409)
    return JsonResponse({"revision": revision})


@require_POST
def submit(request: SignedInRequest, pk: UUID, number: int) -> HttpResponse:
    """Take a source; 201 with the panel to the editor, a redirect to a plain form."""
    one, role = get_round(request, pk, number, *LEADING)
    version = one.version
    if version is None:
        raise Http404(_("A question takes no code."))
    data = request.POST.copy()
    data.setdefault("replay_of", request.GET.get("replay_of", ""))
    if "source" not in data and version.spec.is_drawn_per_attempt:
        data["source"] = source_of(version.spec, data)
    if UPDATE in data:
        try:
            data["source"] = take_along(one, str(data[UPDATE]), request.user)
        except ValidationError as unkept:
            status = REFUSED_WITH.get(str(unkept.code), 400)
            return _refused(request, one, role, unkept.messages[0], status, None)
    form = RoundSubmissionForm(
        data, interview_round=one, version=version, sender=request.user, role=role
    )
    refusal: ValidationError | None = None
    status = 400
    if not form.is_valid():
        refusal = form.errors.as_data().popitem()[1][0]
        status = REFUSED_WITH.get(str(refusal.code), 400)
    elif wait_s := Submission.seconds_until_allowed(one.interview.candidate):
        message = _("That was too many submissions in one minute. Try again in %(seconds)s s.")
        refusal, status = ValidationError(message % {"seconds": math.ceil(wait_s)}), 429
    else:
        try:
            submission = form.send()
        except ValidationError as late:
            refusal, status = late, REFUSED_WITH.get(str(late.code), 423)
    if refusal is not None:
        return _refused(request, one, role, refusal.messages[0], status, data.get("source"))
    if from_the_editor(request):
        return render(
            request, "practice/panel.html", panel_in_interview(one, submission), status=201
        )
    return redirect(one.interview)


def _refused(
    request: SignedInRequest,
    one: InterviewRound,
    role: Role,
    message: str,
    status: int,
    source: str | None,
) -> HttpResponse:
    if from_the_editor(request):
        return JsonResponse({"error": message}, status=status)
    if one.status != InterviewRound.Status.RUNNING or one.interview.is_paused:
        messages.error(request, message)
        return redirect(one.interview)
    typed = source.replace("\0", "") if source is not None else None
    return round_page(request, one, role, typed=typed, error=message, status=status)


@require_GET
def verdict(request: SignedInRequest, pk: UUID, number: int, submission: UUID) -> HttpResponse:
    """Fragment: a result with its counterexample, without a way out of the interview."""
    one, _role = get_round(request, pk, number)
    found = get_object_or_404(one.submissions(), pk=submission)
    context = {**verdict_context(found), **_in_interview(one, found)}
    return render(request, "practice/verdict.html", context)


@require_POST
def finish(request: SignedInRequest, pk: UUID, number: int) -> HttpResponse:
    """End the round before its time; what stands in the editor is sent."""
    one, role = get_round(request, pk, number, *LEADING)
    keep_what_came_along(one, role, request)
    own = role is Role.CANDIDATE
    by = running.EndedBy.CANDIDATE if own else running.EndedBy.INTERVIEWER
    running.end_round(one, by, request.user)
    return redirect(one.interview)


def keep_what_came_along(one: InterviewRound, role: Role, request: SignedInRequest) -> None:
    """Save the last words of the page that a button is part of: they may be saved nowhere else.

    From a live editor they come as an update; a plain form of the candidate's brings the text.
    """
    data, spec = request.POST, None if one.version is None else one.version.spec
    try:
        if UPDATE in data:
            if role in LEADING:
                take_along(one, str(data[UPDATE]), request.user)
            return
        if role is not Role.CANDIDATE:
            return
        if spec is not None and spec.is_drawn_per_attempt:
            if not any(name.startswith(PREFIX) for name in data):
                return
            source = source_of(spec, data)
        elif "source" in data:
            source = str(data["source"])
        else:
            return
        check_text(source, 4 * (NOTES_KIB if spec is None else spec.limits.source_kib))
        one.save_text(source, one.revision, request.user)
    except (ValidationError, TooLate, TooLarge, StaleText) as refusal:
        logger.info("what came along with a button was not kept in %s: %r", one, refusal)


@require_POST
def minutes(request: SignedInRequest, pk: UUID, number: int) -> HttpResponse:
    """The interviewer gives more time."""
    one, _role = get_round(request, pk, number, Role.INTERVIEWER)
    form = MinutesForm(request.POST)
    if not form.is_valid() or not running.add_minutes(
        one, form.cleaned_data["minutes"], request.user
    ):
        messages.error(request, _("1 to 60 minutes can be added while the round runs."))
    return redirect(one.interview)


@require_POST
def hint(request: SignedInRequest, pk: UUID, number: int) -> HttpResponse:
    """One more hint: asked for by the candidate where hints are allowed, or given."""
    one, role = get_round(request, pk, number, *LEADING)
    interview = one.interview
    if role is Role.CANDIDATE and not interview.hints_allowed:
        messages.error(request, _("In this interview there are no hints."))
    elif one.status == InterviewRound.Status.RUNNING and not interview.is_paused:
        index = one.show_hint()
        if index is not None:
            interview.record(
                Moment.Kind.HINT, {"index": index}, author=request.user, interview_round=one
            )
            ring(interview.pk)
    return beside(request, pk, number) if from_the_editor(request) else redirect(interview)


def beside(request: SignedInRequest, pk: UUID, number: int) -> HttpResponse:
    """Fragment: hints that were shown, follow-ups, and for interviewers what only they see."""
    one, role = get_round(request, pk, number)
    return render(request, "interviews/beside.html", beside_context(one, role))


@require_GET
def trace(request: SignedInRequest, pk: UUID, number: int) -> HttpResponse:
    """The trace that was drawn for this round, as a file and for the page's timeline."""
    one, _role = get_round(request, pk, number)
    if one.version is None or not is_trace(one.version.spec):
        raise Http404(_("This round has no trace."))
    return trace_file(one.seed, f"{one.version.problem.slug}-round-{one.number}")


@require_GET
def text(request: SignedInRequest, pk: UUID, number: int) -> HttpResponse:
    """Fragment: what stands in the candidate's editor, for those who watch."""
    one, role = get_round(request, pk, number)
    if role is Role.CANDIDATE:
        return redirect(one.interview)
    if request.GET.get("revision") == str(one.revision):
        return HttpResponse(status=204)  # nothing to swap: the reader's place is kept
    language = "" if one.version is None else one.version.spec.language.value
    context = {"interview": one.interview, "round": one, "language": language}
    return render(request, "interviews/text.html", context)
