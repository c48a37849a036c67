"""An interview, live: replays every moment that the browser has not seen, then follows.

``/ws/interviews/<uuid>/?after=<sequence>`` sends JSON objects:
``{"type": "moment", "sequence": 7, "kind": "follow_up", "at_ms": ..., "author": ..., "round": 2,
"payload": {...}}`` and, whenever it has changed, ``{"type": "clock", ...}`` with a `clock_state`.
Who may see what is asked anew at each delivery: a link that is revoked closes the socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast
from uuid import UUID

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.db import connection
from django.urls import path
from django.utils import translation

from app.accounts.models import User
from app.interviews import presence
from app.interviews.access import LEADING
from app.interviews.clock_state import clock_state
from app.interviews.doorbell import group_of
from app.interviews.models import Interview, Moment, Role
from app.interviews.running import settle
from app.practice.consumers import NOT_FOUND, NOT_SIGNED_IN, after_of, language_of
from app.practice.wording import in_words

logger = logging.getLogger(__name__)

News = tuple[list[dict[str, Any]], dict[str, Any], int]  # moments, the clock, read up to here

Found = TypeVar("Found")

LOOK_INTERVAL_S = 3.0  # a lost doorbell delays a page by this much at most


class Looker:
    """One thread whose database connection stays open while there are sockets.

    Channels' own way opens the database anew at each look, which takes longer than the look.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="interviews")
        self._sockets = 0
        self._settled_at: dict[UUID, float] = {}

    def settles(self, interview_id: UUID) -> bool:
        """Whether an interview's clock is to be asked again: once for all its sockets here."""
        at = time.monotonic()
        if at - self._settled_at.get(interview_id, -math.inf) < LOOK_INTERVAL_S / 2:
            return False
        self._settled_at[interview_id] = at
        return True

    def opened(self) -> None:
        """One socket more."""
        self._sockets += 1

    async def closed(self) -> None:
        """One less; with the last the connection goes."""
        self._sockets -= 1
        if not self._sockets:
            self._settled_at.clear()
            await self.run(_disconnect)

    async def run(self, look: Callable[[], Found]) -> Found:
        """Do this in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, look)

    def _do(self, look: Callable[[], Found]) -> Found:
        try:
            return look()
        except BaseException:
            connection.close()  # it may be broken: the next look opens another
            raise


def _disconnect() -> None:
    connection.close()  # the thread's own


looker = Looker()


class InterviewConsumer(AsyncJsonWebsocketConsumer):
    """One browser tab in one interview."""

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Without Channels' look at old database connections: the `looker` has its own."""
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        await self.accept()  # a close code reaches the browser only after this
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.close(NOT_SIGNED_IN)
            return
        self.user = cast(User, user)
        self.interview_id: UUID = self.scope["url_route"]["kwargs"]["pk"]
        scope = cast(Mapping[str, Any], self.scope)
        self.last_sequence, self.language = after_of(scope), language_of(scope)
        self.last_clock: dict[str, Any] = {}
        self.delivering = asyncio.Lock()
        looker.opened()
        self.counts = True
        if await self._look_up() is None:
            await self.close(NOT_FOUND)
            return
        # First the group, then the replay: what happens in between is told twice, never missed.
        await self.channel_layer.group_add(group_of(self.interview_id), self.channel_name)
        await self.deliver(settled=True)
        self.looking = asyncio.create_task(self._look())

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "looking"):
            self.looking.cancel()
        if hasattr(self, "interview_id"):
            # The broker may be away; its groups forget a closed channel by themselves.
            with contextlib.suppress(Exception):
                await self.channel_layer.group_discard(
                    group_of(self.interview_id), self.channel_name
                )
        if hasattr(self, "counts"):
            await looker.closed()

    async def doorbell_rang(self, message: dict[str, Any]) -> None:
        """Somebody rang: look into the letterbox."""
        await self.deliver()

    async def deliver(self, *, settled: bool = False) -> None:
        """Send what is new, in order, each moment once.

        With `settled` the clock's due is done first; whoever rang has done it already.
        """
        async with self.delivering:
            news = await self._look_up(settled=settled)
            if news is None:
                await self.close(NOT_FOUND)
                return
            moments, clock, self.last_sequence = news
            for moment in moments:
                await self.send_json({"type": "moment", **moment})
            if {**clock, "now_ms": 0} != self.last_clock:
                await self.send_json({"type": "clock", **clock})
                self.last_clock = {**clock, "now_ms": 0}

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """A client has nothing to say here; whatever it sends is ignored, never parsed."""

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_INTERVAL_S)
            try:
                await self.deliver(settled=True)
            except Exception:
                logger.exception("could not look for news of interview %s", self.interview_id)

    async def _look_up(self, *, settled: bool = False) -> News | None:
        """New moments and the clock; None for a stranger."""
        return await looker.run(lambda: self._read(settled))

    def _read(self, settled: bool) -> News | None:
        # Read anew: an account that was closed, or a seat that was lost, ends here.
        user = User.objects.filter(pk=self.user.pk, is_active=True).first()
        interview = Interview.objects.filter(pk=self.interview_id).first()
        role = interview.role_of(user) if interview and user else None
        if interview is None or user is None or role is None:
            return None
        if settled:
            if looker.settles(interview.pk):
                settle(interview)
            if role in LEADING:
                presence.seen(interview, user)
        with translation.override(self.language):
            # Every moment up to the count is there: recording takes the interview's row.
            read = max(interview.moment_count, self.last_sequence)
            moments = moments_for(interview, role, self.last_sequence)
            if moments:
                read = max(read, moments[-1]["sequence"])
            return moments, clock_state(interview), read


def moments_for(interview: Interview, role: Role, after: int) -> list[dict[str, Any]]:
    """Moments with a higher number that this role may see, as JSON."""
    new = interview.moments.filter(sequence__gt=after).select_related("author", "interview_round")
    new = new.exclude(kind=Moment.Kind.EDIT)  # the room's own sockets carry them
    if not role.knows_the_answers:
        new = new.exclude(kind__in=Moment.PRIVATE)
    return [
        {
            "sequence": moment.sequence,
            "kind": moment.kind,
            "at_ms": round(1000 * moment.at.timestamp()),
            "author": moment.author.get_username() if moment.author else None,
            "round": moment.interview_round.number if moment.interview_round else None,
            "payload": in_words(moment.payload),
        }
        for moment in new
    ]


# Django's stubs know path() for views only; Channels documents it for consumers.
websocket_urlpatterns: list[Any] = [
    path("ws/interviews/<uuid:pk>/", cast(Any, InterviewConsumer.as_asgi())),
]
