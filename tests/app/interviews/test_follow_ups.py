"""Follow-ups come when their trigger says, once, and some answers are judged."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from django.test import Client

from app.accounts.models import User
from app.interviews import running
from app.interviews.consumers import moments_for
from app.interviews.models import AskedFollowUp, Interview, Moment, Role
from app.practice.models import ProblemVersion, Submission
from graders.verdict import JsonObject
from tests.app.interviews.conftest import MovedClock, Plan, current
from tests.app.practice_data import RIGHT, broken, judge_to_the_end, passed

pytestmark = pytest.mark.django_db

ON_VERDICT: JsonObject = {"question": "Floats?", "points": ["exact"]}
ON_REJECTION: JsonObject = {
    "question": "Which sign?",
    "points": ["minus"],
    "trigger": {"verdict": "rejected"},
}
ON_TIME: JsonObject = {"question": "How far?", "points": ["half"], "trigger": {"minutes": 20}}
ON_METRIC: dict[str, Any] = {
    "question": "Why so slow?",
    "points": ["bytes"],
    "trigger": {"metric": "peak_percent", "below": 70},
}
JUDGED: JsonObject = {
    "question": "How many bytes are two doubles?",
    "points": ["16 B"],
    "trigger": {"minutes": 0},
    "answer": {
        "fields": [
            {"kind": "number", "name": "size", "label": "Size", "unit": "B", "formula": "2 * 8 * B"}
        ]
    },
}


@pytest.fixture
def follow_ups(version: ProblemVersion) -> Any:
    """Gives the problem these follow-ups."""

    def given(*follow_ups: JsonObject) -> None:
        spec = deepcopy(version.spec_json)
        spec["follow_ups"] = list(follow_ups)
        ProblemVersion.objects.filter(pk=version.pk).update(spec_json=spec)

    return given


def questions(interview: Interview) -> list[str]:
    """What the candidate was asked, as the timeline has it."""
    asked = interview.moments.filter(kind=Moment.Kind.FOLLOW_UP)
    return [str(moment.payload["question"]) for moment in asked]


def submit(interview: Interview, results: Any, metrics: JsonObject | None = None) -> Submission:
    sent = running.send(current(interview), Submission.Kind.SUBMIT, RIGHT, interview.candidate)
    judge_to_the_end(sent, results, metrics)
    running.settle(interview)
    return sent


def test_a_verdict_asks_what_belongs_to_it_and_only_once(
    interview: Interview, follow_ups: Any
) -> None:
    follow_ups(ON_VERDICT, ON_REJECTION)
    submit(interview, [passed(), broken()])
    assert questions(interview) == ["Which sign?"]
    submit(interview, [passed(), broken()])
    assert questions(interview) == ["Which sign?"]
    submit(interview, [passed(), passed("minus-one")])
    assert questions(interview) == ["Which sign?", "Floats?"]


def test_a_run_asks_nothing(interview: Interview, follow_ups: Any) -> None:
    follow_ups({**ON_VERDICT, "trigger": {"verdict": "any"}})
    sent = running.send(current(interview), Submission.Kind.RUN, RIGHT, interview.candidate)
    judge_to_the_end(sent, [passed()])
    running.settle(interview)
    assert questions(interview) == []


def test_time_asks_when_the_clock_has_counted_it(
    plan: Plan, owner: User, follow_ups: Any, server_clock: MovedClock
) -> None:
    follow_ups(ON_TIME)
    made = plan(pause_allowed=True)
    running.start(made, owner)
    server_clock.forward(minutes=15)
    running.pause(made, owner)
    server_clock.forward(hours=1)
    made.refresh_from_db()
    running.resume(made, owner)
    running.settle(made)
    assert questions(made) == [], "a pause is no time of the round"
    server_clock.forward(minutes=6)
    running.settle(made)
    assert questions(made) == ["How far?"]


@pytest.mark.parametrize(
    ("metrics", "asked"),
    [
        ({"kernel_times": [{"case": "large", "peak_percent": 66.0}]}, True),
        ({"peak_percent": 12}, True),
        ({"kernel_times": [{"case": "large", "peak_percent": 71.5}]}, False),
        ({}, False),
        ({"peak_percent": "unknown"}, False),
    ],
)
def test_a_metric_asks_when_it_is_past_its_bound(
    interview: Interview, follow_ups: Any, metrics: JsonObject, asked: bool
) -> None:
    follow_ups(ON_METRIC)
    submit(interview, [passed(), passed("minus-one")], metrics)
    assert bool(questions(interview)) is asked


def test_a_case_of_its_own_can_have_the_metric(interview: Interview, follow_ups: Any) -> None:
    trigger: JsonObject = {"metric": "n_bytes", "above": 10}
    follow_ups({**ON_METRIC, "trigger": trigger})
    submit(interview, [passed(metrics={"n_bytes": 11}), passed("minus-one")])
    assert questions(interview) == ["Why so slow?"]


def test_the_score_is_a_metric_too(interview: Interview, follow_ups: Any) -> None:
    trigger: JsonObject = {"metric": "score", "below": 0.9}
    follow_ups({**ON_METRIC, "trigger": trigger})
    submit(interview, [passed(), broken()])
    assert questions(interview) == ["Why so slow?"]


def test_a_verdict_after_the_end_asks_nothing(
    interview: Interview, follow_ups: Any, owner: User
) -> None:
    follow_ups(ON_VERDICT)
    sent = running.send(current(interview), Submission.Kind.SUBMIT, RIGHT, owner)
    running.end_round(current(interview), running.EndedBy.CANDIDATE, owner)
    judge_to_the_end(sent, [passed(), passed("minus-one")])
    running.settle(interview)
    assert questions(interview) == []


def test_with_an_interviewer_a_follow_up_is_due_and_the_interviewer_asks_it(
    room: Interview, owner_client: Client, interviewer_client: Client, follow_ups: Any
) -> None:
    follow_ups(ON_VERDICT, ON_TIME)
    submit(room, [passed(), passed("minus-one")])
    assert questions(room) == []
    page = interviewer_client.get(room.get_absolute_url()).content.decode()
    assert ">due<" in page.replace(" ", "").replace("\n", "")
    url = f"/interviews/{room.pk}/rounds/1/ask/"
    interviewer_client.post(url, {"index": "0"})
    interviewer_client.post(url, {"index": "0"})
    interviewer_client.post(url, {"index": "1"})
    interviewer_client.post(url, {"text": "And why not?"})
    assert questions(room) == ["Floats?", "How far?", "And why not?"]
    assert interviewer_client.post(url, {"index": "7"}).status_code == 404
    theirs = owner_client.get(room.get_absolute_url()).content.decode()
    assert "And why not?" in theirs
    assert "exact" not in theirs, "what a good answer holds is not the candidate's"


def test_an_answer_in_words_is_kept_once(
    interview: Interview, owner_client: Client, follow_ups: Any, server_clock: MovedClock
) -> None:
    follow_ups(ON_TIME)
    server_clock.forward(minutes=21)
    running.settle(interview)
    asked = AskedFollowUp.objects.get()
    url = f"/interviews/{interview.pk}/follow-ups/{asked.pk}/answer/"
    owner_client.post(url, {"text": "  "})
    owner_client.post(url, {"text": "half the way"})
    owner_client.post(url, {"text": "no, all of it"})
    asked.refresh_from_db()
    assert (asked.answer, asked.judgement) == ("half the way", None)
    answers = interview.moments.filter(kind=Moment.Kind.ANSWER)
    assert [moment.payload["right"] for moment in answers] == [None]
    assert "half the way" in owner_client.get(interview.get_absolute_url()).content.decode()


@pytest.mark.parametrize(("given", "right"), [("16 B", True), ("128 b", True), ("8 B", False)])
def test_an_answer_with_fields_is_judged(
    interview: Interview, owner_client: Client, follow_ups: Any, given: str, right: bool
) -> None:
    follow_ups(JUDGED)
    running.settle(interview)
    asked = AskedFollowUp.objects.get()
    assert 'name="answer.size"' in owner_client.get(interview.get_absolute_url()).content.decode()
    url = f"/interviews/{interview.pk}/follow-ups/{asked.pk}/answer/"
    owner_client.post(url, {"answer.size": given})
    asked.refresh_from_db()
    assert asked.judgement is not None
    assert [one["ok"] for one in asked.judgement] == [right]
    told = interview.moments.get(kind=Moment.Kind.ANSWER).payload
    assert told["right"] is right
    assert asked.answer_in_words == f"Size: {given}"
    assert f"Size: {given}" in str(moments_for(interview, Role.CANDIDATE, 0)[-1]["payload"])
    page = owner_client.get(interview.get_absolute_url()).content.decode()
    assert ("must be 16 B" in page) is not right


def test_with_an_interviewer_the_judgement_waits_for_the_debrief(
    room: Interview, owner_client: Client, interviewer_client: Client, follow_ups: Any
) -> None:
    follow_ups(JUDGED)
    interviewer_client.post(f"/interviews/{room.pk}/rounds/1/ask/", {"index": "0"})
    asked = AskedFollowUp.objects.get()
    url = f"/interviews/{room.pk}/follow-ups/{asked.pk}/answer/"
    owner_client.post(url, {"answer.size": "8 B"})
    assert "must be 16 B" in interviewer_client.get(room.get_absolute_url()).content.decode()
    assert "must be 16 B" not in owner_client.get(room.get_absolute_url()).content.decode()
    running.end_interview(room, room.candidate)
    debrief = owner_client.get(f"/interviews/{room.pk}/debrief/").content.decode()
    assert "must be 16 B" in debrief


def test_an_answer_after_the_round_is_too_late(
    interview: Interview, owner_client: Client, follow_ups: Any, owner: User
) -> None:
    follow_ups(JUDGED)
    running.settle(interview)
    asked = AskedFollowUp.objects.get()
    running.end_round(current(interview), running.EndedBy.CANDIDATE, owner)
    url = f"/interviews/{interview.pk}/follow-ups/{asked.pk}/answer/"
    owner_client.post(url, {"answer.size": "16 B"})
    asked.refresh_from_db()
    assert asked.answered_at is None
