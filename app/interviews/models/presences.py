"""Who has an interview open now."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from app.interviews.models.interviews import Interview


class Presence(models.Model):
    """A person at a running interview, in however many tabs; when one of them was last heard of."""

    interview = models.ForeignKey(Interview, on_delete=models.CASCADE, related_name="presences")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    last_seen = models.DateTimeField()
    is_here = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["interview", "user"], name="one_presence_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.interview_id}"
