"""What is sent in a round, checked: a source, minutes, a note."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from app.accounts.models import User
from app.interviews import running
from app.interviews.models import InterviewRound, Role
from app.interviews.server_time import now
from app.practice.drawn import unread
from app.practice.forms import SubmissionForm, replay_of
from app.practice.models import ProblemVersion, Submission

TOO_LATE = _("A round takes submissions while it runs, and this one does not. Reload the page.")


class RoundSubmissionForm(SubmissionForm):
    """A source on its way to the judge from a round, whose seed draws a worksheet's values."""

    def __init__(
        self,
        data: Any,
        *,
        interview_round: InterviewRound,
        version: ProblemVersion,
        sender: User,
        role: Role,
    ) -> None:
        candidate = interview_round.interview.candidate
        super().__init__(data, user=candidate, problem=version.problem, version=version)
        self.interview_round = interview_round
        self.sender = sender
        self.role = role

    def clean(self) -> dict[str, Any]:
        data, kind = self.cleaned_data, self.cleaned_data.get("kind")
        if not self.interview_round.takes(now()):
            raise ValidationError(TOO_LATE, code="too_late")
        if self.role is not Role.CANDIDATE and kind == Submission.Kind.SUBMIT:
            raise ValidationError(
                _("Only the candidate submits; an interviewer may run the code. Press Run.")
            )
        if kind == Submission.Kind.REPLAY:
            sent = self.interview_round.submissions().filter(pk=data.get("replay_of"))
            data["original"] = original = sent.first()
            if original is None or replay_of(original) is None:
                raise ValidationError(
                    _("A replay needs a submission with a counterexample, this one has none.")
                )
        elif self.version.spec.is_drawn_per_attempt and kind == Submission.Kind.SUBMIT:
            if running.spent(self.interview_round):
                raise ValidationError(
                    _("In a round answers are judged once, and these have been. Go on in words.")
                )
            fault = unread(self.version, str(data.get("source", "")), self.interview_round.seed)
            if data.get("source") and fault:
                raise ValidationError(fault)
        return data

    def send(self) -> Submission:
        """Save the submission that this valid form asks for.

        Raises
        ------
        ValidationError
            If the round has ended, or a worksheet was judged, since the form was checked.
        """
        original: Submission | None = self.cleaned_data.get("original")
        kind = Submission.Kind(self.cleaned_data["kind"])
        with transaction.atomic():
            running.hold(self.interview_round.interview)
            fresh = InterviewRound.objects.select_related(
                "interview__candidate", "version__problem"
            )
            current = fresh.get(pk=self.interview_round.pk)
            if not current.takes(now()):
                raise ValidationError(TOO_LATE, code="too_late")
            drawn = self.version.spec.is_drawn_per_attempt
            if drawn and kind == Submission.Kind.SUBMIT and running.spent(current):
                raise ValidationError(TOO_LATE, code="too_late")
            return running.send(
                current,
                kind,
                self.cleaned_data["source"],
                self.sender,
                replay=replay_of(original) if original else None,
            )


class MinutesForm(forms.Form):
    """How much longer."""

    minutes = forms.IntegerField(min_value=1, max_value=60)


class WordsForm(forms.Form):
    """A note, a question or feedback."""

    text = forms.CharField(max_length=20_000, strip=True)
