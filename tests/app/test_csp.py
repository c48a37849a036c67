"""The Content-Security-Policy of the site's own pages."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from app.accounts.models import User
from app.practice.models import Problem
from tests.app.practice_data import reject, send

pytestmark = pytest.mark.django_db


def test_no_page_has_a_script_or_a_style_inside(
    owner_client: Client, owner: User, problem: Problem
) -> None:
    submission = reject(send(owner, problem))
    for path in (
        "/",
        "/rounds/3/",
        "/problems/double/",
        "/problems/double/diff/",
        "/problems/double/editorial/",
        "/submissions/",
        f"/submissions/{submission.pk}/",
        "/accounts/settings/",
    ):
        page = owner_client.get(path).content.decode()
        scripts = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", page)
        assert all('type="application/json"' in attributes for attributes in scripts), path
        assert not re.search(r"<style|\sstyle=|\son\w+=", page), path
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page), path


def test_the_policy_allows_our_own_files_and_nothing_else(owner_client: Client) -> None:
    policy = owner_client.get("/")["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["script-src"] == rules["default-src"] == rules["connect-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["object-src"] == rules["base-uri"] == "'none'"
    assert "unsafe" not in policy


def test_each_answer_has_a_nonce_of_its_own_and_the_page_knows_it(owner_client: Client) -> None:
    seen = set()
    for _visit in range(2):
        response = owner_client.get("/")
        nonce = re.search(r"'nonce-([\w-]{20,})'", response["Content-Security-Policy"])
        assert nonce is not None
        assert f'name="csp-nonce" content="{nonce[1]}"' in response.content.decode()
        seen.add(nonce[1])
    assert len(seen) == 2
