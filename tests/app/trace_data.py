"""The trace to triage on the site, as it ships."""

from __future__ import annotations

from app.practice.models import Attempt, Problem, ProblemVersion
from graders.triage import fill
from problems.package import SHIPPED, Package, read_package

SLUG = "trace-triage"


def package() -> Package:
    return read_package(SHIPPED / "round-3" / SLUG)


def trace_problem() -> Problem:
    """The problem, published; no other package is read."""
    shipped = package()
    spec = shipped.spec
    problem = Problem.objects.create(
        uuid=spec.id,
        slug=SLUG,
        round=spec.round,
        title=spec.title,
        summary=spec.summary,
        difficulty=spec.difficulty,
        minutes=spec.minutes,
        tags=spec.tags,
    )
    problem.current_version = ProblemVersion.objects.create(
        problem=problem,
        number=spec.version,
        digest=shipped.digest,
        spec_json=spec.model_dump(mode="json"),
        files=dict(shipped.files),
    )
    problem.save()
    return problem


def answers_for(attempt: Attempt, path: str = "reference.yaml") -> str:
    """A file of the package, as typed by somebody who was given this trace."""
    section = attempt.version.spec.grader.model_dump()
    return fill(section, attempt.version.files[path], attempt.seed)
