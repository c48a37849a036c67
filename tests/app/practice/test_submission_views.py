"""Sending, watching, cancelling, replaying, and the history; for owner, staff and stranger."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from app.accounts.models import User
from app.practice.models import Draft, Problem, Submission
from graders.verdict import CaseResult, Counterexample, Verdict
from tests.app.practice_data import (
    RIGHT,
    WRONG,
    accept,
    another_problem,
    judge_to_the_end,
    passed,
    reject,
    send,
)

pytestmark = pytest.mark.django_db
URL = "/problems/double/submit/"


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> list[Submission]:
    """What was handed to the queue, in place of the queue."""
    handed: list[Submission] = []
    monkeypatch.setattr("app.practice.views.submissions.publish", handed.append)
    monkeypatch.setattr("app.practice.views.submissions.ring", lambda *args, **kwargs: None)
    return handed


def submit(client: Client, source: str = RIGHT, kind: str = "submit", **extra: str) -> Any:
    return client.post(URL, {"source": source, "kind": kind, **extra})


def submit_from_editor(client: Client, source: str = RIGHT, **extra: str) -> Any:
    data = {"source": source, "kind": "submit", **extra}
    return client.post(URL, data, headers={"X-Requested-With": "fetch"})


@pytest.mark.parametrize("kind", ["run", "submit"])
def test_a_plain_form_is_queued_and_leads_to_the_submissions_page(
    owner_client: Client, problem: Problem, published: list[Submission], kind: str
) -> None:
    response = submit(owner_client, kind=kind)
    submission = Submission.objects.get()
    assert response["Location"] == submission.get_absolute_url()
    assert (submission.source, submission.kind, submission.status) == (RIGHT, kind, "queued")
    assert published == [submission]


def test_the_editor_gets_the_live_panel(owner_client: Client, problem: Problem) -> None:
    response = submit_from_editor(owner_client)
    assert response.status_code == 201
    page = response.content.decode()
    assert f'data-id="{Submission.objects.get().pk}"' in page
    assert "Place 1 in the queue" in page
    assert "<html" not in page


def test_line_ends_of_a_textarea_are_made_plain(owner_client: Client, problem: Problem) -> None:
    submit(owner_client, source="a = 1\r\nb = 2\r\n")
    assert Submission.objects.get().source == "a = 1\nb = 2\n"


@pytest.mark.parametrize(
    ("source", "status", "fragment"),
    [
        ("", 400, "yours is empty"),
        (" \n\t\n", 400, "yours is empty"),
        ("x = 1\n" * 3000, 413, "may have 16 KiB, yours has 17.6 KiB"),
        ("a = 1\nb = '\0'\n", 400, "line 2 has one"),
    ],
)
def test_a_bad_source_is_refused_and_nothing_typed_is_lost(
    owner_client: Client,
    problem: Problem,
    published: list[Submission],
    source: str,
    status: int,
    fragment: str,
) -> None:
    refused = submit_from_editor(owner_client, source)
    assert refused.status_code == status
    assert fragment in refused.json()["error"]
    plain = submit(owner_client, source)
    assert plain.status_code == status
    page = plain.content.decode()
    assert fragment in page
    assert source.replace("\0", "").strip()[:30].replace("'", "&#x27;") in page
    assert not Submission.objects.exists()
    assert not published


def test_bytes_that_are_not_utf8_are_named_by_line(owner_client: Client, problem: Problem) -> None:
    response = owner_client.post(
        URL,
        b"kind=submit&source=a%0Ab%FF",
        content_type="application/x-www-form-urlencoded",
        headers={"X-Requested-With": "fetch"},
    )
    assert response.status_code == 400
    assert "line 2 has bytes that are not" in response.json()["error"]
    assert not Submission.objects.exists()


@pytest.mark.parametrize("kind", ["", "delete"])
def test_another_kind_is_refused(owner_client: Client, problem: Problem, kind: str) -> None:
    assert submit_from_editor(owner_client, kind=kind).status_code == 400
    assert not Submission.objects.exists()


def test_too_many_in_a_minute_are_told_when_to_try_again(
    owner_client: Client,
    stranger_client: Client,
    problem: Problem,
    settings: Settings,
) -> None:
    settings.SUBMISSIONS_PER_MINUTE = 2
    for _attempt in range(2):
        assert submit_from_editor(owner_client).status_code == 201
    refused = submit_from_editor(owner_client)
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert f"Try again in {refused['Retry-After']} s." in refused.json()["error"]
    assert RIGHT.splitlines()[0] in submit(owner_client).content.decode()
    assert submit_from_editor(stranger_client).status_code == 201
    Submission.objects.update(created_at=Submission.objects.earliest("created_at").created_at)
    old = Submission.objects.earliest("created_at").created_at - timedelta(minutes=2)
    Submission.objects.update(created_at=old)
    assert submit_from_editor(owner_client).status_code == 201


def test_an_unknown_problem_takes_nothing(owner_client: Client) -> None:
    assert submit(owner_client).status_code == 404


def test_sending_needs_a_csrf_token(owner: User, problem: Problem) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    response = submit(client)
    assert response.status_code == 403
    assert "what you typed is still there" in response.content.decode()
    assert not Submission.objects.exists()


@pytest.mark.parametrize("path", ["", "panel/", "verdict/"])
def test_a_submission_is_seen_by_its_owner_and_staff_only(
    owner_client: Client,
    staff_client: Client,
    stranger_client: Client,
    client: Client,
    owner: User,
    problem: Problem,
    path: str,
) -> None:
    submission = reject(send(owner, problem, WRONG))
    url = f"/submissions/{submission.pk}/{path}"
    assert "double(-1) gave 2" in owner_client.get(url).content.decode()
    assert "double(-1) gave 2" in staff_client.get(url).content.decode()
    assert stranger_client.get(url).status_code == 404
    assert client.get(url).status_code == 302
    missing = f"/submissions/{uuid.uuid4()}/{path}"
    assert owner_client.get(missing).status_code == 404


@pytest.mark.parametrize("action", ["cancel", "replay", "rejudge"])
def test_a_stranger_can_do_nothing_to_it(
    stranger_client: Client, owner: User, problem: Problem, action: str
) -> None:
    submission = reject(send(owner, problem))
    before = submission.event_count
    assert stranger_client.post(f"/submissions/{submission.pk}/{action}/").status_code == 404
    submission.refresh_from_db()
    assert submission.event_count == before
    assert Submission.objects.count() == 1


@pytest.mark.parametrize("action", ["cancel", "replay", "rejudge"])
def test_a_link_changes_nothing(
    owner_client: Client, owner: User, problem: Problem, action: str
) -> None:
    submission = send(owner, problem)
    assert owner_client.get(f"/submissions/{submission.pk}/{action}/").status_code == 405


def test_cancel_stops_what_waits_and_is_harmless_afterwards(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    waiting, done = send(owner, problem), accept(send(owner, problem))
    for submission in (waiting, done):
        url = f"/submissions/{submission.pk}/cancel/"
        assert owner_client.post(url)["Location"] == submission.get_absolute_url()
    waiting.refresh_from_db()
    done.refresh_from_db()
    assert (waiting.status, done.status, done.verdict) == ("cancelled", "done", "AC")
    assert "does not count" in owner_client.get(waiting.get_absolute_url()).content.decode()


def test_cancel_from_the_panel_needs_no_page(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    submission = send(owner, problem)
    response = owner_client.post(
        f"/submissions/{submission.pk}/cancel/", headers={"X-Requested-With": "fetch"}
    )
    assert response.status_code == 204


def test_a_replay_judges_the_counterexample_with_the_same_source(
    owner_client: Client, owner: User, problem: Problem, published: list[Submission]
) -> None:
    original = reject(send(owner, problem, WRONG))
    response = owner_client.post(f"/submissions/{original.pk}/replay/")
    again = Submission.objects.get(kind="replay")
    assert response["Location"] == again.get_absolute_url()
    assert again.source == WRONG
    assert again.replay == {"case": "minus-one", "seed": 7}
    assert published == [again]


def test_a_replay_from_the_editor_takes_the_code_there(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    original = reject(send(owner, problem, WRONG))
    for url, extra in (
        (URL, {"replay_of": str(original.pk)}),
        (f"{URL}?replay_of={original.pk}", {}),
    ):
        Submission.objects.filter(kind="replay").delete()
        data = {"source": RIGHT, "kind": "replay", **extra}
        assert owner_client.post(url, data).status_code == 302
        again = Submission.objects.get(kind="replay")
        assert (again.source, again.version) == (RIGHT, original.version)
        assert again.replay == {"case": "minus-one", "seed": 7}


def test_a_refused_replay_shows_my_draft_untouched(
    owner_client: Client, owner: User, problem: Problem, settings: Settings
) -> None:
    settings.SUBMISSIONS_PER_MINUTE = 1
    Draft.save_text(owner, problem, "my_draft = 1\n", 0)
    original = reject(send(owner, problem, WRONG))
    response = owner_client.post(f"/submissions/{original.pk}/replay/")
    assert response.status_code == 429
    page = response.content.decode()
    assert "my_draft = 1" in page
    assert "data-unsaved" not in page


def test_what_has_no_counterexample_cannot_be_replayed(
    owner_client: Client, stranger_client: Client, owner: User, problem: Problem
) -> None:
    accepted, rejected = accept(send(owner, problem)), reject(send(owner, problem))
    assert owner_client.post(f"/submissions/{accepted.pk}/replay/").status_code == 400
    for client, original in ((owner_client, accepted), (stranger_client, rejected)):
        refused = submit_from_editor(client, kind="replay", replay_of=str(original.pk))
        assert refused.status_code == 400
        assert "needs a submission with a counterexample" in refused.json()["error"]
    assert submit_from_editor(owner_client, kind="replay").status_code == 400
    assert Submission.objects.count() == 2


def test_only_staff_may_rejudge(
    owner_client: Client,
    staff_client: Client,
    owner: User,
    problem: Problem,
    published: list[Submission],
) -> None:
    submission = accept(send(owner, problem))
    url = f"/submissions/{submission.pk}/rejudge/"
    assert owner_client.post(url).status_code == 403
    assert "Judge again" not in owner_client.get(submission.get_absolute_url()).content.decode()
    assert "Judge again" in staff_client.get(submission.get_absolute_url()).content.decode()
    assert staff_client.post(url).status_code == 302
    submission.refresh_from_db()
    assert (submission.status, submission.verdict) == ("queued", "")
    assert published == [submission]


def test_a_judge_error_is_shown_as_ours_with_its_number(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    submission = send(owner, problem)
    token = submission.claim()
    assert token is not None
    submission.fail(token, "c0ffee123456")
    page = owner_client.get(submission.get_absolute_url()).content.decode()
    assert "The judge failed, not your code." in page
    assert "c0ffee123456" in page


def test_a_programs_output_is_shown_as_text_with_its_cut_marked(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    loud = passed(output="<b>hello</b>\n", output_truncated=True)
    submission = judge_to_the_end(send(owner, problem, kind=Submission.Kind.RUN), [loud])
    page = owner_client.get(submission.get_absolute_url()).content.decode()
    assert "&lt;b&gt;hello&lt;/b&gt;" in page
    assert "Cut here" in page


@pytest.mark.parametrize("kind", ["never-drawn", "../../base", "compile_error"])
def test_any_counterexample_can_be_shown(
    owner_client: Client, owner: User, problem: Problem, kind: str
) -> None:
    counterexample = Counterexample(
        kind, "The rule, the fact.", {"output": "SyntaxError: odd", "rows": [{"a_us": 1}]}, {}
    )
    case = CaseResult("two", Verdict.WRONG_ANSWER, counterexample=counterexample)
    submission = judge_to_the_end(send(owner, problem), [case])
    response = owner_client.get(submission.get_absolute_url())
    page = response.content.decode()
    assert response.status_code == 200
    assert "SyntaxError: odd" in page
    assert "Replay" not in page  # it says nothing about how


def test_the_history_is_mine_alone_even_for_staff(
    owner_client: Client,
    staff_client: Client,
    stranger_client: Client,
    owner: User,
    problem: Problem,
) -> None:
    submission = accept(send(owner, problem))
    assert str(submission.pk) in owner_client.get("/submissions/").content.decode()
    for client in (staff_client, stranger_client):
        page = client.get("/submissions/").content.decode()
        assert str(submission.pk) not in page
        assert "You have not sent anything yet." in page


def test_the_history_filters_by_problem_kind_verdict_and_day(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    other = another_problem(problem, "triple", title="Triple")
    right, wrong = accept(send(owner, problem)), reject(send(owner, other))
    run = accept(send(owner, other, kind=Submission.Kind.RUN))
    Submission.objects.filter(pk=right.pk).update(created_at=right.created_at - timedelta(days=9))
    week_ago = (right.created_at - timedelta(days=7)).date().isoformat()

    def listed(query: str) -> set[Submission]:
        page = owner_client.get(f"/submissions/?{query}").content.decode()
        return {each for each in (right, wrong, run) if f"/submissions/{each.pk}/" in page}

    assert listed("") == {right, wrong, run}
    assert listed("problem=triple") == {wrong, run}
    assert listed("kind=run") == {run}
    assert listed("verdict=WA") == {wrong}
    assert listed(f"since={week_ago}") == {wrong, run}
    assert listed(f"until={week_ago}") == {right}
    assert listed("problem=triple&verdict=AC") == {run}
    assert listed("verdict=nonsense&since=yesterday") == {right, wrong, run}


def test_the_history_comes_in_pages_that_keep_the_filter(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    for _number in range(26):
        send(owner, problem)
    first = owner_client.get("/submissions/?kind=submit").content.decode()
    assert "Page 1 of 2" in first
    assert "kind=submit&amp;page=2" in first
    second = owner_client.get("/submissions/?kind=submit&page=2").content.decode()
    assert second.count("?left=") == 1


def test_a_submission_waits_in_the_queue_that_its_grader_names(
    owner_client: Client, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graders.function.QUEUE", "gpu")
    monkeypatch.setattr("app.practice.gpu_workers.one_is_alive", lambda: True)
    submit(owner_client)
    assert Submission.objects.get().queue == "gpu"


def test_nobody_waits_in_the_gpu_queue_while_no_worker_listens_there(
    owner_client: Client, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graders.function.QUEUE", "gpu")
    monkeypatch.setattr("app.practice.gpu_workers.one_is_alive", lambda: False)
    submit(owner_client)
    assert Submission.objects.get().queue == "cpu"
