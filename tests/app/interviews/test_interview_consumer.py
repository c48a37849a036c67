"""The interview's socket: every moment once, to those who may see it, for as long as they may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser

from app.accounts.models import User
from app.interviews import consumers, running
from app.interviews.doorbell import ring
from app.interviews.models import Interview, Moment
from tests.app.interviews.conftest import MovedClock, current
from tests.app.practice.test_consumers import Socket
from tests.conftest import signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@asynccontextmanager
async def watching(user: User | AnonymousUser, pk: UUID, after: int = 0) -> AsyncIterator[Socket]:
    headers = [(b"origin", b"http://localhost"), (b"accept-language", b"en")]
    if isinstance(user, User):
        client = await sync_to_async(signed_in)(user)
        headers.append((b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()))
    socket = Socket(f"/ws/interviews/{pk}/?after={after}", headers)
    await socket.connect()
    try:
        yield socket
    finally:
        await socket.disconnect()


async def told(socket: Socket, count: int) -> list[dict[str, Any]]:
    return [await socket.receive_json() for _ in range(count)]


@sync_to_async
def note(interview: Interview, kind: Moment.Kind = Moment.Kind.CHAT, text: str = "hello") -> None:
    interview.record(kind, {"text": text})
    ring(interview.pk)


async def test_a_late_socket_sees_every_moment_once_and_then_the_clock(
    interview: Interview, owner: User
) -> None:
    async with watching(owner, interview.pk) as socket:
        started, began, clock = await told(socket, 3)
        assert [started["sequence"], began["sequence"]] == [1, 2]
        assert began["payload"] == {"minutes": 30}
        assert (clock["type"], clock["state"]) == ("clock", "round-1")
        await note(interview)
        (chat,) = await told(socket, 1)
        assert (chat["sequence"], chat["payload"]) == (4, {"text": "hello"}), "edits stay out"
        await sync_to_async(ring)(interview.pk)
        assert await socket.receive_nothing(), "a ring without news brings none"


async def test_a_socket_goes_on_after_what_the_browser_has(
    interview: Interview, owner: User
) -> None:
    async with watching(owner, interview.pk, after=1) as socket:
        assert (await told(socket, 1))[0]["sequence"] == 2


async def test_the_end_of_a_round_is_told_without_a_doorbell(
    interview: Interview, owner: User, server_clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "LOOK_INTERVAL_S", 0.05)
    async with watching(owner, interview.pk, after=2) as socket:
        assert (await told(socket, 1))[0]["state"] == "round-1"
        server_clock.forward(minutes=31)
        ended, clock = await told(socket, 2)
        assert (ended["kind"], ended["payload"]) == ("round_ended", {"by": "time"})
        assert (clock["state"], clock["deadline_ms"]) == ("break", None)


async def test_a_private_moment_goes_to_the_interviewer_alone(
    room: Interview, owner: User, interviewer: User
) -> None:
    after = room.moment_count
    async with (
        watching(owner, room.pk, after) as theirs,
        watching(interviewer, room.pk, after) as asking,
    ):
        await told(theirs, 1)
        await told(asking, 1)
        await note(room, Moment.Kind.NOTE, "hesitates")
        (seen,) = await told(asking, 1)
        assert seen["payload"] == {"text": "hesitates"}
        assert await theirs.receive_nothing()
        await note(room)
        assert (await told(theirs, 1))[0]["kind"] == "chat"


async def test_a_stranger_cannot_watch(interview: Interview, stranger: User) -> None:
    async with watching(stranger, interview.pk) as socket:
        closed = await socket.receive()
        assert (closed["type"], closed["code"]) == ("websocket.close", 4404)


async def test_nobody_watches_without_signing_in(interview: Interview) -> None:
    async with watching(AnonymousUser(), interview.pk) as socket:
        assert (await socket.receive())["code"] == 4401


async def test_a_revoked_link_closes_the_open_socket(room: Interview, interviewer: User) -> None:
    async with watching(interviewer, room.pk, room.moment_count) as socket:
        await told(socket, 1)

        def revoke() -> None:
            room.links.get().revoke()
            room.record(Moment.Kind.CHAT, {"text": "now alone"})
            ring(room.pk)

        await sync_to_async(revoke)()
        closed = await socket.receive()
        assert (closed["type"], closed["code"]) == ("websocket.close", 4404)


async def test_a_closed_account_is_put_out(room: Interview, interviewer: User) -> None:
    async with watching(interviewer, room.pk, room.moment_count) as socket:
        await told(socket, 1)
        await User.objects.filter(pk=interviewer.pk).aupdate(is_active=False)
        await note(room)
        assert (await socket.receive())["type"] == "websocket.close"


async def test_added_minutes_are_told_at_once(room: Interview, owner: User) -> None:
    async with watching(owner, room.pk, room.moment_count) as socket:
        (before,) = await told(socket, 1)

        def add() -> None:
            running.add_minutes(current(room), 5, owner)

        await sync_to_async(add)()
        moment, clock = await told(socket, 2)
        assert moment["kind"] == "time_added"
        assert clock["deadline_ms"] - before["deadline_ms"] == 5 * 60_000
