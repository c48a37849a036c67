"""Rejudging: whether it is called for, what it would change, and doing it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, F, Q
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from app.accounts.requests import SignedInRequest
from app.authoring.comparing import judges_differently
from app.authoring.models import Rejudge, WorkingCopy
from app.authoring.queue import publish, publish_application
from app.authoring.views.access import for_staff
from app.practice.models import Problem, ProblemVersion

PAGE_SIZE = 50


def get_problem(slug: str) -> Problem:
    """The problem with a version to judge by, or a 404."""
    problem = Problem.objects.filter(slug=slug).select_related("current_version").first()
    if problem is None or problem.current_version is None:
        raise Http404(_("There is no published problem named “%(slug)s”.") % {"slug": slug})
    return problem


def get_rejudge(slug: str, pk: UUID) -> Rejudge:
    """The rejudge of this problem, or a 404."""
    return get_object_or_404(
        Rejudge.objects.select_related("version__problem", "started_by"),
        version__problem__slug=slug,
        pk=pk,
    )


@for_staff
@require_GET
def offer(request: SignedInRequest, slug: str) -> HttpResponse:
    """Which submissions have another version's verdict, and whether that one judged otherwise."""
    problem = get_problem(slug)
    current = problem.current_version
    assert current is not None  # noqa: S101  get_problem has looked
    candidates = Rejudge.candidates(problem)
    counts = (
        candidates.order_by()
        .values(judged_by=_judging_version())
        .annotate(count=Count("pk"))
        .order_by("judged_by")
    )
    former = ProblemVersion.objects.in_bulk([row["judged_by"] for row in counts])
    context = {
        "problem": problem,
        "current": current,
        "n_candidates": candidates.count(),
        "former": [
            {
                "version": former[row["judged_by"]],
                "count": row["count"],
                "differs": judges_differently(former[row["judged_by"]], current),
            }
            for row in counts
        ],
        "rejudges": Rejudge.objects.filter(version__problem=problem).select_related(
            "version", "started_by"
        ),
        "has_copy": WorkingCopy.objects.filter(slug=slug).exists(),
    }
    return render(request, "authoring/rejudge_offer.html", context)


def _judging_version() -> Coalesce:
    return Coalesce(F("rejudged_by"), F("version"))


@for_staff
@require_POST
def preview(request: SignedInRequest, slug: str) -> HttpResponse:
    """Judge all of them by the current version, in the background, and change nothing."""
    rejudge = Rejudge.preview(request.user, get_problem(slug))
    publish(rejudge)
    return redirect(rejudge)


@for_staff
@require_GET
def rejudge(request: SignedInRequest, slug: str, pk: UUID) -> HttpResponse:
    """Progress, and then which verdicts would change or have changed."""
    run = get_rejudge(slug, pk)
    numbers = run.items.aggregate(
        total=Count("pk"),
        done=Count("pk", filter=Q(status="done")),
        failed=Count("pk", filter=~Q(error_id="")),
        skipped=Count("pk", filter=~Q(skipped="")),
        applied=Count("pk", filter=Q(applied_at__isnull=False)),
    )
    changed = run.changed.select_related("submission__user").defer("report")
    by_kind = changed.order_by().values("former_verdict", "verdict").annotate(count=Count("pk"))
    total = max(1, numbers["total"])
    is_applying = run.status in (Rejudge.Status.APPLYING, Rejudge.Status.APPLIED)
    share = numbers["applied"] if is_applying else numbers["done"]
    context = {
        "rejudge": run,
        "problem": run.version.problem,
        "numbers": numbers,
        "percent": 100 * share // total,
        "share": share,
        "n_changed": changed.count(),
        "by_kind": by_kind,
        "page": Paginator(changed.order_by("position"), PAGE_SIZE).get_page(
            request.GET.get("page")
        ),
        "skipped": run.items.exclude(skipped="").select_related("submission__user")[:PAGE_SIZE],
    }
    # The page asks for itself while it runs, and takes this part of the answer.
    return render(request, "authoring/rejudge.html", context)


@for_staff
@require_POST
def stop(request: SignedInRequest, slug: str, pk: UUID) -> HttpResponse:
    """Give a preview up; nothing was changed by it."""
    run = get_rejudge(slug, pk)
    if not run.stop():
        messages.error(request, _("What has begun to be applied is applied to the end."))
    return redirect(run)


@for_staff
@require_POST
def apply(request: SignedInRequest, slug: str, pk: UUID) -> HttpResponse:
    """Write the verdicts that the preview found; the former ones stay readable."""
    run = get_rejudge(slug, pk)
    if not run.is_of_the_current_version:
        messages.error(
            request,
            _(
                "Verdicts are replaced by those of the current version, and there is a newer one "
                "than this preview's. Preview again."
            ),
        )
    elif run.begin_to_apply(request.user):
        publish_application(run)
    return redirect(run)
