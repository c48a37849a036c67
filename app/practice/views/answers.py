"""A worksheet's own addresses: new values, and how an answer is read while it is typed."""

from __future__ import annotations

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from app.accounts.requests import SignedInRequest
from app.practice.answer_form import reading
from app.practice.drawn import canonical, is_trace
from app.practice.models import Attempt, Draft, Problem, ProblemVersion, StaleDraft
from app.practice.views.problems import get_problem


def get_worksheet(slug: str) -> tuple[Problem, ProblemVersion]:
    """The published worksheet, or a 404."""
    problem, version = get_problem(slug)
    if not version.spec.is_drawn_per_attempt:
        raise Http404(_("This problem draws no values."))
    return problem, version


@require_POST
def new_values(request: SignedInRequest, slug: str) -> HttpResponse:
    """Draw other values and empty the form; the answers to the old ones stay in the history."""
    problem, version = get_worksheet(slug)
    if Attempt.current(request.user, version).renew(version):
        stored = Draft.objects.filter(user=request.user, problem=problem).first()
        if stored is not None:
            try:
                empty = canonical(version.spec, version.starter)
                Draft.save_text(request.user, problem, empty, stored.revision)
            except StaleDraft:  # typed in another tab this very moment: it stays
                pass
    return redirect(problem)


@require_GET
def read_answer(request: SignedInRequest, slug: str) -> HttpResponse:
    """How the judge reads one answer, as ``{state, text}``; nothing about whether it is right."""
    _problem, version = get_worksheet(slug)
    if is_trace(version.spec):
        raise Http404(_("There is no such field."))
    read_as = reading(version.spec, request.GET.get("field", ""), request.GET.get("text", "")[:200])
    if read_as is None:
        raise Http404(_("There is no such field."))
    return JsonResponse(read_as)
