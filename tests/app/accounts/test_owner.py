"""The owner's one-time link."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import pytest
from django.test import Client

from app.accounts.models import User
from app.accounts.owner import LINK_LIFETIME_S, redeem, sign_in_link

pytestmark = pytest.mark.django_db
BASE = "http://127.0.0.1:8000/"


def path_of(link: str) -> str:
    assert link.startswith("http://127.0.0.1:8000/accounts/enter/")
    return urlsplit(link).path


def token_of(link: str) -> str:
    return path_of(link).split("/")[3]


def test_the_link_makes_the_owner_and_signs_in(client: Client) -> None:
    assert client.get(path_of(sign_in_link(BASE)))["Location"] == "/"
    assert client.get("/").status_code == 200
    owner = User.objects.get()
    assert (owner.username, owner.is_staff, owner.is_superuser) == ("owner", True, True)
    assert not owner.has_usable_password()


def test_a_link_works_once(client: Client) -> None:
    path = path_of(sign_in_link(BASE))
    assert client.get(path).status_code == 302
    assert Client().get(path).status_code == 410
    assert client.get(path)["Location"] == "/"  # the one who is in already is not thrown out


def test_using_one_link_voids_the_others(client: Client) -> None:
    first, second = sign_in_link(BASE), sign_in_link(BASE)
    assert redeem(token_of(second)) is not None
    assert client.get(path_of(first)).status_code == 410


def test_a_second_start_keeps_the_owner_and_the_password() -> None:
    sign_in_link(BASE)
    owner = User.objects.get()
    owner.set_password("a-good-long-one")
    owner.save()
    assert redeem(token_of(sign_in_link(BASE))) == owner
    owner.refresh_from_db()
    assert owner.check_password("a-good-long-one")


def test_a_link_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_of(sign_in_link(BASE))
    late = time.time() + LINK_LIFETIME_S + 1
    monkeypatch.setattr("django.core.signing.time.time", lambda: late)
    assert redeem(token) is None


@pytest.mark.parametrize("change", ["x", ""])
def test_a_forged_link_opens_nothing(client: Client, change: str) -> None:
    token = token_of(sign_in_link(BASE))
    forged = token[:-1] + change
    response = client.get(f"/accounts/enter/{forged}/")
    assert response.status_code == 410
    assert "Start the site again" in response.content.decode()


def test_a_deactivated_owner_is_not_let_in() -> None:
    token = token_of(sign_in_link(BASE))
    User.objects.update(is_active=False)
    assert redeem(token) is None
