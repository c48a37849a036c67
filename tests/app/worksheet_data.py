"""A worksheet on the site, and the judge's part played without sandbox or worker."""

from __future__ import annotations

from typing import cast

from app.practice.judging import Mode, SandboxLauncher, judge
from app.practice.models import Attempt, Problem, ProblemVersion, Submission
from graders.answers import fill
from graders.verdict import EventKind
from problems.package import SHIPPED, read_package
from sandboxes.interface import Sandbox

SLUG = "model-state-memory"


def worksheet() -> Problem:
    """The worksheet that ships with the project, published; no other package is read."""
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


def answers_for(attempt: Attempt, path: str = "reference.yaml") -> str:
    """A file of the package, as typed by somebody who was given these values."""
    spec = attempt.version.spec
    return fill(spec.grader.model_dump(), attempt.version.files[path], attempt.seed)


def judged(submission: Submission) -> Submission:
    """Claim it and judge it to the end; answers need no sandbox."""
    token = submission.claim()
    assert token is not None
    no_sandbox = SandboxLauncher(cast(Sandbox, None))
    version = submission.version
    for event in judge(
        version.spec,
        version.files,
        submission.source,
        Mode(submission.kind),
        submission.seed,
        no_sandbox,
        submission.replay,
    ):
        if event.kind is EventKind.VERDICT:
            submission.finish(token, event)
        else:
            submission.record(token, event)
    submission.refresh_from_db()
    return submission
