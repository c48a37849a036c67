"""A trace on the site: one's own, judged once, downloadable, and silent about what was planted."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from app.accounts.models import User
from app.practice.models import Attempt, Draft, Problem, Submission
from graders.answers import read
from graders.triage import draw
from tests.app.practice_data import version_of
from tests.app.trace_data import SLUG, answers_for, trace_problem
from tests.app.worksheet_data import judged

PAGE = f"/problems/{SLUG}/"
SUBMIT = f"{PAGE}submit/"
TRACE = f"{PAGE}trace.json"


@pytest.fixture
def triage(db: None) -> Problem:
    return trace_problem()


@pytest.fixture
def attempt(triage: Problem, owner: User) -> Attempt:
    return Attempt.current(owner, version_of(triage))


@pytest.fixture(autouse=True)
def no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.practice.views.submissions.publish", lambda submission: None)


@pytest.fixture(autouse=True)
def seeds_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test hangs on chance, and the same few traces are simulated."""
    numbers = iter(range(1, 1000))
    monkeypatch.setattr(Attempt._meta.get_field("seed"), "default", lambda: next(numbers))
    monkeypatch.setattr("app.practice.models.attempts.new_seed", lambda: next(numbers))


def send(client: Client, source: str, kind: str = "submit", **more: object) -> str:
    """Send as the page's script does; the error, or nothing."""
    response = client.post(SUBMIT, {"source": source, "kind": kind, **more},
                           headers={"X-Requested-With": "fetch"})  # fmt: skip
    return "" if response.status_code == 201 else str(response.json()["error"])


def test_page_and_download_show_the_same_spans(attempt: Attempt, owner_client: Client) -> None:
    page = owner_client.get(PAGE).content.decode()
    offered = {int(one) for one in re.findall(r'name="answer.span"\s+value="(\d+)"', page)}
    response = owner_client.get(TRACE)
    assert "attachment" in response.headers["Content-Disposition"]
    events = json.loads(response.content)["traceEvents"]
    assert offered == {one["args"]["span"] for one in events if one["ph"] == "X"}
    assert len(offered) == len(draw(attempt.seed).spans)


def test_each_person_has_a_trace_of_their_own_until_a_new_one_is_drawn(
    attempt: Attempt, owner_client: Client, stranger_client: Client
) -> None:
    mine = owner_client.get(TRACE).content
    assert owner_client.get(TRACE).content == mine
    assert stranger_client.get(TRACE).content != mine
    assert owner_client.post(f"{PAGE}values/").status_code == 302
    assert owner_client.get(TRACE).content != mine


def test_nothing_on_the_page_tells_what_was_planted(
    attempt: Attempt, owner_client: Client, owner: User
) -> None:
    """Two traces' pages differ in their spans alone, and no word of the generator is on either."""
    Attempt.objects.filter(user=owner).update(seed=7_313_313_313)
    page = owner_client.get(PAGE).content.decode()
    assert "7313313313" not in page
    assert not re.search(r"touched|planted|decoy|proof", page)
    options = re.findall(r'name="answer.(?:cause|measurement)"\s+value="([\w-]+)"\s*>', page)
    owner_client.post(f"{PAGE}values/")
    other = owner_client.get(PAGE).content.decode()
    assert re.findall(r'name="answer.(?:cause|measurement)"\s+value="([\w-]+)"\s*>', other) == (
        options
    )
    assert len(options) == 8 + 11


def test_a_trace_is_judged_once_by_the_servers_seed(attempt: Attempt, owner_client: Client) -> None:
    assert send(owner_client, answers_for(attempt), seed=99, attempt=attempt.number) == ""
    submission = Submission.objects.get()
    assert submission.seed == attempt.seed
    assert judged(submission).verdict == "AC"
    assert "have been" in send(owner_client, answers_for(attempt))


def test_an_answer_that_is_missing_does_not_use_the_trace_up(
    attempt: Attempt, owner_client: Client
) -> None:
    assert "Choose one" in send(owner_client, "span: 3")
    assert "must be YAML" in send(owner_client, "{")
    assert not Submission.objects.exists()
    assert send(owner_client, answers_for(attempt)) == ""


def test_a_form_without_scripts_becomes_the_same_answers(
    attempt: Attempt, owner_client: Client
) -> None:
    source = answers_for(attempt)
    data = {f"answer.{name}": answer for name, answer in read(source).items()}
    sent = owner_client.post(SUBMIT, {"kind": "submit", "attempt": attempt.number, **data})
    assert sent.status_code == 302
    submission = Submission.objects.get()
    assert submission.source == source
    assert judged(submission).verdict == "AC"


def test_a_wrong_answer_is_shown_with_the_step_without_it(
    attempt: Attempt, owner_client: Client
) -> None:
    send(owner_client, answers_for(attempt, "submissions/wrong_answer/decoy_span.yaml"))
    page = owner_client.get(judged(Submission.objects.get()).get_absolute_url())
    shown = page.content.decode()
    assert shown.count('<figure class="triage-timeline">') == 3
    assert "The telltale:" in shown


def test_a_submission_keeps_its_trace_and_a_stranger_does_not_see_it(
    attempt: Attempt, owner_client: Client, stranger_client: Client
) -> None:
    mine = owner_client.get(TRACE).content
    send(owner_client, answers_for(attempt))
    owner_client.post(f"{PAGE}values/")
    address = f"{Submission.objects.get().get_absolute_url()}trace.json"
    assert owner_client.get(address).content == mine
    assert stranger_client.get(address).status_code == 404
    assert address in owner_client.get(Submission.objects.get().get_absolute_url()).content.decode()


def test_a_tab_with_an_old_trace_is_told_so(attempt: Attempt, owner_client: Client) -> None:
    owner_client.post(f"{PAGE}values/")
    late = owner_client.get(f"{TRACE}?attempt={attempt.number}")
    assert late.status_code == 409
    assert "Another trace has been drawn" in late.json()["error"]


def test_a_draft_comes_back_into_the_form(
    attempt: Attempt, owner_client: Client, owner: User, triage: Problem
) -> None:
    Draft.save_text(owner, triage, 'cause: "straggler"\nspan: "5"\nmeasurement: ""\n', 0)
    page = owner_client.get(PAGE).content.decode()
    checked = re.findall(r'name="answer\.(\w+)"\s+value="([\w-]+)"\s+checked', page)
    assert checked == [("cause", "straggler"), ("span", "5")]


def test_other_problems_have_no_trace(problem: Problem, owner_client: Client) -> None:
    assert owner_client.get(f"/problems/{problem.slug}/trace.json").status_code == 404
    assert owner_client.get("/problems/nope/trace.json").status_code == 404


def test_a_trace_has_no_fields_to_read(triage: Problem, owner_client: Client) -> None:
    assert owner_client.get(f"{PAGE}reading/?field=cause&text=1").status_code == 404


def test_nobody_signed_out_downloads(triage: Problem, client: Client) -> None:
    response = client.get(TRACE)
    assert response.status_code == 302
    assert "/login" in response.headers["Location"]
