"""Which values of a worksheet a person works on."""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q

from app.accounts.models import User
from app.practice.models.problems import Problem, ProblemVersion
from app.practice.models.submissions import Submission, new_seed


class AttemptSpent(Exception):
    """These values were judged already: their right answers have been shown."""


class Attempt(models.Model):
    """The values that were drawn for a person; they are judged once, then others are drawn.

    The seed never leaves the server. `number` does: a form says which values it was filled in for,
    and is refused if they are no longer those.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    problem = models.ForeignKey(Problem, on_delete=models.CASCADE)
    version = models.ForeignKey(ProblemVersion, on_delete=models.CASCADE)
    number = models.PositiveIntegerField(default=1)
    seed = models.BigIntegerField(default=new_seed)
    judged_by = models.ForeignKey(
        Submission, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "problem"], name="one_attempt_per_problem")
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.problem} attempt {self.number}"

    @classmethod
    def current(cls, user: User, version: ProblemVersion) -> Attempt:
        """The person's attempt at this version; another version draws other values."""
        try:
            with transaction.atomic():
                attempt, _ = cls.objects.select_related("judged_by").get_or_create(
                    user=user, problem=version.problem, defaults={"version": version}
                )
        except IntegrityError:  # another tab was first
            attempt = cls.objects.get(user=user, problem=version.problem)
        if attempt.version_id != version.pk:
            attempt.renew(version)
        return attempt

    @property
    def is_spent(self) -> bool:
        """Whether a submit was, or is being, judged with these values."""
        judged = self.judged_by
        return judged is not None and not (
            judged.status == Submission.Status.CANCELLED
            or judged.verdict == Submission.Outcome.JUDGE_ERROR
        )

    def renew(self, version: ProblemVersion) -> bool:
        """Draw new values; False if another tab has just done so."""
        renewed = Attempt.objects.filter(pk=self.pk, number=self.number).update(
            version=version, number=F("number") + 1, seed=new_seed(), judged_by=None
        )
        self.refresh_from_db()
        return renewed == 1

    def spend(self, submission: Submission) -> None:
        """Have these values judged by `submission`, once. Call it inside its transaction.

        Raises
        ------
        AttemptSpent
            If another submission was first, or other values were drawn meanwhile.
        """
        free = (
            Q(judged_by=None)
            | Q(judged_by__status=Submission.Status.CANCELLED)
            | Q(judged_by__verdict=Submission.Outcome.JUDGE_ERROR)
        )
        mine = Attempt.objects.filter(free, pk=self.pk, number=self.number)
        if mine.update(judged_by=submission) != 1:
            raise AttemptSpent(str(self))
