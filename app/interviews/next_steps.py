"""What to practise next, from what the rounds showed: verdicts first, then levels, then time."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from app.interviews.beginnings import LEFT
from app.interviews.drawing import offered, seen_by
from app.interviews.models import InterviewRound
from app.practice.models import Problem
from graders.verdict import Verdict

MOST = 8


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
    left = sum(not data["was_sat"] for data in told)
    if left:
        why = ngettext(
            "%(count)s round of this loop was not sat. Sit it alone.",
            "%(count)s rounds of this loop were not sat. Sit them alone.",
            left,
        ) % {"count": left}
        number = next(data["number"] for data in told if not data["was_sat"])
        new = {"round": number, "why": why, "title": _("A loop of what is left")}
        of_these = f"?template={LEFT}{rounds[0].interview_id}"
        steps.append((5, {**new, "url": reverse("interviews:new") + of_these}))
    ordered = [step for _urgency, step in sorted(steps, key=lambda step: step[0])]
    return _merged(ordered)[:MOST]


def _merged(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each address once, where it is most pressing, with all its reasons."""
    by_url: dict[str, dict[str, Any]] = {}
    for step in steps:
        first = by_url.setdefault(step["url"], step)
        if first is not step:
            first["why"] = f"{first['why']} {step['why']}"
    return list(by_url.values())


def _after(one: InterviewRound, told: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    steps = [] if one.version is None else _after_problem(one, told, one.version.problem)
    for line in told["rubric"]:
        levels, marks = len(line["levels"]), line["marks"]
        if marks and min(mark["level"] for mark in marks) < levels - 1:
            lowest = min(mark["level"] for mark in marks)
            why = _("%(criterion)s: the next level is “%(level)s”.") % {
                "criterion": line["criterion"],
                "level": line["levels"][lowest + 1].rstrip("."),
            }
            # The weakest level is as pressing as a rejection, the one below the best can wait.
            steps.append((1 if lowest == 0 else 4, _another(one, why)))
    return steps


def _after_problem(
    one: InterviewRound, told: dict[str, Any], problem: Problem
) -> list[tuple[int, dict[str, Any]]]:
    result = told["result"]
    again = problem.get_absolute_url()
    steps: list[tuple[int, dict[str, Any]]] = []
    if told["is_judging"]:
        pass  # the verdict will say
    elif result is None:
        why = _("Nothing was submitted. Finish it without a clock first.")
        steps.append((0, _step(one, why, one.title, again)))
    elif result["verdict"] == Verdict.TOO_SLOW:
        why = _("Right, and too slow. The counterexample shows where the time goes.")
        steps.append((2, _step(one, why, one.title, again)))
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
    elif told["hints_shown"]:
        why = _("Accepted, with a hint. Do another of the round without one.")
        steps.append((3, _another(one, why)))
    wrong = sum(any(not part["ok"] for part in up["judgement"] or []) for up in told["follow_ups"])
    if wrong:
        why = ngettext(
            "%(count)s follow-up was answered wrong. Its round has the points of a good answer.",
            "%(count)s follow-ups were answered wrong. Their round has the points of good answers.",
            wrong,
        ) % {"count": wrong}
        steps.append((2, _step(one, why, one.title, again)))
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
