"""The rubric below a verdict: levels that were computed, levels that a person chooses."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _

from app.designs.checking import is_design
from app.designs.models import SelfReview
from app.practice.models import Submission
from problems.schema import RubricLevel

MAX_NOTE_CHARACTERS = 4000


def can_be_reviewed(submission: Submission) -> bool:
    """Whether there is something to review: a design that was sent to be judged, and was."""
    not_assessed = ("", Submission.Outcome.COMPILE_ERROR, Submission.Outcome.JUDGE_ERROR)
    return (
        submission.kind == Submission.Kind.SUBMIT
        and submission.verdict not in not_assessed
        and is_design(submission.version.spec)
        and bool(submission.version.spec.rubric)
    )


def review_context(submission: Submission, computed: list[dict[str, Any]]) -> dict[str, Any]:
    """The rubric's lines with what is known of each.

    Parameters
    ----------
    computed : list of dict
        ``{criterion, level, why}`` of the report: what the package's model could tell.
    """
    saved = SelfReview.objects.filter(submission=submission).first()
    chosen = saved.levels if saved else {}
    by_name = {line["criterion"]: line for line in computed}
    lines = []
    for index, line in enumerate(submission.version.spec.rubric):
        told = by_name.get(line.criterion)
        level = told["level"] if told else chosen.get(line.criterion)
        lines.append(
            {
                "name": f"level.{index}",
                "criterion": line.criterion,
                "why": told["why"] if told else "",
                "is_computed": told is not None,
                "is_open": level is None,
                "levels": [
                    {"number": number, "text": text, "is_chosen": number == level}
                    for number, text in enumerate(line.levels)
                ],
            }
        )
    return {
        "lines": lines,
        "note": saved.note if saved else "",
        "updated_at": saved.updated_at if saved else None,
        "max_note_characters": MAX_NOTE_CHARACTERS,
    }


class SelfReviewForm(forms.Form):
    """A level for each line of the rubric that a person judges, and a note."""

    note = forms.CharField(required=False, max_length=MAX_NOTE_CHARACTERS)

    def __init__(self, data: QueryDict, rubric: list[RubricLevel]) -> None:
        super().__init__(data)
        self.rubric = rubric

    def clean(self) -> dict[str, Any]:
        levels: dict[str, int] = {}
        for index, line in enumerate(self.rubric):
            given = self.data.get(f"level.{index}", "")
            if not given:
                continue
            if not given.isdecimal() or len(given) > 3 or int(given) >= len(line.levels):
                raise ValidationError(
                    _("A level must be one of the rubric's, %(level)s of “%(criterion)s” is none."),
                    params={"level": given[:20], "criterion": line.criterion},
                )
            levels[line.criterion] = int(given)
        self.cleaned_data["levels"] = levels
        return self.cleaned_data

    def save(self, submission: Submission) -> SelfReview:
        """Keep it with the submission, in place of what was chosen before."""
        review, _created = SelfReview.objects.update_or_create(
            submission=submission,
            defaults={
                "levels": self.cleaned_data["levels"],
                "note": self.cleaned_data["note"],
            },
        )
        return review
