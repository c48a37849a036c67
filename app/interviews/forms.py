"""What is sent in a round, checked: a source, minutes, a note."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from app.accounts.models import User
from app.interviews import running
from app.interviews.models import InterviewRound, Role, TooLate
from app.interviews.room import recording
from app.interviews.room.documents import OutOfStep, TooLarge, is_live
from app.interviews.room.updates import MalformedUpdate
from app.interviews.server_time import now
from app.practice.drawn import unread
from app.practice.forms import SubmissionForm, check_text, replay_of
from app.practice.models import ProblemVersion, Submission

TOO_LATE = _("A round takes submissions while it runs, and this one does not. Reload the page.")
TOO_LARGE = _("The text of this round is too large to keep. Delete what it does not need.")
UPDATE = "update"  # what a live editor adds to a form: all that it has and the server may not


def take_along(one: InterviewRound, coded: str, by: User) -> str:
    """Keep what a live editor had not yet sent; the text with it. `coded` is base64, or empty.

    Raises
    ------
    ValidationError
        If the round does not take it, or it is no update of this round's text.
    """
    broken = _("What your page sent does not fit the text of this round. Reload the page.")
    if not is_live(one):
        raise ValidationError(broken)
    try:
        return recording.take(one, b64decode(coded or NOTHING_NEW, validate=True), by)
    except TooLate:
        raise ValidationError(TOO_LATE, code="too_late") from None
    except TooLarge:
        raise ValidationError(TOO_LARGE, code="too_large") from None
    except (MalformedUpdate, OutOfStep, ValueError):
        raise ValidationError(broken) from None


NOTHING_NEW = "AAA="  # an update of no words and no deletions


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
        by_form = not is_live(self.interview_round)
        if not self.interview_round.takes(now()):
            raise ValidationError(TOO_LATE, code="too_late")
        if self.role is not Role.CANDIDATE and by_form:
            raise ValidationError(_("Only the candidate fills in this round's form."))
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
            If the round has ended, or a worksheet was judged, since the form was checked; if the
            text that others write too has become one that cannot be judged.
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
            source = self.cleaned_data["source"]
            if UPDATE in self.data:
                # The other may have written since: what is judged is the text as it stands.
                source = current.text
                check_text(source, self.version.spec.limits.source_kib)
            try:
                return running.send(
                    current,
                    kind,
                    source,
                    self.sender,
                    replay=replay_of(original) if original else None,
                )
            except TooLarge:
                raise ValidationError(TOO_LARGE, code="too_large") from None


class MinutesForm(forms.Form):
    """How much longer."""

    minutes = forms.IntegerField(min_value=1, max_value=60)


class WordsForm(forms.Form):
    """A note, a question or feedback."""

    text = forms.CharField(max_length=20_000, strip=True)
