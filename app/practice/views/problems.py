"""A problem: statement, editor, panel; and its editorial."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from app.accounts.models import User
from app.accounts.requests import SignedInRequest
from app.designs.checking import groups_in_words, is_design, schema_of
from app.practice.drawn import canonical, page_context
from app.practice.markdown import render as render_markdown
from app.practice.models import Attempt, Draft, Problem, ProblemVersion, Submission
from app.practice.views.panels import panel_context
from graders.verdict import Verdict
from problems.schema import ProblemSpec

RECENT = 8  # submissions listed below a statement


def get_problem(slug: str) -> tuple[Problem, ProblemVersion]:
    """The published problem with its current version, or a 404."""
    problem = (
        Problem.objects.filter(slug=slug, published=True).select_related("current_version").first()
    )
    if problem is None or problem.current_version is None:
        raise Http404(_("There is no problem named “%(slug)s”.") % {"slug": slug})
    return problem, problem.current_version


def problem_page(request: SignedInRequest, slug: str) -> HttpResponse:
    """Statement beside editor, and the latest submission's panel."""
    problem, version = get_problem(slug)
    return render(request, "practice/problem.html", problem_context(request.user, problem, version))


def problem_context(
    user: User,
    problem: Problem,
    version: ProblemVersion,
    typed: str | None = None,
    error: str = "",
) -> dict[str, Any]:
    """What the problem page shows; `typed` and `error` after a refused form without JavaScript."""
    spec = version.spec
    draft = Draft.objects.filter(user=user, problem=problem).first()
    latest = mine(user, problem).first()
    text = typed if typed is not None else (draft.text if draft else version.starter)
    statement = version.statement
    drawn: dict[str, Any] = {}
    if spec.is_drawn_per_attempt:
        attempt = Attempt.current(user, version)
        statement, form = page_context(version, attempt.seed, statement, text)
        drawn = {"attempt": attempt, **form}
    return {
        "problem": problem,
        "version": version,
        "spec": spec,
        "statement": render_markdown(statement, version.files),
        "samples": [case for case in spec.cases if case.sample],
        "hidden_count": sum(not case.sample for case in spec.cases),
        "draft": draft,
        "text": text,
        "starter": canonical(spec, version.starter),
        "error": error,
        "is_unsaved": typed is not None,
        "is_accepted": is_accepted(user, problem),
        "submissions": mine(user, problem)[:RECENT],
        **drawn,
        **design_context(spec),
        **(panel_context(latest) if latest else {}),
    }


def design_context(spec: ProblemSpec) -> dict[str, Any]:
    """What a design's editor and its schema need; nothing for other kinds."""
    if not is_design(spec):
        return {}
    return {
        "is_design": True,
        "design_schema": schema_of(spec),
        "design_groups": groups_in_words(spec),
    }


def mine(user: User, problem: Problem) -> Any:
    """The person's own submissions to the problem, newest first."""
    return (
        Submission.objects.filter(user=user, version__problem=problem)
        .select_related("version__problem")
        .order_by("-created_at")
    )


def is_accepted(user: User, problem: Problem) -> bool:
    """Whether a submit of theirs was accepted, by any version."""
    return mine(user, problem).submits().filter(verdict=Verdict.ACCEPTED).exists()  # type: ignore[no-any-return]


def recent(request: SignedInRequest, slug: str) -> HttpResponse:
    """Fragment: what follows the statement and changes with each verdict."""
    problem, version = get_problem(slug)
    context = {
        "problem": problem,
        "spec": version.spec,
        "submissions": mine(request.user, problem)[:RECENT],
        "is_accepted": is_accepted(request.user, problem),
    }
    return render(request, "practice/recent.html", context)


def editorial(request: SignedInRequest, slug: str) -> HttpResponse:
    """The editorial after acceptance, or when asked for in spite of the warning."""
    problem, version = get_problem(slug)
    if not version.editorial:
        raise Http404(_("This problem has no editorial."))
    shown = is_accepted(request.user, problem) or request.GET.get("anyway") == "yes"
    context = {
        "problem": problem,
        "editorial": render_markdown(version.editorial, version.files) if shown else None,
    }
    return render(request, "practice/editorial.html", context)
