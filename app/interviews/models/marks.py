"""What people make of a round: a level for each line of the rubric, and words."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from app.interviews.models.interviews import Interview
from app.interviews.models.moments import Moment
from app.interviews.models.rounds import InterviewRound
from app.interviews.server_time import now


class Mark(models.Model):
    """The level that a person saw for one line of the rubric, with the moments that show it."""

    interview_round = models.ForeignKey(
        InterviewRound, on_delete=models.CASCADE, related_name="marks"
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    criterion = models.PositiveSmallIntegerField()  # index in the rubric
    level = models.PositiveSmallIntegerField()  # index in its levels, 0 the weakest
    comment = models.TextField(blank=True)
    evidence: models.ManyToManyField[Moment, Moment] = models.ManyToManyField(Moment)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["interview_round", "criterion"]
        constraints = [
            models.UniqueConstraint(
                fields=["interview_round", "author", "criterion"], name="one_mark_per_author"
            )
        ]

    def __str__(self) -> str:
        return f"{self.interview_round} criterion {self.criterion}: level {self.level}"


class Feedback(models.Model):
    """Words for the candidate: about one round, or about the whole interview."""

    interview = models.ForeignKey(Interview, on_delete=models.CASCADE, related_name="feedback")
    interview_round = models.ForeignKey(
        InterviewRound, null=True, on_delete=models.CASCADE, related_name="feedback"
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    text = models.TextField()
    updated_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["interview_round", "author"],
                condition=models.Q(interview_round__isnull=False),
                name="one_feedback_per_round_and_author",
            ),
            models.UniqueConstraint(
                fields=["interview", "author"],
                condition=models.Q(interview_round__isnull=True),
                name="one_feedback_per_interview_and_author",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.author} about {self.interview_round or self.interview_id}"
