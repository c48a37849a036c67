"""Versions: two of them side by side, one as a file, one brought back; and the trail."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from app.accounts.requests import SignedInRequest
from app.authoring.comparing import judges_differently
from app.authoring.models import Action, TrailEntry, WorkingCopy
from app.authoring.models.working_copies import texts_of
from app.authoring.views.access import for_staff
from app.authoring.views.workbench import LANGUAGES
from app.practice.models import Problem, ProblemVersion
from problems.archive import zipped
from problems.single_file import SPEC
from problems.strict_yaml import read as read_yaml

PAGE_SIZE = 50
WORKING = "working"


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file of two packages; a text is None where the file is not there."""

    path: str
    left: str | None
    right: str | None

    @property
    def language(self) -> str:
        """For the colours."""
        return LANGUAGES.get(self.path.rsplit(".", 1)[-1], "text")


def _sides(slug: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Key -> (label, texts): the working copy and every version, newest first."""
    sides: dict[str, tuple[str, dict[str, str]]] = {}
    copy = WorkingCopy.objects.filter(slug=slug).first()
    if copy is not None:
        sides[WORKING] = (_("The working copy"), copy.texts)
    for version in ProblemVersion.objects.filter(problem__slug=slug):
        label = _("Version %(number)s of %(day)s") % {
            "number": version.number,
            "day": version.created_at.strftime("%Y-%m-%d %H:%M"),
        }
        sides[str(version.pk)] = (label, texts_of(version))
    return sides


@for_staff
@require_GET
def compare(request: SignedInRequest, slug: str) -> HttpResponse:
    """Any two of: the working copy, the versions. Files that are the same are left out."""
    sides = _sides(slug)
    if not sides:
        raise Http404(_("There is no problem named “%(slug)s”.") % {"slug": slug})
    keys = list(sides)
    right_key = request.GET.get("right") or keys[0]
    left_key = request.GET.get("left") or keys[min(1, len(keys) - 1)]
    if left_key not in sides or right_key not in sides:
        raise Http404(_("A side is the working copy or a version of this problem."))
    left, right = sides[left_key][1], sides[right_key][1]
    differing = [
        FileDiff(path, left.get(path), right.get(path))
        for path in sorted(left.keys() | right.keys())
        if left.get(path) != right.get(path)
    ]
    context = {
        "slug": slug,
        "choices": [(key, label) for key, (label, _texts) in sides.items()],
        "left_key": left_key,
        "right_key": right_key,
        "left_label": sides[left_key][0],
        "right_label": sides[right_key][0],
        "files": differing,
        "decides": _decides(left_key, right_key),
        "has_copy": WORKING in sides,
    }
    return render(request, "authoring/compare.html", context)


def _decides(left_key: str, right_key: str) -> bool | None:
    """Whether two published versions judge differently; None where one is not published."""
    if WORKING in (left_key, right_key):
        return None
    left, right = (ProblemVersion.objects.get(pk=int(key)) for key in (left_key, right_key))
    return judges_differently(left, right)


@for_staff
@require_GET
def export(request: SignedInRequest, slug: str) -> HttpResponse:
    """The package as a zip, as it was: the working copy, or ``?version=<pk>``."""
    key = request.GET.get("version") or WORKING
    sides = _sides(slug)
    if key not in sides:
        raise Http404(_("A side is the working copy or a version of this problem."))
    texts = sides[key][1]
    written = read_yaml(texts.get(SPEC, "")).value
    number = written.get("round") if isinstance(written, dict) else None
    name = f"{slug}-{'draft' if key == WORKING else f'v{_number(written)}'}.zip"
    return HttpResponse(
        zipped(slug, number if type(number) is int else 1, texts),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _number(written: object) -> int:
    number = written.get("version") if isinstance(written, dict) else None
    return number if type(number) is int else 0


@for_staff
@require_POST
def restore(request: SignedInRequest, slug: str, pk: int) -> HttpResponse:
    """Bring a version's files back into the working copy; the trail keeps those it had."""
    version = get_object_or_404(ProblemVersion, problem__slug=slug, pk=pk)
    copy = WorkingCopy.of_version(request.user, version)
    copy.replace(request.user, texts_of(version), Action.RESTORED, f"v{version.number}")
    messages.success(
        request,
        _("The working copy has the files of version %(number)s. Raise its version to publish it.")
        % {"number": version.number},
    )
    return redirect(copy)


@for_staff
@require_GET
def trail(request: SignedInRequest, slug: str) -> HttpResponse:
    """Who changed what of this problem, and when."""
    return _trail(request, TrailEntry.objects.filter(slug=slug), slug)


@for_staff
@require_GET
def whole_trail(request: SignedInRequest) -> HttpResponse:
    """Who changed what of any problem, and when."""
    return _trail(request, TrailEntry.objects.all(), "")


def _trail(request: SignedInRequest, entries: QuerySet[TrailEntry], slug: str) -> HttpResponse:
    page = Paginator(entries, PAGE_SIZE).get_page(request.GET.get("page"))
    problem = Problem.objects.filter(slug=slug).first() if slug else None
    versions = problem.versions.all() if problem else []
    context = {
        "page": page,
        "slug": slug,
        "versions": versions,
        "problem": problem,
        "has_copy": bool(slug) and WorkingCopy.objects.filter(slug=slug).exists(),
    }
    return render(request, "authoring/trail.html", context)
