"""Draws problems that are new to a candidate."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence

from django.db.models import Q, QuerySet

from app.accounts.models import User
from app.interviews.models import InterviewRound, Sighting
from app.practice.models import Attempt, Draft, Problem, Submission


class NothingNew(Exception):
    """Every problem that could be drawn was seen before, or there is none."""


def seen_by(user: User) -> QuerySet[Problem]:
    """Problems that this person opened, wrote to, sent to, or had before them in an interview."""
    sat = InterviewRound.objects.filter(interview__candidate=user, version__isnull=False)
    begun = sat.exclude(status=InterviewRound.Status.WAITING)
    return Problem.objects.filter(
        Q(pk__in=Sighting.objects.filter(user=user).values("problem"))
        | Q(pk__in=Submission.objects.filter(user=user).values("version__problem"))
        | Q(pk__in=Draft.objects.filter(user=user).values("problem"))
        | Q(pk__in=Attempt.objects.filter(user=user).values("problem"))
        | Q(pk__in=begun.values("version__problem"))
    )


def offered() -> QuerySet[Problem]:
    """Problems that an interview can be about."""
    return Problem.objects.filter(published=True, current_version__isnull=False)


def draw(
    user: User,
    round_number: int,
    tags: Sequence[str] = (),
    without: Collection[int] = (),
    chance: random.Random | None = None,
) -> Problem:
    """A problem of one of the seven rounds that this person has not seen.

    Parameters
    ----------
    tags : sequence of str
        If any, the problem has at least one of them.
    without : collection of int
        Primary keys of problems that the same interview has already.

    Raises
    ------
    NothingNew
        If there is none. A problem that was seen is never drawn in its place.
    """
    unseen = offered().filter(round=round_number).exclude(pk__in=seen_by(user).values("pk"))
    candidates = [
        problem
        for problem in unseen.exclude(pk__in=without).order_by("pk")
        if not tags or set(tags) & set(problem.tags)
    ]
    if not candidates:
        raise NothingNew(f"no unseen problem of round {round_number} is left")
    return (chance or random.SystemRandom()).choice(candidates)
