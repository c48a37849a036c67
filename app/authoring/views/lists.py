"""All problems with where they stand, and the two ways to begin one."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from app.accounts.requests import SignedInRequest
from app.authoring.forms import NewProblemForm, UploadForm, unused
from app.authoring.models import Action, Rejudge, TrailEntry, WorkingCopy
from app.authoring.models.working_copies import texts_of
from app.authoring.uploads import Upload, read_one_file, read_zip
from app.authoring.views.access import for_staff
from app.practice.models import Problem
from problems.complaints import PackageInvalid
from problems.schema import Round
from problems.single_file import SPEC, SUFFIX
from problems.skeletons import skeleton

RECENT = 12


@dataclass(frozen=True, slots=True)
class Row:
    """One problem of the list: published, being written, or both."""

    slug: str
    problem: Problem | None
    copy: WorkingCopy | None

    @property
    def version(self) -> int | None:
        """The number of the published version."""
        current = self.problem.current_version if self.problem else None
        return current.number if current else None

    @property
    def is_published(self) -> bool:
        """Whether candidates see it."""
        return self.problem is not None and self.problem.published

    @property
    def is_changed(self) -> bool:
        """Whether the working copy says something else than the current version."""
        current = self.problem.current_version if self.problem else None
        return self.copy is not None and (current is None or self.copy.texts != texts_of(current))


@for_staff
@require_GET
def index(request: SignedInRequest) -> HttpResponse:
    """Every problem of the site, published or not, with its state."""
    copies = {copy.slug: copy for copy in WorkingCopy.objects.select_related("changed_by")}
    problems = {
        problem.slug: problem for problem in Problem.objects.select_related("current_version")
    }
    unpublished = sorted(set(copies) - set(problems))
    rows = [Row(slug, problems.get(slug), copies.get(slug)) for slug in [*unpublished, *problems]]
    context = {
        "rows": rows,
        "trail": TrailEntry.objects.defer("former_text")[:RECENT],
        "rejudges": Rejudge.objects.filter(is_running=True).select_related("version__problem"),
    }
    return render(request, "authoring/index.html", context)


@for_staff
@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    """A new problem: a small one of the chosen kind, which verifies as it stands."""
    form = NewProblemForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        number, slug = data["round"], data["slug"]
        written = skeleton(
            data["kind"], slug, data["title"], Round(number), one_file=data["one_file"]
        )
        place = f"round-{number}/{slug}"
        texts = {
            SPEC if path == f"{place}{SUFFIX}" else path.removeprefix(f"{place}/"): text
            for path, text in written.items()
        }
        try:
            return redirect(WorkingCopy.make(request.user, slug, texts, Action.CREATED))
        except IntegrityError:  # another admin chose the same slug at the same moment
            form.add_error("slug", _("Somebody has just taken this slug. Choose another."))
    return render(request, "authoring/new.html", {"form": form})


@for_staff
@require_http_methods(["GET", "POST"])
def upload(request: SignedInRequest) -> HttpResponse:
    """A package from a file: a new problem, or in place of a working copy's files."""
    form = UploadForm(request.POST or None, request.FILES or None)
    complaints: list[str] = []
    if request.method == "POST" and form.is_valid():
        try:
            uploaded = _read(form)
            return redirect(_take(request, form, uploaded))
        except PackageInvalid as invalid:
            complaints = [str(complaint) for complaint in invalid.complaints]
        except ValidationError as refusal:
            form.add_error("slug", refusal)
    context = {"form": form, "complaints": complaints}
    return render(request, "authoring/upload.html", context, status=400 if complaints else 200)


def _read(form: UploadForm) -> Upload:
    package = form.cleaned_data["package"]
    name, data = str(package.name), package.read()
    return read_one_file(name, data) if name.endswith(SUFFIX) else read_zip(data)


def _take(request: SignedInRequest, form: UploadForm, uploaded: Upload) -> WorkingCopy:
    """Put the files into the working copy of the slug; a new one, unless it may be replaced."""
    slug = form.cleaned_data["slug"] or uploaded.slug
    form.fields["slug"].run_validators(slug)
    if not slug:
        raise ValidationError(
            _("The archive has no folder whose name could be the slug. Write a slug.")
        )
    name = str(form.cleaned_data["package"].name)[:200]
    existing = WorkingCopy.objects.filter(slug=slug).first()
    if existing is None and Problem.objects.filter(slug=slug).exists():
        problem = Problem.objects.select_related("current_version").get(slug=slug)
        if problem.current_version is not None:
            existing = WorkingCopy.of_version(request.user, problem.current_version)
    if existing is not None:
        if "replace" not in request.POST:
            raise ValidationError(
                _(
                    "There is a problem named “%(slug)s”. Tick “Replace its working copy” if this "
                    "is its next version, or choose another slug."
                ),
                params={"slug": slug},
            )
        existing.replace(request.user, uploaded.texts, Action.UPLOADED, name)
        messages.success(
            request, _("The working copy has the uploaded files. Verify and publish it.")
        )
        return existing
    return WorkingCopy.make(request.user, unused(slug), uploaded.texts, Action.UPLOADED, name)
