"""Before, between and in the pauses of rounds: who is ready, what comes, chat, notes, marks."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from app.accounts.models import User
from app.interviews import presence, running
from app.interviews.models import Interview, Mark, Moment
from app.interviews.readiness import people
from app.practice.models import ProblemVersion, Submission
from tests.app.interviews.conftest import MovedClock, Plan, current, seat
from tests.app.practice_data import reject

pytestmark = pytest.mark.django_db

RUBRIC = [{"criterion": "Signs", "levels": ["forgets them", "sees them"]}]


@pytest.fixture
def in_break(room: Interview, owner: User, version: ProblemVersion) -> Interview:
    """After the first round, which was rejected."""
    ProblemVersion.objects.filter(pk=version.pk).update(
        spec_json={**version.spec_json, "rubric": RUBRIC}
    )
    reject(running.send(current(room), Submission.Kind.SUBMIT, "wrong", owner))
    running.end_round(current(room), running.EndedBy.CANDIDATE, owner)
    return running.settle(room)


def page_of(client: Client, interview: Interview, query: str = "") -> str:
    answer: Any = client.get(interview.get_absolute_url() + query)
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def ready(client: Client, interview: Interview, said: str = "yes") -> None:
    client.post(f"/interviews/{interview.pk}/ready/", {"ready": said})


def is_ready(interview: Interview) -> list[bool]:
    return [person.is_ready for person in people(interview)]


def test_the_round_begins_when_both_are_ready_and_not_before(
    in_break: Interview, owner_client: Client, interviewer_client: Client
) -> None:
    ready(owner_client, in_break)
    assert is_ready(in_break) == [True, False]
    assert in_break.current_round() is None
    assert "Not ready after all" in page_of(owner_client, in_break)
    assert "I am ready" in page_of(interviewer_client, in_break)
    ready(interviewer_client, in_break)
    assert current(in_break).number == 2


def test_readiness_can_be_taken_back_and_is_said_once(
    in_break: Interview, owner_client: Client, interviewer_client: Client
) -> None:
    for said in ("yes", "yes", "no"):
        ready(owner_client, in_break, said)
    ready(interviewer_client, in_break)
    assert in_break.current_round() is None
    assert in_break.moments.filter(kind=Moment.Kind.READY).count() == 3


def test_readiness_is_asked_anew_in_each_break(
    in_break: Interview, owner: User, owner_client: Client, interviewer_client: Client
) -> None:
    for client in (owner_client, interviewer_client):
        ready(client, in_break)
    ready(owner_client, in_break)  # while the round runs it means nothing
    running.end_round(current(in_break), running.EndedBy.CANDIDATE, owner)
    assert is_ready(in_break) == [False, False]


def test_both_ready_before_the_start_begin_the_interview(
    plan: Plan, interviewer: User, owner_client: Client, interviewer_client: Client
) -> None:
    made = plan(with_interviewer=True)
    ready(owner_client, made)
    assert running.settle(made).status == "planned", "nobody asks yet"
    seat(made, interviewer)
    ready(interviewer_client, made)
    assert running.settle(made).status == "running"


def test_who_left_the_seat_keeps_nobody_waiting(
    in_break: Interview, owner_client: Client, interviewer: User, interviewer_client: Client
) -> None:
    ready(owner_client, in_break)
    in_break.links.get().revoke()
    assert is_ready(in_break) == [True]
    assert in_break.current_round() is None, "the candidate alone begins by the button"


def test_the_break_says_what_comes_without_the_drawn_problem(
    in_break: Interview, owner_client: Client, interviewer_client: Client
) -> None:
    theirs, asking = page_of(owner_client, in_break), page_of(interviewer_client, in_break)
    assert "What comes next" in theirs
    assert "round 2 of 3" in theirs
    secrets = ("Triple a number", "And for floats?", "Add it to itself.", "Private notes")
    for secret in secrets:
        assert secret not in theirs
        assert secret in asking


def test_people_talk_in_a_break_and_what_was_said_is_there(
    in_break: Interview, owner_client: Client, interviewer_client: Client
) -> None:
    owner_client.post(f"/interviews/{in_break.pk}/chat/", {"text": "Give me a minute."})
    for client in (owner_client, interviewer_client):
        page = page_of(client, in_break)
        assert "Give me a minute." in page
        assert f'action="/interviews/{in_break.pk}/chat/"' in page


def test_an_interviewer_marks_and_notes_in_the_break(
    in_break: Interview, owner_client: Client, interviewer_client: Client, staff_client: Client
) -> None:
    page = page_of(interviewer_client, in_break)
    assert "Double a number" in page
    assert "sign must stay" in page, "what the judge said of the round that is over"
    assert 'name="level-0"' in page_of(interviewer_client, in_break, "?mark=1")
    for client in (owner_client, staff_client):
        assert 'name="level-0"' not in page_of(client, in_break, "?mark=1")
    url = f"/interviews/{in_break.pk}/rounds/1/marks/"
    kept = interviewer_client.post(url, {"level-0": "1"})
    assert kept["Location"] == f"{in_break.get_absolute_url()}#round-1"
    assert Mark.objects.get().level == 1
    interviewer_client.post(f"/interviews/{in_break.pk}/notes/", {"text": "asks well"})
    assert "asks well" in page_of(interviewer_client, in_break)
    assert "asks well" not in page_of(owner_client, in_break)


def test_alone_nobody_is_waited_for(
    interview: Interview, owner: User, owner_client: Client, server_clock: MovedClock
) -> None:
    running.end_round(current(interview), running.EndedBy.CANDIDATE, owner)
    page = page_of(owner_client, interview)
    assert "Begin the next round" in page
    for absent in ("I am ready", "room-chat", "Private notes"):
        assert absent not in page


def test_who_is_away_is_told(
    in_break: Interview, owner: User, interviewer: User, server_clock: MovedClock
) -> None:
    presence.seen(in_break, owner)
    presence.seen(in_break, interviewer)
    assert [person.is_away for person in people(in_break)] == [False, False]
    server_clock.forward(seconds=15)
    presence.seen(in_break, owner)
    server_clock.forward(seconds=10)
    running.settle(in_break)
    assert [person.is_away for person in people(in_break)] == [False, True]
