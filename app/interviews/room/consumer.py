"""One text, two people: the socket of a round's shared text.

``/ws/interviews/<uuid>/rounds/<number>/``; `messages` says what goes over it. An edit is applied,
put on the timeline and only then acknowledged. The others are told by a doorbell and read the edits
from the timeline; cursors travel with the bell and are kept nowhere. Who may read and who may write
is asked anew at every message and every delivery.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID, uuid4

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.urls import path
from pycrdt import merge_updates

from app.accounts.models import User
from app.interviews.access import LEADING
from app.interviews.doorbell import group_of
from app.interviews.models import Interview, InterviewRound, Moment, Role
from app.interviews.room.documents import NotTaken, TooLarge, documents, is_shared
from app.interviews.room.messages import Cursor, Hello, MalformedMessage, Pace, Write, as_json, read
from app.practice.consumers import NOT_FOUND, NOT_SIGNED_IN

logger = logging.getLogger(__name__)

MALFORMED = 4400
READ_ONLY = 4403
NOT_RUNNING = 4410
TOO_LARGE = 4413
TOO_FAST = 4429

LOOK_INTERVAL_S = 3.0  # a lost doorbell delays a page by this much at most
PRESENT_EVERY = 5  # looks between two signs of life; a page forgets who gives none


class Refusal(Exception):
    """This socket has to close, with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


@dataclass(frozen=True)
class Standing:
    """Who is here, in which round and role, as the database has it now."""

    user: User
    interview_round: InterviewRound
    role: Role


class RoomConsumer(AsyncWebsocketConsumer):
    """One browser tab at a shared text."""

    async def connect(self) -> None:
        await self.accept()  # a close code reaches the browser only after this
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.close(NOT_SIGNED_IN)
            return
        self.user = cast(User, user)
        where = self.scope["url_route"]["kwargs"]
        self.interview_id, self.number = cast(UUID, where["pk"]), cast(int, where["number"])
        self.person = uuid4().hex[:12]
        self.cursor: Cursor | None = None
        self.pace = Pace()
        self.last_sequence: int | None = None  # None before the hello
        self.own: set[int] = set()
        self.delivering = asyncio.Lock()
        try:
            self.role = await self._role_at_first()
        except Refusal as refusal:
            await self.close(refusal.code)
            return
        for group in self._groups:
            await self.channel_layer.group_add(group, self.channel_name)
        self.looking = asyncio.create_task(self._look())

    async def disconnect(self, code: int) -> None:
        if not hasattr(self, "looking"):
            return
        self.looking.cancel()
        # The broker may be away; its groups forget a closed channel by themselves.
        with contextlib.suppress(Exception):
            await self._tell({"type": "room.left", "person": self.person})
            for group in self._groups:
                await self.channel_layer.group_discard(group, self.channel_name)

    @property
    def _groups(self) -> tuple[str, str]:
        return room_of(self.interview_id, self.number), group_of(self.interview_id)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A hello, or a burst of keystrokes."""
        if not hasattr(self, "looking"):
            return
        try:
            if not self.pace.allows(text_data or ""):
                raise Refusal(TOO_FAST)
            message = read(text_data or "")
            if isinstance(message, Hello):
                await self._welcome(message)
            elif self.last_sequence is None:
                raise MalformedMessage("a hello comes first")
            else:
                await self._write(message)
        except MalformedMessage as error:
            logger.info("malformed message of %s in %s: %s", self.user, self.interview_id, error)
            await self.close(MALFORMED)
        except Refusal as refusal:
            await self.close(refusal.code)

    async def _welcome(self, hello: Hello) -> None:
        async with self.delivering:
            sequence, missing, state = await self._open(hello.state)
            self.last_sequence = sequence
            self.own.clear()
            await self._send({"type": "text", "update": _text(missing), "state": _text(state)})
        # Everybody says where they are, and learns that somebody has come.
        await self._tell({"type": "room.came", "channel": self.channel_name, **self._presence()})

    async def _write(self, write: Write) -> None:
        self.cursor = write.cursor
        if write.update is not None:
            self.own.add(await self._keep(write.update))
        else:
            await self._may_write()
        # First everybody else: the writer has time until the next burst.
        await self._tell({"type": "room.rang", **self._presence()})
        await self._send({"type": "kept", "number": write.number})

    async def room_rang(self, message: dict[str, Any]) -> None:
        """Somebody wrote, or moved their cursor."""
        if message["person"] != self.person:
            await self._deliver({message["person"]: _shown(message)})

    async def room_came(self, message: dict[str, Any]) -> None:
        """Somebody came: show them, and say where this one is."""
        if message["person"] == self.person:
            return
        await self._deliver({message["person"]: _shown(message)})
        await self.channel_layer.send(message["channel"], {"type": "room.rang", **self._presence()})

    async def room_left(self, message: dict[str, Any]) -> None:
        """Somebody closed their page."""
        if message["person"] != self.person:
            await self._deliver({message["person"]: None})

    async def doorbell_rang(self, message: dict[str, Any]) -> None:
        """Something else happened in the interview: it may be over, or a link revoked."""
        await self._deliver({})

    async def _deliver(self, cursors: dict[str, Any]) -> None:
        """Send what others wrote and where they are, in one message, if there is anything."""
        async with self.delivering:
            try:
                news = await self._look_up()
            except Refusal as refusal:
                await self.close(refusal.code)
                return
            if self.last_sequence is None:
                return
            updates = []
            for sequence, update in news:
                self.last_sequence = sequence
                if sequence not in self.own:
                    updates.append(b64decode(update))
                self.own.discard(sequence)
            if updates or cursors:
                merged = _text(merge_updates(*updates)) if updates else None
                await self._send({"type": "written", "update": merged, "cursors": cursors})

    async def _look(self) -> None:
        looks = 0
        while True:
            await asyncio.sleep(LOOK_INTERVAL_S)
            looks += 1
            try:
                await self._deliver({})
                if looks % PRESENT_EVERY == 0:
                    await self._tell({"type": "room.rang", **self._presence()})
            except Exception:
                logger.exception("could not look for news of interview %s", self.interview_id)

    def _presence(self) -> dict[str, Any]:
        return {
            "person": self.person,
            "name": self.user.get_username(),
            "role": self.role.value,
            "cursor": as_json(self.cursor),
        }

    async def _tell(self, message: dict[str, Any]) -> None:
        try:
            await self.channel_layer.group_send(self._groups[0], message)
        except Exception as error:  # the broker is away: pages find the news by looking
            logger.warning("could not ring for interview %s: %s", self.interview_id, error)

    async def _send(self, message: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(message))

    @database_sync_to_async
    def _role_at_first(self) -> Role:
        standing = self._standing()
        if not is_shared(standing.interview_round):
            raise Refusal(NOT_FOUND)
        return standing.role

    @database_sync_to_async
    def _open(self, state: bytes) -> tuple[int, bytes, bytes]:
        return documents.look(self._standing().interview_round, state)

    @database_sync_to_async
    def _keep(self, update: bytes) -> int:
        standing = self._writing()
        try:
            return documents.keep(standing.interview_round, update, standing.user).sequence
        except NotTaken:
            raise Refusal(NOT_RUNNING) from None
        except TooLarge:
            raise Refusal(TOO_LARGE) from None

    @database_sync_to_async
    def _may_write(self) -> None:
        self._writing()

    @database_sync_to_async
    def _look_up(self) -> list[tuple[int, str]]:
        """Number and update of each edit that is new to this socket."""
        standing = self._standing()
        if self.last_sequence is None:
            return []
        edits = Moment.objects.filter(
            interview_id=self.interview_id,
            interview_round=standing.interview_round,
            kind=Moment.Kind.EDIT,
            sequence__gt=self.last_sequence,
        ).order_by("sequence")
        return [(one.sequence, str(one.payload["update"])) for one in edits]

    def _writing(self) -> Standing:
        standing = self._standing()
        if standing.role not in LEADING:
            raise Refusal(READ_ONLY)
        return standing

    def _standing(self) -> Standing:
        # Read anew: an account that was closed, or a seat that was lost, ends here.
        user = User.objects.filter(pk=self.user.pk, is_active=True).first()
        interview = Interview.objects.filter(pk=self.interview_id).first()
        role = interview.role_of(user) if interview and user else None
        if interview is None or user is None or role is None:
            raise Refusal(NOT_FOUND)
        one = interview.rounds.filter(number=self.number).first()
        if one is None:
            raise Refusal(NOT_FOUND)
        if one.status != InterviewRound.Status.RUNNING:
            raise Refusal(NOT_RUNNING)
        one.interview = interview
        return Standing(user, one, role)


def room_of(interview_id: UUID, number: int) -> str:
    """The group of every socket at one round's text."""
    return f"room.{interview_id.hex}.{number}"


def _shown(message: dict[str, Any]) -> dict[str, Any]:
    return {key: message[key] for key in ("name", "role", "cursor")}


def _text(data: bytes) -> str:
    return b64encode(data).decode()


# Django's stubs know path() for views only; Channels documents it for consumers.
websocket_urlpatterns: list[Any] = [
    path("ws/interviews/<uuid:pk>/rounds/<int:number>/", cast(Any, RoomConsumer.as_asgi())),
]
