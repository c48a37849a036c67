"""Who sees a replay, and what: each role at each address, and the link until it is revoked."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from app.accounts.models import User
from app.interviews import running
from app.interviews.models import Interview, InterviewRound, Link, Moment
from app.practice.models import Submission
from tests.app.interviews.conftest import MovedClock, current
from tests.app.interviews.replay.played import DRAFTS, NOTE
from tests.app.practice_data import accept, version_of
from tests.app.trace_data import trace_problem
from tests.app.worksheet_data import worksheet

pytestmark = pytest.mark.django_db


def judged(interview: Interview) -> Submission:
    """The first submission, which was refused."""
    found = interview.rounds.get(number=1).submissions().filter(kind="submit").first()
    assert isinstance(found, Submission)
    return found


def addresses(interview: Interview, below: str) -> list[str]:
    return [
        f"{below}replay/",
        f"{below}replay/recording.json",
        f"{below}replay/rounds/1/edits.json",
        f"{below}replay/rounds/1/problem/",
        f"{below}replay/rounds/1/verdicts/{judged(interview).pk}/",
    ]


@pytest.fixture
def token(played: Interview) -> str:
    _link, token = Link.issue(played, Link.Scope.DEBRIEF)
    return token


def test_each_role_sees_it_and_a_stranger_nothing(
    played: Interview,
    owner_client: Client,
    interviewer_client: Client,
    staff_client: Client,
    stranger_client: Client,
) -> None:
    for url in addresses(played, played.get_absolute_url()):
        for client in (owner_client, interviewer_client, staff_client):
            answer = client.get(url)
            assert answer.status_code == 200, url
            assert answer["Cache-Control"] == "private, no-store"
            assert client.post(url).status_code == 405
        assert stranger_client.get(url).status_code == 404, url
        assert Client().get(url)["Location"].startswith("/accounts/login/"), url


def test_an_interviewer_whose_seat_is_gone_sees_nothing(
    played: Interview, interviewer_client: Client
) -> None:
    played.links.get(scope="interviewer").revoke()
    for url in addresses(played, played.get_absolute_url()):
        assert interviewer_client.get(url).status_code == 404, url


def test_there_is_none_before_the_end(
    room: Interview, owner: User, owner_client: Client, interviewer_client: Client
) -> None:
    accept(running.send(current(room), Submission.Kind.SUBMIT, "x", owner))
    running.settle(room)
    _link, token = Link.issue(room, Link.Scope.DEBRIEF)
    for client in (owner_client, interviewer_client):
        for url in addresses(room, room.get_absolute_url()):
            assert client.get(url).status_code == 404, url
    for url in addresses(room, f"/interviews/shared/{token}/"):
        assert Client().get(url).status_code == 410, url


def test_whoever_has_the_link_sees_it_until_it_is_revoked(
    played: Interview, token: str, stranger_client: Client
) -> None:
    urls = addresses(played, f"/interviews/shared/{token}/")
    for client in (Client(), stranger_client):
        for url in urls:
            answer = client.get(url)
            assert answer.status_code == 200, url
            assert answer["Cache-Control"] == "private, no-store"
            assert answer["Referrer-Policy"] == "no-referrer"
            assert answer["X-Robots-Tag"] == "noindex"
    played.links.get(scope="debrief").revoke()
    for url in urls:
        assert Client().get(url).status_code == 410, url


def test_only_the_debriefs_link_opens_it(played: Interview) -> None:
    _link, invitation = Link.issue(played, Link.Scope.INTERVIEWER)
    for wrong in (invitation, "x" * 43):
        for url in addresses(played, f"/interviews/shared/{wrong}/"):
            assert Client().get(url).status_code == 410, url


def test_the_link_opens_its_own_interview_alone(
    played: Interview, token: str, owner: User, queued: list[Submission]
) -> None:
    version = played.rounds.get(number=1).version
    other = Interview.objects.create(candidate=owner, title="Another")
    InterviewRound.objects.create(interview=other, number=1, version=version, minutes=30)
    running.start(other, owner)
    sent = accept(running.send(current(other), Submission.Kind.SUBMIT, "secret", owner))
    running.end_interview(other, owner)
    url = f"/interviews/shared/{token}/replay/rounds/1/verdicts/{sent.pk}/"
    assert Client().get(url).status_code == 404


def test_a_private_note_is_not_the_candidates_nor_the_links(
    played: Interview,
    token: str,
    owner_client: Client,
    interviewer_client: Client,
    staff_client: Client,
) -> None:
    note = played.moments.get(kind=Moment.Kind.NOTE)
    for client, below, sees in (
        (interviewer_client, played.get_absolute_url(), True),
        (staff_client, played.get_absolute_url(), True),
        (owner_client, played.get_absolute_url(), False),
        (Client(), f"/interviews/shared/{token}/", False),
    ):
        said = [client.get(url).content.decode() for url in addresses(played, below)]
        assert any(NOTE in page for page in said) is sees
        recorded = client.get(f"{below}replay/recording.json").json()
        assert (note.sequence in {one["sequence"] for one in recorded["moments"]}) is sees


def test_no_document_ever_reaches_a_browser(played: Interview, owner_client: Client) -> None:
    edit = played.moments.filter(kind="edit").latest("sequence")
    edit.payload["state"] = "U1RBVEU="
    edit.save()
    base = f"{played.get_absolute_url()}replay/"
    for path in ("", "recording.json", "rounds/1/edits.json", "rounds/2/edits.json"):
        said = owner_client.get(base + path).content.decode()
        assert str(edit.payload["update"]) not in said
        assert "U1RBVEU=" not in said


def test_edits_are_compressed_and_paged(played: Interview, owner_client: Client) -> None:
    url = f"{played.get_absolute_url()}replay/rounds/1/edits.json"
    rows = owner_client.get(url).json()["edits"]
    rest = owner_client.get(f"{url}?after={rows[2][0]}").json()
    assert rest["edits"] == rows[3:]
    assert rest["next"] is None
    packed = owner_client.get(url, headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    for wrong in ("x", "-1", "9" * 30):
        assert owner_client.get(f"{url}?after={wrong}").status_code == 404


def test_a_round_that_was_not_sat_stays_unknown(played: Interview, owner_client: Client) -> None:
    base = f"{played.get_absolute_url()}replay/rounds/"
    for number in (3, 9):
        for below in ("edits.json", "problem/"):
            assert owner_client.get(f"{base}{number}/{below}").status_code == 404
    assert "Return <code>" in owner_client.get(f"{base}1/problem/").content.decode()


def test_a_verdict_comes_with_its_counterexample_and_no_way_to_send(
    played: Interview, token: str, owner_client: Client
) -> None:
    path = f"replay/rounds/1/verdicts/{judged(played).pk}/"
    for client, below in (
        (owner_client, played.get_absolute_url()),
        (Client(), f"/interviews/shared/{token}/"),
    ):
        said = client.get(below + path).content.decode()
        assert "sign must stay" in said
        assert "minus-one" in said
        assert "<form" not in said
        assert "<button" not in said
        # A stranger's way there would end at the door.
        assert ("/submissions/" in said) is (client is owner_client)


def test_a_verdict_that_was_not_reached_is_not_told(
    room: Interview, owner: User, owner_client: Client
) -> None:
    sent = running.send(current(room), Submission.Kind.SUBMIT, "x", owner)
    running.end_interview(room, owner)
    url = f"{room.get_absolute_url()}replay/rounds/1/verdicts/{sent.pk}/"
    assert owner_client.get(url).status_code == 404


def test_a_verdict_that_changed_since_says_so(played: Interview, owner_client: Client) -> None:
    sent = judged(played)
    url = f"{played.get_absolute_url()}replay/rounds/1/verdicts/{sent.pk}/"
    assert "judged again" not in owner_client.get(url).content.decode()
    Submission.objects.filter(pk=sent.pk).update(verdict="AC")
    said = owner_client.get(url).content.decode()
    assert "the verdict was “Wrong answer”. It has been judged again" in said


def test_without_scripts_the_text_at_a_moment_is_there(
    played: Interview, token: str, owner_client: Client
) -> None:
    sent = played.moments.filter(kind="sent").order_by("sequence").first()
    assert sent is not None
    for client, below in (
        (owner_client, played.get_absolute_url()),
        (Client(), f"/interviews/shared/{token}/"),
    ):
        page = client.get(f"{below}replay/?moment={sent.sequence}").content.decode()
        found = re.search(r'<pre tabindex="0">(.*?)</pre>', page, re.DOTALL)
        assert found is not None
        assert found[1].replace("&#x27;", "'") == DRAFTS[3]
        assert f'href="{below}replay/?moment={sent.sequence}"' in page
        for words in ("And below zero?", "Add it to itself.", "The same, exactly."):
            assert words in page


def test_answers_are_shown_in_their_form(
    owner: User, owner_client: Client, queued: list[Submission], server_clock: MovedClock
) -> None:
    made = Interview.objects.create(candidate=owner, title="Forms", break_minutes=0)
    for number, problem in enumerate((worksheet(), trace_problem()), start=1):
        version = version_of(problem)
        InterviewRound.objects.create(
            interview=made, number=number, version=version, minutes=30, text=version.starter
        )
    running.start(made, owner)
    for _round in range(2):
        running.end_round(current(made), InterviewRound.EndedBy.CANDIDATE, owner)
    base = f"{made.get_absolute_url()}replay/"
    rounds = owner_client.get(f"{base}recording.json").json()["rounds"]
    assert [one["form"] for one in rounds] == ["worksheet", "trace"]
    page = owner_client.get(base).content.decode()
    assert page.count('<fieldset class="worksheet replay-fields" disabled>') == 3, "shown, and kept"
    for nothing_to_send in ("<answer-form", "data-draft-url", 'id="code-form"'):
        assert nothing_to_send not in page
    # The trace's form as the second round left it.
    second = owner_client.get(f"{base}?at=9999").content.decode()
    shown = second.split("<template", 1)[0]
    assert 'name="answer.cause"' in shown
    assert re.search(r'<option value="1"\s+label="[^"]+ rank \d', shown)
