"""A submission, live: replays every event the browser has not seen, then follows.

``/ws/submissions/<uuid>/?after=<sequence>`` sends JSON objects:
``{"type": "event", "sequence": 7, "kind": "case_finished", "html": "<li ...>"}``,
``{"type": "queue", "place": 3}`` while it waits, and
``{"type": "end", "status": "done", "verdict": "WA"}`` when nothing more will come by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from http.cookies import SimpleCookie
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import path
from django.utils import translation

from app.accounts.models import User
from app.practice.doorbell import QUEUE_GROUP, group_of
from app.practice.models import Submission, SubmissionEvent

logger = logging.getLogger(__name__)

NOT_SIGNED_IN = 4401
NOT_FOUND = 4404
LOOK_INTERVAL_S = 3.0  # a lost doorbell delays a page by this much at most


class SubmissionConsumer(AsyncJsonWebsocketConsumer):
    """One browser tab that watches one submission."""

    async def connect(self) -> None:
        await self.accept()  # a close code reaches the browser only after this
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.close(NOT_SIGNED_IN)
            return
        self.user = cast(User, user)
        self.submission_id: UUID = self.scope["url_route"]["kwargs"]["pk"]
        self.last_sequence = after_of(cast(Mapping[str, Any], self.scope))
        self.language = language_of(cast(Mapping[str, Any], self.scope))
        self.last_told: dict[str, Any] = {}
        self.delivering = asyncio.Lock()
        if await self._submission() is None:
            await self.close(NOT_FOUND)
            return
        # First the group, then the replay: what happens in between is told twice, never missed.
        for group in (group_of(self.submission_id), QUEUE_GROUP):
            await self.channel_layer.group_add(group, self.channel_name)
        await self.deliver()
        self.looking = asyncio.create_task(self._look())

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "looking"):
            self.looking.cancel()
        if hasattr(self, "submission_id"):
            for group in (group_of(self.submission_id), QUEUE_GROUP):
                # The broker may be away; its groups forget a closed channel by themselves.
                with contextlib.suppress(Exception):
                    await self.channel_layer.group_discard(group, self.channel_name)

    async def doorbell_rang(self, message: dict[str, Any]) -> None:
        """Somebody rang: look into the letterbox."""
        await self.deliver()

    async def deliver(self) -> None:
        """Send what is new, in order, each event once."""
        async with self.delivering:
            submission = await self._submission()
            if submission is None:
                await self.close(NOT_FOUND)
                return
            for event in await self._new_events(submission):
                await self.send_json({"type": "event", **event})
                self.last_sequence = event["sequence"]
            state = await self._state(submission)
            if state and state != self.last_told:
                await self.send_json(state)
            self.last_told = state

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """A client has nothing to say here; whatever it sends is ignored, never parsed."""

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_INTERVAL_S)
            if self.last_told.get("type") != "end":
                try:
                    await self.deliver()
                except Exception:
                    logger.exception("could not look for news of %s", self.submission_id)

    @database_sync_to_async
    def _submission(self) -> Submission | None:
        return Submission.objects.visible_to(self.user).filter(pk=self.submission_id).first()

    @database_sync_to_async
    def _new_events(self, submission: Submission) -> list[dict[str, Any]]:
        events = SubmissionEvent.objects.filter(
            submission=submission, sequence__gt=self.last_sequence
        )
        with translation.override(self.language):
            return [
                {
                    "sequence": event.sequence,
                    "kind": event.kind,
                    "html": render_to_string(
                        "practice/event.html", {"event": event, "submission": submission}
                    ),
                }
                for event in events
            ]

    @database_sync_to_async
    def _state(self, submission: Submission) -> dict[str, Any]:
        if submission.is_finished:
            return {"type": "end", "status": submission.status, "verdict": submission.verdict}
        if submission.status == Submission.Status.QUEUED:
            # The events that were just sent may say already that a worker took it: a place that
            # comes after that would stand there for good.
            submission.refresh_from_db(fields=["status"])
        if submission.status == Submission.Status.QUEUED:
            return {"type": "queue", "place": submission.place_in_queue()}
        return {}


def after_of(scope: Mapping[str, Any]) -> int:
    """The last sequence number that the browser has; anything odd counts as none."""
    value = parse_qs(scope["query_string"].decode("latin-1")).get("after", ["0"])[0]
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def language_of(scope: Mapping[str, Any]) -> str:
    """The language of the page that opened the socket, found as LocaleMiddleware finds it."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    cookies = {key: morsel.value for key, morsel in SimpleCookie(headers.get("cookie", "")).items()}
    request = SimpleNamespace(
        COOKIES=cookies,
        META={"HTTP_ACCEPT_LANGUAGE": headers.get("accept-language", "")},
        path_info=scope["path"],
    )
    return translation.get_language_from_request(cast(HttpRequest, request))


# Django's stubs know path() for views only; Channels documents it for consumers.
websocket_urlpatterns: list[Any] = [
    path("ws/submissions/<uuid:pk>/", cast(Any, SubmissionConsumer.as_asgi())),
]
