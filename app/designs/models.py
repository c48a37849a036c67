"""How a person rates their own design against the rubric. It is no part of any verdict."""

from __future__ import annotations

from django.db import models

from app.practice.models import Submission


class SelfReview(models.Model):
    """The levels that the owner of a submission chose for it; saved anew each time."""

    submission = models.OneToOneField(
        Submission, on_delete=models.CASCADE, related_name="self_review"
    )
    # Criterion of the rubric -> level, from 0.
    levels: models.JSONField[dict[str, int], dict[str, int]] = models.JSONField(default=dict)
    note = models.TextField(blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"self-review of {self.submission_id}"
