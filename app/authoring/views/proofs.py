"""Verifying, publishing, unpublishing."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from app.accounts.requests import SignedInRequest
from app.authoring import publishing
from app.authoring.models import Rejudge, Verification, WorkingCopy
from app.authoring.publishing import NotPublishable, read_texts
from app.authoring.queue import publish as send_to_workers
from app.authoring.views.access import for_staff, get_copy
from app.practice.models import Problem
from problems.complaints import PackageInvalid
from problems.single_file import SPEC


@for_staff
@require_POST
def verify(request: SignedInRequest, slug: str) -> HttpResponse:
    """Have the workers judge the package's own submissions, of the text as it is saved now."""
    copy = get_copy(slug)
    texts = copy.texts
    try:
        package = read_texts(slug, texts)
    except PackageInvalid as invalid:
        n_faults = len(invalid.complaints)
        messages.error(
            request,
            _("Verifying needs a package without faults, this one has %(n)s. They are listed here.")
            % {"n": n_faults},
        )
        return redirect(_where_it_was_pressed(request, copy))
    send_to_workers(Verification.start(request.user, package, texts))
    return redirect(_where_it_was_pressed(request, copy))


def _where_it_was_pressed(request: SignedInRequest, copy: WorkingCopy) -> str:
    """The workbench with the file that was open, if that is still there."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    path = parse_qs(came_from.query).get("file", [SPEC])[0]
    is_there = copy.files.filter(path=path).exists()
    return f"{copy.get_absolute_url()}?{urlencode({'file': path if is_there else SPEC})}"


@for_staff
@require_GET
def verification(request: SignedInRequest, slug: str, pk: UUID) -> HttpResponse:
    """One proof, whole, however old; with ``?live=`` the fragment that asks for itself.

    ``?was=running`` says that the proof had not ended when the page was last told.
    """
    proofs = Verification.objects.select_related("started_by", "mutant_run")
    proof = get_object_or_404(proofs, slug=slug, pk=pk)
    context = {"verification": proof, "trials": proof.trials.all(), "slug": slug}
    if "live" in request.GET:
        is_news = not proof.is_running and request.GET.get("was") == "running"
        context |= {"live": request.GET["live"], "is_news": is_news}
        return render(request, "authoring/trials.html", context)
    return render(request, "authoring/verification.html", context)


@for_staff
@require_POST
def stop(request: SignedInRequest, slug: str, pk: UUID) -> HttpResponse:
    """Stop a proof that runs, or the mutants after it."""
    get_object_or_404(Verification, slug=slug, pk=pk).stop()
    return redirect(get_copy(slug))


@for_staff
@require_POST
def publish(request: SignedInRequest, slug: str) -> HttpResponse:
    """Make the working copy the version that candidates are judged by from now on."""
    copy = get_copy(slug)
    try:
        version = publishing.publish(request.user, copy)
    except NotPublishable as refusal:
        messages.error(request, str(refusal))
        return redirect(copy)
    messages.success(request, _("Version %(number)s is published.") % {"number": version.number})
    if Rejudge.is_called_for(version):
        return redirect("authoring:rejudge-offer", slug)
    return redirect(copy)


@for_staff
@require_POST
def unpublish(request: SignedInRequest, slug: str) -> HttpResponse:
    """Take a problem from the lists."""
    publishing.unpublish(request.user, get_object_or_404(Problem, slug=slug))
    messages.success(
        request,
        _("“%(slug)s” is out of the lists. Submissions to it stay readable.") % {"slug": slug},
    )
    return redirect("authoring:index")
