"""A worksheet on the site, and the judge's part played without sandbox or worker."""

from __future__ import annotations

from typing import cast

from app.practice.judging import Mode, SandboxLauncher, judge
from app.practice.loading import load_problems
from app.practice.models import Attempt, Problem, Submission
from graders.answers import fill
from graders.verdict import EventKind
from sandboxes.interface import Sandbox

SLUG = "model-state-memory"


def worksheet() -> Problem:
    """The worksheet that ships with the project, published."""
    load_problems()
    return Problem.objects.select_related("current_version").get(slug=SLUG)


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
