"""Verdicts that were replaced: by judging again, and by another version of the problem."""

from __future__ import annotations

import pytest
from django.test import Client

from app.accounts.models import User
from app.practice.models import Problem, ProblemVersion, Submission
from graders.text import to_json
from graders.verdict import JsonObject, judged
from tests.app.practice_data import accept, passed, reject, send, version_of

pytestmark = pytest.mark.django_db


def newer(problem: Problem) -> ProblemVersion:
    old = version_of(problem)
    return ProblemVersion.objects.create(
        problem=problem, number=2, digest="2" * 64, spec_json=old.spec_json, files=old.files
    )


def report_of_all_right() -> JsonObject:
    event = judged([passed(), passed("minus-one")])
    return to_json(event.data)  # type: ignore[return-value]


def test_judging_again_forgets_no_verdict(owner: User, problem: Problem) -> None:
    submission = reject(send(owner, problem))
    report = submission.report
    assert submission.rejudge()
    (past,) = submission.past_verdicts.all()
    assert (past.verdict, past.report, past.version) == ("WA", report, version_of(problem))


def test_another_version_replaces_the_verdict_and_not_the_version(
    owner: User, problem: Problem
) -> None:
    submission = reject(send(owner, problem))
    version = newer(problem)
    assert submission.take_verdict(version, "AC", 1.0, report_of_all_right())
    submission.refresh_from_db()
    assert submission.verdict == "AC"
    assert submission.version == version_of(problem)
    assert submission.judging_version == version
    assert [past.verdict for past in submission.past_verdicts.all()] == ["WA"]


def test_a_verdict_that_changed_meanwhile_is_not_replaced(owner: User, problem: Problem) -> None:
    submission = accept(send(owner, problem))
    stale = Submission.objects.get(pk=submission.pk)
    submission.rejudge()
    assert not stale.take_verdict(newer(problem), "WA", 0.0, report_of_all_right())
    submission.refresh_from_db()
    assert submission.status == Submission.Status.QUEUED
    assert submission.past_verdicts.count() == 1


def test_a_past_verdict_can_be_read_by_its_owner_and_staff_alone(
    owner: User,
    problem: Problem,
    owner_client: Client,
    staff_client: Client,
    stranger_client: Client,
) -> None:
    submission = reject(send(owner, problem))
    submission.take_verdict(newer(problem), "AC", 1.0, report_of_all_right())
    (past,) = submission.past_verdicts.all()
    for client in (owner_client, staff_client):
        page = client.get(past.get_absolute_url()).content.decode()
        assert "The sign must stay" in page
        assert "version 1 of the problem" in page
    assert stranger_client.get(past.get_absolute_url()).status_code == 404
    page = owner_client.get(submission.get_absolute_url()).content.decode()
    assert past.get_absolute_url() in page
    assert "rejudged by version 2" in page
