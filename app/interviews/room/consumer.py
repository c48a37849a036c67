"""One text, several people: the socket of a round's live text.

``/ws/interviews/<uuid>/rounds/<number>/``; `messages` says what goes over it. What a page sends is
handed to the `desk` of this process, which puts it on the timeline, acknowledges it and tells the
other sockets here. Other processes hear a doorbell and read the edits from the timeline; cursors
travel with the bell and are kept nowhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from base64 import b64encode
from typing import Any, cast
from uuid import UUID, uuid4

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.urls import path
from pycrdt import merge_updates

from app.accounts.models import User
from app.interviews.doorbell import group_of
from app.interviews.models import Interview, InterviewRound, Role
from app.interviews.room.desk import Burst, Enter, Leave, Look, Shown, desk
from app.interviews.room.documents import is_live
from app.interviews.room.messages import (
    MALFORMED,
    NOT_FOUND,
    NOT_RUNNING,
    NOT_SIGNED_IN,
    TOO_FAST,
    Cursor,
    Hello,
    MalformedMessage,
    Pace,
    Write,
    as_json,
    read,
)

logger = logging.getLogger(__name__)

LOOK_INTERVAL_S = 3.0  # a lost doorbell delays a page by this much at most
PRESENT_EVERY = 5  # looks between two signs of life; a page forgets who gives none


class Refusal(Exception):
    """This socket has to close, with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class RoomConsumer(AsyncWebsocketConsumer):
    """One browser tab at a live text; a `desk.Listener`."""

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Without Channels' look at old database connections: the desk has its own."""
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        self.desk = desk
        await self.accept()  # a close code reaches the browser only after this
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.close(NOT_SIGNED_IN)
            return
        self.user = cast(User, user)
        self.user_id = self.user.pk
        self.person = uuid4().hex[:12]
        where = self.scope["url_route"]["kwargs"]
        self.key = cast(UUID, where["pk"]), cast(int, where["number"])
        self.loop = asyncio.get_running_loop()
        self.cursor: Cursor | None = None
        self.pace = Pace()
        self.has_said_hello = False
        self.outbox = Outbox()
        try:
            self.role = await self._role_at_first()
        except Refusal as refusal:
            await self.close(refusal.code)
            return
        for group in self._groups:
            await self.channel_layer.group_add(group, self.channel_name)
        self.tasks = [asyncio.create_task(self._post()), asyncio.create_task(self._look())]

    async def disconnect(self, code: int) -> None:
        if not hasattr(self, "tasks"):
            return
        for task in self.tasks:
            task.cancel()
        self.desk.ask(Leave(self.key, self))
        # The broker may be away; its groups forget a closed channel by themselves.
        with contextlib.suppress(Exception):
            await self._ring({self.person: None})
            for group in self._groups:
                await self.channel_layer.group_discard(group, self.channel_name)

    @property
    def _groups(self) -> tuple[str, str]:
        return room_of(*self.key), group_of(self.key[0])

    @property
    def shown(self) -> Shown:
        """How the others see this one."""
        return {
            "name": self.user.get_username(),
            "role": self.role.value,
            "cursor": as_json(self.cursor),
        }

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A hello, or a burst of keystrokes."""
        if not hasattr(self, "tasks"):
            return
        if not self.pace.allows(text_data or ""):
            await self.close(TOO_FAST)
            return
        try:
            message = read(text_data or "")
            if isinstance(message, Write) and not self.has_said_hello:
                raise MalformedMessage("a hello comes first")
        except MalformedMessage as error:
            logger.info("malformed message of %s in %s: %s", self.user, self.key[0], error)
            await self.close(MALFORMED)
            return
        if isinstance(message, Hello):
            self.has_said_hello = True
            self.desk.ask(Enter(self.key, self, message.state))
        else:
            self.cursor = message.cursor
            self.desk.ask(Burst(self.key, self, message.number, message.update))

    def opened(self, missing: bytes, state: bytes) -> None:
        """The desk let this one in: everybody says where they are."""
        self.outbox.put({"type": "text", "update": _text(missing), "state": _text(state)})
        self.outbox.ring("room.came", {self.person: self.shown})

    def kept(self, number: int) -> None:
        """A burst is on disk."""
        self.outbox.put({"type": "kept", "number": number})
        self.outbox.ring("room.rang", {self.person: self.shown})

    def heard(self, updates: list[bytes], people: dict[str, Shown | None]) -> None:
        """What others wrote and where they are."""
        self.outbox.hear(updates, people)

    def refused(self, code: int) -> None:
        """The desk says that this socket has to close."""
        self.outbox.close(code)

    async def room_rang(self, message: dict[str, Any]) -> None:
        """In another process somebody wrote, moved their cursor, or left."""
        if message["desk"] != self.desk.name:
            self.desk.ask(Look(self.key, message["people"]))

    async def room_came(self, message: dict[str, Any]) -> None:
        """In another process somebody came: show them, and say where this one is."""
        if message["desk"] != self.desk.name:
            self.desk.ask(Look(self.key, message["people"]))
            self.outbox.ring("room.rang", {self.person: self.shown})

    async def doorbell_rang(self, message: dict[str, Any]) -> None:
        """Something else happened in the interview: it may be over, or a link revoked."""
        self.desk.ask(Look(self.key, {}))

    async def _look(self) -> None:
        looks = 0
        while True:
            await asyncio.sleep(LOOK_INTERVAL_S)
            looks += 1
            people: dict[str, Shown | None] = {}
            if looks % PRESENT_EVERY == 0 and self.has_said_hello:
                people = {self.person: self.shown}
                self.outbox.ring("room.rang", people)
            self.desk.ask(Look(self.key, people))

    async def _post(self) -> None:
        """Send what stands in the outbox, in order; ring for other processes after it."""
        while True:
            messages, bells, code = await self.outbox.next()
            try:
                for message in messages:
                    await self.send(text_data=json.dumps(message))
                if code is not None:
                    await self.close(code)
                    return
            except RuntimeError:  # the page is gone, and what it lacks it asks for when it is back
                return
            for kind, people in bells.items():
                await self._ring(people, kind)

    async def _ring(self, people: dict[str, Shown | None], kind: str = "room.rang") -> None:
        message = {"type": kind, "desk": self.desk.name, "people": people}
        try:
            await self.channel_layer.group_send(room_of(*self.key), message)
        except Exception as error:  # the broker is away: pages find the news by looking
            logger.warning("could not ring for interview %s: %s", self.key[0], error)

    @database_sync_to_async
    def _role_at_first(self) -> Role:
        interview = Interview.objects.filter(pk=self.key[0]).first()
        role = interview.role_of(self.user) if interview else None
        if interview is None or role is None:
            raise Refusal(NOT_FOUND)
        rounds = interview.rounds.select_related("version")
        one = rounds.filter(number=self.key[1]).first()
        if one is None or not is_live(one):
            raise Refusal(NOT_FOUND)
        if one.status != InterviewRound.Status.RUNNING:
            raise Refusal(NOT_RUNNING)
        return role


class Outbox:
    """What waits to be sent to one page. News that wait together become one message."""

    def __init__(self) -> None:
        self._messages: list[dict[str, Any]] = []
        self._updates: list[bytes] = []
        self._people: dict[str, Shown | None] = {}
        self._bells: dict[str, dict[str, Shown | None]] = {}
        self._code: int | None = None
        self._something = asyncio.Event()

    def put(self, message: dict[str, Any]) -> None:
        """A message after what waits."""
        self._gather()
        self._messages.append(message)
        self._something.set()

    def hear(self, updates: list[bytes], people: dict[str, Shown | None]) -> None:
        """News of others."""
        self._updates += updates
        self._people |= people
        self._something.set()

    def ring(self, kind: str, people: dict[str, Shown | None]) -> None:
        """Tell other processes, once the messages are out."""
        self._bells.setdefault(kind, {}).update(people)
        self._something.set()

    def close(self, code: int) -> None:
        """Close the socket after what waits."""
        self._code = code
        self._something.set()

    async def next(
        self,
    ) -> tuple[list[dict[str, Any]], dict[str, dict[str, Shown | None]], int | None]:
        """Messages, bells and perhaps a code to close with, as soon as there is any of them."""
        await self._something.wait()
        self._something.clear()
        self._gather()
        messages, bells = self._messages, self._bells
        self._messages, self._bells = [], {}
        return messages, bells, self._code

    def _gather(self) -> None:
        if not self._updates and not self._people:
            return
        update = _text(merge_updates(*self._updates)) if self._updates else None
        self._messages.append({"type": "written", "update": update, "cursors": self._people})
        self._updates, self._people = [], {}


def room_of(interview_id: UUID, number: int) -> str:
    """The group of every socket at one round's text."""
    return f"room.{interview_id.hex}.{number}"


def _text(data: bytes) -> str:
    return b64encode(data).decode()


# Django's stubs know path() for views only; Channels documents it for consumers.
websocket_urlpatterns: list[Any] = [
    path("ws/interviews/<uuid:pk>/rounds/<int:number>/", cast(Any, RoomConsumer.as_asgi())),
]
