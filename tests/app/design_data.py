"""A design problem on the site, and the judge's part played without a worker."""

from __future__ import annotations

from app.practice.judging import Mode, judge, make_launcher
from app.practice.models import Problem, ProblemVersion, Submission
from graders.verdict import EventKind
from problems.package import SHIPPED, read_package

SLUG = "moe-1024"


def design_problem() -> Problem:
    """The design that ships with round 3, published; no other package is read."""
    package = read_package(SHIPPED / "round-3" / SLUG)
    spec = package.spec
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
        digest=package.digest,
        spec_json=spec.model_dump(mode="json"),
        files=dict(package.files),
    )
    problem.save()
    return problem


def file_of(problem: Problem, path: str) -> str:
    """A file of the package."""
    assert problem.current_version is not None
    return str(problem.current_version.files[path])


def judged(submission: Submission) -> Submission:
    """Claim it and judge it to the end, its model in the host's sandbox."""
    token = submission.claim()
    assert token is not None
    version = submission.version
    for event in judge(
        version.spec,
        version.files,
        submission.source,
        Mode(submission.kind),
        submission.seed,
        make_launcher(),
        submission.replay,
    ):
        if event.kind is EventKind.VERDICT:
            submission.finish(token, event)
        else:
            submission.record(token, event)
    submission.refresh_from_db()
    return submission
