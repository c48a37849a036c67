"""The life of a submission: claims, leases, numbered events, and who wins each race."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from app.accounts.models import User
from app.practice.models import LeaseLost, ProblemVersion, Submission
from graders.verdict import CaseResult, Event, Verdict, case_started, compiling, judged

ACCEPTED = judged([CaseResult("two", Verdict.ACCEPTED, score=1.0)])
REJECTED = judged([CaseResult("two", Verdict.WRONG_ANSWER, "2 is not 4")])


@pytest.fixture
def submission(owner: User, version: ProblemVersion) -> Submission:
    return Submission.send(owner, version, Submission.Kind.SUBMIT, "def double(): ...")


def kinds(submission: Submission) -> list[str]:
    return list(submission.events.values_list("kind", flat=True))


def claimed(submission: Submission) -> uuid.UUID:
    token = submission.claim()
    assert token is not None
    return token


def expire(submission: Submission) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Submission.objects.filter(pk=submission.pk).update(lease_expires_at=past)
    submission.refresh_from_db()


def test_only_one_worker_gets_a_submission(submission: Submission) -> None:
    twin = Submission.objects.get(pk=submission.pk)
    assert claimed(submission)
    assert twin.claim() is None
    assert kinds(submission) == ["queued", "started"]


def test_events_are_numbered_from_one_without_gaps(submission: Submission) -> None:
    token = claimed(submission)
    submission.record(token, compiling())
    submission.record(token, case_started(1, 2, "two"))
    submission.finish(token, ACCEPTED)
    sequences = list(submission.events.values_list("sequence", flat=True))
    assert sequences == [1, 2, 3, 4, 5]
    submission.refresh_from_db()
    assert (submission.status, submission.verdict, submission.score) == ("done", "AC", 1.0)


def test_a_late_twin_writes_neither_event_nor_verdict(submission: Submission) -> None:
    late = claimed(submission)
    expire(submission)
    assert submission.give_back("0" * 12)
    current = claimed(submission)
    with pytest.raises(LeaseLost):
        submission.record(late, compiling())
    with pytest.raises(LeaseLost):
        submission.finish(late, REJECTED)
    submission.finish(current, ACCEPTED)
    with pytest.raises(LeaseLost):
        submission.finish(late, REJECTED)
    submission.refresh_from_db()
    assert submission.verdict == "AC"
    assert kinds(submission).count("verdict") == 1


def test_a_living_worker_keeps_its_submission(submission: Submission) -> None:
    token = claimed(submission)
    assert not submission.give_back("0" * 12)
    assert submission.renew(token)
    assert list(Submission.abandoned()) == []


def test_the_third_dead_worker_makes_a_judge_error(
    submission: Submission, settings: LazySettings
) -> None:
    for _ in range(settings.MAX_ATTEMPTS):
        claimed(submission)
        expire(submission)
        assert submission.give_back("abc123abc123")
        submission.refresh_from_db()
    assert submission.verdict == "JE"
    assert submission.error_id == "abc123abc123"
    assert submission.report is not None
    assert "abc123abc123" in str(submission.report["message"])
    assert kinds(submission).count("verdict") == 1


def test_a_cancelled_submission_takes_no_verdict(submission: Submission) -> None:
    token = claimed(submission)
    assert submission.cancel()
    assert not submission.cancel()
    with pytest.raises(LeaseLost):
        submission.finish(token, ACCEPTED)
    submission.refresh_from_db()
    assert (submission.status, submission.verdict) == ("cancelled", "")


def test_a_finished_submission_cannot_be_cancelled(submission: Submission) -> None:
    submission.finish(claimed(submission), ACCEPTED)
    assert not submission.cancel()


def test_a_rejudge_starts_over_and_keeps_the_story(submission: Submission) -> None:
    submission.fail(claimed(submission), "abc123abc123")
    assert submission.rejudge()
    assert not submission.rejudge()
    submission.finish(claimed(submission), ACCEPTED)
    submission.refresh_from_db()
    assert (submission.verdict, submission.error_id) == ("AC", "")
    assert kinds(submission) == ["queued", "started", "verdict", "rejudged", "started", "verdict"]


def test_the_place_in_the_queue_counts_those_before(
    owner: User, version: ProblemVersion, submission: Submission
) -> None:
    second = Submission.send(owner, version, Submission.Kind.RUN, "x")
    assert (submission.place_in_queue(), second.place_in_queue()) == (1, 2)
    claimed(submission)
    submission.refresh_from_db()
    assert (submission.place_in_queue(), second.place_in_queue()) == (0, 1)


def test_the_rate_limit_says_when_to_try_again(
    owner: User, stranger: User, version: ProblemVersion, settings: LazySettings
) -> None:
    settings.SUBMISSIONS_PER_MINUTE = 2
    for _ in range(2):
        assert Submission.seconds_until_allowed(owner) == 0
        Submission.send(owner, version, Submission.Kind.RUN, "x")
    assert 55 < Submission.seconds_until_allowed(owner) <= 60
    assert Submission.seconds_until_allowed(stranger) == 0


def test_a_stranger_sees_nothing(submission: Submission, stranger: User, staff: User) -> None:
    assert not Submission.objects.visible_to(stranger).exists()
    assert Submission.objects.visible_to(staff).get() == submission
    assert Submission.objects.visible_to(submission.user).get() == submission


@pytest.mark.django_db(transaction=True)
def test_of_eight_workers_at_once_one_wins(owner: User, version: ProblemVersion) -> None:
    submission = Submission.send(owner, version, Submission.Kind.SUBMIT, "x")
    start = threading.Barrier(8)
    tokens: list[uuid.UUID | None] = []

    def work() -> None:
        mine = Submission.objects.get(pk=submission.pk)
        start.wait()
        try:
            tokens.append(mine.claim())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 8
    assert sum(token is not None for token in tokens) == 1


def test_a_verdict_event_is_only_a_pointer(submission: Submission) -> None:
    """The report is kept once, on the submission, so that a rejudge leaves no stale copy."""
    submission.finish(claimed(submission), REJECTED)
    last = submission.events.last()
    assert last is not None
    assert last.data == {"verdict": "WA"}


def test_an_event_of_an_unknown_submission_is_not_kept(submission: Submission) -> None:
    with pytest.raises(LeaseLost):
        submission.record(uuid.uuid4(), Event(compiling().kind))
    assert kinds(submission) == ["queued"]
