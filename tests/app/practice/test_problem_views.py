"""The problem page and the editorial."""

from __future__ import annotations

import pytest
from django.test import Client

from app.accounts.models import User
from app.practice.models import Draft, Problem, Submission
from graders.verdict import judged
from tests.app.practice_data import accept, passed, reject, send

pytestmark = pytest.mark.django_db


def page_of(client: Client, path: str = "/problems/double/") -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_holds_statement_starter_samples_limits_and_hints(
    owner_client: Client, problem: Problem
) -> None:
    page = page_of(owner_client)
    assert '<span class="math">2x</span>' in page
    assert "return {&#x27;double&#x27;: 0}" in page
    assert "<code>two</code>" in page
    assert "minus-one" not in page  # hidden cases stay hidden
    assert "Submit judges 1 hidden case more" in page
    assert "128 MiB" in page
    assert "Hint 1 of 1" in page


def test_the_editor_opens_with_my_draft_and_nobody_elses(
    owner_client: Client, stranger_client: Client, owner: User, problem: Problem
) -> None:
    Draft.save_text(owner, problem, "my_own_draft = 1\n", 0)
    assert "my_own_draft = 1" in page_of(owner_client)
    assert "my_own_draft" not in page_of(stranger_client)


def test_the_latest_submission_is_shown_again_after_a_reload(
    owner_client: Client, stranger_client: Client, owner: User, problem: Problem
) -> None:
    submission = reject(send(owner, problem))
    page = page_of(owner_client)
    assert f'data-id="{submission.pk}"' in page
    assert page.count('data-kind="case_finished"') == 2
    assert "double(-1) gave 2" in page
    assert str(submission.pk) not in page_of(stranger_client)


def test_follow_ups_come_after_acceptance(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    assert "And for floats?" not in page_of(owner_client)
    accept(send(owner, problem))
    assert "And for floats?" in page_of(owner_client)
    assert "And for floats?" in page_of(owner_client, "/problems/double/recent/")


def test_an_accepted_run_does_not_open_the_editorial(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    accept(send(owner, problem, kind=Submission.Kind.RUN))
    assert "Add it to itself." not in page_of(owner_client, "/problems/double/editorial/")


def test_the_editorial_opens_after_acceptance(
    owner_client: Client, stranger_client: Client, owner: User, problem: Problem
) -> None:
    accept(send(owner, problem))
    assert "Add it to itself." in page_of(owner_client, "/problems/double/editorial/")
    warned = page_of(stranger_client, "/problems/double/editorial/")
    assert "Add it to itself." not in warned
    assert "Show me anyway" in warned
    assert "Add it to itself." in page_of(stranger_client, "/problems/double/editorial/?anyway=yes")


def test_an_unknown_problem_is_a_404_page_of_ours(owner_client: Client) -> None:
    response = owner_client.get("/problems/nope/")
    assert response.status_code == 404
    assert "Nothing here" in response.content.decode()


def test_a_source_that_looks_like_html_stays_text(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    Draft.save_text(owner, problem, "</textarea><script>alert(1)</script>", 0)
    page = page_of(owner_client)
    assert "<script>alert(1)" not in page
    assert "&lt;/textarea&gt;" in page


def test_a_reload_shows_everything_that_the_live_panel_had(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    submission = send(owner, problem)
    token = submission.claim()
    assert token is not None
    submission.finish(token, judged([passed()], {"bytes_sent": 74, "items": 3}))
    for path in ("/problems/double/", f"/submissions/{submission.pk}/panel/"):
        page = page_of(owner_client, path)
        assert "Bytes sent" in page
        assert "74" in page
