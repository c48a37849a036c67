"""When follow-ups are due, and how answers to them are judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from django.db import IntegrityError, transaction

from app.accounts.models import User
from app.interviews.doorbell import ring
from app.interviews.models import AskedFollowUp, InterviewRound, Moment
from app.interviews.server_time import now
from app.practice.models import Submission
from graders.answers import assess
from graders.text import Json, say, to_json
from graders.verdict import JsonObject, Verdict
from problems.schema import FollowUp, Trigger


def due_by_time(interview_round: InterviewRound, at: datetime) -> None:
    """What is due so many minutes into the round; pauses do not count."""
    elapsed_s = interview_round.elapsed_s(at)
    for index, follow_up in _not_yet(interview_round):
        minutes = follow_up.trigger.minutes
        if minutes is not None and elapsed_s >= 60 * minutes:
            _make_due(interview_round, index, follow_up, at)


def due_by_verdict(interview_round: InterviewRound, submission: Submission, at: datetime) -> None:
    """What a submit's verdict makes due, while the round still runs."""
    counts = submission.kind == Submission.Kind.SUBMIT and submission.verdict not in (
        "",
        Verdict.JUDGE_ERROR,
    )
    if not counts or interview_round.status != InterviewRound.Status.RUNNING:
        return
    for index, follow_up in _not_yet(interview_round):
        if is_met(follow_up.trigger, submission):
            _make_due(interview_round, index, follow_up, at)


def is_met(trigger: Trigger, submission: Submission) -> bool:
    """Whether a judged submit makes a follow-up with this trigger due."""
    if trigger.verdict is not None:
        accepted = submission.verdict == Verdict.ACCEPTED
        return trigger.verdict == "any" or accepted == (trigger.verdict == "accepted")
    if trigger.metric is None:
        return False
    values = list(_values(submission, trigger.metric))
    if trigger.below is not None:
        return any(value < trigger.below for value in values)
    return any(value > cast(float, trigger.above) for value in values)


def _values(submission: Submission, metric: str) -> Iterator[float]:
    """Every number of that name in what was measured, of the whole and of each case."""
    report: Any = submission.report or {}
    if metric == "score":
        yield submission.score
    waiting = [report.get("metrics"), *(case.get("metrics") for case in report.get("cases", []))]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            found = value.get(metric)
            if isinstance(found, int | float) and not isinstance(found, bool):
                yield float(found)


def _not_yet(interview_round: InterviewRound) -> Iterator[tuple[int, FollowUp]]:
    if interview_round.version is None:
        return
    known = set(interview_round.follow_ups.values_list("index", flat=True))
    for index, follow_up in enumerate(interview_round.version.spec.follow_ups):
        if index not in known:
            yield index, follow_up


def _make_due(
    interview_round: InterviewRound, index: int, follow_up: FollowUp, at: datetime
) -> None:
    try:
        with transaction.atomic():
            due = AskedFollowUp.objects.create(
                interview_round=interview_round,
                index=index,
                question=follow_up.question,
                due_at=at,
            )
    except IntegrityError:  # another page looked at the same moment
        return
    if not interview_round.interview.with_interviewer:
        ask(due, None)
    ring(interview_round.interview_id)


def push(
    interview_round: InterviewRound, index: int | None, question: str, by: User
) -> AskedFollowUp:
    """The interviewer asks: one of the problem's, due or not, or one made up (`index` None)."""
    with transaction.atomic():
        if index is None:
            asked = AskedFollowUp.objects.create(
                interview_round=interview_round, question=question, due_at=now()
            )
        else:
            asked, _new = AskedFollowUp.objects.get_or_create(
                interview_round=interview_round,
                index=index,
                defaults={"question": question, "due_at": now()},
            )
        ask(asked, by)
    return asked


def ask(due: AskedFollowUp, by: User | None) -> bool:
    """Put a due question before the candidate, once."""
    at = now()
    with transaction.atomic():
        asked = due.ask(at, by)
        if asked:
            due.interview_round.interview.record(
                Moment.Kind.FOLLOW_UP,
                {"follow_up": due.pk, "question": due.question},
                author=by,
                interview_round=due.interview_round,
                at=at,
            )
    ring(due.interview_round.interview_id)
    return asked


def answer(asked: AskedFollowUp, text: str, by: User) -> bool:
    """Keep the answer, once, and judge it where it can be judged.

    Raises
    ------
    graders.answers.Unreadable
        If the follow-up wants fields and `text` is no YAML of answers.
    """
    spec, at = asked.spec, now()
    judgement: list[JsonObject] | None = None
    told: Json = text
    if spec is not None and spec.answer is not None:
        assessed = assess(spec.answer.model_dump(), text, asked.interview_round.seed)
        judgement = [cast(JsonObject, to_json(cast(Any, asdict(one)))) for one in assessed]
        # Sentences, so that each reader of the timeline has them in their own language.
        told = to_json([say("{label}: {given}", label=a.label, given=a.given) for a in assessed])
    right = None if judgement is None else all(one["ok"] for one in judgement)
    with transaction.atomic():
        open_ = AskedFollowUp.objects.filter(pk=asked.pk, answered_at=None, asked_at__isnull=False)
        if not open_.update(answer=text, answered_at=at, judgement=judgement):
            return False
        asked.interview_round.interview.record(
            Moment.Kind.ANSWER,
            {"follow_up": asked.pk, "answer": told, "right": right},
            author=by,
            interview_round=asked.interview_round,
            at=at,
        )
    ring(asked.interview_round.interview_id)
    return True
