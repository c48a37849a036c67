"""What to practise next, from what the rounds showed: verdicts first, then levels, then time."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from app.interviews.drawing import offered, seen_by
from app.interviews.models import InterviewRound
from graders.verdict import Verdict

MOST = 6


def next_steps(rounds: list[InterviewRound], told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Advice, the most pressing first: ``{"round", "why", "title", "url"}``.

    Parameters
    ----------
    told : list of dict
        Each round as the debrief tells it.
    """
    steps: list[tuple[int, dict[str, Any]]] = []
    for one, data in zip(rounds, told, strict=True):
        if data["was_sat"]:
            steps += _after(one, data)
    ordered = [step for _urgency, step in sorted(steps, key=lambda step: step[0])]
    return ordered[:MOST]


def _after(one: InterviewRound, told: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    steps: list[tuple[int, dict[str, Any]]] = []
    if one.version is not None:
        result = told["result"]
        again = reverse("practice:problem", args=[one.version.problem.slug])
        if told["is_judging"]:
            pass  # the verdict will say
        elif result is None:
            why = _("Nothing was submitted. Finish it without a clock first.")
            steps.append((0, _step(one, why, one.title, again)))
        elif result["verdict"] != Verdict.ACCEPTED:
            why = (
                _("Not accepted: %(breaks)s.") % {"breaks": result["breaks"]}
                if result["breaks"]
                else _("Not accepted. The counterexample says why.")
            )
            steps.append((1, _step(one, why, one.title, again)))
        elif told["used_s"] > told["planned_s"]:
            why = _("Accepted, in more than the planned time. Do another of the round.")
            steps.append((3, _another(one, why)))
    for line in told["rubric"]:
        levels, marks = len(line["levels"]), line["marks"]
        if marks and min(mark["level"] for mark in marks) < levels - 1:
            lowest = min(mark["level"] for mark in marks)
            why = _("%(criterion)s: the next level is “%(level)s”") % {
                "criterion": line["criterion"],
                "level": line["levels"][lowest + 1],
            }
            # The weakest level is as pressing as a rejection, the one below the best can wait.
            steps.append((1 if lowest == 0 else 4, _another(one, why)))
    return steps


def _another(one: InterviewRound, why: str) -> dict[str, Any]:
    """A problem of the same round that is new to them, else the round's page."""
    if one.loop_round is None:
        return _step(one, why, one.title, reverse("interviews:new"))
    candidate = one.interview.candidate
    fresh = offered().filter(round=one.loop_round).exclude(pk__in=seen_by(candidate).values("pk"))
    problem = fresh.first()
    if problem is not None:
        return _step(one, why, problem.title, problem.get_absolute_url())
    page = reverse("practice:round", args=[one.loop_round])
    return _step(one, why, _("Round %(number)s") % {"number": one.loop_round}, page)


def _step(one: InterviewRound, why: str, title: str, url: str) -> dict[str, Any]:
    return {"round": one.number, "why": why, "title": title, "url": url}
