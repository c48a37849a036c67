"""The set-up of an interview: rules, and one row for each round that could be in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from app.accounts.models import User
from app.interviews.drawing import NothingNew, draw, offered, seen_by
from app.interviews.models import Interview, InterviewRound
from app.practice.answer_form import canonical
from app.practice.models import Problem
from app.practice.rounds import ROUNDS, round_text
from problems.interviews.reading import shipped
from problems.interviews.schema import MAX_MINUTES, MAX_STAGES, Stage, TemplateSpec

DEFAULT_MINUTES = 45  # for a problem that is not drawn yet


class RulesForm(forms.Form):
    """What holds for the whole interview."""

    with_interviewer = forms.ChoiceField(
        label=_("Who asks"),
        choices=[("", _("Nobody: alone, against the clock")), ("yes", _("An interviewer"))],
        required=False,
        widget=forms.RadioSelect,
    )
    hints = forms.BooleanField(label=_("Hints are allowed"), required=False)
    pause = forms.BooleanField(label=_("The clock may be stopped"), required=False)
    break_minutes = forms.IntegerField(
        label=_("Minutes of break between rounds"),
        help_text=_("Empty: the next round waits until somebody begins it."),
        required=False,
        min_value=0,
        max_value=MAX_MINUTES,
    )


class StageForm(forms.Form):
    """One round that may be in the interview: of the path, or a question."""

    on = forms.BooleanField(required=False)
    what = forms.CharField(widget=forms.HiddenInput)
    tags = forms.CharField(required=False, widget=forms.HiddenInput)
    problem = forms.ChoiceField(required=False, label=_("Problem"))
    minutes = forms.IntegerField(label=_("Minutes"), min_value=1, max_value=MAX_MINUTES)

    def __init__(self, *args: Any, user: User, stage: Stage | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        what = str(
            self.data.get(self.add_prefix("what")) if self.is_bound else self.initial["what"]
        )
        self.kind, _colon, self.name = what.partition(":")
        problem = self.fields["problem"]
        assert isinstance(problem, forms.ChoiceField)  # noqa: S101  for the type checker
        problem.choices = list(self._problems())

    @property
    def title(self) -> str:
        """The round or the question, in words."""
        if self.kind == "question":
            question = shipped().questions.get(self.name)
            return question.title if question else ""
        text = round_text(int(self.name)) if self.name.isdigit() else None
        return str(text.name) if text else ""

    @property
    def about(self) -> str:
        """One sentence about it."""
        if self.kind == "question":
            question = shipped().questions.get(self.name)
            return question.summary if question else ""
        text = round_text(int(self.name)) if self.name.isdigit() else None
        return str(text.about) if text else ""

    @property
    def is_on(self) -> bool:
        return bool(self["on"].value())

    def _problems(self) -> Iterator[tuple[str, str]]:
        if self.kind != "round" or not self.name.isdigit():
            return
        problems = list(offered().filter(round=int(self.name)))
        seen = set(seen_by(self.user).values_list("pk", flat=True))
        unseen = sum(problem.pk not in seen for problem in problems)
        yield "", gettext("Drawn, new to me (%(count)s left)") % {"count": unseen}
        for problem in problems:
            mark = f" · {gettext('seen')}" if problem.pk in seen else ""
            yield problem.slug, f"{problem.title}{mark}"

    def clean_what(self) -> str:
        if not self.title:
            raise forms.ValidationError(_("There is no such round or question. Reload the page."))
        return str(self.cleaned_data["what"])


class SetUp:
    """The whole form: rules and rows, from a template or from nothing."""

    def __init__(self, user: User, template_name: str, data: QueryDict | None = None) -> None:
        self.user = user
        template = shipped().templates.get(template_name)
        self.template_name = template_name if template else ""
        self.template = template
        self.error = ""
        self.rules = RulesForm(data, initial=_rules_of(template))
        if template is not None and not template.pause:
            del self.rules.fields["pause"]
        if data is None:
            self.rows = [
                StageForm(prefix=f"stage-{index}", initial=initial, user=user)
                for index, initial in enumerate(_rows_of(template))
            ]
        else:
            self.rows = [
                StageForm(data, prefix=f"stage-{index}", user=user)
                for index in range(_row_count(data))
            ]

    @property
    def title(self) -> str:
        return self.template.title if self.template else gettext("Your own loop")

    def is_valid(self) -> bool:
        """Whether the rules, and every row that is on, are in order."""
        chosen = [row for row in self.rows if row.is_on]
        if not 1 <= len(chosen) <= MAX_STAGES:
            self.error = gettext(
                "An interview has 1 to %(most)s rounds, you chose %(count)s. Choose others."
            ) % {"most": MAX_STAGES, "count": len(chosen)}
        # All are asked, so that everything is told at once.
        return all([self.rules.is_valid(), *(row.is_valid() for row in chosen)]) and not self.error

    def save(self) -> Interview | None:
        """The planned interview with its problems drawn; None if one could not be.

        Then the row says so. Call it when `is_valid`.
        """
        rules = self.rules.cleaned_data
        with transaction.atomic():
            interview = Interview.objects.create(
                candidate=self.user,
                title=self.title,
                template=self.template_name,
                with_interviewer=rules["with_interviewer"] == "yes",
                hints_allowed=rules["hints"],
                pause_allowed=rules.get("pause", False),
                break_minutes=rules["break_minutes"],
            )
            taken: set[int] = set()
            for number, row in enumerate((row for row in self.rows if row.is_on), start=1):
                self._add_round(interview, number, row, taken)
            if any(row.errors for row in self.rows if row.is_on):
                transaction.set_rollback(True)
                return None
        return interview

    def _add_round(
        self, interview: Interview, number: int, row: StageForm, taken: set[int]
    ) -> None:
        minutes = row.cleaned_data["minutes"]
        if row.kind == "question":
            question = shipped().questions[row.name].model_dump(mode="json")
            InterviewRound.objects.create(
                interview=interview, number=number, question=question, minutes=minutes
            )
            return
        slug = row.cleaned_data["problem"]
        try:
            problem = self._problem(int(row.name), slug, row.cleaned_data["tags"].split(), taken)
        except NothingNew:
            row.add_error(
                "problem",
                _(
                    "A drawn problem must be new to you, and you have seen all of this round. "
                    "Choose one by name, or take the round out."
                ),
            )
            return
        version = problem.current_version
        assert version is not None  # noqa: S101  `offered` has only such
        taken.add(problem.pk)
        InterviewRound.objects.create(
            interview=interview,
            number=number,
            version=version,
            was_drawn=not slug,
            minutes=minutes,
            text=canonical(version.spec, version.starter),
        )

    def _problem(self, number: int, slug: str, tags: list[str], taken: set[int]) -> Problem:
        if slug:
            return offered().select_related("current_version").get(slug=slug)
        return draw(self.user, number, tags, taken)


def _rules_of(template: TemplateSpec | None) -> dict[str, Any]:
    if template is None:
        return {"with_interviewer": "", "hints": True, "pause": False, "break_minutes": 10}
    return {
        "with_interviewer": "",
        "hints": template.hints,
        "pause": template.pause,
        "break_minutes": template.break_minutes,
    }


def _rows_of(template: TemplateSpec | None) -> Iterator[dict[str, Any]]:
    """The template's stages in its order, chosen; then whatever else there is, not chosen."""
    used: set[str] = set()
    for stage in template.stages if template else ():
        initial = _row_of(stage)
        used.add(initial["what"])
        yield initial
    for text in ROUNDS:
        if f"round:{int(text.number)}" not in used:
            yield {"what": f"round:{int(text.number)}", "minutes": DEFAULT_MINUTES, "on": False}
    for name, question in shipped().questions.items():
        if f"question:{name}" not in used:
            yield {"what": f"question:{name}", "minutes": question.minutes, "on": False}


def _row_of(stage: Stage) -> dict[str, Any]:
    if stage.question is not None:
        minutes = stage.minutes or shipped().questions[stage.question].minutes
        return {"what": f"question:{stage.question}", "minutes": minutes, "on": True}
    named = offered().filter(slug=stage.problem).first() if stage.problem else None
    number = stage.round or (named.round if named else 1)
    minutes = stage.minutes or (named.minutes if named else DEFAULT_MINUTES)
    return {
        "what": f"round:{number}",
        "tags": " ".join(stage.tags),
        "problem": stage.problem if named else "",
        "minutes": minutes,
        "on": True,
    }


def _row_count(data: QueryDict) -> int:
    """Rows of a form that came back; a form of ours never has more than these."""
    most = MAX_STAGES + len(ROUNDS) + len(shipped().questions)
    return next((n for n in range(most) if f"stage-{n}-what" not in data), most)
