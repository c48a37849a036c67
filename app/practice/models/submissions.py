"""Submissions and their events: each transition is a conditional UPDATE, and a loser stops."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Self, cast

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from app.accounts.models import User
from app.practice.models.problems import ProblemVersion
from app.practice.signals import submission_finished, verdict_withdrawn
from graders.text import Text, say, to_json
from graders.verdict import Event, EventKind, JsonObject, Report, Verdict


class LeaseLost(Exception):
    """The submission is no longer this worker's: cancelled, or given to another."""


def new_seed() -> int:
    """A seed that nobody can guess, within a signed 63-bit column."""
    return secrets.randbelow(2**53)  # exact in JavaScript and JSON too


# Each gives the ids of submissions of other people that a person may see: an app that lets people
# into one another's work adds its own when it is ready.
shown_by_others: list[Callable[[User], models.QuerySet[Any, Any]]] = []


class SubmissionQuerySet(models.QuerySet["Submission"]):
    """Questions about submissions."""

    def visible_to(self, user: User) -> Self:
        """A person sees their own and what they were let into; staff see all."""
        if user.is_staff:
            return self
        allowed = Q(user=user)
        for submissions_shown_to in shown_by_others:
            allowed |= Q(pk__in=submissions_shown_to(user))
        return self.filter(allowed)

    def submits(self) -> Self:
        """Those that count: no runs on samples."""
        return self.filter(kind=Submission.Kind.SUBMIT)


class Submission(models.Model):
    """A source that somebody sent, and what became of it."""

    class Kind(models.TextChoices):
        RUN = "run", _("Run")  # the sample cases, never counted
        SUBMIT = "submit", _("Submit")  # every case
        REPLAY = "replay", _("Replay")  # one counterexample again, never counted

    class Status(models.TextChoices):
        QUEUED = "queued", _("Queued")
        JUDGING = "judging", _("Judging")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")

    class Outcome(models.TextChoices):
        """The verdicts in words; the codes are `graders.verdict.Verdict`."""

        ACCEPTED = Verdict.ACCEPTED.value, _("Accepted")
        TOO_SLOW = Verdict.TOO_SLOW.value, _("Right, but too slow")
        WRONG_ANSWER = Verdict.WRONG_ANSWER.value, _("Wrong answer")
        OUTPUT_LIMIT = Verdict.OUTPUT_LIMIT.value, _("Output limit exceeded")
        TIME_LIMIT = Verdict.TIME_LIMIT.value, _("Time limit exceeded")
        MEMORY_LIMIT = Verdict.MEMORY_LIMIT.value, _("Memory limit exceeded")
        RUNTIME_ERROR = Verdict.RUNTIME_ERROR.value, _("Runtime error")
        COMPILE_ERROR = Verdict.COMPILE_ERROR.value, _("Does not compile")
        JUDGE_ERROR = Verdict.JUDGE_ERROR.value, _("Judge error")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    version = models.ForeignKey(ProblemVersion, on_delete=models.PROTECT)  # it was sent to this one
    # After a rejudge: the version that the verdict is of, where it is not that one.
    rejudged_by = models.ForeignKey(
        ProblemVersion, null=True, on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=6, choices=Kind.choices)
    source = models.TextField()
    seed = models.BigIntegerField(default=new_seed)
    # Of a REPLAY: {"case": name, "seed": int, "input": {...}} as the counterexample gave it.
    replay: models.JSONField[JsonObject | None, JsonObject | None] = models.JSONField(null=True)

    queue = models.CharField(max_length=10, default="cpu")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.QUEUED)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    queued_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True)  # when a Celery task was last sent for it
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    event_count = models.PositiveIntegerField(default=0)

    verdict = models.CharField(max_length=4, choices=Outcome.choices, blank=True)
    score = models.FloatField(default=0.0)
    # Sentences in it are templates with values; `app.practice.wording` says them.
    report: models.JSONField[JsonObject | None, JsonObject | None] = models.JSONField(null=True)
    error_id = models.CharField(max_length=12, blank=True)  # of a judge error, also in the log

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["status", "queue", "queued_at"]),
            models.Index(fields=["user", "-created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    def get_absolute_url(self) -> str:
        return reverse("practice:submission", args=[self.pk])

    @classmethod
    def send(
        cls,
        user: User,
        version: ProblemVersion,
        kind: Kind,
        source: str,
        replay: JsonObject | None = None,
        queue: str = "cpu",
        seed: int | None = None,
    ) -> Submission:
        """Save a submission with its first event. The caller publishes it after the commit.

        Without a `seed` it gets one that nobody has seen.
        """
        with transaction.atomic():
            submission = cls.objects.create(
                user=user,
                version=version,
                kind=kind,
                source=source,
                replay=replay,
                queue=queue,
                seed=new_seed() if seed is None else seed,
            )
            submission.append_event("queued")
        return submission

    @property
    def is_finished(self) -> bool:
        """Nothing more will happen unless an admin asks for it."""
        return self.status in (self.Status.DONE, self.Status.CANCELLED)

    @property
    def judging_version(self) -> ProblemVersion:
        """The version that its verdict is of: the one it was sent to, unless it was rejudged."""
        return self.rejudged_by or self.version

    def place_in_queue(self) -> int:
        """1 for the next one to be judged; 0 if it does not wait."""
        if self.status != self.Status.QUEUED:
            return 0
        waiting = Submission.objects.filter(status=self.Status.QUEUED, queue=self.queue)
        return waiting.filter(queued_at__lt=self.queued_at).count() + 1

    def claim(self) -> uuid.UUID | None:
        """Move queued -> judging once; None if another worker got here first.

        Returns the token of the lease, which every later write of this attempt must show.
        """
        token, now = uuid.uuid4(), timezone.now()
        with transaction.atomic():
            claimed = Submission.objects.filter(pk=self.pk, status=self.Status.QUEUED).update(
                status=self.Status.JUDGING,
                lease_token=token,
                lease_expires_at=lease_end(now),
                started_at=now,
                attempts=F("attempts") + 1,
            )
            if not claimed:
                return None
            self.refresh_from_db()
            self.append_event("started", {"attempt": self.attempts})
        return token

    def renew(self, token: uuid.UUID) -> bool:
        """Keep the lease for another while; False if it is lost."""
        return self._held(token).update(lease_expires_at=lease_end(timezone.now())) == 1

    def record(self, token: uuid.UUID, event: Event) -> None:
        """Save one event of the grader and renew the lease.

        Raises
        ------
        LeaseLost
            If the submission was cancelled or given to another worker meanwhile.
        """
        with transaction.atomic():
            if not self.renew(token):
                raise LeaseLost(str(self.pk))
            self.append_event(event.kind.value, event.data)

    def finish(self, token: uuid.UUID, verdict_event: Event) -> None:
        """Write the verdict, once. Raises LeaseLost as `record` does."""
        report = verdict_event.data
        with transaction.atomic():
            finished = self._held(token).update(
                status=self.Status.DONE,
                verdict=report["verdict"],
                score=report["score"],
                report=to_json(report),
                finished_at=timezone.now(),
                lease_token=None,
                lease_expires_at=None,
            )
            if not finished:
                raise LeaseLost(str(self.pk))
            # The report is on the submission; the event only says that it is there.
            self.append_event(EventKind.VERDICT.value, {"verdict": report["verdict"]})
            self._tell_that_it_finished()

    def fail(self, token: uuid.UUID, error_id: str, sentence: Text | None = None) -> None:
        """End with a judge error: our fault, never counted. Raises LeaseLost as `record` does.

        `sentence` says what the site lacks, where that is the reason.
        """
        Submission.objects.filter(pk=self.pk, lease_token=token).update(error_id=error_id)
        message = say(
            "The judge failed, not your code. Tell an admin this number: {error_id}.",
            error_id=error_id,
        )
        metrics: JsonObject = {} if sentence is None else {"cannot_judge": sentence}
        report = Report(Verdict.JUDGE_ERROR, sentence or message, 0.0, [], metrics=metrics)
        self.finish(token, Event(EventKind.VERDICT, report.to_json()))

    def cancel(self) -> bool:
        """Stop waiting or judging; False if it had ended before."""
        alive = [self.Status.QUEUED, self.Status.JUDGING]
        with transaction.atomic():
            cancelled = Submission.objects.filter(pk=self.pk, status__in=alive).update(
                status=self.Status.CANCELLED,
                finished_at=timezone.now(),
                lease_token=None,
                lease_expires_at=None,
            )
            if cancelled:
                self.append_event("cancelled")
                self._tell_that_it_finished()
        return cancelled == 1

    def give_back(self, error_id: str) -> bool:
        """After a worker died: judging -> queued, or a judge error after the last attempt.

        Conditional on the lease having run out, so that a living worker keeps its submission.
        """
        expired = Submission.objects.filter(
            pk=self.pk, status=self.Status.JUDGING, lease_expires_at__lt=timezone.now()
        )
        with transaction.atomic():
            if self.attempts >= settings.MAX_ATTEMPTS:
                token = uuid.uuid4()  # takes the lease, so that the dead worker's twin loses
                if not expired.update(lease_token=token):
                    return False
                self.fail(token, error_id)
                return True
            returned = expired.update(
                status=self.Status.QUEUED,
                lease_token=None,
                lease_expires_at=None,
                queued_at=timezone.now(),
                published_at=None,
            )
            if returned:
                self.append_event("requeued", {"attempt": self.attempts})
        return returned == 1

    def rejudge(self) -> bool:
        """An admin's wish: done -> queued with a fresh count of attempts; the source stays.

        So does the verdict that it had, as a `PastVerdict`.
        """
        with transaction.atomic():
            self._keep_verdict()
            returned = Submission.objects.filter(pk=self.pk, status=self.Status.DONE).update(
                status=self.Status.QUEUED,
                verdict="",
                score=0.0,
                report=None,
                error_id="",
                attempts=0,
                finished_at=None,
                queued_at=timezone.now(),
                published_at=None,
            )
            if returned:
                self.append_event("rejudged")
        return returned == 1

    def take_verdict(
        self, of: ProblemVersion, verdict: str, score: float, report: JsonObject
    ) -> bool:
        """Replace the verdict by that of another version; the old one stays as a `PastVerdict`.

        False, and nothing changes, if the submission is not as this object knows it: somebody
        else had it judged meanwhile.
        """
        unchanged = Submission.objects.filter(
            pk=self.pk,
            status=self.Status.DONE,
            verdict=self.verdict,
            finished_at=self.finished_at,
            rejudged_by=self.rejudged_by_id,
        )
        with transaction.atomic():
            self._keep_verdict()
            taken = unchanged.update(
                verdict=verdict,
                score=score,
                report=report,
                error_id="",
                rejudged_by=of,
                finished_at=timezone.now(),
            )
            if not taken:
                transaction.set_rollback(True)
                return False
            self.append_event("verdict_replaced", {"verdict": verdict, "version": of.number})
        return True

    def _keep_verdict(self) -> None:
        """Copy the verdict that stands now, if one does. Call it inside the transaction."""
        standing = Submission.objects.filter(pk=self.pk, status=self.Status.DONE).first()
        if standing is not None and standing.report is not None:
            standing.past_verdicts.create(
                version=standing.judging_version,
                verdict=standing.verdict,
                score=standing.score,
                report=standing.report,
                error_id=standing.error_id,
                finished_at=standing.finished_at,
            )
            verdict_withdrawn.send(sender=Submission, submission=standing)

    def append_event(self, kind: str, data: JsonObject | None = None) -> None:
        """Add an event with the next number. Call it inside the transaction of the transition."""
        Submission.objects.filter(pk=self.pk).update(event_count=F("event_count") + 1)
        sequence = Submission.objects.values_list("event_count", flat=True).get(pk=self.pk)
        SubmissionEvent.objects.create(
            submission_id=self.pk,
            sequence=sequence,
            kind=kind,
            data=cast("JsonObject", to_json(data or {})),
        )

    def _tell_that_it_finished(self) -> None:
        transaction.on_commit(
            lambda: submission_finished.send_robust(sender=Submission, submission=self)
        )

    def _held(self, token: uuid.UUID) -> models.QuerySet[Submission]:
        return Submission.objects.filter(pk=self.pk, status=self.Status.JUDGING, lease_token=token)

    @classmethod
    def seconds_until_allowed(cls, user: User) -> float:
        """Seconds until this person may send again under SUBMISSIONS_PER_MINUTE; 0 if now."""
        now = timezone.now()
        minute = cls.objects.filter(user=user, created_at__gt=now - timedelta(minutes=1))
        recent = list(
            minute.order_by("-created_at").values_list("created_at", flat=True)[
                : settings.SUBMISSIONS_PER_MINUTE
            ]
        )
        if len(recent) < settings.SUBMISSIONS_PER_MINUTE:
            return 0.0
        oldest: datetime = recent[-1]
        return max(0.0, (oldest + timedelta(minutes=1) - now).total_seconds())

    @classmethod
    def abandoned(cls) -> models.QuerySet[Submission]:
        """Being judged by a worker that has stopped renewing its lease."""
        return cls.objects.filter(
            Q(status=cls.Status.JUDGING), Q(lease_expires_at__lt=timezone.now())
        )


class SubmissionEvent(models.Model):
    """One step of a submission, numbered from 1 without gaps: what a browser has to catch up on."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="events")
    sequence = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    data: models.JSONField[JsonObject, JsonObject] = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["submission", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["submission", "sequence"], name="events_are_numbered")
        ]

    def __str__(self) -> str:
        return f"{self.submission_id} #{self.sequence} {self.kind}"


def lease_end(now: datetime) -> datetime:
    """When a lease taken or renewed at `now` runs out."""
    return now + timedelta(seconds=settings.LEASE_S)
