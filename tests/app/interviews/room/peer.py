"""A browser at a shared text, without the browser: the same messages, the same document library."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser
from pycrdt import Doc, Text

from app.accounts.models import User
from app.interviews.models import Interview
from tests.app.practice.test_consumers import Socket
from tests.conftest import signed_in


class Peer:
    """A document, and at times a socket."""

    def __init__(self) -> None:
        self.doc: Doc[Text] = Doc()
        self.text = self.doc.get("text", type=Text)
        self.socket: Socket | None = None
        self.acknowledged = ""  # the text when the last acknowledgement came
        self.messages = 0  # that brought what others wrote
        self.cursors: dict[str, Any] = {}
        self._number = 0

    def type(self, words: str, at: int = 0) -> None:
        """Type here; nothing is sent."""
        self.text.insert(at, words)

    async def say(self, message: dict[str, Any]) -> None:
        assert self.socket is not None
        await self.socket.say(json.dumps(message))

    async def hello(self) -> None:
        """Say hello, take what was missed, and send what the server lacks."""
        await self.say({"type": "hello", "state": coded(self.doc.get_state())})
        answer = await self._until("text")
        self.doc.apply_update(b64decode(answer["update"]))
        await self.send(b64decode(answer["state"]))

    async def send(self, since: bytes, cursor: dict[str, str] | None = None) -> None:
        """Send all since this state, and wait until it is kept."""
        self._number += 1
        update = coded(self.doc.get_update(since))
        await self.say(
            {"type": "write", "number": self._number, "update": update, "cursor": cursor}
        )
        kept = await self._until("kept")
        assert kept["number"] == self._number
        self.acknowledged = str(self.text)

    async def write(self, words: str, at: int = 0) -> None:
        """Type and send one burst."""
        before = self.doc.get_state()
        self.type(words, at)
        await self.send(before)

    async def see(self, text: str) -> None:
        """Read until this is the text."""
        while str(self.text) != text:
            await self._until("written")

    async def closed(self) -> int:
        """Read on; the code with which the server closes."""
        assert self.socket is not None
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.close":
                return int(message["code"])

    async def _until(self, kind: str) -> dict[str, Any]:
        assert self.socket is not None
        while True:
            message: dict[str, Any] = await self.socket.receive_json()
            if message["type"] == "written":
                self.take(message)
            if message["type"] == kind:
                return message

    def take(self, message: dict[str, Any]) -> None:
        """What somebody else did."""
        self.messages += 1
        if message["update"]:
            self.doc.apply_update(b64decode(message["update"]))
        self.cursors |= message["cursors"]


def coded(data: bytes) -> str:
    return b64encode(data).decode()


@asynccontextmanager
async def connected(
    user: User | AnonymousUser, interview: Interview, peer: Peer | None = None, number: int = 1
) -> AsyncIterator[Peer]:
    """This person's page at a round's text, with what it had before if it was open before."""
    headers = [(b"origin", b"http://localhost"), (b"accept-language", b"en")]
    if isinstance(user, User):
        client = await sync_to_async(signed_in)(user)
        headers.append((b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()))
    peer = peer or Peer()
    peer.socket = Socket(f"/ws/interviews/{interview.pk}/rounds/{number}/", headers)
    await peer.socket.connect()
    try:
        yield peer
    finally:
        await peer.socket.disconnect()
        peer.socket = None
