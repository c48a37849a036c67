"""Who comes and goes: `joined` and `left` on the timeline.

A page's socket says every few seconds that its person is here. Nothing happens when a socket
closes: only who was not heard of for `AWAY_S` has left, as of the moment they were last heard of.
So a reload, a short loss of connection and a second tab leave no trace. Whoever settles the
interview finds out, the other's socket or the sweeper: a web server that is killed takes nothing
along. Where it comes back late, those who were at it have left and joined again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from app.accounts.models import User
from app.interviews.doorbell import ring
from app.interviews.models import Interview, Moment, Presence
from app.interviews.server_time import now

AWAY_S = 20.0
SEEN_EVERY_S = 5.0  # a write for each person at most this often


def start(interview: Interview, by: User) -> None:
    """The interview begins: who starts it is here, and nobody who came before is late."""
    at = now()
    Presence.objects.filter(interview=interview).update(last_seen=at)
    Presence.objects.update_or_create(
        interview=interview, user=by, defaults={"last_seen": at, "is_here": True}
    )


def end(interview: Interview) -> None:
    """It is over: who goes now has not left it."""
    Presence.objects.filter(interview=interview).delete()


def seen(interview: Interview, user: User) -> None:
    """This candidate or interviewer has a page of the interview open at this moment."""
    if interview.status != Interview.Status.RUNNING:
        return
    at = now()
    own = Presence.objects.filter(interview=interview, user=user, is_here=True)
    known = own.values_list("last_seen", flat=True).first()
    if known is not None and known > at - timedelta(seconds=SEEN_EVERY_S):
        return
    if known is not None and known > at - timedelta(seconds=AWAY_S) and own.update(last_seen=at):
        return
    with transaction.atomic():
        if not _runs(interview):
            return
        note_absent(interview)
        came(interview, user)
    ring(interview.pk)


def came(interview: Interview, user: User) -> None:
    """Record that this person joins, unless they are here already."""
    here = Presence.objects.filter(interview=interview, user=user, is_here=True)
    if here.exists():
        return
    Presence.objects.update_or_create(
        interview=interview, user=user, defaults={"last_seen": now(), "is_here": True}
    )
    interview.record(Moment.Kind.JOINED, author=user, interview_round=interview.current_round())


def note_absent(interview: Interview) -> None:
    """Record who has left a running interview."""
    for one in absent().filter(interview=interview).select_related("user"):
        with transaction.atomic():
            if not _runs(interview):
                return
            gone = absent().filter(pk=one.pk)
            last_seen: datetime | None = gone.values_list("last_seen", flat=True).first()
            if last_seen is None or not gone.update(is_here=False):
                continue
            interview.record(
                Moment.Kind.LEFT,
                author=one.user,
                interview_round=interview.current_round(),
                at=last_seen,
            )
        ring(interview.pk)


def absent() -> QuerySet[Presence]:
    """Those who count as here and were not heard of for too long."""
    return Presence.objects.filter(
        is_here=True,
        last_seen__lt=now() - timedelta(seconds=AWAY_S),
        interview__status=Interview.Status.RUNNING,
    )


def _runs(interview: Interview) -> bool:
    """Take the interview's row; whether it still runs."""
    locked = Interview.objects.select_for_update().only("status").get(pk=interview.pk)
    return locked.status == Interview.Status.RUNNING
