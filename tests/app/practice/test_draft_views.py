"""Drafts over HTTP: nothing typed is lost, nothing newer is overwritten."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from app.accounts.models import User
from app.practice.models import Draft, Problem

pytestmark = pytest.mark.django_db
URL = "/problems/double/draft/"


def save(client: Client, text: str, base_revision: int, method: str = "put") -> Any:
    body = json.dumps({"text": text, "base_revision": base_revision})
    return getattr(client, method)(URL, body, content_type="application/json")


def test_without_a_draft_the_starter_is_given_at_revision_0(
    owner_client: Client, problem: Problem
) -> None:
    answer = owner_client.get(URL).json()
    assert answer["revision"] == 0
    assert answer["text"].startswith("def double")


@pytest.mark.parametrize("method", ["put", "post"])
def test_a_saved_draft_comes_back(owner_client: Client, problem: Problem, method: str) -> None:
    assert save(owner_client, "a = '你好'\n", 0, method).json() == {"revision": 1}
    assert save(owner_client, "b = 2\n", 1, method).json() == {"revision": 2}
    assert owner_client.get(URL).json() == {"text": "b = 2\n", "revision": 2}


def test_a_stranger_has_a_draft_of_their_own(
    owner_client: Client, stranger_client: Client, staff_client: Client, problem: Problem
) -> None:
    save(owner_client, "mine = 1\n", 0)
    for client in (stranger_client, staff_client):
        assert "mine" not in client.get(URL).json()["text"]
        assert save(client, "theirs = 1\n", 0).json() == {"revision": 1}
    assert owner_client.get(URL).json()["text"] == "mine = 1\n"


def test_an_older_tab_is_told_and_overwrites_nothing(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    save(owner_client, "first\n", 0)
    save(owner_client, "second\n", 1)
    stale = save(owner_client, "from an old tab\n", 1)
    assert stale.status_code == 409
    assert stale.json() == {"text": "second\n", "revision": 2}
    assert Draft.objects.get(user=owner).text == "second\n"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"\xff\xfe", 400),
        (b"[]", 400),
        (b"7", 400),
        (b'{"text": "x"}', 400),
        (b'{"text": 5, "base_revision": 0}', 400),
        (b'{"text": "x", "base_revision": true}', 400),
        (b'{"text": "x", "base_revision": -1}', 400),
        (b'{"text": "a\\u0000b", "base_revision": 0}', 400),
        (b'{"text": "\\ud800", "base_revision": 0}', 400),
        (json.dumps({"text": "x" * 65_537, "base_revision": 0}).encode(), 413),
    ],
)
def test_a_draft_that_cannot_be_kept_is_refused_with_a_sentence(
    owner_client: Client, problem: Problem, body: bytes, status: int
) -> None:
    response = owner_client.put(URL, body, content_type="application/json")
    assert response.status_code == status
    assert response.json()["error"].endswith(".")
    assert not Draft.objects.exists()


def test_an_empty_draft_can_be_saved(owner_client: Client, problem: Problem) -> None:
    assert save(owner_client, "", 0).json() == {"revision": 1}


def test_saving_needs_a_csrf_token(owner: User, problem: Problem) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert save(client, "x\n", 0).status_code == 403
    assert not Draft.objects.exists()


def test_nobody_saves_without_signing_in(client: Client, problem: Problem) -> None:
    assert save(client, "x\n", 0).status_code == 302
    assert not Draft.objects.exists()
