"""Sending a submission, watching it, and everything that was ever sent."""

from __future__ import annotations

import math
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from app.accounts.requests import SignedInRequest
from app.practice.doorbell import ring
from app.practice.drawn import source_of, values_of
from app.practice.forms import HistoryForm, SubmissionForm, replay_of
from app.practice.judging import queue_of
from app.practice.models import Problem, ProblemVersion, Submission
from app.practice.tasks import publish
from app.practice.views.panels import panel_context, verdict_context
from app.practice.views.problems import get_problem, problem_context

PAGE_SIZE = 25


def get_submission(request: SignedInRequest, pk: UUID) -> Submission:
    """The submission if this person may see it; else a 404, as if it did not exist."""
    visible = Submission.objects.visible_to(request.user)
    return get_object_or_404(visible.select_related("version__problem", "user"), pk=pk)


def from_the_editor(request: SignedInRequest) -> bool:
    """The page's own script asks, and wants a fragment or JSON instead of a whole page."""
    return request.headers.get("X-Requested-With") == "fetch"


@require_POST
def submit(request: SignedInRequest, slug: str) -> HttpResponse:
    """Take a source. Answers 201 with the panel to the editor, a redirect to a plain form."""
    problem, version = get_problem(slug)
    data = request.POST.copy()
    # A button can send one field of its own; the replay button's second one is in its address.
    data.setdefault("replay_of", request.GET.get("replay_of", ""))
    if "source" not in data and version.spec.is_drawn_per_attempt:
        data["source"] = source_of(version.spec, data)
    form = SubmissionForm(data, user=request.user, problem=problem, version=version)
    if not form.is_valid():
        error = form.errors.as_data().popitem()[1][0]
        status = 413 if error.code == "too_large" else 400
        return _refused(request, problem, version, error.messages[0], status, data.get("source"))
    wait_s = Submission.seconds_until_allowed(request.user)
    if wait_s > 0:
        return _too_many(request, problem, version, wait_s, data.get("source"))
    try:
        submission = form.send()
    except ValidationError as refusal:
        message = refusal.messages[0]
        return _refused(request, problem, version, message, 400, data.get("source"))
    publish(submission)
    if from_the_editor(request):
        return render(request, "practice/panel.html", panel_context(submission), status=201)
    return redirect(submission)


def _too_many(
    request: SignedInRequest,
    problem: Problem,
    version: ProblemVersion,
    wait_s: float,
    source: str | None = None,
) -> HttpResponse:
    seconds = math.ceil(wait_s)
    message = _("That was too many submissions in one minute. Try again in %(seconds)s s.")
    response = _refused(request, problem, version, message % {"seconds": seconds}, 429, source)
    response.headers["Retry-After"] = str(seconds)
    return response


def _refused(
    request: SignedInRequest,
    problem: Problem,
    version: ProblemVersion,
    message: str,
    status: int,
    source: str | None = None,
) -> HttpResponse:
    """The error, and with it the page that holds what was typed.

    A replay of what was sent before has no `source`.
    """
    if from_the_editor(request):
        return JsonResponse({"error": message}, status=status)
    typed = source.replace("\0", "") if source is not None else None
    context = problem_context(request.user, problem, version, typed=typed, error=message)
    return render(request, "practice/problem.html", context, status=status)


@require_GET
def submission_list(request: SignedInRequest) -> HttpResponse:
    """The person's own history, filtered and in pages."""
    form = HistoryForm(request.GET)
    own = Submission.objects.filter(user=request.user).select_related("version__problem")
    page = Paginator(form.apply(own.defer("source", "report")), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    query = request.GET.copy()
    query.pop("page", None)
    context = {"form": form, "page": page, "query": query.urlencode(), "is_filtered": bool(query)}
    return render(request, "practice/submission_list.html", context)


@require_GET
def submission_page(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """One submission, whole: timeline, result, source."""
    submission = get_submission(request, pk)
    context = {
        **panel_context(submission),
        "problem": submission.version.problem,
        "is_mine": submission.user == request.user,
        "values": values_of(submission),
        "past_verdicts": submission.past_verdicts.select_related("version"),
        "on_its_own_page": True,
    }
    return render(request, "practice/submission.html", context)


@require_GET
def past_verdict(request: SignedInRequest, pk: UUID, number: int) -> HttpResponse:
    """A verdict that the submission had before it was judged again, as it was shown then."""
    submission = get_submission(request, pk)
    past = get_object_or_404(submission.past_verdicts.select_related("version"), pk=number)
    context = {
        **verdict_context(past.as_submission()),
        "past": past,
        "problem": submission.version.problem,
        "can_replay": False,
        "on_its_own_page": True,
    }
    return render(request, "practice/past_verdict.html", context)


@require_GET
def panel(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Fragment: the live timeline, for the problem page."""
    return render(request, "practice/panel.html", panel_context(get_submission(request, pk)))


@require_GET
def verdict(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Fragment: the result with its counterexample."""
    submission = get_submission(request, pk)
    context = {
        **verdict_context(submission),
        "on_its_own_page": request.GET.get("page") == "submission",
    }
    return render(request, "practice/verdict.html", context)


@require_POST
def cancel(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Stop waiting or judging; too late is no error, the page shows what came of it."""
    submission = get_submission(request, pk)
    if submission.cancel():
        ring(submission.pk, queue_moved=True)
    return HttpResponse(status=204) if from_the_editor(request) else redirect(submission)


@require_POST
def replay(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Judge the counterexample again, with the same source."""
    original = get_submission(request, pk)
    problem, version = original.version.problem, original.judging_version
    again = replay_of(original)
    if again is None:
        message = _("A replay needs a submission with a counterexample, this one has none.")
        return _refused(request, problem, version, message, 400)
    wait_s = Submission.seconds_until_allowed(request.user)
    if wait_s > 0:
        return _too_many(request, problem, version, wait_s)
    submission = Submission.send(
        request.user,
        version,
        Submission.Kind.REPLAY,
        original.source,
        replay=again,
        queue=queue_of(version.spec),
    )
    publish(submission)
    return redirect(submission)


@require_POST
def rejudge(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """An admin lets the same source be judged once more."""
    submission = get_submission(request, pk)
    if not request.user.is_staff:
        raise PermissionDenied(_("Only an admin may rejudge. Ask one, with this page's address."))
    if submission.rejudge():
        publish(submission)
    return redirect(submission)
