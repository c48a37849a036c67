"""The path, its rounds, and what to do next."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from app.accounts.models import User
from app.practice.models import Draft, Problem, Submission
from app.practice.progress import best_submissions, next_problem, path_of
from tests.app.practice_data import accept, another_problem, reject, send

pytestmark = pytest.mark.django_db


def test_a_visitor_is_sent_to_sign_in(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("accounts:login"))


def test_the_path_has_seven_stations_and_empty_ones_say_so(
    owner_client: Client, problem: Problem
) -> None:
    page = owner_client.get("/").content.decode()
    assert page.count('class="station') - page.count('class="station-') == 7 + 1  # and the list
    assert page.count("no problems yet") == 6
    assert "Double a number" in page


def test_the_path_counts_only_what_this_person_solved(
    owner_client: Client, stranger_client: Client, owner: User, problem: Problem
) -> None:
    accept(send(owner, problem))
    assert "1 of 1 problem accepted" in owner_client.get("/").content.decode()
    assert "0 of 1 problem accepted" in stranger_client.get("/").content.decode()


def test_a_run_on_samples_does_not_count_as_solved(
    owner: User, stranger: User, problem: Problem
) -> None:
    accept(send(owner, problem, kind=Submission.Kind.RUN))
    assert best_submissions(owner) == {}


def test_a_judge_error_is_never_the_best(owner: User, problem: Problem) -> None:
    submission = send(owner, problem)
    token = submission.claim()
    assert token is not None
    submission.fail(token, "abc123")
    assert best_submissions(owner) == {}


def test_the_best_verdict_outlives_a_later_worse_one(owner: User, problem: Problem) -> None:
    best = accept(send(owner, problem))
    reject(send(owner, problem))
    assert best_submissions(owner) == {problem.pk: best}


def test_continue_leads_to_the_problem_touched_last(owner: User, problem: Problem) -> None:
    other = another_problem(problem, "triple", round=5)
    assert next_problem(owner, path_of(owner)) == (problem, False)
    Draft.save_text(owner, other, "x = 1\n", 0)
    assert next_problem(owner, path_of(owner)) == (other, True)
    reject(send(owner, problem))
    assert next_problem(owner, path_of(owner)) == (problem, True)
    accept(send(owner, problem))
    assert next_problem(owner, path_of(owner)) == (other, True)
    accept(send(owner, other))
    assert next_problem(owner, path_of(owner)) is None


def test_a_round_lists_its_problems_with_my_best(
    owner_client: Client, stranger_client: Client, owner: User, problem: Problem
) -> None:
    reject(send(owner, problem))
    mine = owner_client.get("/rounds/3/").content.decode()
    assert "Wrong answer · 50 %" in mine
    assert "5 min" in mine
    assert "Not tried" in stranger_client.get("/rounds/3/").content.decode()


def test_a_round_without_problems_says_so_and_still_tells_what_it_is_about(
    owner_client: Client,
) -> None:
    page = owner_client.get("/rounds/6/").content.decode()
    assert "This round has no problems yet." in page
    assert "Gang scheduling that cannot deadlock" in page


@pytest.mark.parametrize("number", [0, 8])
def test_there_is_no_other_round(owner_client: Client, number: int) -> None:
    assert owner_client.get(f"/rounds/{number}/").status_code == 404


def test_an_unpublished_problem_is_on_no_list(owner_client: Client, problem: Problem) -> None:
    Problem.objects.update(published=False)
    assert "Double a number" not in owner_client.get("/").content.decode()
    assert owner_client.get(problem.get_absolute_url()).status_code == 404


def test_the_pages_speak_chinese_to_those_who_ask(owner_client: Client) -> None:
    english = owner_client.get("/").content.decode()
    owner_client.post("/accounts/language/", {"language": "zh-hans", "next": "/"})
    chinese = owner_client.get("/").content.decode()
    assert 'lang="en"' in english
    assert 'lang="zh-hans"' in chinese
