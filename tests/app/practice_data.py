"""Problems and submissions for the tests of the site, made without packages, sandbox or judge."""

from __future__ import annotations

import uuid
from typing import Any

from app.accounts.models import User
from app.practice.models import Problem, ProblemVersion, Submission
from graders.verdict import (
    CaseResult,
    Counterexample,
    JsonObject,
    Verdict,
    case_finished,
    case_started,
    compiling,
    judged,
)

STARTER = "def add(a, b):\n    ...\n"
FIGURE = '<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>'


def spec_dict(**changes: Any) -> JsonObject:
    """A valid problem.yaml as a dict; `changes` replace top-level keys."""
    spec: dict[str, Any] = {
        "format": 1,
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, changes.get("title", "Add two numbers"))),
        "version": 1,
        "title": "Add two numbers",
        "summary": "Give the sum.",
        "round": 3,
        "difficulty": "warm-up",
        "minutes": 10,
        "tags": ["sums"],
        "license": "CC-BY-4.0",
        "source": [{"title": "Peano"}],
        "language": "python",
        "grader": {"kind": "function", "entry_point": "add", "signature": "add(a, b) -> int"},
        "limits": {"cpu_time_s": 2.0, "wall_time_s": 5.0, "memory_mib": 256, "source_kib": 4},
        "cases": [
            {"name": "small", "breaks": "nothing", "sample": True, "input": {"a": 1, "b": 2}},
            {"name": "negative", "breaks": "a sum of magnitudes", "input": {"a": -1, "b": 2}},
        ],
        "hints": ["Count on.", "Use $a + b$."],
        "follow_ups": [{"question": "And in fp8?", "points": ["It saturates."]}],
        "expected": {},
    }
    return spec | changes


def make_problem(slug: str = "add", files: dict[str, str] | None = None, **changes: Any) -> Problem:
    """A published problem with one version."""
    spec = spec_dict(**changes)
    problem = Problem.objects.create(
        uuid=uuid.UUID(str(spec["id"])),
        slug=slug,
        **{key: spec[key] for key in ("round", "title", "summary", "difficulty", "minutes")},
        tags=spec["tags"],
    )
    package = {
        "statement.md": "# Add\n\nGive $a+b$.\n\n![two bars](figure.svg)\n",
        "figure.svg": FIGURE,
        "starter.py": STARTER,
        "editorial.md": "The plus sign does it.\n",
    }
    problem.current_version = ProblemVersion.objects.create(
        problem=problem,
        number=spec["version"],
        digest=uuid.uuid4().hex,
        spec_json=spec,
        files=package | (files or {}),
    )
    problem.save()
    return problem


def send(
    user: User,
    problem: Problem,
    source: str = "def add(a, b):\n    return a + b\n",
    kind: Submission.Kind = Submission.Kind.SUBMIT,
) -> Submission:
    """A queued submission."""
    assert problem.current_version is not None
    return Submission.send(user, problem.current_version, kind, source)


def passed(name: str, **changes: Any) -> CaseResult:
    """An accepted case."""
    fields: dict[str, Any] = {"score": 1.0, "time_s": 0.012, "memory_mib": 20.0}
    return CaseResult(name, Verdict.ACCEPTED, **(fields | changes))


def broken(name: str = "negative") -> CaseResult:
    """A rejected case with a counterexample that can be replayed."""
    summary = "The sum must keep signs, add(-1, 2) gave 3. Do not take magnitudes."
    return CaseResult(
        name,
        Verdict.WRONG_ANSWER,
        message=summary,
        time_s=0.02,
        counterexample=Counterexample(
            "sum", summary, {"expected": 1, "got": 3}, {"case": name, "seed": 7}
        ),
    )


def judge_to_the_end(submission: Submission, results: list[CaseResult]) -> Submission:
    """Play the worker: claim, tell each case, write the verdict."""
    token = submission.claim()
    assert token is not None
    submission.record(token, compiling())
    for index, result in enumerate(results, start=1):
        submission.record(token, case_started(index, len(results), result.name))
        submission.record(token, case_finished(index, len(results), result))
    submission.finish(token, judged(results))
    submission.refresh_from_db()
    return submission


def accept(submission: Submission) -> Submission:
    """Judge it as right in every case."""
    return judge_to_the_end(submission, [passed("small"), passed("negative")])


def reject(submission: Submission) -> Submission:
    """Judge it as wrong, with a counterexample."""
    return judge_to_the_end(submission, [passed("small"), broken()])
