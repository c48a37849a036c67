"""The set-up of an interview: rules and rounds, changed until they please, then planned or kept."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from app.accounts.models import User
from app.interviews.beginnings import beginning
from app.interviews.drawing import Dealt, Shelf, put_before
from app.interviews.models import Interview, InterviewRound, SavedTemplate
from app.interviews.models.saved_templates import MOST, NAME_CHARS
from app.interviews.server_time import now
from app.interviews.set_up_rows import (
    Change,
    RowForm,
    forms_of,
    rows_sent,
    told_of_draws,
    what_can_be_added,
)
from problems.interviews.reading import shipped
from problems.interviews.schema import MAX_MINUTES, MAX_STAGES


class RulesForm(forms.Form):
    """What holds for the whole interview."""

    title = forms.CharField(label=_("Name"), max_length=NAME_CHARS)
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


class SetUp:
    """The whole form: what it began from, the rules, and a form for each round.

    Nothing is complained about before `is_valid` was asked: whoever moves a round is not done.
    """

    def __init__(self, user: User, key: str, data: QueryDict | None = None) -> None:
        self.user = user
        self.shelf = Shelf(user)
        self.beginning = beginning(user, key)
        self.rules = RulesForm(data, initial=self.beginning.rules)
        if not self.beginning.may_pause:
            del self.rules.fields["pause"]
        rows = self.beginning.rows if data is None else rows_sent(data)
        self.rows = forms_of(rows, self.shelf)
        self.is_checked = False
        self.error = ""
        self.told = ""
        self.focus = ""

    def change(self, do: str, adding: str) -> None:
        """Move, repeat, add or take out a round, as a button of the form asks."""
        change = Change([dict(form.row) for form in self.rows], self.shelf)
        change.make(do, adding)
        self.rows = forms_of(change.rows, self.shelf)
        self.told, self.focus = change.told, change.focus

    @property
    def can_be_added(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """What the list of rounds to add offers."""
        return what_can_be_added(self.shelf)

    @property
    def has_room(self) -> bool:
        """Whether another round fits in."""
        return len(self.rows) < MAX_STAGES

    @property
    def total(self) -> dict[str, Any]:
        """``round_minutes``; ``break_minutes`` in all, None where breaks have no end; their sum."""
        round_minutes = sum(row.planned_minutes for row in self.rows)
        between = str(self.rules["break_minutes"].value() or "").strip()
        is_open = self.rules["break_minutes"].value() in (None, "")
        minutes = int(between) if between.isdecimal() and len(between) < 5 else 0
        breaks = None if is_open else minutes * max(0, len(self.rows) - 1)
        return {
            "round_minutes": round_minutes,
            "break_minutes": breaks,
            "minutes": round_minutes + (breaks or 0),
        }

    @property
    def warnings(self) -> list[str]:
        """What to know of the draws before the start."""
        return list(told_of_draws(self.rows, self._deal()))

    def is_valid(self) -> bool:
        """Whether the rules and every round are in order."""
        self.is_checked = True
        self.error = self._wrong_in_all()
        # All are asked, so that everything is told at once.
        in_order = all([self.rules.is_valid(), *(row.is_valid() for row in self.rows)])
        return not self._chosen_twice() and in_order and not self.error

    def _wrong_in_all(self) -> str:
        if 1 <= len(self.rows) <= MAX_STAGES:
            return ""
        return gettext(
            "An interview has 1 to %(most)s rounds, yours has %(count)s. Add some or take some out."
        ) % {"most": MAX_STAGES, "count": len(self.rows)}

    def _chosen_twice(self) -> bool:
        taken: set[int] = set()
        found = False
        for row in self.rows:
            if row.chosen is None:
                continue
            if row.chosen.pk in taken:
                found = True
                row.add_error("problem", _("This problem is in the loop already. Choose another."))
            taken.add(row.chosen.pk)
        return found

    def _deal(self) -> dict[int, Dealt | None]:
        """What the rows that draw would get, by their index."""
        chosen = [row.chosen.pk for row in self.rows if row.chosen is not None]
        drawing = [(row.index, row.wish) for row in self.rows if row.wish is not None]
        dealt = self.shelf.deal([wish for _index, wish in drawing], chosen)
        return {index: one for (index, _wish), one in zip(drawing, dealt, strict=True)}

    def save(self) -> Interview | None:
        """The planned interview with its problems drawn; None if a round finds no problem.

        Then the row says so. Call it when `is_valid`.
        """
        dealt = self._deal()
        for index, one in dealt.items():
            if one is None:
                self.rows[index].add_error(
                    "problem",
                    _(
                        "No problem is left for this round: each is in the loop once at most. "
                        "Take the round out."
                    ),
                )
        if None in dealt.values():
            return None
        rules = self.rules.cleaned_data
        with transaction.atomic():
            interview = Interview.objects.create(
                candidate=self.user,
                title=rules["title"],
                template=self.beginning.template,
                with_interviewer=rules["with_interviewer"] == "yes",
                hints_allowed=rules["hints"],
                pause_allowed=rules.get("pause", False),
                break_minutes=rules["break_minutes"],
            )
            for row in self.rows:
                self._add_round(interview, row, dealt.get(row.index))
        return interview

    def _add_round(self, interview: Interview, row: RowForm, dealt: Dealt | None) -> None:
        one = InterviewRound(
            interview=interview, number=row.number, minutes=row.cleaned_data["minutes"]
        )
        if row.chosen is not None:
            put_before(one, Dealt(row.chosen, was_seen=row.chosen.pk in self.shelf.seen))
        elif dealt is not None:
            one.was_drawn, one.tags = True, row.cleaned_data["tags"].split()
            put_before(one, dealt)
        else:
            one.question = shipped().questions[row.name].model_dump(mode="json")
        one.save()

    def keep(self) -> SavedTemplate | None:
        """Keep rules and rounds as the person's own template, in place of one with that name.

        None, with `error`, if they have as many as one can have. Call it when `is_valid`.
        """
        rules = self.rules.cleaned_data
        others = SavedTemplate.objects.filter(owner=self.user).exclude(name=rules["title"])
        if others.count() >= MOST:
            self.error = gettext(
                "One person keeps at most %(most)s templates. Delete one, or take a name that "
                "one of them has: it is replaced then."
            ) % {"most": MOST}
            return None
        kept, _new = SavedTemplate.objects.update_or_create(
            owner=self.user,
            name=rules["title"],
            defaults={
                "with_interviewer": rules["with_interviewer"] == "yes",
                "hints_allowed": rules["hints"],
                "pause_allowed": rules.get("pause", False),
                "break_minutes": rules["break_minutes"],
                "rows": [dict(row.row) for row in self.rows],
                "updated_at": now(),
            },
        )
        return kept
