"""Two texts of one problem side by side."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from app.accounts.requests import SignedInRequest
from app.practice.drawn import canonical
from app.practice.models import Draft, Problem, ProblemVersion, Submission
from app.practice.views.problems import get_problem, mine

CHOICES = 100  # the newest submissions that a side offers


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two texts."""

    key: str  # "draft", "starter" or a submission's id
    label: str
    text: str


@require_GET
def diff(request: SignedInRequest, slug: str) -> HttpResponse:
    """Any two of: my submissions, my draft, the starter."""
    problem, version = get_problem(slug)
    newest = list(mine(request.user, problem)[:CHOICES])
    left_key = request.GET.get("left") or (str(newest[0].pk) if newest else "starter")
    right_key = request.GET.get("right") or "draft"
    left = _side(request, problem, version, left_key)
    right = _side(request, problem, version, right_key)
    choices = [
        ("draft", _("The draft in the editor")),
        *[(str(submission.pk), _label(submission)) for submission in newest],
        ("starter", _("The starter")),
    ]
    keys = {key for key, _label_text in choices}
    # A submission older than the offered ones, reached by its address, is offered too.
    choices += [(side.key, side.label) for side in (left, right) if side.key not in keys]
    context = {
        "problem": problem,
        "spec": version.spec,
        "left": left,
        "right": right,
        "choices": choices,
    }
    return render(request, "practice/diff.html", context)


def _side(request: SignedInRequest, problem: Problem, version: ProblemVersion, key: str) -> Side:
    starter = canonical(version.spec, version.starter)
    if key == "starter":
        return Side(key, _("The starter"), starter)
    if key == "draft":
        stored = Draft.objects.filter(user=request.user, problem=problem).first()
        return Side(key, _("The draft in the editor"), stored.text if stored else starter)
    try:
        pk = UUID(key)
    except ValueError:
        raise Http404(_("A side is a submission, “draft” or “starter”.")) from None
    visible = Submission.objects.visible_to(request.user).filter(version__problem=problem)
    submission = visible.filter(pk=pk).first()
    if submission is None:
        raise Http404(_("There is no such submission to this problem."))
    return Side(key, _label(submission), submission.source)


def _label(submission: Submission) -> str:
    outcome = submission.get_verdict_display() or submission.get_status_display()
    moment = date_format(localtime(submission.created_at), "Y-m-d H:i:s")
    return f"{moment} · {submission.get_kind_display()} · {outcome}"
