"""The draft of one person for one problem, as JSON."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods

from app.accounts.requests import SignedInRequest
from app.practice.drawn import canonical
from app.practice.forms import DraftChange
from app.practice.models import Draft, StaleDraft
from app.practice.views.problems import get_problem


@require_http_methods(["GET", "PUT", "POST"])
def draft(request: SignedInRequest, slug: str) -> HttpResponse:
    """GET gives ``{text, revision}`` (revision 0: none yet); PUT or POST saves.

    Saving answers ``{revision}``; 409 with the stored ``{text, revision}`` if another tab or
    machine saved after `base_revision`; 400 or 413 with ``{error}`` for a text that cannot be kept.
    """
    problem, version = get_problem(slug)
    if request.method == "GET":
        stored = Draft.objects.filter(user=request.user, problem=problem).first()
        text, revision = (
            (stored.text, stored.revision)
            if stored
            else (canonical(version.spec, version.starter), 0)
        )
        return JsonResponse({"text": text, "revision": revision})
    try:
        change = DraftChange.parse(request.body, version.spec.limits.source_kib)
        saved = Draft.save_text(request.user, problem, change.text, change.base_revision)
    except ValidationError as refusal:
        status = 413 if refusal.code == "too_large" else 400
        return JsonResponse({"error": refusal.messages[0]}, status=status)
    except StaleDraft as stale:
        newer = {"text": stale.draft.text, "revision": stale.draft.revision}
        return JsonResponse(newer, status=409)
    return JsonResponse({"revision": saved.revision})
