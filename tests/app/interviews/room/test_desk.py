"""The desk of a process: many rooms in one turn, several processes, and one room's trouble."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from app.accounts.models import User
from app.interviews import running
from app.interviews.models import Interview
from app.interviews.room import consumer, documents, messages
from app.interviews.room.desk import Desk, desk
from tests.app.interviews.conftest import MovedClock, Plan
from tests.app.interviews.room.peer import coded, connected
from tests.app.interviews.room.test_room_consumer import (
    STARTER,
    edits_of,
    fresh_documents,
    room,
    text_of,
)

__all__ = ["fresh_documents", "room"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def elsewhere(plan: Plan, stranger: User, server_clock: MovedClock) -> Interview:
    """Somebody else's, alone, running at the same time."""
    made = plan(candidate=stranger)
    assert running.start(made, stranger)
    made.refresh_from_db()
    return made


async def test_an_edit_of_another_server_arrives(
    room: Interview, owner: User, interviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process has a desk of its own; only the database and the bell connect the two."""
    async with connected(interviewer, room) as asking:
        await asking.hello()
        monkeypatch.setattr(consumer, "desk", Desk())
        async with connected(owner, room) as candidate:
            await candidate.hello()
            await candidate.write("from there ")
            await asking.see(f"from there {STARTER}")
            assert [one["name"] for one in asking.cursors.values() if one] == ["olga"]
            await asking.write("from here ")
            await candidate.see(f"from here from there {STARTER}")
    assert await text_of(room) == f"from here from there {STARTER}"


async def test_a_room_in_trouble_does_not_take_the_others_along(
    room: Interview,
    elsewhere: Interview,
    owner: User,
    stranger: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their bursts wait for the same turn, which fails; each is done again by itself."""
    taken = documents.Document.take

    def take(document: documents.Document, update: bytes) -> documents.Change | None:
        if b"trouble" in update:
            raise RuntimeError("a broken disk, say")
        return taken(document, update)

    monkeypatch.setattr(documents.Document, "take", take)
    begun = await text_of(elsewhere)
    async with connected(stranger, elsewhere) as other, connected(owner, room) as broken:
        await broken.hello()
        await other.hello()
        gate = threading.Event()
        desk._thread.submit(gate.wait)
        for peer, words in ((other, "good "), (broken, "trouble ")):
            before = peer.doc.get_state()
            peer.type(words)
            update = coded(peer.doc.get_update(before))
            await peer.say({"type": "write", "number": 7, "update": update, "cursor": None})
        while len(desk._waiting) < 2:
            await asyncio.sleep(0.01)
        gate.set()
        assert (await other._until("kept"))["number"] == 7
        assert await broken.closed() == messages.BROKEN
    assert await text_of(elsewhere) == f"good {begun}"
    assert await text_of(room) == STARTER


async def test_bursts_of_several_rooms_share_one_commit(
    room: Interview,
    elsewhere: Interview,
    owner: User,
    stranger: User,
    interviewer: User,
) -> None:
    begun = await text_of(elsewhere)
    async with (
        connected(stranger, elsewhere) as alone,
        connected(owner, room) as candidate,
        connected(interviewer, room) as asking,
    ):
        peers = {alone: "a", candidate: "c", asking: "i"}
        for peer in peers:
            await peer.hello()
        gate = threading.Event()
        desk._thread.submit(gate.wait)
        for peer, words in peers.items():
            before = peer.doc.get_state()
            peer.type(words)
            update = coded(peer.doc.get_update(before))
            await peer.say({"type": "write", "number": 7, "update": update, "cursor": None})
        while len(desk._waiting) < 3:
            await asyncio.sleep(0.01)
        with count_commits() as commits:
            gate.set()
            for peer in peers:
                assert (await peer._until("kept"))["number"] == 7
        assert len(commits) == 1
        await candidate.see(str(asking.text))
    assert await text_of(elsewhere) == f"a{begun}"
    assert await text_of(room) == str(candidate.text)
    for interview_of in (room, elsewhere):
        numbers = [one.sequence for one in await edits_of(interview_of)]
        assert len(set(numbers)) == len(numbers)


@contextmanager
def count_commits() -> Iterator[list[None]]:
    """Each time that a transaction ends well, in whatever thread."""
    seen: list[None] = []
    commit = BaseDatabaseWrapper.commit

    def counted(connection: BaseDatabaseWrapper) -> None:
        seen.append(None)
        commit(connection)

    with patch.object(BaseDatabaseWrapper, "commit", counted):
        yield seen
