"""Wrong solutions that are made of a proved package's reference: who survives lacks a case.

They are judged when the proof has passed, and keep nothing from being published.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from app.authoring.models.work import Run, Work
from app.practice.judging import SandboxLauncher, about_grader
from app.practice.mutation import difference, judge_mutant, mutants_of, place_of, sample_of
from graders.mutants import Mutant
from graders.verdict import Verdict
from problems.package import read_files

if TYPE_CHECKING:
    from app.authoring.models.verifications import Verification

logger = logging.getLogger(__name__)

MOST_MUTANTS = 40  # of a package; so many take a minute or two, and a missing case shows in few


class MutantRun(Run):
    """The mutants of one proof. `n_made` is how many there are, of which a sample is judged.

    `texts` is the proved content while it runs.
    """

    class Status(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        STOPPED = "stopped", _("Stopped")

    verification = models.OneToOneField(
        "Verification", on_delete=models.CASCADE, related_name="mutant_run"
    )
    texts: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField()
    n_made = models.PositiveIntegerField()
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.RUNNING)

    def __str__(self) -> str:
        return f"mutants of {self.verification} {self.status}"

    @property
    def pieces(self) -> models.QuerySet[MutantTrial]:
        return self.mutants.all()

    @property
    def survivors(self) -> models.QuerySet[MutantTrial]:
        """Those that no case refuses, without those that are as right as the reference."""
        return self.mutants.filter(verdict=Verdict.ACCEPTED.value, reason="")

    @property
    def n_refused(self) -> int:
        """Those that a case refuses, as each should be."""
        judged = self.mutants.filter(status=Work.Status.DONE, error_id="")
        return judged.exclude(verdict__in=["", Verdict.ACCEPTED.value]).count()

    @property
    def n_as_right(self) -> int:
        """Those that are accepted, and somebody has found out why that is right."""
        return self.mutants.exclude(reason="").count()

    @property
    def n_failed(self) -> int:
        """Those that the judge failed at, which say nothing."""
        return self.mutants.exclude(error_id="").count()

    @classmethod
    def start(
        cls, verification: Verification, texts: dict[str, str], made: Sequence[Mutant]
    ) -> MutantRun:
        """Save a run that waits for workers; whoever calls this publishes it after the commit."""
        run = cls.objects.create(
            verification=verification,
            texts=texts,
            n_made=len(made),
            queue=verification.queue,
            started_by=verification.started_by,
        )
        MutantTrial.objects.bulk_create(
            MutantTrial(mutant_run=run, position=position, name=mutant.name)
            for position, mutant in enumerate(sample_of(made, MOST_MUTANTS))
        )
        return run

    def settle(self) -> bool:
        if self.mutants.exclude(status=Work.Status.DONE).exists():
            return False
        return self._end(self.Status.DONE)

    def stop(self) -> bool:
        """End it early; what was found by then stays."""
        return self._end(self.Status.STOPPED)

    def _end(self, status: Status) -> bool:
        running = MutantRun.objects.filter(pk=self.pk, is_running=True)
        ended = running.update(
            is_running=False, status=status, texts={}, finished_at=timezone.now()
        )
        return ended == 1


class MutantTrial(Work):
    """One wrong solution, made anew of the reference by the worker that judges it.

    `verdict` is empty until then, or where the judge failed. Of a survivor `place`, `missing` and
    `diff` tell where it was changed, which case would refuse it and how it differs; `reason` says
    why it is as right as the reference, where somebody has found that out.
    """

    mutant_run = models.ForeignKey(MutantRun, on_delete=models.CASCADE, related_name="mutants")
    name = models.TextField()
    verdict = models.CharField(max_length=4, blank=True)
    place = models.TextField(blank=True)
    missing = models.TextField(blank=True)
    diff = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    error_id = models.CharField(max_length=12, blank=True)

    class Meta:
        ordering = ["mutant_run", "position"]

    def __str__(self) -> str:
        return f"{self.mutant_run}: {self.name}"

    @property
    def run(self) -> MutantRun:
        return self.mutant_run

    def do(self, token: uuid.UUID, launcher: SandboxLauncher) -> None:
        run, verification = self.mutant_run, self.mutant_run.verification
        package = read_files(verification.slug, run.texts, about_grader=about_grader)
        made = mutants_of(package, verification.seed)
        mutant = next(one for one in made if one.name == self.name)
        found = judge_mutant(package, mutant, verification.seed, launcher)
        if not found.survived:
            self.finish(token, verdict=found.verdict.value)
            return
        self.finish(
            token,
            verdict=found.verdict.value,
            place=str(place_of(package, mutant)).removesuffix(": "),
            missing=mutant.missing,
            diff=difference(package, mutant),
            reason=found.reason,
        )

    def fail(self, token: uuid.UUID, error_id: str) -> None:
        self.finish(token, error_id=error_id)

    def give_up(self, token: uuid.UUID) -> None:
        error_id = uuid.uuid4().hex[:12]
        logger.error("judge error %s: %s killed each of its workers", error_id, self)
        self.fail(token, error_id)
