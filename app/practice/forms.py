"""What a person sends, checked: a source, a draft, the filters of the history."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from app.accounts.models import User
from app.practice.drawn import unread
from app.practice.judging import queue_of
from app.practice.models import Attempt, AttemptSpent, Problem, ProblemVersion, Submission
from graders.verdict import JsonObject

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"  # what a decoder writes where the bytes were no UTF-8


def check_text(text: str, limit_kib: int) -> None:
    """Refuse a text that could not be stored or judged as it is.

    Raises
    ------
    ValidationError
        If it is larger than `limit_kib` as UTF-8 (code ``too_large``), or holds a NUL, a lone
        surrogate or bytes that were no UTF-8.
    """
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError:
        raise ValidationError(_not_utf8(text), code="not_utf8") from None
    if size_bytes > limit_kib * 1024:
        raise ValidationError(
            _("The source may have %(limit)s KiB, yours has %(size).1f KiB. Shorten it."),
            code="too_large",
            params={"limit": limit_kib, "size": size_bytes / 1024},
        )
    if "\0" in text:
        raise ValidationError(
            _("The source must not hold NUL bytes, line %(line)s has one. Delete it."),
            code="nul",
            params={"line": _line_of(text, "\0")},
        )
    if REPLACEMENT in text:
        raise ValidationError(_not_utf8(text), code="not_utf8")


def _not_utf8(text: str) -> str:
    odd = next((c for c in text if c == REPLACEMENT or "\ud800" <= c <= "\udfff"), REPLACEMENT)
    return str(
        _(
            "The source must be UTF-8 text, line %(line)s has bytes that are not. "
            "Save the file as UTF-8 and paste it again."
        )
        % {"line": _line_of(text, odd)}
    )


def _line_of(text: str, character: str) -> int:
    return text.count("\n", 0, text.index(character)) + 1


class SubmissionForm(forms.Form):
    """A source on its way to the judge."""

    source = forms.CharField(
        strip=False,
        error_messages={
            "required": _("A submission needs a source, yours is empty. Write some code first.")
        },
    )
    kind = forms.ChoiceField(
        choices=Submission.Kind.choices,
        error_messages={
            "required": _("A submission must say whether to run, submit or replay."),
            "invalid_choice": _("A submission is run, submit or replay, not “%(value)s”."),
        },
    )
    replay_of = forms.UUIDField(required=False)
    attempt = forms.IntegerField(required=False)  # the number of the values that were shown

    def __init__(self, data: Any, *, user: User, problem: Problem, version: ProblemVersion) -> None:
        super().__init__(data)
        self.user = user
        self.problem = problem
        self.version = version
        source = self.fields["source"]
        # Ours names the line.
        source.validators = [
            validator
            for validator in source.validators
            if not isinstance(validator, ProhibitNullCharactersValidator)
        ]

    def clean_source(self) -> str:
        # A form's textarea sends CRLF by the standard; the editor sends what was typed.
        source = str(self.cleaned_data["source"]).replace("\r\n", "\n")
        if not source.strip():
            raise ValidationError(self.fields["source"].error_messages["required"], "required")
        check_text(source, self.version.spec.limits.source_kib)
        return source

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("kind") == Submission.Kind.REPLAY:
            self.cleaned_data["original"] = self._original(self.cleaned_data.get("replay_of"))
        elif self.version.spec.is_drawn_per_attempt:
            self.cleaned_data["drawn"] = self._drawn(self.cleaned_data.get("attempt"))
        return self.cleaned_data

    def _drawn(self, number: int | None) -> Attempt:
        """The values that these answers are to, as the server keeps them."""
        attempt = Attempt.current(self.user, self.version)
        if number is not None and number != attempt.number:
            raise ValidationError(
                _(
                    "Answers belong to the values that they were worked out for, and others have "
                    "been drawn since. Reload the page to see them."
                )
            )
        if self.cleaned_data.get("kind") == Submission.Kind.SUBMIT:
            if attempt.is_spent:
                raise ValidationError(_ALREADY_JUDGED)
            # A forgotten unit is not to use the values up: their right answers would be shown.
            source = str(self.cleaned_data.get("source", ""))
            fault = unread(self.version, source, attempt.seed)
            if source and fault:
                raise ValidationError(fault)
        return attempt

    def _original(self, pk: UUID | None) -> Submission:
        mine = Submission.objects.visible_to(self.user).filter(version__problem=self.problem)
        original = mine.filter(pk=pk).select_related("version").first() if pk else None
        if original is None or replay_of(original) is None:
            raise ValidationError(
                _("A replay needs a submission with a counterexample, this one has none.")
            )
        return original

    def send(self) -> Submission:
        """Save the submission that this valid form asks for.

        Raises
        ------
        ValidationError
            If another tab had the same values judged meanwhile.
        """
        data = self.cleaned_data
        original: Submission | None = data.get("original")
        drawn: Attempt | None = data.get("drawn")
        # A counterexample belongs to the version that found it.
        version = original.judging_version if original else self.version
        kind = Submission.Kind(data["kind"])
        try:
            with transaction.atomic():
                submission = Submission.send(
                    self.user,
                    version,
                    kind,
                    data["source"],
                    replay=replay_of(original) if original else None,
                    queue=queue_of(version.spec),
                    seed=drawn.seed if drawn else None,
                )
                if drawn and kind == Submission.Kind.SUBMIT:
                    drawn.spend(submission)
        except AttemptSpent:
            raise ValidationError(_ALREADY_JUDGED) from None
        return submission


_ALREADY_JUDGED = _(
    "Values are judged once, and these have been: their right answers were shown. "
    "Draw new values to try again."
)


def replay_of(submission: Submission) -> JsonObject | None:
    """What judges the submission's counterexample again; None if it has none."""
    counterexample = (submission.report or {}).get("counterexample")
    replay = counterexample.get("replay") if isinstance(counterexample, dict) else None
    return replay if isinstance(replay, dict) and replay else None


@dataclass(frozen=True, slots=True)
class DraftChange:
    """A draft as a browser sends it."""

    text: str
    base_revision: int

    @classmethod
    def parse(cls, body: bytes, limit_kib: int) -> DraftChange:
        """Read the JSON ``{"text": str, "base_revision": int}``.

        Raises
        ------
        ValidationError
            If it is no such object, or the text cannot be kept.
        """
        try:
            change = json.loads(body)
            text, base_revision = change["text"], change["base_revision"]
        except (ValueError, TypeError, KeyError):
            text, base_revision = None, None
        if not isinstance(text, str) or type(base_revision) is not int or base_revision < 0:
            raise ValidationError(
                _('A draft is UTF-8 JSON like {"text": "...", "base_revision": 3}, this is not.')
            )
        # A draft may be longer than a submission may: shortening it takes several saves.
        check_text(text, 4 * limit_kib)
        return cls(text, base_revision)


class HistoryForm(forms.Form):
    """The filters of the history; whatever is not understood does not filter."""

    problem = forms.ModelChoiceField(
        Problem.objects.order_by("round", "title"),
        required=False,
        to_field_name="slug",
        empty_label=_("All problems"),
        label=_("Problem"),
    )
    kind = forms.ChoiceField(required=False, label=_("Kind"))
    verdict = forms.ChoiceField(required=False, label=_("Verdict"))
    since = forms.DateField(
        required=False, label=_("Since"), widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        required=False, label=_("Until"), widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        kind, verdict = self.fields["kind"], self.fields["verdict"]
        assert isinstance(kind, forms.ChoiceField)  # noqa: S101  for the type checker
        assert isinstance(verdict, forms.ChoiceField)  # noqa: S101
        kind.choices = [("", _("All kinds")), *Submission.Kind.choices]
        verdict.choices = [("", _("All verdicts")), *Submission.Outcome.choices]
        self.fields["problem"].label_from_instance = lambda problem: problem.title  # type: ignore[attr-defined]

    def apply(self, submissions: Any) -> Any:
        """The submissions that the understood filters leave."""
        self.is_valid()
        chosen = {name: value for name, value in self.cleaned_data.items() if value}
        lookups = {
            "problem": "version__problem",
            "kind": "kind",
            "verdict": "verdict",
            "since": "created_at__date__gte",
            "until": "created_at__date__lte",
        }
        return submissions.filter(**{lookups[name]: value for name, value in chosen.items()})
