"""What a set-up begins from: a template of the site, one of the person's own, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.translation import gettext

from app.accounts.models import User
from app.interviews.models import Interview, SavedTemplate
from app.interviews.models.saved_templates import NAME_CHARS
from app.practice.models import Problem
from problems.interviews.reading import shipped
from problems.interviews.schema import Stage, TemplateSpec

DEFAULT_MINUTES = 45  # for a problem that is not drawn yet
# Before keys that are no names of templates of the site, which have no colon.
OWN = "own:"  # a template of one's own
LEFT = "left:"  # the rounds of an interview that were not sat

Row = dict[str, str]  # a round as the form has it: what, tags, problem, minutes


@dataclass(frozen=True)
class Beginning:
    """The values that the form opens with, and what they come from."""

    key: str  # "full-loop", "own:12", or nothing
    title: str
    summary: str
    rules: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    may_pause: bool = True  # a template of the site may forbid that the clock stops
    saved: SavedTemplate | None = None

    @property
    def template(self) -> str:
        """What an interview remembers of it: the name of a template of the site."""
        return "" if ":" in self.key else self.key


def beginning(user: User, key: str) -> Beginning:
    """The one with this key; nothing at all where there is none, or it is another person's."""
    pk = key.removeprefix(OWN)
    if key.startswith(OWN) and pk.isdecimal():
        saved = SavedTemplate.objects.filter(owner=user, pk=int(pk[:18])).first()
        if saved is not None:
            return _of_saved(saved)
    if key.startswith(LEFT):
        found = _interview(user, key.removeprefix(LEFT))
        if found is not None:
            return _of_what_is_left(key, found)
    spec = shipped().templates.get(key)
    return _of_nothing() if spec is None else _of_site(key, spec)


def _of_nothing() -> Beginning:
    title = gettext("Your own loop")
    rules = {"title": title, "hints": True, "pause": False, "break_minutes": 10}
    summary = gettext("Choose the rounds, the minutes and the rules yourself.")
    return Beginning("", title, summary, {**rules, "with_interviewer": ""})


def _of_site(key: str, spec: TemplateSpec) -> Beginning:
    rules = {
        "title": spec.title,
        "with_interviewer": "",
        "hints": spec.hints,
        "pause": spec.pause,
        "break_minutes": spec.break_minutes,
    }
    rows = [row for stage in spec.stages for row in _rows_of(stage)]
    return Beginning(key, spec.title, spec.summary, rules, rows, may_pause=spec.pause)


def _of_saved(saved: SavedTemplate) -> Beginning:
    rules = {
        "title": saved.name,
        "with_interviewer": "yes" if saved.with_interviewer else "",
        "hints": saved.hints_allowed,
        "pause": saved.pause_allowed,
        "break_minutes": saved.break_minutes,
    }
    summary = gettext("A template of your own.")
    return Beginning(f"{OWN}{saved.pk}", saved.name, summary, rules, list(saved.rows), saved=saved)


def _interview(user: User, pk: str) -> Interview | None:
    try:
        return Interview.objects.filter(candidate=user, pk=UUID(pk)).first()
    except ValueError:
        return None


def _of_what_is_left(key: str, interview: Interview) -> Beginning:
    rules = {
        "title": interview.title[:NAME_CHARS],
        "with_interviewer": "yes" if interview.with_interviewer else "",
        "hints": interview.hints_allowed,
        "pause": interview.pause_allowed,
        "break_minutes": interview.break_minutes,
    }
    names = {question.title: name for name, question in shipped().questions.items()}
    rows = []
    for one in interview.rounds.filter(status="waiting").select_related("version__problem"):
        if one.version is None and one.title in names:
            rows.append(row_of(f"question:{names[one.title]}", one.minutes))
        elif one.version is not None:
            problem = "" if one.was_drawn else one.version.problem.slug
            tags = " ".join(one.tags)
            rows.append(row_of(f"round:{one.loop_round}", one.minutes, problem, tags))
    summary = gettext("The rounds that were not sat then.")
    return Beginning(key, interview.title, summary, rules, rows, interview.pause_allowed)


def _rows_of(stage: Stage) -> Iterator[Row]:
    if stage.question is not None:
        minutes = stage.minutes or shipped().questions[stage.question].minutes
        yield row_of(f"question:{stage.question}", minutes)
    elif stage.problem is not None:
        # A template may name a problem that this site does not have.
        for problem in Problem.objects.filter(slug=stage.problem):
            yield row_of(f"round:{problem.round}", stage.minutes or problem.minutes, stage.problem)
    else:
        tags = " ".join(stage.tags)
        yield row_of(f"round:{stage.round}", stage.minutes or DEFAULT_MINUTES, tags=tags)


def row_of(what: str, minutes: int, problem: str = "", tags: str = "") -> Row:
    """A round as the form has it."""
    return {"what": what, "tags": tags, "problem": problem, "minutes": str(minutes)}
