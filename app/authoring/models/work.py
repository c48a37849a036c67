"""Work in many pieces that outlives its workers: runs, and their pieces under leases.

As with submissions, every transition is a conditional UPDATE: a worker that lost its lease writes
nothing, and a piece whose worker died is given back.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from app.practice.judging import SandboxLauncher
from app.practice.models.submissions import lease_end


class Run(models.Model):
    """Pieces of work that belong together; `is_running` says whether any is still to be done."""

    queue = models.CharField(max_length=10, default="cpu")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    is_running = models.BooleanField(default=True, db_index=True)

    class Meta:
        abstract = True

    @property
    def pieces(self) -> models.QuerySet[Any]:
        """Its pieces of work, in their order."""
        raise NotImplementedError

    @property
    def n_done(self) -> int:
        """Pieces that are done."""
        return self.pieces.filter(status=Work.Status.DONE).count()

    @property
    def n_pieces(self) -> int:
        """All pieces."""
        return self.pieces.count()

    @property
    def percent_done(self) -> int:
        """Share of the pieces that are done, 0 to 100, rounded down."""
        return 100 * self.n_done // max(1, self.n_pieces)

    def settle(self) -> bool:
        """End the run if every piece is done; True for the one caller who ended it."""
        raise NotImplementedError

    def follow_up(self) -> Run | None:
        """What is to be done when it has ended."""
        return None


class Work(models.Model):
    """One piece: waiting, done by one worker at a time, finished once."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        WORKING = "working", _("Working")
        DONE = "done", _("Done")

    position = models.PositiveIntegerField()
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.WAITING)
    published_at = models.DateTimeField(null=True)  # when a Celery task was last sent for it
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def run(self) -> Run:
        """What it is a piece of."""
        raise NotImplementedError

    def do(self, token: uuid.UUID, launcher: SandboxLauncher) -> None:
        """Do it under the lease `token`, with `launcher` as the source of sandboxes."""
        raise NotImplementedError

    def fail(self, token: uuid.UUID, error_id: str) -> None:
        """Finish it as something that the judge failed at; `error_id` is in the log."""
        raise NotImplementedError

    def give_up(self, token: uuid.UUID) -> None:
        """Finish it as something that killed each of its workers."""
        raise NotImplementedError

    def claim(self) -> uuid.UUID | None:
        """Waiting -> working, once; None if another worker was first."""
        token = uuid.uuid4()
        claimed = self._mine(status=self.Status.WAITING).update(
            status=self.Status.WORKING,
            lease_token=token,
            lease_expires_at=lease_end(timezone.now()),
            attempts=F("attempts") + 1,
        )
        if not claimed:
            return None
        self.refresh_from_db()
        return token

    def renew(self, token: uuid.UUID) -> bool:
        """Keep the lease; False if it is lost, or the run was stopped."""
        if not type(self.run).objects.filter(pk=self.run.pk, is_running=True).exists():  # type: ignore[attr-defined]
            return False
        held = self._mine(status=self.Status.WORKING, lease_token=token)
        return held.update(lease_expires_at=lease_end(timezone.now())) == 1

    def finish(self, token: uuid.UUID, **result: Any) -> bool:
        """Write the result, once; False if the lease is lost."""
        held = self._mine(status=self.Status.WORKING, lease_token=token)
        done = held.update(
            status=self.Status.DONE, lease_token=None, lease_expires_at=None, **result
        )
        return done == 1

    def give_back(self) -> bool:
        """After a worker died: working -> waiting, or given up after the last attempt."""
        expired = self._mine(status=self.Status.WORKING, lease_expires_at__lt=timezone.now())
        if self.attempts < settings.MAX_ATTEMPTS:
            return (
                expired.update(
                    status=self.Status.WAITING,
                    lease_token=None,
                    lease_expires_at=None,
                    published_at=None,
                )
                == 1
            )
        token = uuid.uuid4()  # takes the lease, so that the dead worker's twin loses
        if not expired.update(lease_token=token, lease_expires_at=lease_end(timezone.now())):
            return False
        self.give_up(token)
        return True

    def _mine(self, **conditions: Any) -> models.QuerySet[Any]:
        return type(self).objects.filter(Q(pk=self.pk), **conditions)  # type: ignore[attr-defined,no-any-return]
