"""The live socket: every event once, in order, and only to those who may watch."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.models import AnonymousUser

from app.accounts.models import User
from app.asgi import application
from app.practice import consumers
from app.practice.consumers import SubmissionConsumer
from app.practice.doorbell import ring
from app.practice.models import ProblemVersion, Submission
from graders.verdict import CaseResult, Verdict, compiling, judged
from tests.conftest import signed_in

pytestmark = pytest.mark.django_db(transaction=True)

ACCEPTED = judged([CaseResult("two", Verdict.ACCEPTED, score=1.0)])


@pytest.fixture
def submission(owner: User, version: ProblemVersion) -> Submission:
    return Submission.send(owner, version, Submission.Kind.SUBMIT, "def double(): ...")


class Socket:
    """A websocket to the site. Channels' own test client pulls in another server."""

    def __init__(self, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        parts = urlsplit(path)
        scope = {
            "type": "websocket",
            "path": parts.path,
            "query_string": parts.query.encode(),
            "headers": headers,
            "subprotocols": [],
        }
        self._application: Any = cast(Any, ApplicationCommunicator)(application, scope)
        self.connected = False

    async def connect(self) -> None:
        await self._application.send_input({"type": "websocket.connect"})
        self.connected = (await self.receive())["type"] == "websocket.accept"

    async def receive(self) -> dict[str, Any]:
        return cast(dict[str, Any], await self._application.receive_output(timeout=10))

    async def receive_json(self) -> dict[str, Any]:
        return cast(dict[str, Any], json.loads((await self.receive())["text"]))

    async def receive_nothing(self) -> bool:
        return bool(await self._application.receive_nothing(timeout=0.2))

    async def say(self, text: str) -> None:
        await self._application.send_input({"type": "websocket.receive", "text": text})

    async def disconnect(self) -> None:
        await self._application.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._application.wait(timeout=10)


@asynccontextmanager
async def watching(
    user: User | AnonymousUser, pk: UUID, after: str = "0", origin: str = "http://localhost"
) -> AsyncIterator[Socket]:
    headers = [(b"origin", origin.encode()), (b"accept-language", b"en")]
    if isinstance(user, User):
        client = await sync_to_async(signed_in)(user)
        headers.append((b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()))
    socket = Socket(f"/ws/submissions/{pk}/?after={after}", headers)
    await socket.connect()
    try:
        yield socket
    finally:
        await socket.disconnect()


async def messages(socket: Socket, last: str) -> list[dict[str, Any]]:
    """What arrives up to and with the first message of type `last`."""
    received: list[dict[str, Any]] = []
    while not received or received[-1]["type"] != last:
        received.append(await socket.receive_json())
    return received


def sequences(received: list[dict[str, Any]]) -> list[int]:
    return [message["sequence"] for message in received if message["type"] == "event"]


@sync_to_async
def judge_it(submission: Submission) -> None:
    token = submission.claim()
    assert token is not None
    submission.record(token, compiling())
    submission.finish(token, ACCEPTED)


async def test_a_late_socket_sees_every_event_once(submission: Submission, owner: User) -> None:
    await judge_it(submission)
    async with watching(owner, submission.pk) as socket:
        received = await messages(socket, "end")
    assert sequences(received) == [1, 2, 3, 4]
    assert received[-1] == {"type": "end", "status": "done", "verdict": "AC"}


async def test_a_socket_that_comes_back_gets_only_what_it_missed(
    submission: Submission, owner: User
) -> None:
    await judge_it(submission)
    async with watching(owner, submission.pk, after="2") as socket:
        assert sequences(await messages(socket, "end")) == [3, 4]


async def test_an_early_socket_follows_the_doorbell(submission: Submission, owner: User) -> None:
    async with watching(owner, submission.pk) as socket:
        waiting = await messages(socket, "queue")
        assert sequences(waiting) == [1]
        assert waiting[-1]["place"] == 1
        await judge_it(submission)
        await sync_to_async(ring)(submission.pk)
        assert sequences(await messages(socket, "end")) == [2, 3, 4]


async def test_no_place_in_the_queue_is_told_after_a_worker_took_it(
    submission: Submission,
) -> None:
    consumer = SubmissionConsumer()
    assert await consumer._state(submission) == {"type": "queue", "place": 1}
    # What the consumer holds is as it was before the events that it has just sent.
    held_elsewhere = await Submission.objects.aget(pk=submission.pk)
    await sync_to_async(held_elsewhere.claim)()
    assert await consumer._state(submission) == {}


async def test_a_lost_doorbell_only_delays(
    submission: Submission, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "LOOK_INTERVAL_S", 0.05)
    async with watching(owner, submission.pk) as socket:
        await messages(socket, "queue")
        await judge_it(submission)
        assert sequences(await messages(socket, "end")) == [2, 3, 4]


async def test_ringing_often_doubles_nothing(submission: Submission, owner: User) -> None:
    await judge_it(submission)
    async with watching(owner, submission.pk) as socket:
        for _ in range(5):
            await sync_to_async(ring)(submission.pk)
        assert sequences(await messages(socket, "end")) == [1, 2, 3, 4]
        assert await socket.receive_nothing()


async def close_code(user: User | AnonymousUser, pk: UUID) -> int:
    async with watching(user, pk) as socket:
        message = await socket.receive()
        assert message["type"] == "websocket.close"
        code: int = message["code"]
        return code


async def test_a_stranger_cannot_watch(submission: Submission, stranger: User) -> None:
    assert await close_code(stranger, submission.pk) == consumers.NOT_FOUND


async def test_an_unknown_submission_looks_like_anothers(owner: User) -> None:
    assert await close_code(owner, uuid4()) == consumers.NOT_FOUND


async def test_nobody_watches_without_signing_in(submission: Submission) -> None:
    assert await close_code(AnonymousUser(), submission.pk) == consumers.NOT_SIGNED_IN


async def test_staff_can_watch(submission: Submission, staff: User) -> None:
    async with watching(staff, submission.pk) as socket:
        assert sequences(await messages(socket, "queue")) == [1]


async def test_another_sites_page_cannot_connect(submission: Submission, owner: User) -> None:
    async with watching(owner, submission.pk, origin="http://evil.example") as socket:
        assert not socket.connected


@pytest.mark.parametrize("after", ["", "-1", "x", "9" * 40, "%00"])
async def test_an_odd_position_replays_from_the_start(
    submission: Submission, owner: User, after: str
) -> None:
    async with watching(owner, submission.pk, after=after) as socket:
        assert sequences(await messages(socket, "queue")) == [1]


@pytest.mark.parametrize("text", ["", "{}", "not json", "[" * 10_000])
async def test_what_a_client_says_is_ignored(
    submission: Submission, owner: User, text: str
) -> None:
    async with watching(owner, submission.pk) as socket:
        await messages(socket, "queue")
        await socket.say(text)
        await judge_it(submission)
        await sync_to_async(ring)(submission.pk)
        assert sequences(await messages(socket, "end")) == [2, 3, 4]
