"""Who is what in which rooms, read for all rooms of a turn at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from app.accounts.models import User
from app.interviews.models import Interview, InterviewRound, Role, Seat

Key = tuple[UUID, int]  # an interview and the number of one of its rounds

NEEDED = (  # and no more: a turn reads this for every room, and a text is long
    "number",
    "status",
    "deadline",
    "interview__moment_count",
    "interview__paused_at",
    "interview__candidate__is_active",
)


@dataclass(frozen=True)
class Standings:
    """The rounds, seats and accounts of some interviews, as the database has them now."""

    rounds: dict[Key, InterviewRound]
    _roles: dict[tuple[UUID, int], Role]
    _staff: frozenset[int]

    @classmethod
    def read(cls, keys: Collection[Key], users: Collection[int], *, lock: bool) -> Standings:
        """Two queries or three, however many rooms.

        With `lock` the interviews' rows are this transaction's from here on: nobody can record a
        moment, or change a round, meanwhile. The rounds come with what is asked of them here and
        without their texts.
        """
        ids = sorted({interview for interview, _number in keys})
        if lock and connection.features.has_select_for_update:
            # In one order, so that two processes never wait for each other in a circle.
            rows = Interview.objects.select_for_update().filter(pk__in=ids).order_by("pk")
            list(rows.values_list("pk"))
        rounds = InterviewRound.objects.filter(
            interview__in=ids, number__in={number for _interview, number in keys}
        )
        found = {
            (one.interview_id, one.number): one
            for one in rounds.select_related("interview__candidate").only(*NEEDED).order_by()
        }
        seats = Seat.objects.filter(
            interview__in=ids, link__revoked_at=None, user__is_active=True
        ).values_list("interview_id", "user_id")
        roles = dict.fromkeys(seats, Role.INTERVIEWER)
        for one in found.values():
            interview = one.interview
            roles.pop((interview.pk, interview.candidate_id), None)
            if interview.candidate.is_active:
                roles[interview.pk, interview.candidate_id] = Role.CANDIDATE
        others = set(users) - {user for _interview, user in roles}
        staff = User.objects.filter(pk__in=others, is_active=True, is_staff=True)
        return cls(found, roles, frozenset(staff.values_list("pk", flat=True) if others else ()))

    def role_of(self, key: Key, user: int) -> Role | None:
        """As `Interview.role_of` says it, for an account that is open."""
        role = self._roles.get((key[0], user))
        if role is None and user in self._staff and key in self.rounds:
            return Role.ADMIN
        return role
