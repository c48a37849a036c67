"""Who asks, and in which role: every view of an interview begins here."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from app.accounts.requests import SignedInRequest
from app.interviews.models import Interview, InterviewRound, Role
from app.interviews.running import settle

LEADING = (Role.CANDIDATE, Role.INTERVIEWER)


def get_interview(request: SignedInRequest, pk: UUID, *roles: Role) -> tuple[Interview, Role]:
    """The interview as the clock has it now, and the role of whoever asks.

    A stranger gets a 404, as if it did not exist; one whose role is not among `roles` (any, if
    none are named) a 403.
    """
    interview = Interview.objects.select_related("candidate").filter(pk=pk).first()
    role = interview.role_of(request.user) if interview else None
    if interview is None or role is None:
        raise Http404(_("There is no such interview."))
    if roles and role not in roles:
        raise PermissionDenied(_("In this interview that is not yours to do."))
    return settle(interview), role


def get_round(
    request: SignedInRequest, pk: UUID, number: int, *roles: Role
) -> tuple[InterviewRound, Role]:
    """A round that has begun, or any to those who know the answers."""
    interview, role = get_interview(request, pk, *roles)
    found = interview.rounds.select_related("version__problem", "interview__candidate")
    one = found.filter(number=number).first()
    hidden = one is not None and one.status == InterviewRound.Status.WAITING
    if one is None or (hidden and not role.knows_the_answers):
        raise Http404(_("There is no such round."))
    return one, role
