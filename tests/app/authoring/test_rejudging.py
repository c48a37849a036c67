"""Rejudging by a newer version: a preview that changes nothing, then exactly what it showed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from app.accounts.models import User
from app.authoring import queue
from app.authoring.comparing import cannot_be_compared, judges_differently
from app.authoring.models import Rejudge, RejudgeItem, Work
from app.practice.models import Problem, ProblemVersion, Submission
from graders.verdict import Event, EventKind, judged
from problems.schema import ProblemSpec
from tests.app.authoring.conftest import Sent
from tests.app.practice_data import RIGHT, WRONG, accept, broken, passed, reject, send, version_of
from tests.app.worksheet_data import worksheet
from tests.conftest import SPEC

pytestmark = pytest.mark.django_db


def newer(problem: Problem, number: int = 2, **changes: Any) -> ProblemVersion:
    """A next version, made the current one; by default it says other words and judges alike."""
    old = version_of(problem)
    spec = ProblemSpec.model_validate({**SPEC, "version": number, **changes})
    problem.current_version = ProblemVersion.objects.create(
        problem=problem,
        number=number,
        digest=str(number) * 64,
        spec_json=spec.model_dump(mode="json"),
        files={**old.files, "statement.md": "Other words.\n"},
    )
    problem.save()
    return problem.current_version


LIMITS = {**SPEC["limits"], "memory_mib": 256}  # type: ignore[dict-item]


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A judge that accepts what is right by the new version, without a sandbox; what it judged."""
    seen: list[str] = []

    def judging(spec: Any, files: Any, source: str, *args: Any) -> Any:
        seen.append(source)
        results = [passed(), passed("minus-one")] if "abs" in source else [passed(), broken()]
        event = judged(results)
        yield Event(EventKind.VERDICT, event.data)

    monkeypatch.setattr("app.authoring.models.rejudges.judge", judging)
    monkeypatch.setattr("app.authoring.queue.make_launcher", _NoLauncher)
    return seen


class _NoLauncher:
    cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Rejudges that were handed to the workers to be applied."""
    handed: list[str] = []
    monkeypatch.setattr(
        queue.apply_rejudge, "apply_async", lambda args, queue: handed.append(args[0])
    )
    return handed


@pytest.mark.django_db(transaction=True)
def test_a_preview_changes_nothing_and_applying_writes_exactly_what_it_showed(
    owner: User,
    problem: Problem,
    staff_client: Client,
    judge: list[str],
    work: Callable[[], int],
    applied: list[str],
) -> None:
    right, wrong = accept(send(owner, problem, RIGHT)), reject(send(owner, problem, WRONG))
    version = newer(problem, limits=LIMITS)
    base = "/authoring/problems/double/"
    page = staff_client.get(f"{base}rejudge/").content.decode()
    assert "which judged differently" in page
    staff_client.post(f"{base}rejudge/preview/")
    assert work() == 2
    rejudge = Rejudge.objects.get()
    assert rejudge.status == Rejudge.Status.PREVIEWED
    for submission, verdict in ((right, "AC"), (wrong, "WA")):
        submission.refresh_from_db()
        assert (submission.verdict, submission.past_verdicts.count()) == (verdict, 0)
    page = staff_client.get(rejudge.get_absolute_url()).content.decode()
    assert "2 verdicts would change." in page
    staff_client.post(f"{rejudge.get_absolute_url()}apply/")
    queue.apply_rejudge(applied.pop())
    for submission, verdict, before in ((right, "WA", "AC"), (wrong, "AC", "WA")):
        submission.refresh_from_db()
        assert (submission.verdict, submission.judging_version) == (verdict, version)
        assert submission.version.number == 1
        assert [past.verdict for past in submission.past_verdicts.all()] == [before]
    assert len(judge) == 2  # nothing was judged a second time
    page = staff_client.get(rejudge.get_absolute_url()).content.decode()
    assert "2 verdicts have changed." in page
    assert not Rejudge.candidates(problem).exists()


def test_a_submission_keeps_the_version_that_it_was_sent_to(owner: User, problem: Problem) -> None:
    first = version_of(problem)
    submission = accept(send(owner, problem))
    newer(problem, limits=LIMITS)
    submission.refresh_from_db()
    assert submission.judging_version == first


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({}, False),
        ({"title": "Another", "hints": []}, False),
        ({"limits": LIMITS}, True),
        ({"cases": SPEC["cases"][:1]}, True),  # type: ignore[index]
    ],
)
def test_a_rejudge_is_called_for_only_where_what_counts_as_right_has_changed(
    owner: User, problem: Problem, changes: dict[str, Any], differs: bool
) -> None:
    accept(send(owner, problem))
    first = version_of(problem)
    version = newer(problem, **changes)
    assert judges_differently(first, version) is differs
    assert Rejudge.is_called_for(version) is differs


def test_a_changed_checker_judges_differently(problem: Problem) -> None:
    first = version_of(problem)
    second = newer(problem)
    second.files["checker.py"] = "def check(): ..."
    assert judges_differently(first, second)


def test_runs_judge_errors_and_what_waits_are_left_alone(owner: User, problem: Problem) -> None:
    accept(send(owner, problem, kind=Submission.Kind.RUN))
    send(owner, problem)
    failed = send(owner, problem)
    token = failed.claim()
    assert token is not None
    failed.fail(token, "c0ffee")
    newer(problem, limits=LIMITS)
    assert not Rejudge.candidates(problem).exists()


def previewed(staff: User, problem: Problem, judge: list[str]) -> Rejudge:
    rejudge = Rejudge.preview(staff, problem)
    for item in rejudge.items.all():
        queue.do_piece("item", item.pk)
    rejudge.refresh_from_db()
    assert rejudge.status == Rejudge.Status.PREVIEWED
    return rejudge


def test_applying_goes_on_after_a_killed_worker(
    owner: User,
    staff: User,
    problem: Problem,
    judge: list[str],
    sent: Sent,
    applied: list[str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    for _number in range(3):
        reject(send(owner, problem, WRONG))
    newer(problem, limits=LIMITS)
    rejudge = previewed(staff, problem, judge)
    assert rejudge.begin_to_apply(staff)
    first = rejudge.items.first()
    assert first is not None
    first.apply()  # and then the worker is killed
    Rejudge.objects.filter(pk=rejudge.pk).update(
        lease_expires_at=timezone.now() + timedelta(minutes=1)
    )
    queue.apply_rejudge(str(rejudge.pk))  # another worker, while the lease holds
    assert rejudge.n_applied == 1
    with django_capture_on_commit_callbacks(execute=True):
        queue.sweep()
    assert applied == []
    Rejudge.objects.filter(pk=rejudge.pk).update(lease_expires_at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        queue.sweep()
    assert applied == [str(rejudge.pk)]
    queue.apply_rejudge(applied[0])
    rejudge.refresh_from_db()
    assert (rejudge.status, rejudge.n_applied) == ("applied", 3)
    for submission in Submission.objects.all():
        assert submission.past_verdicts.count() == 1


def test_what_was_judged_again_meanwhile_is_left_as_it_is(
    owner: User, staff: User, problem: Problem, judge: list[str], sent: Sent
) -> None:
    submission = reject(send(owner, problem, WRONG))
    newer(problem, limits=LIMITS)
    rejudge = previewed(staff, problem, judge)
    submission.rejudge()
    assert rejudge.begin_to_apply(staff)
    rejudge.apply()
    submission.refresh_from_db()
    assert submission.status == Submission.Status.QUEUED
    assert RejudgeItem.objects.get().skipped == "changed"


def test_a_preview_of_a_version_that_is_not_current_any_more_is_not_applied(
    owner: User,
    staff: User,
    staff_client: Client,
    problem: Problem,
    judge: list[str],
    sent: Sent,
) -> None:
    submission = reject(send(owner, problem, WRONG))
    newer(problem, limits=LIMITS)
    rejudge = previewed(staff, problem, judge)
    newer(problem, 3)
    page = staff_client.post(f"{rejudge.get_absolute_url()}apply/", follow=True)
    assert "Preview again" in page.content.decode()
    submission.refresh_from_db()
    assert submission.verdict == "WA"


def test_where_the_judge_fails_the_verdict_stays(
    owner: User, staff: User, problem: Problem, judge: list[str], sent: Sent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def failing(*args: Any) -> Any:
        raise RuntimeError("the checker is broken")

    submission = reject(send(owner, problem, WRONG))
    newer(problem, limits=LIMITS)
    monkeypatch.setattr("app.authoring.models.rejudges.judge", failing)
    rejudge = previewed(staff, problem, judge)
    assert rejudge.changed.count() == 0
    assert rejudge.begin_to_apply(staff)
    rejudge.apply()
    submission.refresh_from_db()
    assert (submission.verdict, submission.past_verdicts.count()) == ("WA", 0)


def test_a_stopped_preview_ends_its_judging(
    owner: User, staff: User, problem: Problem, judge: list[str], sent: Sent
) -> None:
    reject(send(owner, problem, WRONG))
    newer(problem, limits=LIMITS)
    rejudge = Rejudge.preview(staff, problem)
    item = rejudge.items.get()
    token = item.claim()
    assert token is not None
    assert item.renew(token)
    assert rejudge.stop()
    assert not item.renew(token)  # which ends its programs
    assert not rejudge.begin_to_apply(staff)


def test_answers_to_values_that_the_new_version_does_not_draw_are_left_alone(owner: User) -> None:
    problem = worksheet()
    version = version_of(problem)
    submission = Submission.send(owner, version, Submission.Kind.SUBMIT, "a: 1", seed=5)
    spec = version.spec
    assert cannot_be_compared(submission, spec) == ""
    changed = spec.model_dump(mode="json")
    for parameter in changed["grader"]["parameters"]:
        if parameter.get("choose"):
            parameter["choose"] = parameter["choose"][:-1] or parameter["choose"]
    other = ProblemSpec.model_validate(changed)
    found = {cannot_be_compared(submission, other)}
    for seed in range(6, 12):
        submission.seed = seed
        found.add(cannot_be_compared(submission, other))
    assert "values" in found


def test_pieces_are_handed_out_a_few_at_a_time(
    owner: User, staff: User, problem: Problem, judge: list[str], sent: Sent
) -> None:
    for _number in range(5):
        reject(send(owner, problem, WRONG))
    newer(problem, limits=LIMITS)
    rejudge = Rejudge.preview(staff, problem)
    queue.pump(rejudge)
    queue.pump(rejudge)
    assert len(sent) == queue.IN_FLIGHT
    queue.do_piece(*sent.pop(0))
    assert len(sent) == queue.IN_FLIGHT
    assert rejudge.items.filter(status=Work.Status.DONE).count() == 1
