"""Which problems a person has opened, so that an interview can draw one that is new to them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from app.interviews.server_time import now
from app.practice.models import Problem


class Sighting(models.Model):
    """A person has read this problem's statement or editorial."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    problem = models.ForeignKey(Problem, on_delete=models.CASCADE)
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "problem"], name="one_sighting_per_problem")
        ]

    def __str__(self) -> str:
        return f"{self.user} saw {self.problem}"
