"""Traces as files: Chrome's trace event format, for the page's timeline, Perfetto and scripts."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from app.accounts.requests import SignedInRequest
from app.practice.drawn import is_trace, seed_of
from app.practice.models import Attempt
from app.practice.views.problems import get_problem
from app.practice.views.submissions import get_submission
from graders.triage import chrome_trace, draw


@require_GET
def attempt_trace(request: SignedInRequest, slug: str) -> HttpResponse:
    """The trace that the person works on; 409 if they have another by now than ``?attempt=``."""
    _problem, version = get_problem(slug)
    if not is_trace(version.spec):
        raise Http404(_("This problem has no trace."))
    attempt = Attempt.current(request.user, version)
    if request.GET.get("attempt", str(attempt.number)) != str(attempt.number):
        message = _("Another trace has been drawn since. Reload the page to see it.")
        return JsonResponse({"error": message}, status=409)
    return trace_file(attempt.seed, f"{slug}-{attempt.number}")


@require_GET
def submission_trace(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The trace that a submission's answers are to."""
    submission = get_submission(request, pk)
    if not is_trace(submission.version.spec):
        raise Http404(_("This problem has no trace."))
    return trace_file(seed_of(submission), f"{submission.version.problem.slug}-{submission.pk}")


def trace_file(seed: int, name: str) -> JsonResponse:
    """A seed's trace as a download. Its name tells nothing of the seed."""
    response = JsonResponse(chrome_trace(draw(seed)), json_dumps_params={"separators": (",", ":")})
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.json"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
