"""Signing in and out, registering, settings."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from app.accounts.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "wide-open-sesame"


def sign_in(client: Client, name: str = "olga", password: str = PASSWORD) -> int:
    response = client.post("/accounts/login/", {"username": name, "password": password})
    return response.status_code


def test_the_right_password_opens_the_path(client: Client, owner: User) -> None:
    assert sign_in(client) == 302
    assert client.get("/").status_code == 200


def test_signing_in_leads_back_to_where_one_was_but_never_off_the_site(
    client: Client, owner: User
) -> None:
    data = {"username": "olga", "password": PASSWORD}
    back = client.post("/accounts/login/", data | {"next": "/rounds/3/"})
    assert back["Location"] == "/rounds/3/"
    client.logout()
    away = client.post("/accounts/login/", data | {"next": "https://example.org/"})
    assert away["Location"] == "/"


def test_the_fifth_wrong_password_locks_the_name_and_says_for_how_long(
    client: Client, owner: User, stranger: User
) -> None:
    assert [sign_in(client, password="guess") for _attempt in range(5)] == [200] * 4 + [429]
    locked = client.post("/accounts/login/", {"username": "olga", "password": PASSWORD})
    assert locked.status_code == 429
    assert "Try again in 15 minutes." in locked.content.decode()
    assert sign_in(client, "sam") == 302


def test_signing_out_ends_the_session(owner_client: Client) -> None:
    assert owner_client.get("/accounts/logout/").status_code == 405
    assert owner_client.post("/accounts/logout/").status_code == 302
    assert owner_client.get("/").status_code == 302


def test_nobody_registers_where_the_site_is_closed(client: Client, db: None) -> None:
    data = {"username": "new", "password1": PASSWORD, "password2": PASSWORD}
    assert client.get("/accounts/register/").status_code == 404
    assert client.post("/accounts/register/", data).status_code == 404
    assert "Make an account" not in client.get("/accounts/login/").content.decode()
    assert not User.objects.filter(username="new").exists()


def test_an_open_site_registers_and_signs_in(client: Client, settings: Settings) -> None:
    settings.OPEN_REGISTRATION = True
    assert "Make an account" in client.get("/accounts/login/").content.decode()
    data = {"username": "new", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/accounts/register/", data)["Location"] == "/"
    made = User.objects.get(username="new")
    assert not made.is_staff
    assert client.get("/").status_code == 200


def test_a_weak_password_is_refused_with_its_reason(client: Client, settings: Settings) -> None:
    settings.OPEN_REGISTRATION = True
    data = {"username": "new", "password1": "12345678", "password2": "12345678"}
    response = client.post("/accounts/register/", data)
    assert response.status_code == 200
    assert "too common" in response.content.decode()
    assert not User.objects.filter(username="new").exists()


@pytest.mark.parametrize(
    ("chosen", "mark"), [("dark", 'data-theme="dark"'), ("light", 'data-theme="light"')]
)
def test_the_theme_is_in_the_first_byte_of_the_next_page(
    owner_client: Client, chosen: str, mark: str
) -> None:
    referer = {"Referer": "http://testserver/submissions/?kind=run"}
    response = owner_client.post("/accounts/theme/", {"theme": chosen}, headers=referer)
    assert response["Location"] == "/submissions/?kind=run"
    assert mark in owner_client.get("/").content.decode()
    owner_client.post("/accounts/theme/", {"theme": "system"})
    assert "data-theme" not in owner_client.get("/").content.decode()


def test_an_odd_theme_or_referer_does_nothing(owner_client: Client) -> None:
    response = owner_client.post(
        "/accounts/theme/", {"theme": '"><script>'}, headers={"Referer": "https://example.org/x"}
    )
    assert response["Location"] == "/"
    assert "theme" not in response.cookies


def test_a_person_without_a_password_sets_one_without_an_old_one(
    client: Client, owner: User
) -> None:
    owner.set_unusable_password()
    owner.save()
    client.force_login(owner)
    assert "have no password yet" in client.get("/accounts/settings/").content.decode()
    data = {"new_password1": "a-good-long-one", "new_password2": "a-good-long-one"}
    assert client.post("/accounts/settings/", data).status_code == 302
    assert client.get("/").status_code == 200  # still signed in
    owner.refresh_from_db()
    assert owner.check_password("a-good-long-one")


def test_a_person_with_a_password_must_know_it_to_change_it(
    owner_client: Client, owner: User
) -> None:
    data = {"new_password1": "a-good-long-one", "new_password2": "a-good-long-one"}
    assert owner_client.post("/accounts/settings/", data).status_code == 200
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)
