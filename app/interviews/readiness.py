"""Who is ready for the next round: said on the timeline, and asked of it again."""

from __future__ import annotations

from dataclasses import dataclass

from app.accounts.models import User
from app.interviews.models import Interview, Moment, Role

SINCE = (Moment.Kind.ROUND_BEGAN, Moment.Kind.ROUND_ENDED)  # what was said before is forgotten


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who takes part."""

    user: User
    role: Role
    is_ready: bool
    is_away: bool  # the interview runs, and they were not heard of lately


def people(interview: Interview) -> list[Person]:
    """The candidate, then who has a seat, each with what they said last since the last round."""
    last = interview.moments.filter(kind__in=SINCE).order_by("sequence").last()
    said = interview.moments.filter(kind=Moment.Kind.READY).order_by("sequence")
    if last is not None:
        said = said.filter(sequence__gt=last.sequence)
    ready = {moment.author_id: bool(moment.payload.get("ready")) for moment in said}
    seats = interview.seats.filter(link__revoked_at=None).select_related("user")
    here = set(interview.presences.filter(is_here=True).values_list("user", flat=True))
    runs = interview.status == Interview.Status.RUNNING
    roles = [
        (interview.candidate, Role.CANDIDATE),
        *((seat.user, Role.INTERVIEWER) for seat in seats.order_by("taken_at", "pk")),
    ]
    return [
        Person(user, role, ready.get(user.pk, False), is_away=runs and user.pk not in here)
        for user, role in roles
    ]


def all_are_ready(interview: Interview) -> bool:
    """Whether candidate and interviewers, one at least, have all said so."""
    everybody = people(interview)
    return len(everybody) > 1 and all(person.is_ready for person in everybody)
