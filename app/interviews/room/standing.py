"""Who is what in which rooms, read for all rooms of a turn at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from app.accounts.models import User
from app.interviews.models import Interview, InterviewRound, Role

Key = tuple[UUID, int]  # an interview and the number of one of its rounds

_ID = Interview._meta.get_field("id")
# In SQL, for each turn asks these: the ORM takes ten times as long to write them as the database
# to answer. No text is read, for texts are long.
ROUNDS = """
    SELECT one.id, one.interview_id, one.number, one.status, one.deadline, whole.moment_count,
        whole.paused_at, whole.candidate_id AS candidate, account.is_active AS candidate_is_active
    FROM interviews_interviewround one
    JOIN interviews_interview whole ON whole.id = one.interview_id
    JOIN accounts_user account ON account.id = whole.candidate_id
    WHERE one.status <> 'waiting' AND one.interview_id IN ({places})
"""
SEATS = """
    SELECT seat.interview_id, seat.user_id
    FROM interviews_seat seat
    JOIN interviews_link link ON link.id = seat.link_id
    JOIN accounts_user account ON account.id = seat.user_id
    WHERE link.revoked_at IS NULL AND account.is_active AND seat.interview_id IN ({places})
"""


@dataclass(frozen=True)
class Standings:
    """The rounds, seats and accounts of some interviews, as the database has them now."""

    rounds: dict[Key, InterviewRound]
    _roles: dict[tuple[UUID, int], Role]
    _staff: frozenset[int]

    @classmethod
    def read(cls, keys: Collection[Key], users: Collection[int], *, lock: bool) -> Standings:
        """Two queries or three, however many rooms.

        A round that has not begun is not there.

        With `lock` the interviews' rows are this transaction's from here on: nobody can record a
        moment, or change a round, meanwhile. The rounds come with what is asked of them here and
        without their texts.
        """
        ids = sorted({interview for interview, _number in keys})
        if lock and connection.features.has_select_for_update:
            # In one order, so that two processes never wait for each other in a circle.
            rows = Interview.objects.select_for_update().filter(pk__in=ids).order_by("pk")
            list(rows.values_list("pk"))
        places = ", ".join(["%s"] * len(ids))
        params = [_ID.get_db_prep_value(one, connection) for one in ids]
        rounds: dict[Key, InterviewRound] = {}
        roles: dict[tuple[UUID, int], Role] = {}
        with connection.cursor() as cursor:
            cursor.execute(SEATS.format(places=places), params)
            for interview, user in cursor.fetchall():
                roles[_ID.to_python(interview), user] = Role.INTERVIEWER
        found: Any = InterviewRound.objects.raw(ROUNDS.format(places=places), params)
        for one in found:
            key = one.interview_id, one.number
            if key in keys:
                rounds[key] = one
            one.interview = Interview(
                pk=one.interview_id, moment_count=one.moment_count, paused_at=one.paused_at
            )
            roles.pop((one.interview_id, one.candidate), None)
            if one.candidate_is_active:
                roles[one.interview_id, one.candidate] = Role.CANDIDATE
        others = set(users) - {user for _interview, user in roles}
        staff = User.objects.filter(pk__in=others, is_active=True, is_staff=True)
        return cls(rounds, roles, frozenset(staff.values_list("pk", flat=True) if others else ()))

    def role_of(self, key: Key, user: int) -> Role | None:
        """As `Interview.role_of` says it, for an account that is open."""
        role = self._roles.get((key[0], user))
        if role is None and user in self._staff and key in self.rounds:
            return Role.ADMIN
        return role
