"""The timeline: everything that happened in an interview, in one table, only ever added to."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from graders.verdict import JsonObject


class Moment(models.Model):
    """One thing that happened, at the server's time, numbered from 1 without gaps."""

    class Kind(models.TextChoices):
        STARTED = "started", _("Interview started")
        ROUND_BEGAN = "round_began", _("Round began")
        ROUND_ENDED = "round_ended", _("Round ended")
        PAUSED = "paused", _("Paused")
        RESUMED = "resumed", _("Went on")
        TIME_ADDED = "time_added", _("Minutes added")
        ENDED = "ended", _("Interview ended")
        JOINED = "joined", _("Joined")
        LEFT = "left", _("Left")
        READY = "ready", _("Ready")
        EDIT = "edit", _("Edit")
        SENT = "sent", _("Sent to the judge")
        VERDICT = "verdict", _("Verdict")
        COUNTEREXAMPLE = "counterexample", _("Counterexample")
        HINT = "hint", _("Hint")
        FOLLOW_UP = "follow_up", _("Follow-up question")
        ANSWER = "answer", _("Answer")
        CHAT = "chat", _("Chat")
        NOTE = "note", _("Private note")

    # What only those see who know the answers.
    PRIVATE = (Kind.NOTE,)

    interview = models.ForeignKey(
        "interviews.Interview", on_delete=models.CASCADE, related_name="moments"
    )
    interview_round = models.ForeignKey(
        "interviews.InterviewRound", null=True, on_delete=models.CASCADE, related_name="moments"
    )
    sequence = models.PositiveIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=14, choices=Kind.choices)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    payload: models.JSONField[JsonObject, JsonObject] = models.JSONField(default=dict)

    class Meta:
        ordering = ["interview", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["interview", "sequence"], name="moments_are_numbered")
        ]
        indexes = [models.Index(fields=["interview", "at"])]

    def __str__(self) -> str:
        return f"{self.interview_id} #{self.sequence} {self.kind}"
