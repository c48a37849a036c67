"""A round of an interview: its problem or question, its deadline, its text, what was sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from app.accounts.models import User
from app.interviews.models.interviews import Interview
from app.practice.models import ProblemVersion, Submission
from app.practice.models.submissions import new_seed
from graders.verdict import JsonObject
from problems.interviews.schema import QuestionSpec
from problems.schema import RubricLevel

GRACE_S = 5.0  # for what was posted before the deadline and is still on its way


class StaleText(Exception):
    """Another tab or machine saved a newer text; `interview_round` holds it."""

    def __init__(self, interview_round: InterviewRound) -> None:
        super().__init__(f"the text is at revision {interview_round.revision} already")
        self.interview_round = interview_round


class TooLate(Exception):
    """The round does not take texts or submissions now."""


class InterviewRound(models.Model):
    """One round. Either it has a problem's version, or a question that nobody can grade."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("To come")
        RUNNING = "running", _("Running")
        ENDED = "ended", _("Ended")

    class EndedBy(models.TextChoices):
        TIME = "time", _("Time was up")
        CANDIDATE = "candidate", _("Finished by the candidate")
        INTERVIEWER = "interviewer", _("Ended by the interviewer")

    interview = models.ForeignKey(Interview, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveSmallIntegerField()  # from 1, in the order in which they are sat
    version = models.ForeignKey(ProblemVersion, null=True, on_delete=models.PROTECT)
    question: models.JSONField[JsonObject | None, JsonObject | None] = models.JSONField(null=True)
    was_drawn = models.BooleanField(default=False)
    tags: models.JSONField[list[str], list[str]] = models.JSONField(default=list)  # to draw among
    was_seen = models.BooleanField(default=False)  # its problem was not new to the candidate
    minutes = models.PositiveSmallIntegerField()  # as planned
    added_minutes = models.PositiveSmallIntegerField(default=0)

    status = models.CharField(max_length=7, choices=Status.choices, default=Status.WAITING)
    started_at = models.DateTimeField(null=True)
    deadline = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=11, choices=EndedBy.choices, blank=True)
    paused_s = models.FloatField(default=0.0)

    text = models.TextField(blank=True)  # what stands in the editor
    revision = models.PositiveIntegerField(default=0)  # 0: the starter, untouched
    seed = models.BigIntegerField(default=new_seed)  # of a worksheet's values
    hints_shown = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["interview", "number"]
        constraints = [
            models.UniqueConstraint(fields=["interview", "number"], name="rounds_are_numbered"),
            models.UniqueConstraint(
                fields=["interview"],
                condition=models.Q(status="running"),
                name="one_round_runs_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(version__isnull=False, question__isnull=True)
                | models.Q(version__isnull=True, question__isnull=False),
                name="a_round_has_a_problem_or_a_question",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.interview_id} round {self.number}"

    @property
    def question_spec(self) -> QuestionSpec:
        """The question as it was when the interview was set up."""
        return QuestionSpec.model_validate(self.question)

    @property
    def title(self) -> str:
        """Of the problem or the question. A candidate learns it when the round begins."""
        return self.question_spec.title if self.version is None else self.version.problem.title

    @property
    def loop_round(self) -> int | None:
        """Which of the seven rounds of the path its problem is from."""
        return None if self.version is None else self.version.problem.round

    @property
    def rubric(self) -> list[RubricLevel]:
        """What is looked at, with levels from weak to strong."""
        spec = self.question_spec if self.version is None else self.version.spec
        return spec.rubric

    @property
    def allowed_s(self) -> float:
        """Seconds that the clock gives, added minutes included."""
        return 60.0 * (self.minutes + self.added_minutes)

    @property
    def used_s(self) -> float:
        """Seconds of an ended round that the clock counted; pauses are not."""
        if self.started_at is None or self.ended_at is None:
            return 0.0
        return (self.ended_at - self.started_at).total_seconds() - self.paused_s

    def elapsed_s(self, at: datetime) -> float:
        """Seconds of a running round that the clock has counted."""
        if self.started_at is None:
            return 0.0
        until = self.interview.paused_at or at
        return (until - self.started_at).total_seconds() - self.paused_s

    def takes(self, at: datetime) -> bool:
        """Whether a text or submission that arrives at this time still counts."""
        if self.status != self.Status.RUNNING or self.deadline is None or self.interview.is_paused:
            return False
        return at <= self.deadline + timedelta(seconds=GRACE_S)

    def is_over(self, at: datetime) -> bool:
        """Whether deadline and grace of a running round have passed."""
        if self.deadline is None or self.interview.is_paused:
            return False
        return at > self.deadline + timedelta(seconds=GRACE_S)

    def begin(self, at: datetime) -> bool:
        """Waiting -> running, with the deadline; False if another round runs or it has begun."""
        waiting = InterviewRound.objects.filter(
            pk=self.pk,
            status=self.Status.WAITING,
            interview__status=Interview.Status.RUNNING,
            interview__paused_at=None,
        )
        try:
            with transaction.atomic():
                begun = waiting.update(
                    status=self.Status.RUNNING,
                    started_at=at,
                    deadline=at + timedelta(minutes=self.minutes),
                )
        except IntegrityError:  # the other tab began another round this very moment
            return False
        return begun == 1

    def end(self, at: datetime, by: EndedBy) -> bool:
        """Running -> ended; by time only if the deadline and the grace are over."""
        running = InterviewRound.objects.filter(
            pk=self.pk, status=self.Status.RUNNING, interview__paused_at=None
        )
        if by == self.EndedBy.TIME:
            running = running.filter(deadline__lt=at - timedelta(seconds=GRACE_S))
            return running.update(status=self.Status.ENDED, ended_at=F("deadline"), ended_by=by) > 0
        ended_at = min(at, self.deadline) if self.deadline else at
        return running.update(status=self.Status.ENDED, ended_at=ended_at, ended_by=by) > 0

    def add_minutes(self, minutes: int) -> bool:
        """Move the deadline of the running round; False if it does not run."""
        running = InterviewRound.objects.filter(pk=self.pk, status=self.Status.RUNNING)
        moved = running.update(
            deadline=F("deadline") + timedelta(minutes=minutes),
            added_minutes=F("added_minutes") + minutes,
        )
        return moved == 1

    @property
    def hints(self) -> list[str]:
        """All hints of the problem, Markdown."""
        return [] if self.version is None else list(self.version.spec.hints)

    def show_hint(self) -> int | None:
        """The index of one more hint; None if there is none, or another page was first."""
        if self.hints_shown >= len(self.hints):
            return None
        index = self.hints_shown
        more = InterviewRound.objects.filter(
            pk=self.pk, hints_shown=index, status=self.Status.RUNNING
        )
        return index if more.update(hints_shown=index + 1) else None

    def save_text(self, text: str, base_revision: int, by: User | None = None) -> int:
        """Save what stands in the editor, written on top of `base_revision`; the new revision.

        What changed is an edit on the timeline, by the candidate unless `by` says who else.

        Raises
        ------
        TooLate
            If the round does not run, is paused, or deadline and grace are over.
        StaleText
            If the text has another revision by now. Saving the same text twice is no conflict.
        TooLarge
            If the text is larger than a round keeps.
        """
        from app.interviews.room import recording

        return recording.save_text(self, text, base_revision, by or self.interview.candidate)

    def submissions(self) -> Any:
        """What was sent in this round, oldest first."""
        sent = Submission.objects.filter(round_submission__interview_round=self)
        return sent.select_related("version__problem", "round_submission").order_by("created_at")


class RoundSubmission(models.Model):
    """That a submission belongs to a round."""

    interview_round = models.ForeignKey(
        InterviewRound, on_delete=models.CASCADE, related_name="round_submissions"
    )
    submission = models.OneToOneField(
        Submission, on_delete=models.CASCADE, related_name="round_submission"
    )
    is_automatic = models.BooleanField(default=False)  # sent by the clock
    is_recorded = models.BooleanField(default=False)  # its verdict stands on the timeline

    def __str__(self) -> str:
        return f"{self.submission} in {self.interview_round}"
