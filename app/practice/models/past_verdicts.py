"""Verdicts that were replaced."""

from __future__ import annotations

from django.db import models
from django.urls import reverse

from app.practice.models.problems import ProblemVersion
from app.practice.models.submissions import Submission
from graders.verdict import JsonObject


class PastVerdict(models.Model):
    """A verdict that a submission had before it was judged again; it stays readable, whole."""

    submission = models.ForeignKey(
        Submission, on_delete=models.CASCADE, related_name="past_verdicts"
    )
    version = models.ForeignKey(ProblemVersion, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=4, choices=Submission.Outcome.choices)
    score = models.FloatField()
    report: models.JSONField[JsonObject, JsonObject] = models.JSONField()
    error_id = models.CharField(max_length=12, blank=True)
    finished_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["submission", "-replaced_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.submission_id} was {self.verdict} by {self.version}"

    def get_absolute_url(self) -> str:
        return reverse("practice:past-verdict", args=[self.submission_id, self.pk])

    def as_submission(self) -> Submission:
        """The submission as it stood then, for the pages that show one. Not to be saved."""
        then = Submission.objects.select_related("version__problem", "user").get(
            pk=self.submission_id
        )
        then.rejudged_by = self.version
        then.status = Submission.Status.DONE
        then.verdict, then.score, then.report = self.verdict, self.score, self.report
        then.error_id, then.finished_at = self.error_id, self.finished_at
        return then
