"""Who comes and goes is on the timeline; a reload, a lost connection and a second tab are not."""

from __future__ import annotations

import pytest
from django.db.models import QuerySet
from django.test import Client

from app.accounts.models import User
from app.interviews import consumers, presence, running
from app.interviews.models import Interview, Link, Presence
from tests.app.interviews.conftest import MovedClock, Plan, seat
from tests.app.interviews.test_interview_consumer import told, watching


@pytest.fixture
def presence_clock(monkeypatch: pytest.MonkeyPatch) -> MovedClock:
    """Moves the time of comings and goings."""
    clock = MovedClock()
    clock.stop()
    monkeypatch.setattr("app.interviews.presence.now", clock.now)
    return clock


def comings(interview: Interview) -> list[tuple[str, str]]:
    moments = interview.moments.filter(kind__in=["joined", "left"]).order_by("sequence")
    return [(one.kind, one.author.username) for one in moments if one.author]


@pytest.mark.django_db
def test_who_starts_is_here_and_who_comes_later_joins(
    plan: Plan, presence_clock: MovedClock, owner: User, interviewer: User
) -> None:
    made = plan(with_interviewer=True)
    seat(made, interviewer)
    running.start(made, owner)
    made.refresh_from_db()
    for _look in range(4):
        presence.seen(made, owner)
        presence.seen(made, interviewer)
        presence_clock.forward(seconds=6)
    assert comings(made) == [("joined", "ivan")]


@pytest.mark.django_db
def test_a_reload_and_a_short_loss_leave_no_trace(
    room: Interview, presence_clock: MovedClock, interviewer: User, owner: User
) -> None:
    presence.seen(room, interviewer)
    for away_s in (2, 12, 19):
        presence_clock.forward(seconds=away_s)
        presence.seen(room, owner)
        running.settle(room)
        presence.seen(room, interviewer)
    assert comings(room) == [("joined", "ivan")]


@pytest.mark.django_db
def test_who_is_gone_has_left_when_last_heard_of_and_joins_again(
    room: Interview, presence_clock: MovedClock, interviewer: User, owner: User
) -> None:
    presence.seen(room, interviewer)
    last = Presence.objects.get(interview=room, user=interviewer).last_seen
    presence_clock.forward(seconds=21)
    presence.seen(room, owner)
    running.settle(room)
    running.settle(room)
    left = room.moments.get(kind="left", author=interviewer)
    assert left.at == last
    presence_clock.forward(minutes=5)
    presence.seen(room, interviewer)
    assert comings(room)[-1] == ("joined", "ivan")


@pytest.mark.django_db
def test_the_sweeper_finds_an_empty_chair_when_nobody_else_is_there(
    interview: Interview, presence_clock: MovedClock, owner: User
) -> None:
    presence.seen(interview, owner)
    assert running.sweep() == 0
    presence_clock.forward(seconds=21)
    assert running.sweep() == 1
    assert comings(interview) == [("left", "olga")]
    assert running.sweep() == 0, "who has left does not leave again"


@pytest.mark.django_db
def test_a_site_that_was_down_records_the_gap(
    interview: Interview, presence_clock: MovedClock, owner: User
) -> None:
    """Nobody swept meanwhile: the page that comes back records both."""
    presence.seen(interview, owner)
    presence_clock.forward(minutes=10)
    presence.seen(interview, owner)
    assert comings(interview) == [("left", "olga"), ("joined", "olga")]


@pytest.mark.django_db
def test_nobody_leaves_an_interview_that_is_over(
    interview: Interview, presence_clock: MovedClock, owner: User
) -> None:
    presence.seen(interview, owner)
    running.end_interview(interview, owner)
    interview.refresh_from_db()
    presence_clock.forward(minutes=10)
    presence.seen(interview, owner)
    running.sweep()
    assert comings(interview) == []


@pytest.mark.django_db
def test_being_there_costs_a_write_in_five_seconds_and_none_for_a_second_tab(
    room: Interview,
    presence_clock: MovedClock,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    presence.seen(room, owner)
    writes: list[str] = []

    def update(rows: QuerySet[Presence], **_changes: object) -> int:
        writes.append(rows.model.__name__)
        return 1

    monkeypatch.setattr(QuerySet, "update", update)
    for _second in range(4):
        presence_clock.forward(seconds=1)
        for _tab in range(3):
            presence.seen(room, owner)
    assert writes == []
    presence_clock.forward(seconds=2)
    presence.seen(room, owner)
    assert writes == ["Presence"]


@pytest.mark.django_db
def test_an_invitation_that_is_taken_joins_once(
    plan: Plan, interviewer_client: Client, interviewer: User, owner: User
) -> None:
    made = plan(with_interviewer=True)
    _link, token = Link.issue(made, Link.Scope.INTERVIEWER)
    interviewer_client.post(f"/interviews/invitations/{token}/")
    running.start(made, owner)
    made.refresh_from_db()
    presence.seen(made, interviewer)
    assert comings(made) == [("joined", "ivan")]


@pytest.mark.django_db(transaction=True)
async def test_a_page_that_is_open_says_so_and_an_admin_who_watches_does_not(
    room: Interview, owner: User, staff: User, interviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "LOOK_INTERVAL_S", 0.05)
    await Presence.objects.all().adelete()
    async with watching(staff, room.pk, room.moment_count) as admin:
        assert (await told(admin, 1))[0]["type"] == "clock"
        async with watching(interviewer, room.pk, room.moment_count) as asking:
            (joined, _clock) = await told(asking, 2)
            assert (joined["kind"], joined["author"]) == ("joined", "ivan")
        assert (await told(admin, 1))[0]["kind"] == "joined"
        monkeypatch.setattr(presence, "AWAY_S", 0.2)
        left = (await told(admin, 1))[0]
        assert (left["kind"], left["author"]) == ("left", "ivan")
    assert not await Presence.objects.filter(user=staff).aexists()
