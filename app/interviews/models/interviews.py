"""An interview: who sits it, under which rules, and where it stands."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from app.accounts.models import User
from app.interviews.models.moments import Moment
from app.interviews.server_time import now
from graders.verdict import JsonObject

if TYPE_CHECKING:
    from app.interviews.models.rounds import InterviewRound


class Role(StrEnum):
    """What a person is in one interview; a stranger has no role."""

    CANDIDATE = "candidate"
    INTERVIEWER = "interviewer"
    ADMIN = "admin"

    @property
    def knows_the_answers(self) -> bool:
        """Whether rubric, follow-ups, editorial and private notes are theirs to see."""
        return self is not Role.CANDIDATE


class InterviewQuerySet(models.QuerySet["Interview"]):
    """Questions about interviews."""

    def visible_to(self, user: User) -> Self:
        """The candidate's own, those in which a person has a seat; an admin sees all."""
        if user.is_staff:
            return self
        seated = Q(seats__user=user, seats__link__revoked_at=None)
        return self.filter(Q(candidate=user) | seated).distinct()


class Interview(models.Model):
    """One sitting of one or more rounds under the server's clock."""

    class Status(models.TextChoices):
        PLANNED = "planned", _("Not started")
        RUNNING = "running", _("Running")
        ENDED = "ended", _("Ended")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    candidate = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    title = models.CharField(max_length=200)
    template = models.SlugField(max_length=60, blank=True)
    with_interviewer = models.BooleanField(default=False)
    hints_allowed = models.BooleanField(default=True)
    pause_allowed = models.BooleanField(default=False)
    # After it the next round begins by itself; None: when somebody begins it.
    break_minutes = models.PositiveSmallIntegerField(null=True)

    status = models.CharField(max_length=7, choices=Status.choices, default=Status.PLANNED)
    created_at = models.DateTimeField(default=now)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)  # the clock stands while this is set
    paused_s = models.FloatField(default=0.0)  # of the pauses that are over
    break_ends_at = models.DateTimeField(null=True)
    moment_count = models.PositiveIntegerField(default=0)

    objects = InterviewQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["candidate"],
                condition=models.Q(status="running"),
                name="a_candidate_sits_one_interview_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.id}"

    def get_absolute_url(self) -> str:
        return reverse("interviews:interview", args=[self.pk])

    def role_of(self, user: User) -> Role | None:
        """None for a stranger. Whoever sits the interview is its candidate, admin or not."""
        if self.candidate_id == user.pk:
            return Role.CANDIDATE
        if self.seats.filter(user=user, link__revoked_at=None).exists():
            return Role.INTERVIEWER
        return Role.ADMIN if user.is_staff else None

    @property
    def is_ended(self) -> bool:
        return self.status == self.Status.ENDED

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None

    def begin(self, at: datetime) -> bool:
        """Planned -> running; False if it has begun, or its candidate sits another one."""
        planned = Interview.objects.filter(pk=self.pk, status=self.Status.PLANNED)
        try:
            with transaction.atomic():
                begun = planned.update(status=self.Status.RUNNING, started_at=at)
        except IntegrityError:  # the other one began this very moment, or before
            return False
        return begun == 1

    def another_running(self) -> Interview | None:
        """The other interview that the candidate sits now."""
        running = Interview.objects.filter(
            candidate_id=self.candidate_id, status=self.Status.RUNNING
        )
        return running.exclude(pk=self.pk).first()

    def current_round(self) -> InterviewRound | None:
        """The round that runs now."""
        running = self.rounds.filter(status="running")
        # Sockets ask all the time, and a package's files are large: read where they are needed.
        found = running.select_related("version__problem", "interview").defer("version__files")
        return found.first()

    def next_round(self) -> InterviewRound | None:
        """The first round that has not begun."""
        waiting = self.rounds.filter(status="waiting")
        return waiting.select_related("version__problem", "interview").first()

    def time_of(self, moment: Moment) -> datetime:
        """Where a moment stands in the interview: a rejudge after all was over at its end."""
        if self.ended_at is not None and moment.payload.get("rejudged"):
            return min(moment.at, self.ended_at)
        return moment.at

    def pause(self, at: datetime) -> bool:
        """Stop the clock of the running round; False if it stands, or may not stand."""
        free = Interview.objects.filter(
            pk=self.pk, status=self.Status.RUNNING, pause_allowed=True, paused_at=None
        )
        return free.filter(rounds__status="running").update(paused_at=at) == 1

    def resume(self, at: datetime) -> bool:
        """Let the clock go on where it stood: every second of the pause is given back."""
        if self.paused_at is None:
            return False
        span = at - self.paused_at
        with transaction.atomic():
            resumed = Interview.objects.filter(pk=self.pk, paused_at=self.paused_at).update(
                paused_at=None, paused_s=F("paused_s") + span.total_seconds()
            )
            if resumed:
                running = self.rounds.filter(status="running")
                running.update(
                    deadline=F("deadline") + span, paused_s=F("paused_s") + span.total_seconds()
                )
        return resumed == 1

    def record(
        self,
        kind: Moment.Kind,
        payload: JsonObject | None = None,
        *,
        author: User | None = None,
        interview_round: InterviewRound | None = None,
        at: datetime | None = None,
    ) -> Moment:
        """Add a moment with the next number, once the row of the interview is this transaction's.

        Parameters
        ----------
        at : datetime, optional
            When it happened, if that was earlier than now; numbers follow the order of recording.
        """
        with transaction.atomic():
            Interview.objects.filter(pk=self.pk).update(moment_count=F("moment_count") + 1)
            sequence = Interview.objects.values_list("moment_count", flat=True).get(pk=self.pk)
            return Moment.objects.create(
                interview=self,
                interview_round=interview_round,
                sequence=sequence,
                at=at or now(),
                kind=kind,
                author=author,
                payload=payload or {},
            )
