"""The files of a working copy: kept while they are typed, added, removed, renamed."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Sum, Value
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from app.accounts.requests import SignedInRequest
from app.authoring.forms import check_path
from app.authoring.models import Action, StaleFile, TrailEntry, WorkingCopy, WorkingFile
from app.authoring.models.working_copies import SizeInBytes
from app.authoring.views.access import for_staff, get_copy
from app.practice.forms import DraftChange
from problems.folder import MAX_FILE_KIB, MAX_FILES, MAX_PACKAGE_KIB
from problems.single_file import SPEC

DRAFTS_MAY_EXCEED = 4  # `DraftChange` lets a draft be that many times longer than what is sent


def get_file(copy: WorkingCopy, path: str) -> WorkingFile:
    """The file, or a 404."""
    file = copy.files.filter(path=path).select_related("copy").first()
    if file is None:
        raise Http404(_("The package has no file “%(path)s”.") % {"path": path})
    return file


@for_staff
@require_http_methods(["GET", "PUT", "POST"])
def text(request: SignedInRequest, slug: str, path: str) -> HttpResponse:
    """GET gives ``{text, revision}``; PUT or POST saves, as for the draft of a submission.

    Saving answers ``{revision}``; 409 with the stored ``{text, revision}`` if somebody else saved
    after `base_revision`; 400 or 413 with ``{error}`` for a text that cannot be kept.
    """
    file = get_file(get_copy(slug), path)
    if request.method == "GET":
        return JsonResponse({"text": file.text, "revision": file.revision})
    try:
        change = DraftChange.parse(request.body, MAX_FILE_KIB // DRAFTS_MAY_EXCEED)
        _check_size(file, change.text)
        saved = file.save_text(request.user, change.text, change.base_revision)
    except ValidationError as refusal:
        status = 413 if refusal.code == "too_large" else 400
        return JsonResponse({"error": refusal.messages[0]}, status=status)
    except StaleFile as stale:
        newer = {"text": stale.file.text, "revision": stale.file.revision}
        return JsonResponse(newer, status=409)
    return JsonResponse({"revision": saved.revision})


def _check_size(file: WorkingFile, text: str) -> None:
    others = file.copy.files.exclude(pk=file.pk).aggregate(total=Sum(SizeInBytes("text")))["total"]
    if (others or 0) + len(text.encode()) > MAX_PACKAGE_KIB * 1024:
        raise ValidationError(
            _("A package may hold %(limit)s KiB in all, this one would hold more. Shorten it."),
            code="too_large",
            params={"limit": MAX_PACKAGE_KIB},
        )


@for_staff
@require_POST
def add(request: SignedInRequest, slug: str) -> HttpResponse:
    """A new empty file."""
    copy = get_copy(slug)
    path = request.POST.get("path", "").strip()
    try:
        check_path(path)
        if copy.files.count() >= MAX_FILES:
            raise ValidationError(_("A package may hold %(n)s files.") % {"n": MAX_FILES})
        with transaction.atomic():
            WorkingFile.objects.create(copy=copy, path=path)
            copy.touch(request.user)
            TrailEntry.add(request.user, slug, Action.ADDED, path)
    except ValidationError as refusal:
        messages.error(request, refusal.messages[0])
        return redirect(copy)
    except IntegrityError:
        messages.error(request, _("There is a file “%(path)s” already.") % {"path": path})
    return redirect(_address(copy, path))


@for_staff
@require_POST
def remove(request: SignedInRequest, slug: str, path: str) -> HttpResponse:
    """Remove a file; the trail keeps what it held."""
    copy = get_copy(slug)
    file = get_file(copy, path)
    if path == SPEC:
        messages.error(request, _("A package must have problem.yaml. Discard the whole instead."))
        return redirect(_address(copy, path))
    with transaction.atomic():
        file.delete()
        copy.touch(request.user)
        TrailEntry.add(request.user, slug, Action.REMOVED, path, former_text=file.text)
    messages.success(
        request, _("“%(path)s” is removed. The trail keeps its text.") % {"path": path}
    )
    return redirect(copy)


@for_staff
@require_POST
def rename(request: SignedInRequest, slug: str, path: str) -> HttpResponse:
    """Give a file another path."""
    copy = get_copy(slug)
    file = get_file(copy, path)
    to = request.POST.get("to", "").strip()
    try:
        check_path(to)
        if path == SPEC:
            raise ValidationError(_("A package must have problem.yaml. It keeps its name."))
        with transaction.atomic():
            WorkingFile.objects.filter(pk=file.pk).update(
                path=to, revision=F("revision") + Value(1)
            )
            copy.touch(request.user)
            TrailEntry.add(request.user, slug, Action.RENAMED, f"{path} → {to}"[:200])
    except ValidationError as refusal:
        messages.error(request, refusal.messages[0])
        return redirect(_address(copy, path))
    except IntegrityError:
        messages.error(request, _("There is a file “%(path)s” already.") % {"path": to})
        return redirect(_address(copy, path))
    return redirect(_address(copy, to))


def _address(copy: WorkingCopy, path: str) -> str:
    return f"{reverse('authoring:workbench', args=[copy.slug])}?file={path}"
