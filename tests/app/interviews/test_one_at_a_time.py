"""One candidate, one running interview: two clocks would run at once."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from app.accounts.models import User
from app.interviews import running
from app.interviews.models import Interview
from tests.app.interviews.conftest import MovedClock, Plan, seat
from tests.conftest import make_user

pytestmark = pytest.mark.django_db

TOLD = "One interview runs at a time"


def test_a_second_interview_does_not_begin_while_one_runs_and_says_where_it_is(
    interview: Interview, plan: Plan, owner: User, owner_client: Client
) -> None:
    second = plan(title="The second")
    assert not running.start(second, owner)
    answer = owner_client.post(f"/interviews/{second.pk}/start/", follow=True)
    page = answer.content.decode()
    assert TOLD in page
    assert f'href="{interview.get_absolute_url()}"' in page
    second.refresh_from_db()
    assert second.status == "planned"
    assert not second.moments.exists()
    assert not second.rounds.exclude(status="waiting").exists()
    listed = owner_client.get("/interviews/").content.decode()
    assert f'<a href="{interview.get_absolute_url()}">' in listed


def test_the_database_refuses_it_too(interview: Interview, plan: Plan) -> None:
    second = plan()
    with pytest.raises(IntegrityError), transaction.atomic():
        Interview.objects.filter(pk=second.pk).update(status="running")


def test_when_the_first_has_ended_the_second_begins(
    interview: Interview, plan: Plan, owner: User
) -> None:
    second = plan()
    running.end_interview(interview, owner)
    assert running.start(second, owner)


def test_one_whose_time_is_over_holds_nobody_back(
    plan: Plan, owner: User, server_clock: MovedClock
) -> None:
    first = plan(break_minutes=0)
    first.rounds.exclude(number=1).delete()
    assert running.start(first, owner)
    server_clock.forward(hours=2)  # no sweeper has been here since
    assert running.start(plan(), owner)
    first.refresh_from_db()
    assert first.status == "ended"


def test_another_persons_interview_is_nobodys_hindrance(
    interview: Interview, plan: Plan, stranger: User
) -> None:
    theirs = plan(candidate=stranger)
    assert running.start(theirs, stranger)


def test_who_asks_is_told_without_the_other_interview(
    interview: Interview, plan: Plan, interviewer: User, interviewer_client: Client
) -> None:
    second = plan(title="The second", with_interviewer=True)
    seat(second, interviewer)
    page = interviewer_client.get(second.get_absolute_url()).content.decode()
    assert "The candidate sits another interview now" in page
    assert str(interview.pk) not in page


def test_an_interviewer_may_ask_in_several(
    room: Interview, plan: Plan, interviewer: User, server_clock: MovedClock
) -> None:
    other = make_user("other")
    second = plan(candidate=other, with_interviewer=True)
    seat(second, interviewer)
    assert running.start(second, interviewer)
