"""What can be measured of a round that was sat: when things happened on its own clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from app.interviews.models import Interview, InterviewRound, Moment
from app.practice.models import Submission
from graders.verdict import Verdict

RoundClock = Callable[[datetime], float]


def round_clock(one: InterviewRound) -> RoundClock:
    """A function from the server's time to seconds on the round's clock, which stood in pauses.

    Raises
    ------
    ValueError
        If the round has not begun.
    """
    if one.started_at is None:
        raise ValueError(f"a round that has begun has a clock, {one} has not")
    started_at = one.started_at
    pauses: list[tuple[datetime, datetime | None]] = []
    stops = one.moments.filter(kind__in=[Moment.Kind.PAUSED, Moment.Kind.RESUMED])
    for kind, at in stops.order_by("sequence").values_list("kind", "at"):
        if kind == Moment.Kind.PAUSED:
            pauses.append((at, None))
        elif pauses:
            pauses[-1] = (pauses[-1][0], at)

    def clock(at: datetime) -> float:
        stood = sum(
            (min(at, until or at) - begun).total_seconds() for begun, until in pauses if begun < at
        )
        return (at - started_at).total_seconds() - stood

    return clock


def firsts(
    one: InterviewRound, submissions: list[Submission], clock: RoundClock
) -> dict[str, int | None]:
    """Seconds until the first keystroke, run, submit and accepted submit; None where none came.

    A first keystroke is known where keystrokes were recorded.
    """
    wrote = one.moments.filter(kind=Moment.Kind.EDIT, author__isnull=False).order_by("sequence")
    written = wrote.values_list("at", flat=True).first()

    def first(kind: Submission.Kind, **conditions: str) -> int | None:
        for sent in submissions:
            if sent.kind == kind and all(
                getattr(sent, name) == value for name, value in conditions.items()
            ):
                return round(clock(sent.created_at))
        return None

    return {
        "written_s": None if written is None else round(clock(written)),
        "run_s": first(Submission.Kind.RUN),
        "submit_s": first(Submission.Kind.SUBMIT),
        "accepted_s": first(Submission.Kind.SUBMIT, verdict=Verdict.ACCEPTED.value),
    }


def summary_of(rounds: list[dict[str, Any]]) -> dict[str, int]:
    """The whole loop in counts and seconds, from the rounds as the debrief tells them."""
    sat = [one for one in rounds if one["was_sat"]]
    problems = [one for one in sat if one["kind"] == "problem"]
    asked = [up for one in sat for up in one["follow_ups"] if up["asked"]]
    return {
        "rounds": len(rounds),
        "sat": len(sat),
        "problems": len(problems),
        "accepted": sum(
            one["result"] is not None and one["result"]["verdict"] == Verdict.ACCEPTED
            for one in problems
        ),
        "being_judged": sum(one["is_judging"] for one in problems),
        "nothing_submitted": sum(
            one["result"] is None and not one["is_judging"] for one in problems
        ),
        "time_was_up": sum(one["ended_by"] == InterviewRound.EndedBy.TIME for one in sat),
        "hints": sum(one["hints_shown"] for one in sat),
        "asked": len(asked),
        "answered": sum(bool(up["answer"]) for up in asked),
        "used_s": sum(one["used_s"] for one in sat),
        "planned_s": sum(one["planned_s"] for one in rounds),
    }


def earlier_rounds(interview: Interview, most: int = 3) -> dict[int, list[dict[str, Any]]]:
    """The candidate's earlier rounds of the same kind, the latest first, by the round's number.

    Only for the candidate: they are of other interviews.
    """
    earlier: dict[int, list[dict[str, Any]]] = {}
    sat = InterviewRound.objects.filter(
        interview__candidate_id=interview.candidate_id,
        status=InterviewRound.Status.ENDED,
        version__isnull=False,
        started_at__lt=interview.started_at,
    ).exclude(interview=interview)
    before = list(sat.select_related("version__problem", "interview").order_by("-started_at"))
    for one in interview.rounds.filter(status=InterviewRound.Status.ENDED, version__isnull=False):
        same = [past for past in before if past.loop_round == one.loop_round][:most]
        earlier[one.number] = [
            {
                "at": past.started_at,
                "title": past.title,
                "used_s": past.used_s,
                "planned_s": 60 * past.minutes,
                "accepted": past.submissions()
                .filter(kind=Submission.Kind.SUBMIT, verdict=Verdict.ACCEPTED)
                .exists(),
                "interview": past.interview,
            }
            for past in same
        ]
    return earlier
