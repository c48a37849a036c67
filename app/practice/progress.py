"""How far somebody is: best verdicts, rounds, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.accounts.models import User
from app.practice.models import Draft, Problem, Submission
from app.practice.rounds import ROUNDS, RoundText
from graders.verdict import Verdict


@dataclass(frozen=True, slots=True)
class ProblemProgress:
    """A problem as one person sees it in a list."""

    problem: Problem
    best: Submission | None  # their submission with the mildest verdict

    @property
    def is_accepted(self) -> bool:
        return self.best is not None and self.best.verdict == Verdict.ACCEPTED


@dataclass(frozen=True, slots=True)
class RoundProgress:
    """A station of the path as one person sees it."""

    text: RoundText
    problems: Sequence[ProblemProgress]

    @property
    def accepted(self) -> int:
        """Problems accepted in this round."""
        return sum(entry.is_accepted for entry in self.problems)

    @property
    def percent(self) -> int:
        """Share of the round's problems accepted, 0 to 100."""
        return 100 * self.accepted // len(self.problems) if self.problems else 0

    @property
    def is_complete(self) -> bool:
        return bool(self.problems) and self.accepted == len(self.problems)


def best_submissions(user: User) -> dict[int, Submission]:
    """Per problem id, the person's judged submission with the mildest verdict.

    Runs and replays do not count, nor does a judge error: that one is ours.
    """
    judged = (
        Submission.objects.filter(user=user, status=Submission.Status.DONE)
        .exclude(verdict=Verdict.JUDGE_ERROR)
        .submits()
        .select_related("version")
        .defer("source", "report")
        .order_by("created_at")
    )
    best: dict[int, Submission] = {}
    for submission in judged:
        key = submission.version.problem_id
        if key not in best or rank(submission) < rank(best[key]):
            best[key] = submission
    return best


def rank(submission: Submission) -> tuple[int, float]:
    """Smaller is better: the verdict first, then the score."""
    return Verdict(submission.verdict).severity, -submission.score


def problems_of(user: User, number: int | None = None) -> list[ProblemProgress]:
    """Published problems, of one round or of all, with the person's best submission."""
    problems = Problem.objects.filter(published=True, current_version__isnull=False)
    if number is not None:
        problems = problems.filter(round=number)
    best = best_submissions(user)
    return [ProblemProgress(problem, best.get(problem.pk)) for problem in problems]


def path_of(user: User) -> list[RoundProgress]:
    """The seven stations in order."""
    entries = problems_of(user)
    return [
        RoundProgress(text, [entry for entry in entries if entry.problem.round == text.number])
        for text in ROUNDS
    ]


def next_problem(user: User, path: Sequence[RoundProgress]) -> tuple[Problem, bool] | None:
    """What to open next, and whether it was begun already; None if all is accepted.

    The unsolved problem touched last, else the first unsolved one along the path.
    """
    unsolved = {
        entry.problem.pk: entry.problem
        for station in path
        for entry in station.problems
        if not entry.is_accepted
    }
    draft = (
        Draft.objects.filter(user=user, problem__in=unsolved)
        .order_by("-updated_at")
        .values_list("problem", "updated_at")
        .first()
    )
    sent = (
        Submission.objects.filter(user=user, version__problem__in=unsolved)
        .order_by("-created_at")
        .values_list("version__problem", "created_at")
        .first()
    )
    touched = [row for row in (draft, sent) if row is not None]
    if touched:
        return unsolved[max(touched, key=lambda row: row[1])[0]], True
    first = next(iter(unsolved.values()), None)
    return (first, False) if first is not None else None
