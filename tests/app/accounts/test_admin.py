"""Django's admin for people: who may look, who may change rights, signing out."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.test import Client

from app.accounts.models import User
from app.practice.models import Problem
from tests.app.practice_data import accept, send
from tests.conftest import signed_in

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/accounts/user/"


@pytest.fixture
def superuser(staff: User) -> Client:
    User.objects.filter(pk=staff.pk).update(is_superuser=True)
    return signed_in(staff)


def act(client: Client, action: str, *people: User) -> str:
    chosen = {"action": action, "_selected_action": [str(person.pk) for person in people]}
    return client.post(PEOPLE, chosen, follow=True).content.decode()


def test_an_admin_sees_people_with_roles_and_what_they_sent(
    staff_client: Client, owner: User, problem: Problem
) -> None:
    accept(send(owner, problem))
    page = staff_client.get(PEOPLE).content.decode()
    assert "candidate" in page
    assert '<td class="field-submissions">1</td>' in page


def test_roles_are_changed_by_a_superuser_alone(
    superuser: Client, staff: User, owner: User
) -> None:
    act(superuser, "make_admin", owner)
    owner.refresh_from_db()
    assert owner.is_staff
    act(superuser, "make_candidate", owner, staff)
    owner.refresh_from_db()
    staff.refresh_from_db()
    assert (owner.is_staff, staff.is_staff) == (False, True)  # nobody locks themselves out


@pytest.mark.parametrize("action", ["make_admin", "make_candidate", "lock", "unlock", "sign_out"])
def test_an_admin_who_is_no_superuser_changes_nobody(
    staff: User, staff_client: Client, owner: User, action: str
) -> None:
    client = signed_in(owner)
    act(staff_client, action, owner, staff)
    owner.refresh_from_db()
    assert (owner.is_staff, owner.is_active) == (False, True)
    assert client.get("/").status_code == 200
    change = f"{PEOPLE}{staff.pk}/change/"
    assert staff_client.post(change, {"is_superuser": "on"}).status_code == 403


def test_a_locked_person_is_out_at_once_and_their_work_stays(
    superuser: Client, owner: User, owner_client: Client, problem: Problem
) -> None:
    submission = accept(send(owner, problem))
    act(superuser, "lock", owner)
    assert owner_client.get("/").status_code == 302
    assert superuser.get(submission.get_absolute_url()).status_code == 200
    act(superuser, "unlock", owner)
    assert signed_in(owner).get("/").status_code == 200


def test_signing_out_ends_every_session_of_a_person_and_of_nobody_else(
    superuser: Client, owner: User, owner_client: Client, stranger_client: Client
) -> None:
    other_browser = signed_in(owner)
    assert "2 sessions have ended." in act(superuser, "sign_out", owner)
    assert owner_client.get("/").status_code == other_browser.get("/").status_code == 302
    assert stranger_client.get("/").status_code == 200


def test_sessions_are_for_superusers_since_their_keys_sign_in(
    superuser: Client, owner_client: Client
) -> None:
    key = Session.objects.first()
    assert key is not None
    page = superuser.get("/admin/sessions/session/").content.decode()
    assert "olga" in page
    User.objects.filter(username="stella").update(is_superuser=False)
    assert superuser.get("/admin/sessions/session/").status_code == 403
    assert superuser.get(f"/admin/sessions/session/{key.pk}/change/").status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        "practice/submission/?verdict__exact=WA&status__exact=done&error_id__isempty=0",
        "practice/problem/",
        "practice/problemversion/",
        "practice/pastverdict/",
        "authoring/trailentry/",
        "authoring/verification/",
        "authoring/rejudge/",
        "admin/logentry/",
    ],
)
def test_every_list_is_open_to_admins_and_closed_to_candidates(
    staff_client: Client, owner_client: Client, problem: Problem, address: str
) -> None:
    assert staff_client.get(f"/admin/{address}").status_code == 200
    assert owner_client.get(f"/admin/{address}").status_code == 302


def test_judging_again_leaves_a_line_in_the_log(
    staff_client: Client, owner: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.practice.admin.publish", lambda submission: None)
    done = accept(send(owner, problem))
    chosen = {"action": "rejudge", "_selected_action": [str(done.pk)]}
    staff_client.post("/admin/practice/submission/", chosen)
    (line,) = LogEntry.objects.all()
    assert (line.user.username, line.object_id) == ("stella", str(done.pk))
    assert done.past_verdicts.count() == 1
