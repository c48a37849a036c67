"""Submissions to former versions, judged by the current one: first to look at, then for good."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from app.accounts.models import User
from app.authoring.comparing import cannot_be_compared, judges_differently
from app.authoring.models.trail import Action, TrailEntry
from app.authoring.models.work import Run, Work
from app.practice.judging import Mode, SandboxLauncher, judge, queue_of
from app.practice.models import Problem, ProblemVersion, Submission
from app.practice.models.submissions import lease_end
from graders.text import to_json
from graders.verdict import JsonObject, Verdict


class Rejudge(Run):
    """One rejudge of a problem's submissions by `version`.

    The preview judges all and changes nothing. What it found is what applying it writes: judging
    a second time could find something else.
    """

    class Status(models.TextChoices):
        PREVIEWING = "previewing", _("Judging for the preview")
        PREVIEWED = "previewed", _("Ready to apply")
        APPLYING = "applying", _("Applying")
        APPLIED = "applied", _("Applied")
        STOPPED = "stopped", _("Stopped")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(ProblemVersion, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.PREVIEWING, db_index=True
    )
    applied_by = models.CharField(max_length=150, blank=True)
    # Whoever writes the verdicts holds this lease; one that has run out may be taken over.
    lease_expires_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.version} {self.status}"

    def get_absolute_url(self) -> str:
        return reverse("authoring:rejudge", args=[self.version.problem.slug, self.pk])

    @property
    def pieces(self) -> models.QuerySet[RejudgeItem]:
        return self.items.all()

    @property
    def changed(self) -> models.QuerySet[RejudgeItem]:
        """What would get, or has got, another verdict."""
        return self.items.filter(status=Work.Status.DONE, skipped="", error_id="").exclude(
            verdict=F("former_verdict")
        )

    @classmethod
    def candidates(cls, problem: Problem) -> models.QuerySet[Submission]:
        """Judged submissions that another version than the current one gave their verdict."""
        current = problem.current_version
        by_current = Q(rejudged_by=current) | Q(rejudged_by=None, version=current)
        return (
            Submission.objects.filter(version__problem=problem, status=Submission.Status.DONE)
            .submits()
            .exclude(by_current)
            .exclude(verdict=Submission.Outcome.JUDGE_ERROR)
        )

    @classmethod
    def is_called_for(cls, current: ProblemVersion) -> bool:
        """Whether any submission has its verdict of a version that judged otherwise."""
        pairs = cls.candidates(current.problem).order_by().values_list("version", "rejudged_by")
        pks = {rejudged_by or version for version, rejudged_by in pairs.distinct()}
        former = ProblemVersion.objects.filter(pk__in=pks)
        return any(judges_differently(version, current) for version in former)

    @classmethod
    def preview(cls, person: User, problem: Problem) -> Rejudge:
        """Save a preview that waits for workers; the caller publishes it after the commit."""
        version = problem.current_version
        assert version is not None  # noqa: S101  only published problems get here
        with transaction.atomic():
            for older in cls.objects.filter(
                version__problem=problem,
                status__in=[cls.Status.PREVIEWING, cls.Status.PREVIEWED],
            ):
                older.stop()
            rejudge = cls.objects.create(
                version=version, queue=queue_of(version.spec), started_by=person
            )
            candidates = cls.candidates(problem).order_by("created_at")
            RejudgeItem.objects.bulk_create(
                (
                    RejudgeItem(
                        rejudge=rejudge,
                        position=position,
                        submission_id=pk,
                        former_verdict=verdict,
                        former_score=score,
                    )
                    for position, (pk, verdict, score) in enumerate(
                        candidates.values_list("pk", "verdict", "score").iterator()
                    )
                ),
                batch_size=500,
            )
            TrailEntry.add(
                person,
                problem.slug,
                Action.REJUDGE_PREVIEWED,
                f"v{version.number}",
                digest=version.digest,
            )
        return rejudge

    def settle(self) -> bool:
        if self.items.exclude(status=Work.Status.DONE).exists():
            return False
        return self._move(
            [self.Status.PREVIEWING],
            self.Status.PREVIEWED,
            is_running=False,
            finished_at=timezone.now(),
        )

    def stop(self) -> bool:
        """End a preview; nothing was changed by it."""
        return self._move(
            [self.Status.PREVIEWING, self.Status.PREVIEWED],
            self.Status.STOPPED,
            is_running=False,
            finished_at=timezone.now(),
        )

    @property
    def is_of_the_current_version(self) -> bool:
        """Whether the problem has had no newer version since."""
        return self.version.problem.current_version_id == self.version_id

    def begin_to_apply(self, person: User) -> bool:
        """Previewed -> applying, once. The caller sends the task after the commit."""
        with transaction.atomic():
            begun = self._move(
                [self.Status.PREVIEWED],
                self.Status.APPLYING,
                is_running=True,
                applied_by=person.get_username(),
                lease_expires_at=None,
            )
            if begun:
                TrailEntry.add(
                    person,
                    self.version.problem.slug,
                    Action.REJUDGED,
                    f"v{self.version.number}",
                    digest=self.version.digest,
                )
        return begun

    def apply(self) -> bool:
        """Write the verdicts that are not written yet; False if somebody else is at it.

        It may be killed at any moment and called again: each verdict and its mark are one
        transaction.
        """
        now = timezone.now()
        free = Rejudge.objects.filter(
            Q(lease_expires_at=None) | Q(lease_expires_at__lt=now),
            pk=self.pk,
            status=self.Status.APPLYING,
        )
        if not free.update(lease_expires_at=lease_end(now)):
            return False
        waiting = self.items.filter(applied_at=None, status=Work.Status.DONE)
        for pk in list(waiting.order_by("position").values_list("pk", flat=True)):
            item = RejudgeItem.objects.select_related("submission__version", "rejudge__version")
            item.get(pk=pk).apply()
            Rejudge.objects.filter(pk=self.pk).update(lease_expires_at=lease_end(timezone.now()))
        return self._move(
            [self.Status.APPLYING],
            self.Status.APPLIED,
            is_running=False,
            finished_at=timezone.now(),
        )

    @property
    def n_applied(self) -> int:
        """Items whose verdict is written, or which keep theirs."""
        return self.items.exclude(applied_at=None).count()

    def _move(self, before: list[Status], after: Status, **changes: Any) -> bool:
        mine = Rejudge.objects.filter(pk=self.pk, status__in=before)
        return mine.update(status=after, **changes) == 1


class RejudgeItem(Work):
    """One submission, and the verdict that the new version gives it."""

    rejudge = models.ForeignKey(Rejudge, on_delete=models.CASCADE, related_name="items")
    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="+")
    former_verdict = models.CharField(max_length=4, choices=Submission.Outcome.choices)
    former_score = models.FloatField()
    verdict = models.CharField(max_length=4, choices=Submission.Outcome.choices, blank=True)
    score = models.FloatField(default=0.0)
    report: models.JSONField[JsonObject | None, JsonObject | None] = models.JSONField(null=True)
    skipped = models.CharField(max_length=10, blank=True)  # "values", "language", "changed"
    error_id = models.CharField(max_length=12, blank=True)
    applied_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["rejudge", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["rejudge", "submission"], name="one_item_per_submission"
            )
        ]

    def __str__(self) -> str:
        return f"{self.submission_id} {self.former_verdict} -> {self.verdict}"

    @property
    def run(self) -> Rejudge:
        return self.rejudge

    def do(self, token: uuid.UUID, launcher: SandboxLauncher) -> None:
        submission, version = self.submission, self.rejudge.version
        spec = version.spec
        reason = cannot_be_compared(submission, spec)
        if reason:
            self.finish(token, skipped=reason)
            return
        *_, last = judge(
            spec, version.files, submission.source, Mode.SUBMIT, submission.seed, launcher
        )
        self.finish(
            token,
            verdict=last.data["verdict"],
            score=last.data["score"],
            report=to_json(last.data),
        )

    def fail(self, token: uuid.UUID, error_id: str) -> None:
        """The judge failed: the submission keeps its verdict."""
        self.finish(token, verdict=Verdict.JUDGE_ERROR.value, error_id=error_id)

    def give_up(self, token: uuid.UUID) -> None:
        self.fail(token, secrets.token_hex(6))

    def apply(self) -> None:
        """Give the submission its new verdict, once; it keeps the old one where there is no new."""
        with transaction.atomic():
            mine = RejudgeItem.objects.filter(pk=self.pk, applied_at=None)
            if not mine.update(applied_at=timezone.now()):
                return
            if self.skipped or self.error_id or self.report is None:
                return
            submission = self.submission
            as_previewed = (
                submission.verdict == self.former_verdict
                and submission.status == Submission.Status.DONE
            )
            taken = as_previewed and submission.take_verdict(
                self.rejudge.version, self.verdict, self.score, self.report
            )
            # The report is the submission's now, or out of date.
            done = RejudgeItem.objects.filter(pk=self.pk)
            done.update(report=None, skipped="" if taken else "changed")
