"""How spans of time, moments and marks are written for people."""

from __future__ import annotations

import math
from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from app.interviews.beginnings import DEFAULT_MINUTES
from app.interviews.models import InterviewRound, Mark, Moment
from app.practice.models import Submission
from app.practice.templatetags.practice import sentence
from problems.interviews.reading import shipped
from problems.interviews.schema import TemplateSpec

register = template.Library()


@register.filter
def hours(seconds: float) -> str:
    """A span as a clock shows it: "4:05", "1:02:09"; rounded up, as a countdown is read."""
    whole = max(0, math.ceil(float(seconds)))
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


@register.filter
def time_left(clock: dict[str, Any]) -> str:
    """What the clock shows when the page arrives; a script takes over from there."""
    return hours(_left_ms(clock) / 1000) if _left_ms(clock) else "\N{EN DASH}"


@register.filter
def time_left_in_all(clock: dict[str, Any]) -> str:
    """The same for all rounds together, without breaks."""
    running_ms = 0 if clock["state"] == "break" else _left_ms(clock)
    return hours((running_ms + clock["later_ms"]) / 1000)


def _left_ms(clock: dict[str, Any]) -> float:
    if clock["left_ms"] is not None:
        return float(clock["left_ms"])
    until = clock["deadline_ms"] or clock["break_ends_ms"]
    return 0.0 if until is None else max(0.0, until - clock["now_ms"])


@register.filter
def planned_time(spec: TemplateSpec) -> str:
    """About how long a template takes, without breaks: "45 min", "3 h 20 min"."""
    total = sum(
        stage.minutes
        or (shipped().questions[stage.question].minutes if stage.question else DEFAULT_MINUTES)
        for stage in spec.stages
    )
    return in_hours(total)


@register.filter
def in_hours(minutes: int) -> str:
    """A planned span: "45 min", "3 h 20 min"."""
    hour, minute = divmod(minutes, 60)
    if not hour:
        return _("%(minutes)s min") % {"minutes": minute}
    if not minute:
        return _("%(hours)s h") % {"hours": hour}
    return _("%(hours)s h %(minutes)s min") % {"hours": hour, "minutes": minute}


@register.filter
def kind_in_words(kind: str) -> str:
    """A moment's kind: "round_began" -> "Round began"."""
    return str(Moment.Kind(kind).label)


@register.filter
def sent_as(kind: str) -> str:
    """How something was sent: "submit" -> "Submit"."""
    return str(Submission.Kind(kind).label)


@register.filter
def told(moment: dict[str, Any]) -> str:
    """What a moment of the timeline says beyond its kind."""
    payload = moment["payload"]
    match moment["kind"]:
        case Moment.Kind.ROUND_BEGAN | Moment.Kind.TIME_ADDED:
            count = int(payload.get("minutes", 0))
            return ngettext("%(count)s minute", "%(count)s minutes", count) % {"count": count}
        case Moment.Kind.READY:
            return "" if payload.get("ready") else _("not after all")
        case Moment.Kind.SENT:
            word = str(Submission.Kind(payload["kind"]).label)
            return f"{word} · {_('at the end of the round')}" if payload.get("automatic") else word
        case Moment.Kind.VERDICT:
            outcome = payload["verdict"]
            word = str(Submission.Outcome(outcome).label) if outcome else _("Cancelled")
            told = f"{Submission.Kind(payload['kind']).label}: {word}"
            if not payload.get("rejudged"):
                return told
            before = payload["before"]
            former = str(Submission.Outcome(before).label) if before else _("Cancelled")
            return _("%(told)s, judged again; before: %(former)s") % {
                "told": told,
                "former": former,
            }
        case Moment.Kind.COUNTEREXAMPLE:
            return sentence(str(payload.get("summary", "")))
        case Moment.Kind.FOLLOW_UP:
            return str(payload.get("question", ""))
        case Moment.Kind.ANSWER:
            given = payload.get("answer", "")
            return "; ".join(given) if isinstance(given, list) else str(given)
        case Moment.Kind.HINT:
            return str(int(payload.get("index", 0)) + 1)
        case Moment.Kind.CHAT | Moment.Kind.NOTE:
            return str(payload.get("text", ""))
    return ""


@register.filter
def ended_in_words(code: str) -> str:
    """How a round ended: "time" -> "Time was up"."""
    return str(InterviewRound.EndedBy(code).label) if code else ""


@register.filter
def of_key(values: dict[Any, Any] | None, key: Any) -> Any:
    """The value with this key; None where there is none."""
    return (values or {}).get(key)


@register.filter
def of_round(timeline: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """The moments of one round."""
    return [moment for moment in timeline if moment["round"] == number]


@register.simple_tag
def own_mark(mine: dict[str, Any], round_id: int, criterion: int) -> Mark | None:
    """The mark that the person gave before."""
    mark: Mark | None = mine["marks"].get((round_id, criterion))
    return mark


@register.simple_tag
def own_words(mine: dict[str, Any], round_id: int | None) -> str:
    """The words that the person wrote before."""
    return str(mine["words"].get(round_id, ""))


@register.filter
def evidence_of(mark: Mark | None) -> set[int]:
    """Numbers of the moments that a mark points at."""
    return {moment.sequence for moment in mark.evidence.all()} if mark else set()


@register.filter
def at_number(rounds: Any, number: int) -> Any:
    """The row of the round with this number."""
    return next(one for one in rounds if one.number == number)
