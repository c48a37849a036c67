"""What a person has typed and not sent yet."""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, models, transaction

from app.accounts.models import User
from app.practice.models.problems import Problem


class StaleDraft(Exception):
    """Another tab or machine saved a newer text; `draft` holds it, nothing was overwritten."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(f"the draft is at revision {draft.revision} already")
        self.draft = draft


class Draft(models.Model):
    """The text in the editor, per person and problem, with a revision that only grows."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    problem = models.ForeignKey(Problem, on_delete=models.CASCADE)
    text = models.TextField(blank=True)
    revision = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "problem"], name="one_draft_per_problem")
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.problem} r{self.revision}"

    @classmethod
    def save_text(cls, user: User, problem: Problem, text: str, base_revision: int) -> Draft:
        """Save `text`, written on top of `base_revision` (0: there was no draft).

        Raises
        ------
        StaleDraft
            If the draft has another revision by now. Saving the same text twice is no conflict.
        """
        with transaction.atomic():
            draft = cls.objects.select_for_update().filter(user=user, problem=problem).first()
            if draft is None:
                try:
                    with transaction.atomic():
                        return cls.objects.create(user=user, problem=problem, text=text)
                except IntegrityError:  # another tab was first
                    draft = cls.objects.get(user=user, problem=problem)
            if draft.text == text:
                return draft
            if draft.revision != base_revision:
                raise StaleDraft(draft)
            draft.text = text
            draft.revision += 1
            draft.save()
            return draft
