"""Set-ups that a person keeps to begin from again. Those of the site are YAML."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from app.interviews.server_time import now

NAME_CHARS = 80
MOST = 30  # of one person


class SavedTemplate(models.Model):
    """Rules and rounds of a loop under a name; only its owner sees it."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="interview_templates"
    )
    name = models.CharField(max_length=NAME_CHARS)
    with_interviewer = models.BooleanField(default=False)
    hints_allowed = models.BooleanField(default=True)
    pause_allowed = models.BooleanField(default=False)
    break_minutes = models.PositiveSmallIntegerField(null=True)
    # As the form has them: {"what": "round:3", "tags": "", "problem": slug or "", "minutes": "45"}
    rows: models.JSONField[list[dict[str, str]], list[dict[str, str]]] = models.JSONField()
    updated_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="one_template_of_a_name")
        ]

    def __str__(self) -> str:
        return f"{self.owner}: {self.name}"
