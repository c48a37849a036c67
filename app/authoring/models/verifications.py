"""The proof of a package: its own submissions, judged by the workers."""

from __future__ import annotations

import logging
import uuid

from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from app.accounts.models import User
from app.authoring.models.mutants import MutantRun
from app.authoring.models.trail import Action, TrailEntry
from app.authoring.models.work import Run, Work
from app.practice.judging import SandboxLauncher, about_grader, queue_of
from app.practice.models.submissions import new_seed
from app.practice.mutation import mutants_of
from app.practice.verification import run, trials_of
from graders.mutants import Mutant
from problems.package import Package, read_files

logger = logging.getLogger(__name__)


class Verification(Run):
    """One proof, of exactly the content that `digest` names.

    `texts` is that content while it runs: what is typed meanwhile is not proved by it.
    """

    class Status(models.TextChoices):
        RUNNING = "running", _("Running")
        PASSED = "passed", _("Passed")
        FAILED = "failed", _("Failed")
        STOPPED = "stopped", _("Stopped")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, db_index=True)
    digest = models.CharField(max_length=64, db_index=True)
    texts: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField()
    seed = models.BigIntegerField(default=new_seed)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.RUNNING)

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.slug} {self.digest[:8]} {self.status}"

    def get_absolute_url(self) -> str:
        return reverse("authoring:verification", args=[self.slug, self.pk])

    @property
    def pieces(self) -> models.QuerySet[VerificationTrial]:
        return self.trials.all()

    @classmethod
    def start(cls, person: User, package: Package, texts: dict[str, str]) -> Verification:
        """Save a proof that waits for workers; whoever calls this publishes it after the commit.

        A proof of the same slug that still runs is stopped: it would prove what is out of date.
        """
        with transaction.atomic():
            for older in cls.objects.filter(slug=package.slug, is_running=True):
                older.stop()
            for mutants in MutantRun.objects.filter(
                verification__slug=package.slug, is_running=True
            ):
                mutants.stop()
            verification = cls.objects.create(
                slug=package.slug,
                digest=package.digest,
                texts=texts,
                queue=queue_of(package.spec),
                started_by=person,
            )
            VerificationTrial.objects.bulk_create(
                VerificationTrial(
                    verification=verification,
                    position=position,
                    path=trial.path,
                    expected=trial.expected,
                )
                for position, trial in enumerate(trials_of(package))
            )
            TrailEntry.add(person, package.slug, Action.VERIFIED, digest=package.digest)
        return verification

    @classmethod
    def has_passed(cls, slug: str, digest: str) -> bool:
        """Whether exactly this content has been proved."""
        return cls.objects.filter(slug=slug, digest=digest, status=cls.Status.PASSED).exists()

    def settle(self) -> bool:
        if self.trials.exclude(status=Work.Status.DONE).exists():
            return False
        if self.trials.exclude(faults=[]).exists():
            return self._end(self.Status.FAILED)
        running = Verification.objects.filter(pk=self.pk, is_running=True)
        texts = running.values_list("texts", flat=True).first()
        if texts is None:
            return False
        made = self._mutants(texts)
        with transaction.atomic():
            ended = self._end(self.Status.PASSED)
            if ended:
                MutantRun.start(self, texts, made)
        return ended

    def _mutants(self, texts: dict[str, str]) -> list[Mutant]:
        """None where making them fails: what is proved stays so."""
        try:
            package = read_files(self.slug, texts, about_grader=about_grader)
            return mutants_of(package, self.seed)
        except Exception:
            logger.exception("no mutants can be made for %s", self)
            return []

    def follow_up(self) -> MutantRun | None:
        return MutantRun.objects.filter(verification=self, is_running=True).first()

    def stop(self) -> bool:
        """End it early: no further trial begins, and what one under way finds is dropped.

        Once it has passed, its mutants are stopped.
        """
        if self._end(self.Status.STOPPED):
            return True
        mutants = self.follow_up()
        return mutants is not None and mutants.stop()

    def _end(self, status: Status) -> bool:
        running = Verification.objects.filter(pk=self.pk, is_running=True)
        # The digest says what was proved; the texts are needed no longer, and may be megabytes.
        ended = running.update(
            is_running=False, status=status, texts={}, finished_at=timezone.now()
        )
        return ended == 1


class VerificationTrial(Work):
    """One of the package's own files, and whether it got what it must get."""

    verification = models.ForeignKey(Verification, on_delete=models.CASCADE, related_name="trials")
    path = models.CharField(max_length=120)
    expected = models.CharField(max_length=10)
    verdict = models.CharField(max_length=4, blank=True)
    case = models.CharField(max_length=60, blank=True)
    wall_time_s = models.FloatField(null=True)
    faults: models.JSONField[list[str], list[str]] = models.JSONField(default=list)
    error_id = models.CharField(max_length=12, blank=True)

    class Meta:
        ordering = ["verification", "position"]

    def __str__(self) -> str:
        return f"{self.verification} {self.path}"

    @property
    def run(self) -> Verification:
        return self.verification

    @property
    def is_good(self) -> bool:
        """It is done, and got what it must get."""
        return self.status == self.Status.DONE and not self.faults

    def do(self, token: uuid.UUID, launcher: SandboxLauncher) -> None:
        verification = self.verification
        package = read_files(verification.slug, verification.texts, about_grader=about_grader)
        trial = next(trial for trial in trials_of(package) if trial.path == self.path)
        outcome = run(trial, verification.seed, launcher)
        self.finish(
            token,
            verdict=outcome.verdict,
            case=outcome.case,
            wall_time_s=outcome.wall_time_s,
            faults=list(outcome.tell_faults()),
            error_id=outcome.error_id,
        )

    def fail(self, token: uuid.UUID, error_id: str) -> None:
        self.finish(
            token,
            verdict="JE",
            faults=[f"the judge must not fail, it did; see {error_id} in the log"],
            error_id=error_id,
        )

    def give_up(self, token: uuid.UUID) -> None:
        self.finish(
            token,
            verdict="JE",
            faults=[
                f"judging must end, its worker died {self.attempts} times; look into the log of "
                "the workers, it may take more memory than a worker has"
            ],
        )
