"""The shared text over its sockets: nothing acknowledged is lost, and strangers get nothing."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.db.backends.base.base import BaseDatabaseWrapper

from app.accounts.models import User
from app.interviews import running
from app.interviews.doorbell import ring
from app.interviews.models import Interview, InterviewRound, Moment
from app.interviews.room import consumer, documents, messages
from app.interviews.room.desk import Desk, desk
from app.interviews.room.documents import text_at
from tests.app.interviews.conftest import MovedClock, Plan, current, seat
from tests.app.interviews.room.peer import Peer, coded, connected
from tests.app.practice_data import RIGHT

pytestmark = pytest.mark.django_db(transaction=True)
STARTER = "def double(number):\n"
CURSOR = {"anchor": "AAEEdGV4dAA=", "head": "AAEEdGV4dAA="}


@pytest.fixture(autouse=True)
def fresh_documents() -> None:
    """As in a process that has just begun."""
    desk.forget()


@pytest.fixture
def room(plan: Plan, owner: User, interviewer: User, server_clock: MovedClock) -> Interview:
    """Running with an interviewer, in a round that begins with one line."""
    made = plan(with_interviewer=True, break_minutes=10)
    made.rounds.filter(number=1).update(text=STARTER)
    seat(made, interviewer)
    assert running.start(made, owner)
    made.refresh_from_db()
    return made


@pytest.fixture
def elsewhere(plan: Plan, stranger: User, server_clock: MovedClock) -> Interview:
    """Somebody else's, alone, running at the same time."""
    made = plan(candidate=stranger)
    assert running.start(made, stranger)
    made.refresh_from_db()
    return made


@sync_to_async
def text_of(interview: Interview) -> str:
    return current(interview).text


@sync_to_async
def edits_of(interview: Interview) -> list[Moment]:
    return list(interview.moments.filter(kind="edit").select_related("author"))


async def test_two_people_write_one_text(room: Interview, owner: User, interviewer: User) -> None:
    async with connected(owner, room) as candidate, connected(interviewer, room) as asking:
        await candidate.hello()
        await asking.hello()
        assert str(candidate.text) == str(asking.text) == STARTER
        await candidate.write("# mine\n")
        await asking.see(f"# mine\n{STARTER}")
        await asking.write("# é, 😀: yours\n", at=7)
        await candidate.see(f"# mine\n# é, 😀: yours\n{STARTER}")
    assert await text_of(room) == f"# mine\n# é, 😀: yours\n{STARTER}"
    authors = [one.author.username if one.author else None for one in await edits_of(room)]
    assert authors[0] is None, "what the round begins with is nobody's"
    assert set(authors[1:]) == {"olga", "ivan"}


@pytest.mark.parametrize("restarted", [False, True], ids=["same-server", "server-restarted"])
async def test_both_type_while_disconnected_and_nothing_is_lost(
    room: Interview, owner: User, interviewer: User, restarted: bool
) -> None:
    candidate, asking = Peer(), Peer()
    async with connected(owner, room, candidate), connected(interviewer, room, asking):
        await candidate.hello()
        await asking.hello()
        await candidate.write("kept ")
        await asking.see(f"kept {STARTER}")
    kept = candidate.acknowledged
    candidate.type("offline1 ")
    asking.type("offline2 ", at=5)
    assert await text_of(room) == kept
    if restarted:
        desk.forget()
    async with connected(owner, room, candidate), connected(interviewer, room, asking):
        await candidate.hello()
        await asking.hello()
        both = f"offline1 kept offline2 {STARTER}"
        await candidate.see(both)
        await asking.see(both)
    assert await text_of(room) == both


async def test_an_acknowledgement_comes_after_the_database(room: Interview, owner: User) -> None:
    async with connected(owner, room) as candidate:
        await candidate.hello()
        for word in ("one ", "two "):
            await candidate.write(word)
            assert await text_of(room) == candidate.acknowledged
            assert (await edits_of(room))[-1].author == owner


async def test_the_clock_sends_what_stands_in_the_document(
    room: Interview, owner: User, server_clock: MovedClock, queued: list[Any]
) -> None:
    async with connected(owner, room) as candidate:
        await candidate.hello()
        before = candidate.doc.get_state()
        candidate.text.clear()
        candidate.type(RIGHT)
        await candidate.send(before)
        server_clock.forward(minutes=31)
        await sync_to_async(running.settle)(room)
        assert [one.source for one in queued] == [RIGHT]
        assert await candidate.closed() == messages.NOT_RUNNING


async def test_an_edit_after_deadline_and_grace_is_not_taken(
    room: Interview, owner: User, server_clock: MovedClock
) -> None:
    async with connected(owner, room) as candidate:
        await candidate.hello()
        server_clock.forward(minutes=31)
        candidate.type("late")
        update = coded(candidate.doc.get_update())
        await candidate.say({"type": "write", "number": 9, "update": update, "cursor": None})
        assert await candidate.closed() == messages.NOT_RUNNING
    assert "late" not in await sync_to_async(lambda: room.rounds.get(number=1).text)()


async def test_a_burst_reaches_the_other_as_one_message(
    room: Interview, owner: User, interviewer: User
) -> None:
    async with connected(owner, room) as candidate, connected(interviewer, room) as asking:
        await candidate.hello()
        await asking.hello()
        await candidate.see(STARTER)
        asking_before = asking.messages
        words = ""
        for turn in range(5):
            before = candidate.doc.get_state()
            for letter in "abc":
                candidate.type(letter)
                words = letter + words
            await candidate.send(before, CURSOR)
            await asking.see(f"{words}{STARTER}")
            assert asking.messages <= asking_before + turn + 2, "one a burst, and one hello"
        assert asking.socket is not None
        assert await asking.socket.receive_nothing()


async def test_a_cursor_carries_the_account_s_name_and_leaves_with_it(
    room: Interview, owner: User, interviewer: User
) -> None:
    async with connected(interviewer, room) as asking:
        await asking.hello()
        async with connected(owner, room) as candidate:
            await candidate.hello()
            count = len(await edits_of(room))
            message = {"type": "write", "number": 50, "update": None, "cursor": CURSOR}
            await candidate.say(message)
            while not any(one and one["cursor"] for one in asking.cursors.values()):
                await asking._until("written")
            assert len(await edits_of(room)) == count, "cursors are kept nowhere"
            ((person, shown),) = asking.cursors.items()
            assert shown == {"name": "olga", "role": "candidate", "cursor": CURSOR}
        await asking._until("written")
        assert asking.cursors == {person: None}


async def test_a_stranger_cannot_come_in(room: Interview, stranger: User, staff: User) -> None:
    async with connected(stranger, room) as peer:
        assert await peer.closed() == 4404
    async with connected(AnonymousUser(), room) as peer:
        assert await peer.closed() == 4401
    async with connected(staff, room) as peer:  # an admin reads
        await peer.say({"type": "hello", "state": coded(peer.doc.get_state())})
        await peer._until("text")
        await peer.say({"type": "write", "number": 1, "update": None, "cursor": None})
        assert await peer.closed() == messages.READ_ONLY


async def test_a_round_to_come_has_no_room(room: Interview, owner: User) -> None:
    async with connected(owner, room, number=2) as peer:
        assert await peer.closed() == messages.NOT_RUNNING


async def test_two_tabs_of_one_person_alone_are_both_live(
    interview: Interview, owner: User, stranger: User
) -> None:
    begun = await text_of(interview)
    async with connected(owner, interview) as one, connected(owner, interview) as other:
        await one.hello()
        await other.hello()
        await one.write("one ")
        await other.see(f"one {begun}")
        await other.write("two ")
        await one.see(f"two one {begun}")
    assert await text_of(interview) == f"two one {begun}"
    async with connected(stranger, interview) as peer:
        assert await peer.closed() == 4404


async def test_a_revoked_link_gets_nothing_more(
    room: Interview, owner: User, interviewer: User
) -> None:
    async with connected(owner, room) as candidate, connected(interviewer, room) as asking:
        await candidate.hello()
        await asking.hello()
        await sync_to_async(lambda: room.links.get().revoke())()
        await candidate.write("secret")
        assert await asking.closed() == 4404
        assert "secret" not in str(asking.text)


async def test_the_end_of_a_round_closes_its_sockets(
    room: Interview, owner: User, interviewer: User
) -> None:
    async with connected(interviewer, room) as asking:
        await asking.hello()

        def finish() -> None:
            running.end_round(current(room), InterviewRound.EndedBy.CANDIDATE, owner)
            ring(room.pk)

        await sync_to_async(finish)()
        assert await asking.closed() == messages.NOT_RUNNING


def burst(**changes: Any) -> str:
    """A cursor that moved, but for what `changes` say."""
    return json.dumps({"type": "write", "number": 1, "update": None, "cursor": None} | changes)


@pytest.mark.parametrize(
    "say",
    [
        "not JSON",
        '{"type": "hello", "state": "//////8P"}',
        burst(update=coded(b"\xff\xff\xff\xff\x0f")),
        burst(update="%%"),
        burst(cursor={"anchor": "A" * 99, "head": ""}),
        burst(name="ivan"),
    ],
    ids=["no-json", "state", "update", "base64", "cursor", "name"],
)
async def test_a_malformed_message_closes_its_socket_and_harms_nobody(
    room: Interview, owner: User, interviewer: User, say: str
) -> None:
    async with connected(owner, room) as candidate, connected(interviewer, room) as asking:
        await candidate.hello()
        await asking.hello()
        assert candidate.socket is not None
        await candidate.socket.say(say)
        assert await candidate.closed() == messages.MALFORMED
        await asking.write("on ")
        assert await text_of(room) == f"on {STARTER}"


async def test_a_flood_and_a_text_too_large_close_the_socket(
    room: Interview, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "TEXT_LIMIT_BYTES", 1000)
    async with connected(owner, room) as candidate:
        await candidate.hello()
        candidate.type("x" * 2000)
        update = coded(candidate.doc.get_update())
        await candidate.say({"type": "write", "number": 9, "update": update, "cursor": None})
        assert await candidate.closed() == messages.TOO_LARGE
    assert await text_of(room) == STARTER
    monkeypatch.setattr(messages, "MESSAGES_AT_ONCE", 3.0)
    monkeypatch.setattr(messages, "MESSAGES_PER_S", 0.0)
    async with connected(owner, room) as candidate:
        for _turn in range(3):
            await candidate.say({"type": "hello", "state": coded(b"\0")})
        await candidate.say({"type": "hello", "state": coded(b"\0")})
        assert await candidate.closed() == messages.TOO_FAST


async def test_the_text_of_any_moment_is_exact(
    room: Interview, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "CHECKPOINT_EVERY", 4)
    stood: list[str] = []
    async with connected(owner, room) as candidate:
        await candidate.hello()
        for turn in range(10):
            if turn == 5:
                desk.forget()
            await candidate.write(f"{turn} é", at=turn)
            stood.append(str(candidate.text))
    edits = [one for one in await edits_of(room) if one.author == owner]
    assert sum("state" in one.payload for one in edits) >= 2
    one = await sync_to_async(lambda: room.rounds.get(number=1))()
    for moment, expected in zip(edits[-10:], stood, strict=True):
        assert await sync_to_async(text_at)(one, moment.sequence) == expected


async def test_a_text_saved_by_a_plain_form_reaches_the_document(
    room: Interview, owner: User, interviewer: User
) -> None:
    async with connected(interviewer, room) as asking:
        await asking.hello()

        def save() -> None:
            one = current(room)
            one.save_text("def double(n): # 😀\r\n    pass\r\n", one.revision)

        await sync_to_async(save)()
        async with connected(owner, room) as candidate:
            await candidate.hello()
            assert str(candidate.text) == "def double(n): # 😀\n    pass\n"
        await asking.see("def double(n): # 😀\n    pass\n")


async def test_an_update_on_words_that_are_not_here_is_not_acknowledged(
    room: Interview, owner: User
) -> None:
    peer = Peer()
    async with connected(owner, room, peer):
        await peer.hello()
        peer.type("never sent ")
        before = peer.doc.get_state()
        peer.type("sent ")
        update = coded(peer.doc.get_update(before))
        await peer.say({"type": "write", "number": 9, "update": update, "cursor": None})
        assert await peer.closed() == messages.OUT_OF_STEP
    assert await text_of(room) == STARTER
    # The page comes again, says hello, and nothing is missing.
    async with connected(owner, room, peer):
        await peer.hello()
    assert await text_of(room) == f"sent never sent {STARTER}"


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
