"""The debrief: what happened, round by round, as plain data. The page and the JSON show the same.

There is no score of ours in it: verdicts are the judge's, levels are what a person saw.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.interviews.models import Interview, InterviewRound, Mark, Moment
from app.interviews.next_steps import next_steps
from app.interviews.round_facts import RoundClock, firsts, round_clock, summary_of
from app.practice.models import Submission
from app.practice.progress import rank
from app.practice.wording import in_words, said_report, texts_of
from graders.verdict import Verdict
from problems.schema import RubricLevel

# What happens all the time would bury what matters; the replay has it.
LEFT_OUT = (Moment.Kind.EDIT, Moment.Kind.READY, *Moment.PRIVATE)


def debrief_of(interview: Interview) -> dict[str, Any]:
    """Everything that the candidate, the interviewer and whoever has the link may read.

    Times are ISO 8601 with zone, spans in seconds. Private notes are never in it.
    """
    seats = interview.seats.filter(link__revoked_at=None).select_related("user")
    seated = {seat.user_id for seat in seats}
    rounds = list(interview.rounds.select_related("version__problem", "interview"))
    data: dict[str, Any] = {
        "format": 1,
        "title": interview.title,
        "candidate": interview.candidate.get_username(),
        "interviewers": [seat.user.get_username() for seat in seats],
        "started_at": _iso(interview.started_at),
        "ended_at": _iso(interview.ended_at),
        "rules": {
            "with_interviewer": interview.with_interviewer,
            "hints_allowed": interview.hints_allowed,
            "pause_allowed": interview.pause_allowed,
            "break_minutes": interview.break_minutes,
        },
        "rounds": [_round(one, seated) for one in rounds],
        "feedback": _feedback(interview, None, seated),
        "timeline": _timeline(interview),
    }
    data["summary"] = summary_of(data["rounds"])
    data["practise_next"] = next_steps(rounds, data["rounds"])
    return data


def _round(one: InterviewRound, seated: set[int]) -> dict[str, Any]:
    shared: dict[str, Any] = {
        "number": one.number,
        "kind": "question" if one.version is None else "problem",
        "loop_round": one.loop_round,
        "planned_s": 60 * one.minutes,
        "added_s": 60 * one.added_minutes,
    }
    if one.status != InterviewRound.Status.ENDED:
        # What was drawn for it stays new to the candidate.
        hidden: dict[str, Any] = {
            "title": "",
            "problem": None,
            "was_sat": False,
            "used_s": 0,
            "rubric": [],
        }
        return {**shared, **hidden}
    submissions = []
    if one.version is not None:
        submissions = list(one.submissions().prefetch_related("past_verdicts"))
    clock, moments = round_clock(one), _moments_by_subject(one)
    return {
        **shared,
        "title": one.title,
        "problem": None if one.version is None else one.version.problem.slug,
        "was_sat": True,
        "has_editorial": one.version is not None and bool(one.version.editorial),
        "was_drawn": one.was_drawn,
        "seen_before": one.was_seen,
        "used_s": round(one.used_s),
        "paused_s": round(one.paused_s),
        "ended_by": one.ended_by,
        "hints_shown": one.hints_shown,
        "hints": len(one.hints),
        "firsts": firsts(one, submissions, clock),
        "submissions": [_submission(sent, clock, moments) for sent in submissions],
        "is_judging": any(
            sent.kind == Submission.Kind.SUBMIT and not sent.is_finished for sent in submissions
        ),
        "result": _result(submissions, clock, moments),
        "follow_ups": _follow_ups(one, moments),
        "points": [] if one.version is not None else one.question_spec.points,
        "rubric": _rubric(one, seated),
        "feedback": _feedback(one.interview, one, seated),
        "text": one.text,
    }


def _moments_by_subject(one: InterviewRound) -> dict[object, int]:
    """Where a replay shows it: a submission's id, or a follow-up's key -> number of its moment."""
    subjects = {Moment.Kind.SENT: "submission", Moment.Kind.FOLLOW_UP: "follow_up"}
    moments = one.moments.filter(kind__in=subjects).values_list("kind", "payload", "sequence")
    return {payload[subjects[Moment.Kind(kind)]]: sequence for kind, payload, sequence in moments}


def _submission(sent: Submission, clock: RoundClock, moments: dict[object, int]) -> dict[str, Any]:
    return {
        "id": str(sent.pk),
        "kind": sent.kind,
        "status": sent.status,
        "verdict": sent.verdict,
        "score": sent.score,
        "automatic": sent.round_submission.is_automatic,
        "after_s": round(clock(sent.created_at)),
        "moment": moments.get(str(sent.pk)),
        # What was told before it was judged again, the first verdict first.
        "former": [
            {"verdict": past.verdict, "replaced_at": _iso(past.replaced_at)}
            for past in reversed(sent.past_verdicts.all())
        ],
    }


def _result(
    submissions: list[Submission], clock: RoundClock, moments: dict[object, int]
) -> dict[str, Any] | None:
    """The best judged submit, with what the judge said; None where there was none."""
    judged = [
        sent
        for sent in submissions
        if sent.kind == Submission.Kind.SUBMIT
        and sent.verdict not in ("", Verdict.JUDGE_ERROR)
        and sent.status == Submission.Status.DONE
    ]
    if not judged:
        return None
    best = min(judged, key=rank)
    report = said_report(best)
    counterexample = report.get("counterexample") or {}
    case_name = (counterexample.get("replay") or {}).get("case", "")
    breaks = {case.name: case.breaks for case in best.version.spec.cases}.get(case_name, "")
    cases = report.get("cases", [])
    return {
        **_submission(best, clock, moments),
        "cases": len(cases),
        "cases_passed": sum(case["verdict"] == Verdict.ACCEPTED for case in cases),
        "counterexample": {
            key: counterexample[key] for key in ("kind", "summary", "data") if key in counterexample
        }
        or None,
        "message": str(counterexample.get("summary") or report.get("message") or ""),
        "breaks": texts_of(best.judging_version).get(breaks, breaks),
    }


def _follow_ups(one: InterviewRound, moments: dict[object, int]) -> list[dict[str, Any]]:
    """The asked ones in their order, then those of the problem that were not asked."""
    rows = list(one.follow_ups.filter(asked_at__isnull=False).order_by("asked_at", "pk"))
    own = [] if one.version is None else one.version.spec.follow_ups
    told = [
        {
            "question": row.question,
            "asked": True,
            "answer": row.answer_in_words,
            "judgement": in_words(row.judgement) if row.judgement else None,  # type: ignore[arg-type]
            "points": own[row.index].points if row.index is not None else [],
            "moment": moments.get(row.pk),
        }
        for row in rows
    ]
    asked = {row.index for row in rows}
    told += [
        {
            "question": follow_up.question,
            "asked": False,
            "answer": "",
            "judgement": None,
            "points": follow_up.points,
            "moment": None,
        }
        for index, follow_up in enumerate(own)
        if index not in asked
    ]
    return told


def _rubric(one: InterviewRound, seated: set[int]) -> list[dict[str, Any]]:
    marks: dict[int, list[Mark]] = {}
    for mark in one.marks.select_related("author").prefetch_related("evidence"):
        marks.setdefault(mark.criterion, []).append(mark)
    return [
        _criterion(one, index, line, marks.get(index, []), seated)
        for index, line in enumerate(one.rubric)
    ]


def _criterion(
    one: InterviewRound, index: int, line: RubricLevel, marks: list[Mark], seated: set[int]
) -> dict[str, Any]:
    return {
        "index": index,
        "criterion": line.criterion,
        "levels": line.levels,
        "marks": [
            {
                "author": mark.author.get_username(),
                "role": role_word(one.interview, mark.author_id, seated),
                "level": mark.level,
                "comment": mark.comment,
                "evidence": sorted(moment.sequence for moment in mark.evidence.all()),
            }
            for mark in marks
        ],
    }


def _feedback(
    interview: Interview, one: InterviewRound | None, seated: set[int]
) -> list[dict[str, Any]]:
    words = interview.feedback.filter(interview_round=one).select_related("author")
    return [
        {
            "author": word.author.get_username(),
            "role": role_word(interview, word.author_id, seated),
            "text": word.text,
        }
        for word in words.order_by("updated_at")
    ]


def role_word(interview: Interview, author: int, seated: set[int]) -> str:
    """As what somebody wrote: candidate, or interviewer (also one whose seat was taken away)."""
    return "candidate" if author == interview.candidate_id else "interviewer"


def _timeline(interview: Interview) -> list[dict[str, Any]]:
    """What happened, by the server's time."""
    moments = interview.moments.exclude(kind__in=LEFT_OUT).order_by("at", "sequence")
    started = interview.started_at
    return [
        {
            "sequence": moment.sequence,
            "at": _iso(moment.at),
            "offset_s": (interview.time_of(moment) - started).total_seconds() if started else 0.0,
            "kind": moment.kind,
            "author": moment.author.get_username() if moment.author else None,
            "round": moment.interview_round.number if moment.interview_round else None,
            "payload": in_words(moment.payload),
        }
        for moment in moments.select_related("author", "interview_round")
    ]


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
