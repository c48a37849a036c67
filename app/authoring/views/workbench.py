"""The page on which a problem is written: files, statement, complaints, proof."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from app.accounts.requests import SignedInRequest
from app.authoring.models import Rejudge, Verification, WorkingCopy, WorkingFile
from app.authoring.models.working_copies import texts_of
from app.authoring.publishing import file_of, read_texts, why_not
from app.authoring.views.access import for_staff, get_copy
from app.practice.answer_form import variant_of, with_values
from app.practice.markdown import render as render_markdown
from app.practice.models import Problem
from graders.verdict import JsonObject
from problems.complaints import Complaint, PackageInvalid
from problems.package import Package
from problems.schema import ProblemSpec, SingleFileSpec
from problems.single_file import SPEC, SingleFile, is_single_file
from problems.strict_yaml import read as read_yaml

LANGUAGES = {"yaml": "yaml", "py": "python", "hpp": "cpp"}
SAMPLE_SEED = 1  # draws the values that a worksheet's preview shows


@for_staff
@require_GET
def workbench(request: SignedInRequest, slug: str) -> HttpResponse:
    """Statement beside editor; below it what is wrong, and what verifying found."""
    copy = get_copy(slug)
    files = sorted(copy.files.all(), key=_reading_order)
    chosen = request.GET.get("file") or SPEC
    file = next((file for file in files if file.path == chosen), None)
    if file is None:
        raise Http404(_("The package has no file “%(path)s”.") % {"path": chosen})
    texts = {each.path: each.text for each in files}
    context = {
        **_state(copy, texts),
        "file": file,
        "files": files,
        "language": LANGUAGES.get(file.path.rsplit(".", 1)[-1], "text"),
        "schema": _schema(is_single_file(texts)) if file.path == SPEC else None,
        "preview": _preview(texts, file.path),
    }
    return render(request, "authoring/workbench.html", context)


@for_staff
@require_POST
def edit(request: SignedInRequest, slug: str) -> HttpResponse:
    """Open a published problem: its working copy, made of the current version if there is none."""
    problem = get_object_or_404(Problem.objects.select_related("current_version"), slug=slug)
    if problem.current_version is None:
        raise Http404(_("This problem has no version to begin with. Upload its package."))
    return redirect(WorkingCopy.of_version(request.user, problem.current_version))


@for_staff
@require_POST
def discard(request: SignedInRequest, slug: str) -> HttpResponse:
    """Throw the working copy away. What is published stays; the trail keeps the texts."""
    copy = get_copy(slug)
    copy.discard(request.user)
    messages.success(
        request,
        _("The working copy of “%(slug)s” is discarded. The trail keeps its texts.")
        % {"slug": slug},
    )
    return redirect("authoring:index")


@for_staff
@require_POST
def lint(request: SignedInRequest, slug: str) -> HttpResponse:
    """What is wrong with a file as it is typed: a list of {line, column, end, message}."""
    copy = get_copy(slug)
    path = request.GET.get("file", SPEC)
    texts = copy.texts
    if path not in texts:
        raise Http404(_("The package has no file “%(path)s”.") % {"path": path})
    complaints, _package = _complaints(copy, texts | {path: _typed(request)})
    return JsonResponse(
        [
            {
                "line": complaint.line,
                "column": complaint.column,
                "end": None,
                "message": complaint.message,
            }
            for complaint in complaints
            if file_of(complaint) == path
        ],
        safe=False,
    )


@for_staff
@require_POST
def preview(request: SignedInRequest, slug: str) -> HttpResponse:
    """Fragment: the statement, or another Markdown file, with the text that is being typed."""
    copy = get_copy(slug)
    path = request.GET.get("file", SPEC)
    context = {"preview": _preview(copy.texts | {path: _typed(request)}, path)}
    return render(request, "authoring/preview.html", context)


@for_staff
@require_GET
def state(request: SignedInRequest, slug: str) -> HttpResponse:
    """Fragment: complaints, the proof and whether it can be published, as saved."""
    copy = get_copy(slug)
    return render(request, "authoring/state.html", _state(copy, copy.texts))


def _reading_order(file: WorkingFile) -> tuple[int, str]:
    """problem.yaml and the statement first, the submissions last."""
    first = {SPEC: 0, "statement.md": 1}
    return first.get(file.path, 3 if "/" in file.path else 2), file.path


def _typed(request: SignedInRequest) -> str:
    """The text of a JSON body ``{"text": ...}``; a 404 would be wrong, an empty one is harmless."""
    try:
        text = json.loads(request.body)["text"]
    except (ValueError, TypeError, KeyError):
        return ""
    return text if isinstance(text, str) else ""


def _complaints(
    copy: WorkingCopy, texts: dict[str, str]
) -> tuple[tuple[Complaint, ...], Package | None]:
    try:
        return (), read_texts(copy.slug, texts)
    except PackageInvalid as invalid:
        return invalid.complaints, None


def _state(copy: WorkingCopy, texts: dict[str, str]) -> dict[str, Any]:
    complaints, package = _complaints(copy, texts)
    problem = copy.problem
    current = problem.current_version if problem else None
    proofs = Verification.objects.select_related("mutant_run")
    latest = proofs.filter(slug=copy.slug).first()
    candidates = Rejudge.candidates(problem).count() if problem and current else 0
    return {
        "copy": copy,
        "problem": problem,
        "current": current,
        "is_changed": current is None or texts != texts_of(current),
        "complaints": [(file_of(complaint), complaint) for complaint in complaints],
        "warnings": [(file_of(one), one) for one in package.warnings] if package else [],
        "package": package,
        "why_not": why_not(copy, package) if package else "",
        "verification": latest,
        "is_of_this_text": bool(latest and package and latest.digest == package.digest),
        "trials": latest.trials.all() if latest else [],
        "n_rejudgeable": candidates,
    }


def _preview(texts: dict[str, str], path: str) -> str:
    """The Markdown file that is edited, else the statement, as candidates will see it."""
    if is_single_file(texts):
        document = read_yaml(texts[SPEC])
        texts = SingleFile(texts[SPEC], document, "", "").files()
    shown = path if path.endswith(".md") else "statement.md"
    text = texts.get(shown, "")
    if shown == "statement.md" and SPEC in texts:
        text = _with_sample_values(text, texts[SPEC])
    return render_markdown(text, texts)


def _with_sample_values(statement: str, spec_text: str) -> str:
    """A worksheet's statement with values in it; as it is while problem.yaml is not valid."""
    value = read_yaml(spec_text).value
    if not isinstance(value, dict) or "[[" not in statement:
        return statement
    try:
        known = {key: each for key, each in value.items() if key != "files"}
        spec = ProblemSpec.model_validate(known)
        return with_values(statement, variant_of(spec, SAMPLE_SEED))
    except Exception:  # half-written formulas fail in many ways, and a preview is only a preview
        return statement


@cache
def _schema(single: bool) -> JsonObject:
    """The JSON Schema that completion and help come from."""
    return (SingleFileSpec if single else ProblemSpec).model_json_schema()
