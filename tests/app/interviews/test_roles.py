"""Every address with every role: a stranger gets nothing, and each role what is its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from app.accounts.models import User
from app.interviews import running
from app.interviews.models import AskedFollowUp, Interview, Link, Role, RoundSubmission
from app.interviews.server_time import now
from app.interviews.urls import urlpatterns
from app.practice.models import Submission
from tests.app.interviews.conftest import MovedClock, current, seat
from tests.app.practice_data import reject
from tests.conftest import make_user, signed_in

pytestmark = pytest.mark.django_db

Scope = Link.Scope

# What each role gets: 2 is success or a way on, 403 and 404 are refusals. In the order candidate,
# interviewer, admin; a stranger gets 404 everywhere.
OPEN, NOT_YOURS, NOT_THERE = 2, 403, 404
TABLE: dict[str, tuple[str, tuple[int, int, int]]] = {
    "interview": ("GET", (OPEN, OPEN, OPEN)),
    "clock": ("GET", (OPEN, OPEN, OPEN)),
    "chat": ("POST", (OPEN, OPEN, NOT_YOURS)),
    "panel": ("GET", (OPEN, OPEN, OPEN)),
    "start": ("POST", (OPEN, OPEN, NOT_YOURS)),
    "ready": ("POST", (OPEN, OPEN, NOT_YOURS)),
    "next": ("POST", (OPEN, OPEN, NOT_YOURS)),
    "pause": ("POST", (OPEN, OPEN, NOT_YOURS)),
    "resume": ("POST", (OPEN, OPEN, NOT_YOURS)),
    "discard": ("POST", (OPEN, NOT_YOURS, NOT_YOURS)),
    "notes": ("POST", (NOT_YOURS, OPEN, NOT_YOURS)),
    "links": ("POST", (OPEN, NOT_YOURS, NOT_YOURS)),
    "revoke": ("POST", (OPEN, NOT_YOURS, NOT_YOURS)),
    "draft": ("GET", (OPEN, NOT_YOURS, NOT_YOURS)),
    "submit": ("POST", (OPEN, OPEN, NOT_YOURS)),
    "verdict": ("GET", (OPEN, OPEN, OPEN)),
    "minutes": ("POST", (NOT_YOURS, OPEN, NOT_YOURS)),
    "hint": ("POST", (OPEN, OPEN, NOT_YOURS)),
    "beside": ("GET", (OPEN, OPEN, OPEN)),
    "text": ("GET", (OPEN, OPEN, OPEN)),
    "ask": ("POST", (NOT_YOURS, OPEN, NOT_YOURS)),
    "answer": ("POST", (OPEN, NOT_YOURS, NOT_YOURS)),
    "debrief": ("GET", (OPEN, OPEN, OPEN)),
    "debrief-json": ("GET", (NOT_THERE, NOT_THERE, NOT_THERE)),  # while the interview runs
    "marks": ("POST", (OPEN, OPEN, NOT_YOURS)),
    "feedback": ("POST", (OPEN, OPEN, NOT_YOURS)),
    "trace": ("GET", (NOT_THERE, NOT_THERE, NOT_THERE)),  # the round's problem has none
    "replay": ("GET", (NOT_THERE, NOT_THERE, NOT_THERE)),
    "replay-recording": ("GET", (NOT_THERE, NOT_THERE, NOT_THERE)),
    "replay-edits": ("GET", (NOT_THERE, NOT_THERE, NOT_THERE)),
    "replay-problem": ("GET", (NOT_THERE, NOT_THERE, NOT_THERE)),
    "replay-verdict": ("GET", (NOT_THERE, NOT_THERE, NOT_THERE)),
    "finish": ("POST", (OPEN, OPEN, NOT_YOURS)),
    "end": ("POST", (OPEN, OPEN, OPEN)),
}
# The same once the interview has ended, where it differs.
ENDED: dict[str, tuple[str, tuple[int, int, int]]] = {
    "debrief": ("GET", (OPEN, OPEN, OPEN)),
    "debrief-json": ("GET", (OPEN, OPEN, OPEN)),
    "marks": ("POST", (OPEN, OPEN, NOT_YOURS)),
    "feedback": ("POST", (OPEN, OPEN, NOT_YOURS)),
    "links": ("POST", (OPEN, NOT_YOURS, NOT_YOURS)),
    "replay": ("GET", (OPEN, OPEN, OPEN)),
    "replay-recording": ("GET", (OPEN, OPEN, OPEN)),
    "replay-edits": ("GET", (OPEN, OPEN, OPEN)),
    "replay-problem": ("GET", (OPEN, OPEN, OPEN)),
    "replay-verdict": ("GET", (OPEN, OPEN, OPEN)),
}
# Addresses that belong to no interview: everybody who is signed in has their own there.
OWN = {"list", "new", "forget"}
# Addresses with a token, and what it opens; any other token opens nothing.
BY_TOKEN = {
    "invitation": Scope.INTERVIEWER,
    "shared": Scope.DEBRIEF,
    "shared-json": Scope.DEBRIEF,
    "shared-replay": Scope.DEBRIEF,
    "shared-replay-recording": Scope.DEBRIEF,
    "shared-replay-edits": Scope.DEBRIEF,
    "shared-replay-problem": Scope.DEBRIEF,
    "shared-replay-verdict": Scope.DEBRIEF,
}
FORM = {"kind": "run", "source": "x = 1", "text": "words", "minutes": "5", "scope": "interviewer"}


def address_of(
    name: str,
    room: Interview,
    sent: Submission,
    asked: AskedFollowUp | None = None,
    token: str = "",
) -> str:
    route = next(str(one.pattern) for one in urlpatterns if one.name == name)
    values = {
        "<uuid:pk>": room.pk,
        "<int:number>": 1,
        "<uuid:submission>": sent.pk,
        "<int:asked>": asked.pk if asked else 0,
        "<str:token>": token,
        "<int:link>": room.links.filter(revoked_at=None).earliest("created_at").pk,
    }
    for part, value in values.items():
        route = route.replace(part, str(value))
    return f"/interviews/{route}"


@pytest.fixture
def sent(room: Interview, owner: User) -> Submission:
    return reject(running.send(current(room), Submission.Kind.SUBMIT, "x", owner))


@pytest.fixture
def asked(room: Interview) -> AskedFollowUp:
    return AskedFollowUp.objects.create(
        interview_round=current(room), question="Why?", due_at=now(), asked_at=now()
    )


def test_the_tables_have_every_address() -> None:
    assert {one.name for one in urlpatterns} == set(TABLE) | OWN | set(BY_TOKEN)
    assert set(ENDED) <= set(TABLE)
    by_token = {one.name for one in urlpatterns if "<str:token>" in str(one.pattern)}
    assert by_token == set(BY_TOKEN)


def ask(client: Client, method: str, url: str) -> int:
    answer = client.get(url) if method == "GET" else client.post(url, FORM)
    if answer.status_code == 302:
        assert "/accounts/login/" not in answer["Location"]
        return OPEN
    return OPEN if answer.status_code // 100 == 2 else answer.status_code


@pytest.fixture
def strangers(room: Interview, stranger: User) -> dict[str, Client]:
    """Whoever has any link but the right one: all of them strangers to the room."""
    elsewhere = Interview.objects.create(candidate=stranger, title="Another", with_interviewer=True)
    asks_elsewhere = make_user("asks-elsewhere")
    seat(elsewhere, asks_elsewhere)
    put_out = make_user("put-out")
    seat(room, put_out).revoke()
    Link.issue(room, Scope.DEBRIEF)
    return {
        "candidate of another interview": signed_in(stranger),
        "interviewer of another interview": signed_in(asks_elsewhere),
        "interviewer whose link was revoked": signed_in(put_out),
    }


def test_each_role_gets_its_own_and_a_stranger_nothing(
    room: Interview,
    sent: Submission,
    asked: AskedFollowUp,
    owner_client: Client,
    interviewer_client: Client,
    staff_client: Client,
    strangers: dict[str, Client],
) -> None:
    people = (owner_client, interviewer_client, staff_client)
    stages = (TABLE, ENDED)
    for table in stages:
        before = room.moments.count()
        for name, (method, expected) in table.items():
            url = address_of(name, room, sent, asked)
            for who, client in strangers.items():
                assert ask(client, method, url) == NOT_THERE, f"{name}: {who}"
            nobody = Client().get(url) if method == "GET" else Client().post(url, FORM)
            assert nobody.status_code == 302, name
            assert nobody["Location"].startswith("/accounts/login/"), name
            assert room.moments.count() == before, f"{name}: who was refused has changed nothing"
            for client, wanted in zip(people, expected, strict=True):
                with transaction.atomic():
                    assert ask(client, method, url) == wanted, name
                    transaction.set_rollback(True)
        running.end_interview(room, room.candidate)


@pytest.mark.parametrize("name", sorted(BY_TOKEN))
def test_a_token_opens_what_it_is_for_and_nothing_else(
    name: str, room: Interview, sent: Submission, strangers: dict[str, Client]
) -> None:
    running.end_interview(room, room.candidate)
    opened = {scope: Link.issue(room, scope)[1] for scope in Scope}
    revoked, taken_back = Link.issue(room, BY_TOKEN[name])
    revoked.revoke()
    right = opened.pop(BY_TOKEN[name])
    (client, *_others) = strangers.values()
    assert client.get(address_of(name, room, sent, token=right)).status_code == 200
    for wrong in (*opened.values(), taken_back, "x" * 43):
        assert client.get(address_of(name, room, sent, token=wrong)).status_code == 410


def test_a_get_changes_nothing_that_a_post_should(owner_client: Client, room: Interview) -> None:
    for name in ("start", "end", "links", "discard"):
        assert owner_client.get(f"/interviews/{room.pk}/{name}/").status_code == 405


def test_the_candidate_sees_no_answers_and_the_interviewer_all(
    owner_client: Client, interviewer_client: Client, room: Interview
) -> None:
    for url in (room.get_absolute_url(), f"/interviews/{room.pk}/rounds/1/beside/"):
        theirs = owner_client.get(url).content.decode()
        asking = interviewer_client.get(url).content.decode()
        for secret in ("And for floats?", "The same, exactly.", "Only you see this"):
            assert secret not in theirs
            assert secret in asking
    assert "Add it to itself." in asking, "the editorial"


def test_a_private_note_is_for_those_who_know_the_answers(
    owner_client: Client, interviewer_client: Client, staff_client: Client, room: Interview
) -> None:
    interviewer_client.post(f"/interviews/{room.pk}/notes/", {"text": "hesitates at signs"})
    running.end_interview(room, room.candidate)
    debrief = f"/interviews/{room.pk}/debrief/"
    assert "hesitates" in interviewer_client.get(debrief).content.decode()
    assert "hesitates" in staff_client.get(debrief).content.decode()
    assert "hesitates" not in owner_client.get(debrief).content.decode()
    assert (
        "hesitates" not in owner_client.get(f"/interviews/{room.pk}/debrief.json").content.decode()
    )
    _link, token = Link.issue(room, Scope.DEBRIEF)
    assert "hesitates" not in Client().get(f"/interviews/shared/{token}/").content.decode()


def test_an_interviewer_runs_the_code_and_does_not_submit(
    interviewer_client: Client, room: Interview, queued: list[Submission], owner: User
) -> None:
    url = f"/interviews/{room.pk}/rounds/1/submit/"
    fetch: dict[str, Any] = {"headers": {"X-Requested-With": "fetch"}}
    form = {"source": "x = 1", "kind": "submit"}
    assert interviewer_client.post(url, form, **fetch).status_code == 400
    assert interviewer_client.post(url, form | {"kind": "run"}, **fetch).status_code == 201
    assert [(one.kind, one.user) for one in queued] == [("run", owner)]


def test_an_interviewer_sees_what_the_candidate_sent_and_nothing_else_of_theirs(
    interviewer: User, interviewer_client: Client, room: Interview, sent: Submission, owner: User
) -> None:
    elsewhere = Submission.send(owner, sent.version, Submission.Kind.RUN, "at home")
    assert interviewer_client.get(f"/submissions/{sent.pk}/").status_code == 200
    assert interviewer_client.get(f"/submissions/{elsewhere.pk}/").status_code == 404
    room.links.get().revoke()
    assert interviewer_client.get(f"/submissions/{sent.pk}/").status_code == 404


def test_an_invitation_seats_one_person_who_says_yes(
    owner_client: Client, stranger_client: Client, room: Interview, stranger: User
) -> None:
    made = owner_client.post(f"/interviews/{room.pk}/links/", {"scope": "interviewer"})
    token = made.context["address"].rstrip("/").rsplit("/", 1)[-1]
    url = f"/interviews/invitations/{token}/"
    assert Client().get(url)["Location"].startswith("/accounts/login/")
    assert stranger_client.get(url).status_code == 200
    assert room.role_of(stranger) is None, "looking at it is not taking it"
    assert stranger_client.post(url).status_code == 302
    assert room.role_of(stranger) is Role.INTERVIEWER
    late = make_user("late")
    assert signed_in(late).post(url).status_code == 410
    assert room.role_of(late) is None
    assert stranger_client.get(url).status_code == 302, "who has the seat is shown the way"


def test_the_token_is_kept_nowhere(owner_client: Client, room: Interview) -> None:
    made = owner_client.post(f"/interviews/{room.pk}/links/", {"scope": "interviewer"})
    token = made.context["address"].rstrip("/").rsplit("/", 1)[-1]
    assert len(token) >= 40
    for row in Link.objects.values():
        assert token not in str(row)
    assert token not in owner_client.get(room.get_absolute_url()).content.decode()
    assert made["Cache-Control"] == "no-store"


def test_the_candidate_cannot_interview_themselves(
    owner: User, owner_client: Client, room: Interview
) -> None:
    link, token = Link.issue(room, Scope.INTERVIEWER)
    owner_client.post(f"/interviews/invitations/{token}/")
    link.refresh_from_db()
    assert (link.used_at, room.role_of(owner)) == (None, Role.CANDIDATE)


@pytest.mark.parametrize("end", ["expired", "revoked", "another scope", "never one"])
def test_a_link_that_is_over_lets_nobody_in(
    end: str, stranger: User, stranger_client: Client, room: Interview, server_clock: MovedClock
) -> None:
    scope = Scope.DEBRIEF if end == "another scope" else Scope.INTERVIEWER
    link, token = Link.issue(room, scope)
    if end == "expired":
        server_clock.forward(days=8)
    elif end == "revoked":
        assert link.revoke()
    elif end == "never one":
        token = link.token_hash
    url = f"/interviews/invitations/{token}/"
    assert stranger_client.get(url).status_code == 410
    assert stranger_client.post(url).status_code == 410
    assert room.role_of(stranger) is None


def test_a_revoked_link_takes_the_seat_away(
    owner_client: Client, interviewer_client: Client, room: Interview, interviewer: User
) -> None:
    assert interviewer_client.get(room.get_absolute_url()).status_code == 200
    owner_client.post(f"/interviews/{room.pk}/links/{room.links.get().pk}/revoke/")
    assert interviewer_client.get(room.get_absolute_url()).status_code == 404
    assert room.title not in interviewer_client.get("/interviews/").content.decode()
    again = seat(room, interviewer)
    assert room.role_of(interviewer) is Role.INTERVIEWER
    assert again.is_open is False or again.used_at is None


def test_a_link_of_another_interview_cannot_be_revoked(
    owner: User, owner_client: Client, room: Interview
) -> None:
    other = Interview.objects.create(candidate=make_user("other"), title="Theirs")
    link, _token = Link.issue(other, Scope.INTERVIEWER)
    url = f"/interviews/{room.pk}/links/{link.pk}/revoke/"
    assert owner_client.post(url).status_code == 404
    link.refresh_from_db()
    assert link.revoked_at is None


def test_a_submission_of_another_interview_is_not_shown_in_this_one(
    owner_client: Client, room: Interview, sent: Submission
) -> None:
    RoundSubmission.objects.all().delete()
    assert (
        owner_client.get(f"/interviews/{room.pk}/rounds/1/verdicts/{sent.pk}/").status_code == 404
    )


def test_a_debrief_is_shared_by_the_candidate_alone_and_can_be_taken_back(
    owner_client: Client, interviewer_client: Client, room: Interview, server_clock: MovedClock
) -> None:
    links = f"/interviews/{room.pk}/links/"
    assert owner_client.post(links, {"scope": "debrief"}).status_code == 302, "it is not over yet"
    running.end_interview(room, room.candidate)
    assert interviewer_client.post(links, {"scope": "debrief"}).status_code == 403
    made = owner_client.post(links, {"scope": "debrief"})
    token = made.context["address"].rstrip("/").rsplit("/", 1)[-1]
    for url in (f"/interviews/shared/{token}/", f"/interviews/shared/{token}/debrief.json"):
        answer = Client().get(url)
        assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")
    page = Client().get(f"/interviews/shared/{token}/").content.decode()
    assert "<form" not in page.replace("parts/", "").split("<main")[1], (
        "nothing can be written there"
    )
    assert Client().get(f"/interviews/{room.pk}/debrief/").status_code == 302
    link = Link.objects.get(scope=Scope.DEBRIEF)
    owner_client.post(f"/interviews/{room.pk}/links/{link.pk}/revoke/")
    for url in (f"/interviews/shared/{token}/", f"/interviews/shared/{token}/debrief.json"):
        assert Client().get(url).status_code == 410
    _other, invitation = Link.issue(room, Scope.INTERVIEWER)
    assert Client().get(f"/interviews/shared/{invitation}/").status_code == 410


def test_lists_show_what_a_person_sits_or_leads(
    owner_client: Client,
    interviewer_client: Client,
    stranger_client: Client,
    room: Interview,
    interviewer: User,
    stranger: User,
    staff: User,
) -> None:
    assert room.title in owner_client.get("/interviews/").content.decode()
    assert room.title in interviewer_client.get("/interviews/").content.decode()
    assert room.title not in stranger_client.get("/interviews/").content.decode()
    for user, count in ((room.candidate, 1), (interviewer, 1), (stranger, 0), (staff, 1)):
        assert Interview.objects.visible_to(user).count() == count


def test_a_planned_interview_can_be_discarded_and_a_begun_one_not(
    owner_client: Client, owner: User, room: Interview
) -> None:
    owner_client.post(f"/interviews/{room.pk}/discard/")
    planned = Interview.objects.create(candidate=owner, title="Not begun")
    owner_client.post(f"/interviews/{planned.pk}/discard/")
    assert list(Interview.objects.all()) == [room]


def test_an_unused_invitation_lives_a_week(room: Interview) -> None:
    link, _token = Link.issue(room, Scope.INTERVIEWER)
    assert timedelta(days=6) < link.expires_at - now() <= timedelta(days=7)
