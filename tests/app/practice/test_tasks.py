"""The worker's task and the sweeper: one verdict, whatever happens to workers and brokers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from app.accounts.models import User
from app.practice import sweeper, tasks
from app.practice.models import ProblemVersion, Submission
from graders.ports import CannotJudge
from graders.text import say
from graders.verdict import CaseResult, Event, Verdict, compiling, judged

pytestmark = pytest.mark.django_db(transaction=True)

ACCEPTED = judged([CaseResult("two", Verdict.ACCEPTED, score=1.0)])


class NoPrograms:
    """A launcher whose programs are never started, but which can be cancelled."""

    def __init__(self) -> None:
        self.cancelled = False
        self.ended = threading.Event()

    def cancel(self) -> None:
        self.cancelled = True
        self.ended.set()


Judge = Callable[[NoPrograms], Iterator[Event]]


@pytest.fixture
def submission(owner: User, version: ProblemVersion) -> Submission:
    return Submission.send(owner, version, Submission.Kind.SUBMIT, "def double(): ...")


@pytest.fixture
def judging(monkeypatch: pytest.MonkeyPatch) -> Callable[[Judge], None]:
    """Judge with this generator in place of a grader in a sandbox."""

    def use(judge: Judge) -> None:
        def stand_in(*arguments: Any) -> Iterator[Event]:
            return judge(arguments[5])

        monkeypatch.setattr(tasks, "judge", stand_in)
        monkeypatch.setattr(tasks, "make_launcher", NoPrograms)

    return use


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The submissions for which a task was sent."""
    sent: list[str] = []
    monkeypatch.setattr(
        tasks.judge_submission, "apply_async", lambda args, queue: sent.append(args[0])
    )
    return sent


def accept(launcher: NoPrograms) -> Iterator[Event]:
    yield compiling()
    yield ACCEPTED


def test_a_task_delivered_twice_judges_once(
    submission: Submission, judging: Callable[[Judge], None]
) -> None:
    judging(accept)
    tasks.judge_submission(str(submission.pk))
    tasks.judge_submission(str(submission.pk))
    kinds = list(submission.events.values_list("kind", flat=True))
    assert kinds == ["queued", "started", "compiling", "verdict"]


def test_a_deleted_submission_is_no_error(db: None) -> None:
    tasks.judge_submission("00000000-0000-4000-8000-000000000000")


def test_our_own_failure_is_a_judge_error_with_an_id_that_the_log_has(
    submission: Submission,
    judging: Callable[[Judge], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(launcher: NoPrograms) -> Iterator[Event]:
        yield compiling()
        raise OSError("the disk is full")

    judging(fail)
    with caplog.at_level(logging.ERROR):
        tasks.judge_submission(str(submission.pk))
    submission.refresh_from_db()
    assert submission.verdict == "JE"
    assert len(submission.error_id) == 12
    assert submission.error_id in caplog.text
    assert "the disk is full" in caplog.text
    assert "the disk is full" not in str(submission.report)


def test_what_a_site_lacks_is_told_in_words(
    submission: Submission, judging: Callable[[Judge], None], client: Client
) -> None:
    def refuse(launcher: NoPrograms) -> Iterator[Event]:
        yield compiling()
        raise CannotJudge(say("This site has no {thing}.", thing="torch"))

    judging(refuse)
    tasks.judge_submission(str(submission.pk))
    submission.refresh_from_db()
    assert submission.verdict == "JE"
    client.force_login(submission.user)
    page = client.get(reverse("practice:submission", args=[submission.pk])).content.decode()
    assert "This site has no torch." in page
    assert "This does not count against you." in page


def test_cancelling_ends_the_programs_and_leaves_no_verdict(
    submission: Submission, judging: Callable[[Judge], None]
) -> None:
    def wait_for_the_end(launcher: NoPrograms) -> Iterator[Event]:
        yield compiling()
        Submission.objects.get(pk=submission.pk).cancel()
        assert launcher.ended.wait(timeout=20), "the heartbeat never ended the programs"
        yield ACCEPTED

    judging(wait_for_the_end)
    tasks.judge_submission(str(submission.pk))
    submission.refresh_from_db()
    assert (submission.status, submission.verdict) == ("cancelled", "")


def test_a_long_case_keeps_its_lease(
    submission: Submission, judging: Callable[[Judge], None], settings: LazySettings
) -> None:
    settings.LEASE_S = 0.6
    seen = []

    def take_long(launcher: NoPrograms) -> Iterator[Event]:
        first = Submission.objects.get(pk=submission.pk).lease_expires_at
        assert first is not None
        while timezone.now() < first + timedelta(seconds=0.3):
            connection.close()
            threading.Event().wait(0.05)
        seen.append(Submission.abandoned().count())
        yield ACCEPTED

    judging(take_long)
    tasks.judge_submission(str(submission.pk))
    submission.refresh_from_db()
    assert seen == [0]
    assert submission.verdict == "AC"


def test_a_broker_that_is_away_loses_nothing(
    submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr(tasks.judge_submission, "apply_async", fail)
    tasks.publish(submission)
    submission.refresh_from_db()
    assert (submission.status, submission.published_at) == ("queued", None)


def age(submission: Submission, seconds: float, **columns: bool) -> None:
    past = timezone.now() - timedelta(seconds=seconds)
    Submission.objects.filter(pk=submission.pk).update(**dict.fromkeys(columns, past))


def test_the_sweeper_publishes_what_was_never_published(
    submission: Submission, sent: list[str]
) -> None:
    age(submission, 5, queued_at=True)
    assert sweeper.sweep() == sweeper.Swept(given_back=0, published_again=1)
    assert sent == [str(submission.pk)]
    assert sweeper.sweep().published_again == 0, "a message that waits is not sent twice"


def test_the_sweeper_publishes_what_a_restarted_broker_forgot(
    submission: Submission, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    age(submission, 20, queued_at=True, published_at=True)
    monkeypatch.setattr(sweeper, "_is_empty", lambda queue: False)
    assert sweeper.sweep().published_again == 0
    monkeypatch.setattr(sweeper, "_is_empty", lambda queue: True)
    assert sweeper.sweep().published_again == 1
    assert sent == [str(submission.pk)]


def test_the_sweeper_gives_back_what_a_dead_worker_left(
    submission: Submission, sent: list[str]
) -> None:
    assert submission.claim()
    assert sweeper.sweep().given_back == 0
    age(submission, 1, lease_expires_at=True)
    assert sweeper.sweep().given_back == 1
    submission.refresh_from_db()
    assert submission.status == "queued"
    assert list(submission.events.values_list("kind", flat=True))[-1] == "requeued"
