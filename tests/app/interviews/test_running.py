"""The clock is the server's: rounds end by themselves, once, and what was typed is judged."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from app.accounts.models import User
from app.interviews import running
from app.interviews.models import (
    Interview,
    InterviewRound,
    Moment,
    RoundSubmission,
    StaleText,
    TooLate,
)
from app.practice.models import Submission
from tests.app.interviews.conftest import MovedClock, Plan, current
from tests.app.practice_data import RIGHT, accept, reject

pytestmark = pytest.mark.django_db

EndedBy = running.EndedBy


def kinds(interview: Interview) -> list[str]:
    return list(interview.moments.values_list("kind", flat=True))


def test_starting_twice_begins_one_round(plan: Plan, owner: User, server_clock: MovedClock) -> None:
    made = plan()
    assert running.start(made, owner)
    assert not running.start(made, owner)
    assert [one.status for one in made.rounds.all()] == ["running", "waiting", "waiting"]
    assert kinds(made) == ["started", "round_began", "edit"], "the edit brings the starter"


def test_a_round_has_its_minutes_and_not_a_second_more(
    interview: Interview, server_clock: MovedClock
) -> None:
    first = current(interview)
    assert first.deadline is not None
    assert first.started_at is not None
    assert first.deadline - first.started_at == timedelta(minutes=30)
    server_clock.forward(minutes=30, seconds=4)
    running.settle(interview)
    assert current(interview) == first, "the grace for what is on its way is not over"
    server_clock.forward(seconds=2)
    running.settle(interview)
    first.refresh_from_db()
    assert (first.status, first.ended_by, first.ended_at) == ("ended", "time", first.deadline)


def test_the_draft_is_submitted_when_the_browser_is_gone(
    interview: Interview, server_clock: MovedClock, queued: list[Submission]
) -> None:
    first = current(interview)
    first.save_text(RIGHT, 0)
    server_clock.forward(hours=2)
    assert running.sweep() == 1
    (sent,) = RoundSubmission.objects.filter(interview_round=first)
    assert sent.is_automatic
    assert (sent.submission.source, sent.submission.kind) == (RIGHT, "submit")
    assert queued == [sent.submission]
    assert running.sweep() == 0, "the second sweep finds nothing to do"
    assert RoundSubmission.objects.count() == 1


def test_the_untouched_starter_is_not_submitted(
    interview: Interview, server_clock: MovedClock, queued: list[Submission]
) -> None:
    server_clock.forward(hours=2)
    running.sweep()
    assert queued == []


def test_what_was_submitted_already_is_not_submitted_again(
    interview: Interview, server_clock: MovedClock, queued: list[Submission]
) -> None:
    first = current(interview)
    first.save_text(RIGHT, 0)
    running.send(first, Submission.Kind.SUBMIT, RIGHT, interview.candidate)
    server_clock.forward(hours=2)
    running.sweep()
    assert len(queued) == 1


def test_a_run_of_the_same_text_does_not_stand_in_for_the_submit(
    interview: Interview, server_clock: MovedClock, queued: list[Submission]
) -> None:
    first = current(interview)
    first.save_text(RIGHT, 0)
    running.send(first, Submission.Kind.RUN, RIGHT, interview.candidate)
    server_clock.forward(hours=2)
    running.sweep()
    assert [one.kind for one in queued] == ["run", "submit"]


def test_a_draft_that_cannot_be_judged_is_named_on_the_timeline(
    interview: Interview, server_clock: MovedClock, queued: list[Submission]
) -> None:
    first = current(interview)
    first.save_text("x" * 17 * 1024, 0)  # the problem allows 16 KiB
    server_clock.forward(hours=2)
    running.sweep()
    assert queued == []
    ended = interview.moments.get(kind=Moment.Kind.ROUND_ENDED)
    assert ended.payload == {"by": "time", "unsent": "too_large"}


def test_the_break_ends_by_itself_and_so_does_the_interview(
    interview: Interview, server_clock: MovedClock
) -> None:
    seen = []
    for minutes in (31, 11, 31, 11, 11):
        server_clock.forward(minutes=minutes)
        running.sweep()
        interview.refresh_from_db()
        round_now = interview.current_round()
        seen.append((interview.status, round_now.number if round_now else None))
    assert seen == [
        ("running", None),
        ("running", 2),
        ("running", None),
        ("running", 3),
        ("ended", None),
    ]
    assert kinds(interview)[-1] == "ended"


def test_a_site_that_was_down_for_hours_costs_nobody_their_next_round(
    interview: Interview, server_clock: MovedClock
) -> None:
    server_clock.forward(hours=9)
    running.settle(interview)
    interview.refresh_from_db()
    assert interview.break_ends_at is not None
    assert interview.break_ends_at - server_clock.now() > timedelta(minutes=9)
    server_clock.forward(hours=9)
    running.settle(interview)
    second = current(interview)
    assert second.number == 2
    assert second.deadline is not None
    assert second.deadline - server_clock.now() > timedelta(minutes=29)


def test_without_a_break_the_next_round_follows_at_once(
    plan: Plan, owner: User, server_clock: MovedClock
) -> None:
    made = plan(break_minutes=0)
    running.start(made, owner)
    server_clock.forward(minutes=31)
    running.settle(made)
    assert current(made).number == 2


def test_a_break_without_an_end_waits_for_a_person(
    plan: Plan, owner: User, server_clock: MovedClock
) -> None:
    made = plan()
    running.start(made, owner)
    server_clock.forward(days=3)
    running.sweep()
    made.refresh_from_db()
    assert (made.current_round(), made.status) == (None, "running")
    assert running.begin_next_round(made, owner)
    assert not running.begin_next_round(made, owner), "one round runs already"
    assert current(made).number == 2


def test_the_database_refuses_a_second_running_round(interview: Interview) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        interview.rounds.filter(number=2).update(status="running")


def test_of_two_who_end_a_round_one_records_it(interview: Interview, owner: User) -> None:
    mine, theirs = current(interview), current(interview)
    mine.save_text(RIGHT, 0)
    theirs.refresh_from_db()
    assert running.end_round(mine, EndedBy.CANDIDATE, owner)
    assert not running.end_round(theirs, EndedBy.CANDIDATE, owner)
    assert kinds(interview).count("round_ended") == 1
    assert RoundSubmission.objects.count() == 1


def test_a_pause_gives_every_second_back(plan: Plan, owner: User, server_clock: MovedClock) -> None:
    made = plan(pause_allowed=True)
    running.start(made, owner)
    before = current(made).deadline
    server_clock.forward(minutes=20)
    assert running.pause(made, owner)
    assert not running.pause(made, owner)
    server_clock.forward(hours=8)
    assert running.sweep() == 0
    running.settle(made)
    assert current(made).status == "running", "a clock that stands ends nothing"
    with pytest.raises(TooLate):
        current(made).save_text("typed in the pause", 0)
    assert running.resume(made, owner)
    after = current(made)
    assert before is not None
    assert after.deadline is not None
    assert abs((after.deadline - before) - timedelta(hours=8)) < timedelta(seconds=5)
    assert abs(after.elapsed_s(server_clock.now()) - 20 * 60) < 5
    server_clock.forward(minutes=11)
    running.settle(made)
    after.refresh_from_db()
    assert abs(after.used_s - 30 * 60) < 5


def test_a_clock_that_may_not_stop_does_not(interview: Interview, owner: User) -> None:
    assert not running.pause(interview, owner)
    interview.refresh_from_db()
    assert interview.paused_at is None


def test_there_is_no_pause_after_the_time(
    plan: Plan, owner: User, server_clock: MovedClock
) -> None:
    made = plan(pause_allowed=True)
    running.start(made, owner)
    server_clock.forward(hours=1)
    assert not running.pause(made, owner)
    assert made.rounds.get(number=1).status == "ended"


def test_added_minutes_move_the_deadline_and_are_told(
    interview: Interview, owner: User, server_clock: MovedClock
) -> None:
    assert running.add_minutes(current(interview), 5, owner)
    server_clock.forward(minutes=34)
    running.settle(interview)
    assert current(interview).allowed_s == 35 * 60
    assert interview.moments.get(kind="time_added").payload == {"minutes": 5}
    ended = interview.rounds.get(number=2)
    assert not running.add_minutes(ended, 5, owner), "it has not begun"


def test_a_text_that_arrives_in_the_grace_is_kept_and_judged(
    interview: Interview, server_clock: MovedClock, queued: list[Submission]
) -> None:
    first = current(interview)
    server_clock.forward(minutes=30, seconds=3)
    first.save_text(RIGHT, 0)
    server_clock.forward(seconds=5)
    running.sweep()
    assert [one.source for one in queued] == [RIGHT]
    with pytest.raises(TooLate):
        first.save_text("later still", 1)


def test_two_tabs_do_not_overwrite_each_other(interview: Interview) -> None:
    first = current(interview)
    assert first.save_text("one", 0) == 1
    assert first.save_text("one", 0) == 1, "the same text again is no conflict"
    with pytest.raises(StaleText) as stale:
        first.save_text("two", 0)
    assert stale.value.interview_round.text == "one"


def test_ending_early_leaves_the_other_rounds_unsat(
    plan: Plan, owner: User, server_clock: MovedClock, queued: list[Submission]
) -> None:
    made = plan(pause_allowed=True, break_minutes=10)
    running.start(made, owner)
    current(made).save_text(RIGHT, 0)
    running.pause(made, owner)
    made.refresh_from_db()
    assert running.end_interview(made, owner)
    made.refresh_from_db()
    assert (made.status, made.break_ends_at) == ("ended", None)
    assert [one.status for one in made.rounds.all()] == ["ended", "waiting", "waiting"]
    assert len(queued) == 1
    server_clock.forward(days=1)
    assert running.sweep() == 0


def test_moments_are_numbered_without_gaps(interview: Interview, server_clock: MovedClock) -> None:
    for _minutes in range(4):
        server_clock.forward(minutes=31)
        running.sweep()
    sequences = list(interview.moments.values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))


def test_a_verdict_stands_once_on_the_timeline_with_the_judges_time(
    interview: Interview, server_clock: MovedClock, queued: list[Submission]
) -> None:
    sent = running.send(current(interview), Submission.Kind.SUBMIT, "wrong", interview.candidate)
    reject(sent)
    server_clock.forward(minutes=3)
    assert running.sweep() == 1
    assert running.sweep() == 0
    verdict = interview.moments.get(kind=Moment.Kind.VERDICT)
    assert verdict.at == sent.finished_at
    assert verdict.payload["verdict"] == "WA"
    counterexample = interview.moments.get(kind=Moment.Kind.COUNTEREXAMPLE)
    assert counterexample.payload["submission"] == str(sent.pk)


def test_the_worker_that_judged_puts_it_there_at_once(
    interview: Interview,
    queued: list[Submission],
    django_capture_on_commit_callbacks: object,
) -> None:
    sent = running.send(current(interview), Submission.Kind.SUBMIT, RIGHT, interview.candidate)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        accept(sent)
    assert kinds(interview)[-2:] == ["verdict", "follow_up"]


def test_one_broken_interview_does_not_stop_the_others(
    plan: Plan,
    owner: User,
    stranger: User,
    server_clock: MovedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = plan()
    running.start(broken, owner)
    InterviewRound.objects.filter(interview=broken).update(seed=1)
    other = Interview.objects.create(candidate=stranger, title="The other", break_minutes=10)
    first = broken.rounds.get(number=1)
    InterviewRound.objects.create(interview=other, number=1, version=first.version, minutes=30)
    running.start(other, stranger)
    real = running.settle

    def settle(interview: Interview) -> Interview:
        if interview == broken:
            raise RuntimeError("a package that cannot be read any more")
        return real(interview)

    monkeypatch.setattr("app.interviews.running.settle", settle)
    server_clock.forward(hours=1)
    assert running.sweep() == 1
    other.refresh_from_db()
    assert other.status == "ended"
