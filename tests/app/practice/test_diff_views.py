"""Two texts side by side."""

from __future__ import annotations

import pytest
from django.test import Client

from app.accounts.models import User
from app.practice.models import Draft, Problem
from tests.app.practice_data import RIGHT, WRONG, another_problem, send

pytestmark = pytest.mark.django_db
URL = "/problems/double/diff/"


def test_any_two_of_mine_can_be_compared(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    one, two = send(owner, problem, "one = 1\n"), send(owner, problem, "two = 2\n")
    Draft.save_text(owner, problem, "draft = 3\n", 0)
    texts = {str(one.pk): "one = 1", str(two.pk): "two = 2", "draft": "draft = 3"}
    for left, left_text in texts.items():
        for right, right_text in texts.items():
            page = owner_client.get(URL, {"left": left, "right": right}).content.decode()
            body = page[page.index('class="diff-columns"') :]
            assert body.index(left_text) <= body.rindex(right_text)
            assert ("The two are the same." in page) == (left == right)


def test_without_a_choice_the_latest_stands_beside_the_draft(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    send(owner, problem, "older = 1\n")
    send(owner, problem, "newest = 1\n")
    page = owner_client.get(URL).content.decode()
    body = page[page.index('class="diff-columns"') :]
    assert "newest = 1" in body
    assert "older = 1" not in body
    assert "def double" in body  # no draft yet: the starter stands for it


def test_a_stranger_cannot_compare_with_mine(
    stranger_client: Client, staff_client: Client, owner: User, problem: Problem
) -> None:
    submission = send(owner, problem, WRONG)
    query = {"left": str(submission.pk), "right": "starter"}
    assert stranger_client.get(URL, query).status_code == 404
    assert "abs(2 * number)" in staff_client.get(URL, query).content.decode()


@pytest.mark.parametrize("key", ["nonsense", "9ee8643b-09fb-4656-b952-3044beb84cbb"])
def test_what_is_no_submission_is_a_404(owner_client: Client, problem: Problem, key: str) -> None:
    assert owner_client.get(URL, {"left": key}).status_code == 404


def test_another_problems_submission_is_no_side(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    elsewhere = send(owner, another_problem(problem, "triple"), RIGHT)
    assert owner_client.get(URL, {"left": str(elsewhere.pk)}).status_code == 404
