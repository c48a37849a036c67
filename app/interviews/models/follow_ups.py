"""Follow-up questions of a round: due, asked, answered."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from django.conf import settings
from django.db import models

from app.accounts.models import User
from app.interviews.models.rounds import InterviewRound
from app.practice.wording import in_words
from graders.text import Json
from graders.verdict import JsonObject
from problems.schema import FollowUp


class AskedFollowUp(models.Model):
    """A follow-up whose time has come. Alone it is asked at once; else the interviewer asks it."""

    interview_round = models.ForeignKey(
        InterviewRound, on_delete=models.CASCADE, related_name="follow_ups"
    )
    index = models.PositiveSmallIntegerField(null=True)  # in the problem's; None: made up in talk
    question = models.TextField()
    due_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    answer = models.TextField(blank=True)  # words, or the YAML of answers that can be judged
    answered_at = models.DateTimeField(null=True)
    # [{"label", "given", "right", "ok", "message"}] where the answers grader judged it.
    judgement: models.JSONField[list[JsonObject] | None, list[JsonObject] | None] = (
        models.JSONField(null=True)
    )

    class Meta:
        ordering = ["interview_round", "due_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["interview_round", "index"], name="a_follow_up_is_due_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.interview_round} follow-up {self.index}"

    @property
    def spec(self) -> FollowUp | None:
        """What the problem's package says of it."""
        version = self.interview_round.version
        if self.index is None or version is None:
            return None
        return version.spec.follow_ups[self.index]

    @property
    def answer_in_words(self) -> str:
        """The answer in the active language: a judged one by its fields, and not as YAML."""
        if self.judgement is None:
            return self.answer
        told = cast("list[dict[str, str]]", in_words(cast(Json, self.judgement)))
        return "\n".join(f"{one['label']}: {one['given']}" for one in told)

    def ask(self, at: datetime, by: User | None) -> bool:
        """Show it to the candidate, once."""
        unasked = AskedFollowUp.objects.filter(pk=self.pk, asked_at=None)
        return unasked.update(asked_at=at, asked_by=by) == 1
