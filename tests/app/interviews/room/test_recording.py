"""Whatever way a text comes in, the timeline has it: at every moment the text is exact."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any, cast

import pytest
from django.db import transaction
from django.test import Client
from pycrdt import Doc, Text

from app.accounts.models import User
from app.interviews import running
from app.interviews.models import Interview, InterviewRound, Moment
from app.interviews.room import documents, recording
from app.interviews.room.documents import text_at
from app.interviews.room.splices import Splice
from app.interviews.room.updates import check_state_vector
from app.practice.models import Submission
from tests.app.interviews.conftest import MovedClock, Plan, current
from tests.app.interviews.room.test_splices import applied
from tests.app.interviews.test_round_views import FETCH, address, put, sizing, typed
from tests.app.practice_data import RIGHT, reject

__all__ = ["sizing"]
pytestmark = pytest.mark.django_db


def assert_exact(interview: Interview) -> list[Moment]:
    """What was sent stood there, and the edits make the text; the edits after the starter."""
    for one in interview.rounds.exclude(status="waiting"):
        edits = list(one.moments.filter(kind="edit").order_by("sequence").select_related("author"))
        text = ""
        for edit in edits:
            text = applied(text, recorded_splice(edit))
            assert text == text_at(one, edit.sequence)
        assert text == one.text
        for sent in one.moments.filter(kind="sent"):
            submission = Submission.objects.get(pk=str(sent.payload["submission"]))
            assert text_at(one, sent.sequence) == submission.source
    first = interview.rounds.order_by("number")[0]
    return list(first.moments.filter(kind="edit").exclude(author=None).order_by("sequence"))


def recorded_splice(edit: Moment) -> Splice:
    at, gone, new = cast(tuple[int, int, str], edit.payload["splice"])
    return Splice(at, gone, new)


def update_that_types(one: InterviewRound, words: str) -> str:
    """What a live page adds to a form: an update that the socket has not delivered."""
    doc: Doc[Text] = Doc()
    text = doc.get("text", type=Text)
    for moment in one.moments.filter(kind="edit").order_by("sequence"):
        doc.apply_update(recording.update_of(moment.payload))
    before = doc.get_state()
    text.insert(0, words)
    return b64encode(doc.get_update(before)).decode()


def test_a_round_begins_with_its_starter_as_nobody_s_edit(interview: Interview) -> None:
    first = current(interview)
    began, edit = interview.moments.filter(interview_round=first).order_by("sequence")
    assert (began.kind, edit.kind, edit.author) == ("round_began", "edit", None)
    assert text_at(first, edit.sequence) == first.text != ""
    assert first.revision == 0


def test_every_draft_is_an_edit_of_whoever_saved_it(
    owner_client: Client, sizing: Interview, owner: User
) -> None:
    begun = current(sizing).text
    for revision, words in enumerate(["a: 1\n", "a: 12\n", "a: 12\nb: é😀\n"]):
        assert (
            put(owner_client, address(sizing, "draft"), begun + words, revision).status_code == 200
        )
    edits = assert_exact(sizing)
    assert [one.author for one in edits] == [owner] * 3
    assert edits[1].payload["splice"] == [len(begun) + 4, 0, "2"]
    put(owner_client, address(sizing, "draft"), current(sizing).text, 3)
    assert len(assert_exact(sizing)) == 3, "the same text again is no edit"


def test_many_drafts_are_one_writer_to_the_document(
    owner_client: Client, sizing: Interview, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "CHECKPOINT_EVERY", 3)
    for revision in range(7):
        put(owner_client, address(sizing, "draft"), f"a: {revision}\n", revision)
    assert_exact(sizing)
    document = documents.Document()
    document.follow(current(sizing))
    assert len(check_state_vector(document.state)) == 1


@pytest.mark.parametrize("kind", ["run", "submit"])
@pytest.mark.parametrize("headers", [{}, FETCH], ids=["plain-form", "script"])
def test_what_is_sent_is_what_stands_there(
    owner_client: Client,
    interview: Interview,
    owner: User,
    queued: list[Submission],
    kind: str,
    headers: dict[str, Any],
) -> None:
    source = "def double(n):\r\n    return n + n  # 😀\r\n"
    owner_client.post(address(interview, "submit"), {"source": source, "kind": kind}, **headers)
    (edit,) = assert_exact(interview)
    assert edit.author == owner
    assert queued[0].source == current(interview).text == source.replace("\r\n", "\n")


def test_a_lone_carriage_return_is_judged_as_it_is_kept(
    owner_client: Client, interview: Interview, queued: list[Submission]
) -> None:
    owner_client.post(address(interview, "submit"), {"source": "a = 1\rb = 2", "kind": "run"})
    assert_exact(interview)
    assert queued[0].source == "a = 1\nb = 2"


@pytest.mark.parametrize(
    "source",
    ["", "nul \0", "broken \ufffd", "x" * 17 * 1024],
    ids=["empty", "nul", "bytes", "large"],
)
def test_what_is_refused_leaves_the_text_as_it_was(
    owner_client: Client, interview: Interview, source: str
) -> None:
    before = current(interview).text
    form = {"source": source, "kind": "submit"}
    assert owner_client.post(address(interview, "submit"), form, **FETCH).status_code in (400, 413)
    assert assert_exact(interview) == []
    assert current(interview).text == before


def test_a_live_page_sends_its_last_words_along(
    owner_client: Client, interview: Interview, owner: User, queued: list[Submission]
) -> None:
    one = current(interview)
    form = {
        "source": "older than that",
        "kind": "submit",
        "update": update_that_types(one, "# 1\n"),
    }
    assert owner_client.post(address(interview, "submit"), form, **FETCH).status_code == 201
    (edit,) = assert_exact(interview)
    assert (edit.author, queued[0].source) == (owner, f"# 1\n{one.text}")
    # Once more with nothing that the server lacks, and with the same update again.
    for update in ("", form["update"]):
        again = form | {"update": update, "kind": "run"}
        assert owner_client.post(address(interview, "submit"), again, **FETCH).status_code == 201
    assert len(assert_exact(interview)) == 1
    assert {one.source for one in queued} == {f"# 1\n{one.text}"}


def test_a_live_page_s_words_and_the_other_s_are_both_judged(
    interviewer_client: Client,
    owner_client: Client,
    room: Interview,
    owner: User,
    interviewer: User,
    queued: list[Submission],
) -> None:
    one = current(room)
    theirs = {"update": update_that_types(one, "# olga\n"), "kind": "submit"}
    form = {"update": update_that_types(one, "# ivan\n"), "kind": "run"}
    assert interviewer_client.post(address(room, "submit"), form, **FETCH).status_code == 201
    assert owner_client.post(address(room, "submit"), theirs, **FETCH).status_code == 201
    edits = assert_exact(room)
    assert [edit.author for edit in edits] == [interviewer, owner]
    for words in ("# olga\n", "# ivan\n", one.text):
        assert words in queued[1].source


@pytest.mark.parametrize("update", ["%%", "//////8P", "AQEBBAQBAHgBYQA="])
def test_an_update_that_does_not_fit_is_refused(
    owner_client: Client, interview: Interview, update: str
) -> None:
    form = {"update": update, "kind": "run"}
    answer = owner_client.post(address(interview, "submit"), form, **FETCH)
    assert (answer.status_code, "Reload" in answer.json()["error"]) == (400, True)
    assert assert_exact(interview) == []


@pytest.mark.parametrize("tail", ["rounds/1/finish/", "pause/", "end/"])
@pytest.mark.parametrize("live", [False, True], ids=["plain-form", "live"])
def test_what_comes_along_with_a_button_is_an_edit(
    owner_client: Client,
    plan: Plan,
    owner: User,
    server_clock: MovedClock,
    queued: list[Submission],
    tail: str,
    live: bool,
) -> None:
    made = plan(pause_allowed=True)
    running.start(made, owner)
    one = current(made)
    form = {"update": update_that_types(one, "# 2\n")} if live else {"source": f"# 2\r\n{one.text}"}
    owner_client.post(f"/interviews/{made.pk}/{tail}", form)
    (edit,) = assert_exact(made)
    assert edit.author == owner
    assert made.rounds.get(number=1).text == f"# 2\n{one.text}"
    assert [sent.source for sent in queued] == ([] if tail == "pause/" else [f"# 2\n{one.text}"])


def test_a_form_without_scripts_is_recorded_too(
    owner_client: Client, sizing: Interview, queued: list[Submission]
) -> None:
    form = {"kind": "submit", "source": typed(sizing, "reference.yaml")}
    owner_client.post(address(sizing, "submit"), form)
    assert_exact(sizing)
    assert queued[0].source == current(sizing).text


def test_the_interviewer_cannot_fill_in_the_candidate_s_form(
    interviewer_client: Client, room: Interview, sizing: Interview, queued: list[Submission]
) -> None:
    worksheet = sizing.rounds.get().version
    InterviewRound.objects.filter(pk=current(room).pk).update(version=worksheet)
    form = {"kind": "run", "source": "a: 1\n"}
    answer = interviewer_client.post(address(room, "submit"), form, **FETCH)
    assert (answer.status_code, "Only the candidate" in answer.json()["error"]) == (400, True)
    assert queued == []


def test_the_clock_sends_exactly_what_stands_there(
    owner_client: Client, interview: Interview, server_clock: MovedClock, queued: list[Submission]
) -> None:
    put(owner_client, address(interview, "draft"), RIGHT, 0)
    server_clock.forward(hours=2)
    running.sweep()
    assert_exact(interview)
    assert [sent.source for sent in queued] == [RIGHT]


def test_a_replayed_counterexample_is_sent_with_the_text_that_stands_there(
    owner_client: Client, interview: Interview, queued: list[Submission]
) -> None:
    refused = running.send(current(interview), Submission.Kind.SUBMIT, "x", interview.candidate)
    reject(refused)
    url = f"{address(interview, 'submit')}?replay_of={refused.pk}"
    owner_client.post(url, {"kind": "replay", "source": RIGHT}, **FETCH)
    assert_exact(interview)
    assert current(interview).text == RIGHT


def test_a_text_that_no_round_keeps_is_refused(
    owner_client: Client, interview: Interview, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "TEXT_LIMIT_BYTES", 100)
    large = "x" * 101
    assert put(owner_client, address(interview, "draft"), large, 0).status_code == 413
    form = {"source": large, "kind": "submit"}
    assert owner_client.post(address(interview, "submit"), form, **FETCH).status_code == 413
    assert owner_client.post(address(interview, "finish"), {"source": large}).status_code == 302
    assert assert_exact(interview) == []


def test_a_round_that_began_unrecorded_is_recorded_when_it_is_next_written(
    owner_client: Client, interview: Interview
) -> None:
    interview.moments.filter(kind="edit").delete()
    InterviewRound.objects.filter(pk=current(interview).pk).update(text="saved before", revision=4)
    put(owner_client, address(interview, "draft"), "saved before, and after", 4)
    (edit,) = assert_exact(interview)
    assert edit.payload["splice"] == [12, 0, ", and after"]


def test_a_save_that_is_rolled_back_leaves_no_trace(interview: Interview, owner: User) -> None:
    with transaction.atomic():
        current(interview).save_text("gone", 0)
        transaction.set_rollback(True)
    assert assert_exact(interview) == []
    current(interview).save_text("kept", 0)
    assert len(assert_exact(interview)) == 1


def test_a_moment_s_payload_is_json_as_before(interview: Interview) -> None:
    current(interview).save_text("x", 0)
    moment = interview.moments.filter(kind="edit").last()
    assert moment is not None
    assert json.loads(json.dumps(moment.payload)).keys() == {"update", "splice"}
