"""Draws the problems of a loop: new to the candidate where there are any, and none twice."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from app.accounts.models import User
from app.interviews.models import Interview, InterviewRound, Sighting
from app.practice.drawn import canonical
from app.practice.models import Attempt, Draft, Problem, Submission


@dataclass(frozen=True, slots=True)
class Wish:
    """What a round asks for: a problem of one of the seven rounds, with one of the tags if any."""

    round: int
    tags: tuple[str, ...] = ()

    def fits(self, problem: Problem) -> bool:
        """Whether this problem would do."""
        return problem.round == self.round and (
            not self.tags or not set(self.tags).isdisjoint(problem.tags)
        )


@dataclass(frozen=True, slots=True)
class Dealt:
    """A problem that was drawn for a round."""

    problem: Problem
    was_seen: bool  # nothing new was left for this round


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


class Shelf:
    """The problems on offer and which of them one person has seen, read once."""

    def __init__(self, user: User) -> None:
        self.problems = {problem.pk: problem for problem in offered()}
        self.seen = set(seen_by(user).values_list("pk", flat=True))

    def of_round(self, number: int) -> list[Problem]:
        """The problems of one of the seven rounds."""
        return [problem for problem in self.problems.values() if problem.round == number]

    def find(self, slug: str) -> Problem | None:
        """The problem on offer with this slug."""
        return next((one for one in self.problems.values() if one.slug == slug), None)

    def deal(
        self,
        wishes: Sequence[Wish],
        without: Collection[int] = (),
        chance: random.Random | None = None,
    ) -> list[Dealt | None]:
        """A problem for each wish, all different; None where no problem is left.

        As many rounds get a problem as can, and as many of these problems as possible are new to
        the person: a round gets a seen one only when no other dealing would spare it that.

        Parameters
        ----------
        without : collection of int
            Primary keys of problems that the loop has already, chosen by name.

        Notes
        -----
        Augmenting paths in the graph of wishes and problems, first over the new problems alone: a
        later path may hand a problem on, but every problem that was dealt once stays dealt.
        """
        chance = chance or random.SystemRandom()
        free = [pk for pk in self.problems if pk not in without]
        chance.shuffle(free)
        holder: dict[int, int] = {}  # problem -> wish

        def give(wish: int, allowed: Collection[int], tried: set[int]) -> bool:
            fitting = [pk for pk in free if pk in allowed and wishes[wish].fits(self.problems[pk])]
            for pk in sorted(fitting, key=lambda pk: pk in holder):
                if pk in tried:
                    continue
                tried.add(pk)
                if pk not in holder or give(holder[pk], allowed, tried):
                    holder[pk] = wish
                    return True
            return False

        for allowed in (self.problems.keys() - self.seen, self.problems.keys()):
            for wish in range(len(wishes)):
                if wish not in holder.values():
                    give(wish, allowed, set())
        dealt = {
            wish: Dealt(self.problems[pk], was_seen=pk in self.seen) for pk, wish in holder.items()
        }
        return [dealt.get(wish) for wish in range(len(wishes))]


def draw_again(interview: Interview) -> None:
    """Replace what was drawn and has been seen since, where something new is left.

    Days may lie between the planning and the start, and the candidate does not know what was drawn.
    """
    rounds = list(interview.rounds.select_related("version__problem"))
    taken = {one.version.problem_id for one in rounds if one.version is not None}
    shelf = Shelf(interview.candidate)
    spoilt = [
        one
        for one in rounds
        if one.version is not None
        and one.was_drawn
        and not one.was_seen
        and one.version.problem_id in shelf.seen
    ]
    wishes = [Wish(one.version.problem.round, tuple(one.tags)) for one in spoilt if one.version]
    for one, dealt in zip(spoilt, shelf.deal(wishes, taken), strict=True):
        if dealt is None or dealt.was_seen:
            one.was_seen = True
        else:
            put_before(one, dealt)
        one.save(update_fields=["version", "was_seen", "text"])


def put_before(one: InterviewRound, dealt: Dealt) -> None:
    """Make this problem the round's, with its starter; the caller saves the round."""
    version = dealt.problem.current_version
    assert version is not None  # noqa: S101  `offered` has only such
    one.version, one.was_seen = version, dealt.was_seen
    one.text = canonical(version.spec, version.starter)
