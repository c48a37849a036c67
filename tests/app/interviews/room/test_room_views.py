"""Chat and the other's result: on the timeline, within limits, and never a stranger's."""

from __future__ import annotations

import pytest
from django.test import Client

from app.accounts.models import User
from app.interviews import running
from app.interviews.models import Interview
from app.interviews.room import views

pytestmark = pytest.mark.django_db
SENT_BY_SCRIPT = {"X-Requested-With": "fetch"}


def say(client: Client, room: Interview, text: str) -> int:
    url = f"/interviews/{room.pk}/chat/"
    return client.post(url, {"text": text}, headers=SENT_BY_SCRIPT).status_code


def test_what_is_said_stands_on_the_timeline_and_on_the_page(
    room: Interview, interviewer: User, interviewer_client: Client, owner_client: Client
) -> None:
    assert say(interviewer_client, room, " <b>Why?</b> ") == 204
    moment = room.moments.get(kind="chat")
    assert (moment.payload, moment.author) == ({"text": "<b>Why?</b>"}, interviewer)
    page = owner_client.get(room.get_absolute_url()).content.decode()
    assert "&lt;b&gt;Why?&lt;/b&gt;" in page


def test_chat_has_limits(
    room: Interview,
    owner: User,
    owner_client: Client,
    stranger_client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert say(stranger_client, room, "hello") == 404
    assert say(owner_client, room, "") == 400
    assert say(owner_client, room, "x" * (views.CHAT_LIMIT_CHARS + 1)) == 400
    monkeypatch.setattr(views, "CHATS_PER_MINUTE", 1)
    assert [say(owner_client, room, "again") for _turn in range(2)] == [204, 400]
    running.end_interview(room, owner)
    monkeypatch.setattr(views, "CHATS_PER_MINUTE", 60)
    assert say(owner_client, room, "late") == 400
    assert room.moments.filter(kind="chat").count() == 1
