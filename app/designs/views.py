"""A design's own addresses: complaints while it is typed, and the self-review."""

from __future__ import annotations

import json
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from app.accounts.requests import SignedInRequest
from app.designs.checking import complaints, is_design
from app.designs.reviewing import SelfReviewForm, can_be_reviewed
from app.practice.forms import check_text
from app.practice.views.panels import verdict_context
from app.practice.views.problems import get_problem
from app.practice.views.submissions import from_the_editor, get_submission


@require_POST
def check(request: SignedInRequest, slug: str) -> HttpResponse:
    """``{"text": ...}`` gives a list of ``{line, column, end, message}``; no sandbox is started."""
    _problem, version = get_problem(slug)
    if not is_design(version.spec):
        raise Http404(_("This problem asks for no design."))
    try:
        text = json.loads(request.body)["text"]
        if not isinstance(text, str):
            raise TypeError
        check_text(text, version.spec.limits.source_kib)
    except (ValueError, TypeError, KeyError, RecursionError):
        message = _('A check takes UTF-8 JSON like {"text": "..."}, this is not.')
        return JsonResponse({"error": message}, status=400)
    except ValidationError as refusal:
        whole = {"line": 1, "column": 1, "end": None, "message": refusal.messages[0]}
        return JsonResponse([whole], safe=False)
    return JsonResponse(complaints(version.spec, text), safe=False)


@require_POST
def review(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Keep the owner's own levels. Answers the section anew to the script, else the whole page."""
    submission = get_submission(request, pk)
    if submission.user != request.user:
        raise PermissionDenied(
            _("Only the person who sent a design may review it. Your own are in your history.")
        )
    if not can_be_reviewed(submission):
        raise Http404(_("There is nothing to review here."))
    form = SelfReviewForm(request.POST, submission.version.spec.rubric)
    if not form.is_valid():
        error = form.errors.as_data().popitem()[1][0]
        return HttpResponse(error.messages[0], status=400, content_type="text/plain; charset=utf-8")
    form.save(submission)
    if from_the_editor(request):
        return render(request, "practice/parts/self_review.html", verdict_context(submission))
    return redirect(f"{submission.get_absolute_url()}#self-review")
