"""Submissions at every stage, for tests of the site: made without sandbox or worker."""

from __future__ import annotations

import uuid
from typing import Any

from app.accounts.models import User
from app.practice.models import Problem, ProblemVersion, Submission
from graders.verdict import (
    CaseResult,
    Counterexample,
    Event,
    JsonObject,
    Verdict,
    case_finished,
    case_started,
    compiling,
    judged,
)

RIGHT = "def double(number):\n    return {'double': 2 * number}\n"
WRONG = "def double(number):\n    return {'double': abs(2 * number)}\n"


def version_of(problem: Problem) -> ProblemVersion:
    """The problem's current version."""
    assert problem.current_version is not None
    return problem.current_version


def another_problem(like: Problem, slug: str, **changes: Any) -> Problem:
    """A second published problem with the same package, other facts where `changes` say so."""
    facts: dict[str, Any] = {
        key: getattr(like, key)
        for key in ("round", "title", "summary", "difficulty", "minutes", "tags")
    }
    problem = Problem.objects.create(uuid=uuid.uuid4(), slug=slug, **(facts | changes))
    old = version_of(like)
    problem.current_version = ProblemVersion.objects.create(
        problem=problem, number=1, digest=slug, spec_json=old.spec_json, files=old.files
    )
    problem.save()
    return problem


def send(
    user: User,
    problem: Problem,
    source: str = RIGHT,
    kind: Submission.Kind = Submission.Kind.SUBMIT,
) -> Submission:
    """A queued submission."""
    return Submission.send(user, version_of(problem), kind, source)


def passed(name: str = "two", **changes: Any) -> CaseResult:
    """An accepted case."""
    fields: dict[str, Any] = {"score": 1.0, "time_s": 0.012, "memory_mib": 20.0}
    return CaseResult(name, Verdict.ACCEPTED, **(fields | changes))


def broken(name: str = "minus-one") -> CaseResult:
    """A rejected case with a counterexample that can be replayed."""
    summary = "The sign must stay, double(-1) gave 2 instead of -2. Do not take magnitudes."
    counterexample = Counterexample(
        "sign", summary, {"expected": -2, "got_number": 2}, {"case": name, "seed": 7}
    )
    return CaseResult(
        name, Verdict.WRONG_ANSWER, message=summary, time_s=0.02, counterexample=counterexample
    )


def steps(results: list[CaseResult]) -> list[Event]:
    """What a grader tells before its verdict."""
    told = [compiling()]
    for index, result in enumerate(results, start=1):
        told.append(case_started(index, len(results), result.name))
        told.append(case_finished(index, len(results), result))
    return told


def judge_to_the_end(
    submission: Submission, results: list[CaseResult], metrics: JsonObject | None = None
) -> Submission:
    """Play the worker: claim, tell each case, write the verdict."""
    token = submission.claim()
    assert token is not None
    for event in steps(results):
        submission.record(token, event)
    submission.finish(token, judged(results, metrics))
    submission.refresh_from_db()
    return submission


def accept(submission: Submission) -> Submission:
    """Judge it as right in every case."""
    return judge_to_the_end(submission, [passed(), passed("minus-one")])


def reject(submission: Submission) -> Submission:
    """Judge it as wrong, with a counterexample."""
    return judge_to_the_end(submission, [passed(), broken()])
