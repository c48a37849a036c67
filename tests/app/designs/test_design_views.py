"""A design's addresses: what cannot be read is told while typed; a review is its owner's alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from app.accounts.models import User
from app.designs.models import SelfReview
from app.practice.models import Problem, Submission
from graders.verdict import CaseResult, JsonObject, Verdict, compile_error, judged
from tests.app.design_data import SLUG, design_problem, file_of
from tests.app.practice_data import send, version_of

CHECK = f"/problems/{SLUG}/check/"
LEVELS = {"level.2": "1", "level.4": "2", "note": "size first"}


@pytest.fixture
def design(db: None) -> Problem:
    return design_problem()


@pytest.fixture(autouse=True)
def no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.practice.views.submissions.publish", lambda submission: None)


def finished(
    owner: User, design: Problem, kind: Submission.Kind = Submission.Kind.SUBMIT
) -> Submission:
    """A judged design, its report made without a sandbox."""
    submission = send(owner, design, file_of(design, "reference.yaml"), kind)
    token = submission.claim()
    assert token is not None
    rubric: JsonObject = {"criterion": "Locality", "level": 2, "why": "it stays in the node"}
    assessment: JsonObject = {
        "constraints": [], "metrics": [], "cost": None, "rubric": [rubric], "pictures": [],
    }  # fmt: skip
    cases = [CaseResult("divides", Verdict.ACCEPTED, score=1.0)]
    submission.finish(token, judged(cases, {"assessment": assessment}))
    submission.refresh_from_db()
    return submission


def review(client: Client, submission: Submission, **data: str) -> Any:
    return client.post(f"/submissions/{submission.pk}/review/", LEVELS | data)


def check(client: Client, text: object) -> Any:
    return client.post(CHECK, json.dumps({"text": text}), content_type="application/json")


def test_what_cannot_be_read_is_told_with_its_place(design: Problem, owner_client: Client) -> None:
    text = file_of(design, "submissions/compile_error/no_such_key.yaml")
    (complaint,) = check(owner_client, text).json()
    line = text.splitlines().index("  micro_batches: 1") + 1
    assert (complaint["line"], complaint["column"], complaint["end"]) == (line, 3, 16)
    assert complaint["message"] == "schedule has no key micro_batches. Did you mean micro_batch?"
    assert check(owner_client, file_of(design, "reference.yaml")).json() == []


def test_a_check_tells_nothing_about_constraints(design: Problem, owner_client: Client) -> None:
    wrong = file_of(design, "submissions/wrong_answer/everything_replicated.yaml")
    assert check(owner_client, wrong).json() == []


def test_a_check_speaks_the_readers_language(
    design: Problem, owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "app.practice.wording.gettext", lambda template: f"«{template}»" if template else ""
    )
    message = check(owner_client, "parallel: {}\n").json()[0]["message"]
    assert message.startswith("«")


@pytest.mark.parametrize("body", ["", "[]", '{"text": 3}', "{", '"' + "[" * 100_000, "[" * 100_000])
def test_a_check_of_something_else_is_refused(
    design: Problem, owner_client: Client, body: str
) -> None:
    response = owner_client.post(CHECK, body, content_type="application/json")
    assert response.status_code == 400


def test_a_text_that_could_not_be_sent_is_told_so(design: Problem, owner_client: Client) -> None:
    (complaint,) = check(owner_client, "# " + "x" * 20_000).json()
    assert "may have 16 KiB" in complaint["message"]


def test_nobody_checks_without_signing_in(design: Problem, client: Client) -> None:
    assert check(client, "").status_code == 302


def test_only_designs_are_checked(problem: Problem, owner_client: Client) -> None:
    response = owner_client.post("/problems/double/check/", '{"text": ""}', "application/json")
    assert response.status_code == 404


def test_the_page_brings_the_schema_and_works_without_scripts(
    design: Problem, owner_client: Client
) -> None:
    page = owner_client.get(f"/problems/{SLUG}/")
    schema = page.context["design_schema"]
    assert schema["properties"]["memory"]["properties"]["recompute"]["enum"] == [
        "none", "selective", "full",
    ]  # fmt: skip
    html = page.content.decode()
    assert f'data-check-url="{CHECK}"' in html
    assert '<textarea name="source"' in html
    sent = owner_client.post(
        f"/problems/{SLUG}/submit/", {"source": file_of(design, "reference.yaml"), "kind": "run"}
    )
    assert sent.status_code == 302
    assert Submission.objects.get().version == version_of(design)


def test_a_review_is_kept_and_shown_again(
    design: Problem, owner: User, owner_client: Client
) -> None:
    submission = finished(owner, design)
    page = f"/submissions/{submission.pk}/"
    before = owner_client.get(page).context["review"]["lines"]
    assert [line["is_computed"] for line in before] == [True, False, False, False, False]
    response = review(owner_client, submission)
    assert response.headers["Location"] == f"{page}#self-review"
    after = owner_client.get(page).context["review"]
    chosen = {
        line["criterion"]: level["number"]
        for line in after["lines"]
        for level in line["levels"]
        if level["is_chosen"]
    }
    assert chosen == {"Locality": 2, "Order of thought": 1, "Beyond the model": 2}
    assert after["note"] == "size first"
    review(owner_client, submission, **{"level.2": "2", "note": ""})
    kept = SelfReview.objects.get(submission=submission)
    assert kept.levels == {"Order of thought": 2, "Beyond the model": 2}
    assert kept.note == ""


def test_a_review_never_changes_the_verdict(
    design: Problem, owner: User, owner_client: Client
) -> None:
    submission = finished(owner, design)
    before = (submission.verdict, submission.score, submission.report, submission.event_count)
    review(owner_client, submission)
    submission.refresh_from_db()
    assert before == (
        submission.verdict, submission.score, submission.report, submission.event_count,
    )  # fmt: skip


def test_only_the_owner_writes_a_review(
    design: Problem, owner: User, stranger_client: Client, staff_client: Client, client: Client
) -> None:
    submission = finished(owner, design)
    assert review(stranger_client, submission).status_code == 404
    assert review(staff_client, submission).status_code == 403
    assert review(client, submission).status_code == 302
    assert not SelfReview.objects.exists()
    page = staff_client.get(f"/submissions/{submission.pk}/").content.decode()
    assert "Your own review" in page
    assert "Save the review" not in page


@pytest.mark.parametrize("level", ["3", "-1", "x", "9" * 5000, "1.0"])
def test_a_level_that_the_rubric_lacks_is_refused(
    design: Problem, owner: User, owner_client: Client, level: str
) -> None:
    submission = finished(owner, design)
    response = review(owner_client, submission, **{"level.2": level})
    assert response.status_code == 400
    assert b"A level must be one of the rubric" in response.content
    assert not SelfReview.objects.exists()


@pytest.mark.parametrize("note", ["x" * 4001, "a\0b"])
def test_a_note_that_cannot_be_kept_is_refused(
    design: Problem, owner: User, owner_client: Client, note: str
) -> None:
    assert review(owner_client, finished(owner, design), note=note).status_code == 400


def test_there_is_nothing_to_review_before_the_verdict_or_after_a_run(
    design: Problem, owner: User, owner_client: Client
) -> None:
    waiting = send(owner, design, file_of(design, "reference.yaml"))
    run = finished(owner, design, Submission.Kind.RUN)
    unread = send(owner, design, "parallel: {}\n")
    token = unread.claim()
    assert token is not None
    unread.finish(token, compile_error("a fault"))
    unread.refresh_from_db()
    for submission in (waiting, run, unread):
        assert review(owner_client, submission).status_code == 404
        assert owner_client.get(f"/submissions/{submission.pk}/").context["review"] is None


def test_other_problems_have_no_review(problem: Problem, owner: User, owner_client: Client) -> None:
    submission = send(owner, problem)
    token = submission.claim()
    assert token is not None
    submission.finish(token, judged([CaseResult("two", Verdict.ACCEPTED, score=1.0)]))
    assert review(owner_client, submission).status_code == 404
