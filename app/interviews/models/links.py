"""Links that open an interview to another person, and the seats that interviewers took by one."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from app.accounts.models import User
from app.interviews.models.interviews import Interview
from app.interviews.server_time import now

LIFETIMES = {"interviewer": timedelta(days=7), "debrief": timedelta(days=90)}


class Link(models.Model):
    """A secret address with one scope. Its token is shown once; only the hash is kept."""

    class Scope(models.TextChoices):
        INTERVIEWER = "interviewer", _("Take the interviewer's seat")
        DEBRIEF = "debrief", _("Read the debrief")

    interview = models.ForeignKey(Interview, on_delete=models.CASCADE, related_name="links")
    scope = models.CharField(max_length=11, choices=Scope.choices)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)  # an invitation seats one person

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.scope} of {self.interview_id}"

    @classmethod
    def issue(cls, interview: Interview, scope: Scope) -> tuple[Link, str]:
        """A new link and its token, 256 random bits that are kept nowhere."""
        token = secrets.token_urlsafe(32)
        link = cls.objects.create(
            interview=interview,
            scope=scope,
            token_hash=_hash(token),
            expires_at=now() + LIFETIMES[scope],
        )
        return link, token

    @classmethod
    def find(cls, token: str, scope: Scope) -> Link | None:
        """The living link of this scope with this token."""
        living = cls.objects.filter(scope=scope, revoked_at=None, expires_at__gt=now())
        found = living.select_related("interview__candidate")
        return found.filter(token_hash=_hash(token)).first()

    @property
    def is_open(self) -> bool:
        """Whether it still lets somebody in."""
        if self.revoked_at is not None or self.expires_at <= now():
            return False
        return self.used_at is None or self.scope == self.Scope.DEBRIEF

    def revoke(self) -> bool:
        """End it, and with it the seat that was taken by it; False if it had ended."""
        return Link.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=now()) == 1

    def seat(self, user: User) -> Seat | None:
        """Give this person the interviewer's seat; None if somebody else has used the link.

        Raises
        ------
        ValueError
            If the link has another scope: the caller must have found it as an invitation.
        """
        if self.scope != self.Scope.INTERVIEWER:
            raise ValueError(f"only an invitation seats a person, got a link to {self.scope}")
        with transaction.atomic():
            free = Link.objects.filter(
                pk=self.pk, used_at=None, revoked_at=None, expires_at__gt=now()
            )
            if not free.update(used_at=now()):
                return None
            seat, _new = Seat.objects.update_or_create(
                interview=self.interview, user=user, defaults={"link": self, "taken_at": now()}
            )
        return seat


class Seat(models.Model):
    """An interviewer of an interview, for as long as the link stands by which they came."""

    interview = models.ForeignKey(Interview, on_delete=models.CASCADE, related_name="seats")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="seats")
    taken_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["interview", "user"], name="one_seat_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.interview_id}"


def _hash(token: str) -> str:
    # The token is as long as the hash: nothing to guess, so nothing to slow down.
    return hashlib.sha256(token.encode()).hexdigest()
