"""Interviews at every stage, a clock that tests move, and the people round them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from app.accounts.models import User
from app.interviews import presence, running
from app.interviews.models import Interview, InterviewRound, Link
from app.practice.models import Problem, Submission
from graders.verdict import JsonObject
from tests.app.practice_data import another_problem, version_of
from tests.conftest import make_user, signed_in

QUESTION: JsonObject = {
    "format": 1,
    "title": "Why this",
    "summary": "What you want.",
    "minutes": 10,
    "prompt": "Tell a story.",
    "points": ["one system"],
    "rubric": [{"criterion": "Ownership", "levels": ["the team", "own part", "own decisions"]}],
}
MODULES = (
    "app.interviews.running",
    "app.interviews.follow_ups",
    "app.interviews.clock_state",
    "app.interviews.forms",
    "app.interviews.models.interviews",
    "app.interviews.models.links",
    "app.interviews.room.desk",
    "app.interviews.room.recording",
    "app.interviews.views.debriefs",
)


class MovedClock:
    """The server's time, moved by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.stopped_at: datetime | None = None

    def now(self) -> datetime:
        return (self.stopped_at or timezone.now()) + self.ahead

    def stop(self) -> None:
        """From here on it moves by hand alone, however slow the machine is today."""
        self.stopped_at = timezone.now()

    def forward(self, **span: float) -> None:
        self.ahead += timedelta(**span)


@pytest.fixture
def server_clock(monkeypatch: pytest.MonkeyPatch) -> MovedClock:
    """Moves the time of interviews, and of nothing else."""
    clock = MovedClock()
    for module in MODULES:
        monkeypatch.setattr(f"{module}.now", clock.now)
    return clock


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[Submission]:
    """What was handed to the queue, in place of a queue."""
    handed: list[Submission] = []
    monkeypatch.setattr("app.interviews.running.publish", handed.append)
    return handed


Plan = Callable[..., Interview]


@pytest.fixture
def plan(owner: User, problem: Problem, queued: list[Submission]) -> Plan:
    """Plans an interview of the owner's: two rounds with a problem, and a question at the end."""
    other = another_problem(problem, "triple", title="Triple a number")

    def planned(**rules: Any) -> Interview:
        facts = {"candidate": owner, "title": "A loop"} | rules
        interview = Interview.objects.create(**facts)
        for number, one in enumerate((problem, other), start=1):
            InterviewRound.objects.create(
                interview=interview,
                number=number,
                version=version_of(one),
                minutes=30,
                was_drawn=True,
                text=version_of(one).starter,
            )
        InterviewRound.objects.create(interview=interview, number=3, question=QUESTION, minutes=10)
        return interview

    return planned


@pytest.fixture
def interview(plan: Plan, owner: User, server_clock: MovedClock) -> Interview:
    """Running, alone, in its first round, with ten minutes between rounds."""
    made = plan(break_minutes=10)
    assert running.start(made, owner)
    made.refresh_from_db()
    return made


@pytest.fixture
def interviewer(db: None) -> User:
    """Who sits opposite, once seated."""
    return make_user("ivan")


def seat(interview: Interview, user: User) -> Link:
    """Let this person in by an invitation."""
    link, token = Link.issue(interview, Link.Scope.INTERVIEWER)
    found = Link.find(token, Link.Scope.INTERVIEWER)
    assert found is not None
    assert found.seat(user) is not None
    return link


@pytest.fixture
def room(plan: Plan, owner: User, interviewer: User, server_clock: MovedClock) -> Interview:
    """Running, with an interviewer who has the seat."""
    made = plan(with_interviewer=True, hints_allowed=False, break_minutes=10)
    seat(made, interviewer)
    assert running.start(made, owner)
    presence.came(made, interviewer)
    made.refresh_from_db()
    return made


@pytest.fixture
def interviewer_client(interviewer: User) -> Client:
    return signed_in(interviewer)


def current(interview: Interview) -> InterviewRound:
    """The round that runs."""
    found = interview.current_round()
    assert found is not None
    return found
