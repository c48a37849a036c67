"""The admin: what it shows, and judging again from there."""

from __future__ import annotations

import pytest
from django.test import Client

from app.accounts.models import User
from app.practice.models import Problem, Submission
from tests.app.practice_data import accept, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(staff: User, staff_client: Client) -> Client:
    staff.is_superuser = True
    staff.save()
    return staff_client


def test_an_admin_finds_a_judge_error_by_its_number(
    admin: Client, owner: User, problem: Problem
) -> None:
    submission, other = send(owner, problem), accept(send(owner, problem))
    token = submission.claim()
    assert token is not None
    submission.fail(token, "c0ffee123456")
    page = admin.get("/admin/practice/submission/?q=c0ffee123456").content.decode()
    assert str(submission.pk) in page
    assert str(other.pk) not in page


@pytest.mark.parametrize("model", ["problem", "problemversion"])
def test_an_admin_sees_the_problems(admin: Client, problem: Problem, model: str) -> None:
    response = admin.get(f"/admin/practice/{model}/")
    assert response.status_code == 200
    assert "double" in response.content.decode()


def test_an_admin_judges_again_only_what_has_ended(
    admin: Client, owner: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[Submission] = []
    monkeypatch.setattr("app.practice.admin.publish", handed.append)
    done, waiting = accept(send(owner, problem)), send(owner, problem)
    chosen = {"action": "rejudge", "_selected_action": [str(done.pk), str(waiting.pk)]}
    response = admin.post("/admin/practice/submission/", chosen, follow=True)
    assert "1 submission is queued again." in response.content.decode()
    assert handed == [done]
    done.refresh_from_db()
    assert done.status == Submission.Status.QUEUED


def test_nobody_edits_a_submission_or_writes_a_problem_by_hand(
    admin: Client, owner: User, problem: Problem
) -> None:
    submission = accept(send(owner, problem))
    url = f"/admin/practice/submission/{submission.pk}/change/"
    assert admin.get(url).status_code == 200
    assert admin.post(url, {"verdict": "WA"}).status_code == 403
    assert admin.get("/admin/practice/problem/add/").status_code == 403


def test_others_are_not_let_in(owner_client: Client, stranger_client: Client) -> None:
    for client in (owner_client, stranger_client):
        assert client.get("/admin/practice/submission/").status_code == 302
