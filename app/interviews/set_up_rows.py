"""The rounds of a set-up while it is made: a form for each, and what the buttons do to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from app.interviews.beginnings import DEFAULT_MINUTES, Row, row_of
from app.interviews.drawing import Shelf, Wish
from app.practice.models import Problem
from app.practice.rounds import ROUNDS, round_text
from problems.interviews.reading import shipped
from problems.interviews.schema import MAX_MINUTES, MAX_STAGES

KEYS = ("what", "tags", "problem", "minutes")


class RowForm(forms.Form):
    """One round of the loop: a problem of the path, drawn or chosen, or a question."""

    what = forms.CharField(widget=forms.HiddenInput)
    tags = forms.CharField(required=False, widget=forms.HiddenInput)
    problem = forms.ChoiceField(required=False, label=_("Problem"))
    minutes = forms.IntegerField(label=_("Minutes"), min_value=1, max_value=MAX_MINUTES)

    def __init__(self, row: Mapping[str, str], index: int, shelf: Shelf) -> None:
        prefix = f"stage-{index}"
        super().__init__({f"{prefix}-{key}": row.get(key, "") for key in KEYS}, prefix=prefix)
        self.row, self.index, self.shelf = row, index, shelf
        self.kind, _colon, self.name = row.get("what", "").partition(":")
        problem = self.fields["problem"]
        assert isinstance(problem, forms.ChoiceField)  # noqa: S101  for the type checker
        problem.choices = list(self._problems())

    @property
    def number(self) -> int:
        """Its place in the loop, from 1."""
        return self.index + 1

    @property
    def place(self) -> str:
        """Its index as the values and ids of its buttons have it."""
        return str(self.index)

    @property
    def loop_round(self) -> int | None:
        """Which of the seven rounds its problem is of; None for a question."""
        if self.kind == "round" and self.name.isdecimal() and round_text(int(self.name)):
            return int(self.name)
        return None

    @property
    def title(self) -> str:
        """The round or the question, in words; nothing where there is no such."""
        if self.kind == "question":
            question = shipped().questions.get(self.name)
            return question.title if question else ""
        text = round_text(self.loop_round) if self.loop_round else None
        return str(text.name) if text else ""

    @property
    def about(self) -> str:
        """One sentence about it."""
        if self.kind == "question":
            question = shipped().questions.get(self.name)
            return question.summary if question else ""
        text = round_text(self.loop_round) if self.loop_round else None
        return str(text.about) if text else ""

    @property
    def chosen(self) -> Problem | None:
        """The problem that is named, unless it is to be drawn."""
        problem = self.shelf.find(self.row.get("problem", "") or "")
        return problem if problem is not None and problem.round == self.loop_round else None

    @property
    def wish(self) -> Wish | None:
        """What is to be drawn for it; None for a chosen problem or a question."""
        if self.loop_round is None or self.row.get("problem"):
            return None
        return Wish(self.loop_round, tuple(self.row.get("tags", "").split()))

    @property
    def planned_minutes(self) -> int:
        """The minutes as far as they can be read; 0 until then."""
        typed = self.row.get("minutes", "").strip()
        return min(int(typed), MAX_MINUTES) if typed.isdecimal() and len(typed) < 5 else 0

    def _problems(self) -> Iterator[tuple[str, str]]:
        if self.loop_round is None:
            return
        wish = Wish(self.loop_round, tuple(self.row.get("tags", "").split()))
        fitting = [
            problem for problem in self.shelf.of_round(self.loop_round) if wish.fits(problem)
        ]
        unseen = sum(problem.pk not in self.shelf.seen for problem in fitting)
        if unseen or not fitting:
            yield "", gettext("Drawn, %(count)s new to me") % {"count": unseen}
        else:
            yield (
                "",
                gettext("Drawn, from %(count)s seen") % {"count": len(fitting)},
            )
        for problem in self.shelf.of_round(self.loop_round):
            mark = f" · {gettext('seen')}" if problem.pk in self.shelf.seen else ""
            yield problem.slug, f"{problem.title}{mark}"

    def clean_what(self) -> str:
        if not self.title:
            raise forms.ValidationError(_("There is no such round or question. Take it out."))
        return str(self.cleaned_data["what"])


def rows_sent(data: QueryDict) -> list[Row]:
    """The rows of a form that came back, in their order; a form of ours has no more than these."""
    rows: list[Row] = []
    for index in range(MAX_STAGES + 1):
        if f"stage-{index}-what" not in data:
            break
        rows.append({key: str(data.get(f"stage-{index}-{key}", "")) for key in KEYS})
    return rows


def what_can_be_added(shelf: Shelf) -> list[tuple[str, list[tuple[str, str]]]]:
    """Choices in groups: a problem of a round, drawn; a talk; a problem by its name."""
    drawn = [(f"round:{int(text.number)}", f"{int(text.number)} · {text.name}") for text in ROUNDS]
    talks = [(f"question:{name}", spec.title) for name, spec in shipped().questions.items()]
    named = sorted(shelf.problems.values(), key=lambda problem: (problem.round, problem.title))
    return [
        (gettext("A problem of a round, drawn"), drawn),
        (gettext("A talk"), talks),
        (
            gettext("This problem"),
            [(f"problem:{one.slug}", f"{one.round} · {one.title}") for one in named],
        ),
    ]


class Change:
    """What one of the buttons did: the new rows, where to go on, and a word about it."""

    def __init__(self, rows: list[Row], shelf: Shelf) -> None:
        self.rows, self.shelf = rows, shelf
        self.focus = ""  # the control that the keyboard stays on
        self.told = ""

    def make(self, do: str, adding: str) -> None:
        """Do what a button with this value asks: "add", "up:2", "down:0", "again:1", "remove:3".

        Anything else, such as a button of a row that is no longer there, changes nothing.
        """
        verb, _colon, place = do.partition(":")
        if verb == "add":
            self._add(adding)
            return
        index = int(place) if place.isdecimal() and len(place) < 3 else len(self.rows)
        if index >= len(self.rows):
            return
        match verb:
            case "up" if index > 0:
                self._swap(index, index - 1, "up")
            case "down" if index < len(self.rows) - 1:
                self._swap(index, index + 1, "down")
            case "again":
                self._insert(index + 1, {**self.rows[index], "problem": ""})
                self.focus = f"again-{index + 1}"
            case "remove":
                self._remove(index)

    def _swap(self, old: int, new: int, verb: str) -> None:
        self.rows[old], self.rows[new] = self.rows[new], self.rows[old]
        self.told = gettext("%(title)s is now round %(number)s of %(count)s.") % {
            "title": self._title(new),
            "number": new + 1,
            "count": len(self.rows),
        }
        if new == 0:  # at an end the button that was pressed is of no more use
            verb = "down"
        elif new == len(self.rows) - 1:
            verb = "up"
        self.focus = f"{verb}-{new}"

    def _remove(self, index: int) -> None:
        self.told = gettext("%(title)s is out of the loop.") % {"title": self._title(index)}
        del self.rows[index]
        last = len(self.rows) - 1
        self.focus = f"remove-{min(index, last)}" if self.rows else "adding"

    def _add(self, adding: str) -> None:
        kind, _colon, name = adding.partition(":")
        self.focus = "adding"
        if kind == "problem" and (problem := self.shelf.find(name)) is not None:
            row = row_of(f"round:{problem.round}", problem.minutes, problem.slug)
        elif kind == "question" and name in shipped().questions:
            row = row_of(adding, shipped().questions[name].minutes)
        elif kind == "round" and name.isdecimal() and round_text(int(name[:3])):
            row = row_of(adding, DEFAULT_MINUTES)
        else:
            return
        self._insert(len(self.rows), row)

    def _insert(self, index: int, row: Row) -> None:
        if len(self.rows) >= MAX_STAGES:
            self.told = gettext(
                "An interview has at most %(most)s rounds. Take one out before you add another."
            ) % {"most": MAX_STAGES}
            return
        self.rows.insert(index, row)
        self.told = gettext("%(title)s is now round %(number)s of %(count)s.") % {
            "title": self._title(index),
            "number": index + 1,
            "count": len(self.rows),
        }

    def _title(self, index: int) -> str:
        return RowForm(self.rows[index], index, self.shelf).title


def forms_of(rows: list[Row], shelf: Shelf) -> list[RowForm]:
    """A form for each row."""
    return [RowForm(row, index, shelf) for index, row in enumerate(rows)]


def told_of_draws(forms: list[RowForm], dealt: Mapping[int, Any]) -> Iterator[str]:
    """Which rounds would bring back a problem that was seen, and which would find none.

    Parameters
    ----------
    dealt : mapping of int
        What a dealing gave to the rows, by their index; nothing for rows that draw none.
    """
    for form in forms:
        if form.index not in dealt:
            continue
        told = {"number": form.number, "title": form.title}
        if dealt[form.index] is None:
            yield (
                gettext(
                    "Round %(number)s, %(title)s: this site has no problem left for it. "
                    "Choose another or take it out."
                )
                % told
            )
        elif dealt[form.index].was_seen:
            yield (
                gettext(
                    "Round %(number)s, %(title)s: nothing new to you is left, "
                    "so one that you have seen comes back."
                )
                % told
            )
