"""The open rooms of this process. One thread does their work, many rooms at a time.

Sockets ask; a turn takes all that waits. Its edits are put on the timeline in one transaction, so
that rooms share the cost of a commit, and are acknowledged after it. With the same look at the
database every listener of those rooms is told what is new to it, or closed if it may not see it
any more. The documents belong to this thread alone: only the list of what waits needs a lock.

A listener's methods are called in its own event loop, in the order of the turns.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import uuid4

from django.db import connection, transaction

from app.interviews.access import LEADING
from app.interviews.models import InterviewRound, Moment
from app.interviews.room import recording
from app.interviews.room.documents import Change, Document, OutOfStep, TooLarge
from app.interviews.room.messages import (
    BROKEN,
    NOT_FOUND,
    NOT_RUNNING,
    OUT_OF_STEP,
    READ_ONLY,
    TOO_LARGE,
)
from app.interviews.room.standing import Key, Standings
from app.interviews.server_time import now

logger = logging.getLogger(__name__)

Shown = dict[str, Any]  # a person's name, role and cursor, as pages show them


class Listener(Protocol):
    """A socket, as the desk sees it."""

    person: str  # names this socket, not its user
    user_id: int
    loop: asyncio.AbstractEventLoop

    @property
    def shown(self) -> Shown:
        """How the others see it now."""

    def opened(self, missing: bytes, state: bytes) -> None:
        """It is in; this is what it lacks, and how far the document goes."""

    def kept(self, number: int) -> None:
        """Its burst is on disk."""

    def heard(self, updates: list[bytes], people: dict[str, Shown | None]) -> None:
        """What others wrote, and where they are; None: they have left."""

    def refused(self, code: int) -> None:
        """It has to close."""


@dataclass(frozen=True)
class Enter:
    """A page wants the document, of which it has this much."""

    key: Key
    listener: Listener
    state: bytes


@dataclass(frozen=True)
class Burst:
    """Keystrokes, a moved cursor, or both."""

    key: Key
    listener: Listener
    number: int
    update: bytes | None


@dataclass(frozen=True)
class Look:
    """Something may be new: who heard of it, and what came along about people."""

    key: Key
    people: dict[str, Shown | None]


@dataclass(frozen=True)
class Leave:
    """A page was closed."""

    key: Key
    listener: Listener


Task = Enter | Burst | Look | Leave


@dataclass
class Room:
    """One round's text and the sockets at it, in the desk's thread."""

    document: Document | None = None  # None: to be read anew
    seen: int = -1  # how many moments the interview had when its edits were last read
    told: int = 0  # listeners have every edit up to this moment
    listeners: dict[str, Listener] = field(default_factory=dict)


@dataclass
class News:
    """What a turn brings to one room."""

    entering: list[Enter] = field(default_factory=list)
    kept: list[Burst] = field(default_factory=list)
    updates: list[tuple[str, bytes]] = field(default_factory=list)  # whose, and what
    people: dict[str, Shown | None] = field(default_factory=dict)
    refused: dict[str, tuple[Listener, int]] = field(default_factory=dict)

    def refuse(self, listener: Listener, code: int) -> None:
        """Close this socket; the first reason stands."""
        self.refused.setdefault(listener.person, (listener, code))


class Desk:
    """Keeps the rooms of this process."""

    def __init__(self) -> None:
        self.name = uuid4().hex  # its own bells say nothing new to its sockets
        self._rooms: dict[Key, Room] = {}
        self._waiting: list[Task] = []
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rooms")

    def ask(self, task: Task) -> None:
        """Have it done in the next turn; what comes of it the listeners hear. Any thread may."""
        with self._lock:
            self._waiting.append(task)
            if len(self._waiting) > 1:
                return  # that turn is due already
        self._thread.submit(self._turn)

    def forget(self) -> None:
        """Read every document anew, as after a restart."""
        self._thread.submit(self._forget, list(self._rooms)).result()

    def _forget(self, keys: Iterable[Key]) -> None:
        for key in keys:
            if key in self._rooms:
                self._rooms[key].document = None

    def _turn(self) -> None:
        with self._lock:
            tasks, self._waiting = self._waiting, []
        calls: list[_Call] = []
        try:
            _connect()
            calls = self._work(tasks)
        except BaseException as error:
            self._start_afresh(tasks)
            if len(tasks) > 1:  # one room's trouble is not the others'
                for task in tasks:
                    calls += self._alone(task)
            else:
                calls = _broken(tasks[0], error)
        _call(calls)
        if not self._rooms:
            connection.close()

    def _alone(self, task: Task) -> list[_Call]:
        try:
            _connect()
            return self._work([task])
        except BaseException as error:
            self._start_afresh([task])
            return _broken(task, error)

    def _start_afresh(self, tasks: list[Task]) -> None:
        # What was applied and not kept must not stay in memory, nor a connection that broke.
        self._forget({task.key for task in tasks})
        for key in [key for key, room in self._rooms.items() if not room.listeners]:
            del self._rooms[key]
        connection.close()

    def _work(self, tasks: list[Task]) -> list[_Call]:
        """One turn; what is to be called once it is on disk."""
        tasks = self._worth_doing(tasks)
        if not tasks:
            return []
        keys = {task.key: self._rooms.setdefault(task.key, Room()) for task in tasks}
        writes = any(isinstance(task, Burst) and task.update is not None for task in tasks)
        opens = any(room.document is None for room in keys.values())
        users = {task.listener.user_id for task in tasks if isinstance(task, Enter)}
        for room in keys.values():
            users |= {listener.user_id for listener in room.listeners.values()}
        with transaction.atomic() if writes or opens else contextlib.nullcontext():
            standings = Standings.read(keys, users, lock=writes or opens)
            at = now()
            edits: list[recording.Edit] = []
            all_news = {}
            for key, room in keys.items():
                own = [task for task in tasks if task.key == key]
                all_news[key] = self._room_turn(key, room, own, standings, at, edits)
            recording.write(edits)
        calls: list[_Call] = []
        for key, room in keys.items():
            current = standings.rounds.get(key)
            if room.document is not None and current is not None:
                room.told = room.document.sequence
                room.seen = current.interview.moment_count
            calls += _told(key, room, all_news[key], standings)
            for task in tasks:
                if isinstance(task, Leave) and task.key == key:
                    room.listeners.pop(task.listener.person, None)
            if not room.listeners:
                del self._rooms[key]
        return calls

    def _worth_doing(self, tasks: list[Task]) -> list[Task]:
        """Without what is about rooms that nobody is at, or that the last one leaves."""
        for task in tasks:
            if isinstance(task, Leave) and task.key in self._rooms:
                listeners = self._rooms[task.key].listeners
                about = [one for one in tasks if one.key == task.key and one is not task]
                if set(listeners) <= {task.listener.person} and not about:
                    del self._rooms[task.key]
        return [one for one in tasks if isinstance(one, Enter | Burst) or one.key in self._rooms]

    def _room_turn(
        self,
        key: Key,
        room: Room,
        tasks: list[Task],
        standings: Standings,
        at: datetime,
        edits: list[recording.Edit],
    ) -> News:
        """Apply what people wrote to the room's document; its edits are added to `edits`."""
        news = News()
        current = standings.rounds.get(key)
        if current is None or current.status != InterviewRound.Status.RUNNING:
            code = NOT_FOUND if current is None else NOT_RUNNING
            asking = [task.listener for task in tasks if isinstance(task, Enter | Burst)]
            for listener in [*asking, *room.listeners.values()]:
                news.refuse(listener, code)
            return news
        document = self._catch_up(room, current, news)
        for task in tasks:
            match task:
                case Enter(listener=listener):
                    if standings.role_of(key, listener.user_id) is None:
                        news.refuse(listener, NOT_FOUND)
                    else:
                        news.entering.append(task)
                        news.people[listener.person] = listener.shown
                case Burst():
                    change = _taken(task, document, current, standings, at, news)
                    if change is not None:
                        author = task.listener.user_id
                        edits.append(recording.Edit(current, document, change, author, at))
                        news.updates.append((task.listener.person, change.update))
                case Look(people=people):
                    news.people |= people
                case Leave(listener=listener):
                    news.people[listener.person] = None
        return news

    def _catch_up(self, room: Room, current: InterviewRound, news: News) -> Document:
        """The room's document with everything that stands on the timeline."""
        count = current.interview.moment_count
        if room.document is None:
            room.document = recording.opened(current)
            room.seen = -1
            if not room.listeners:
                room.told = room.document.sequence
                return room.document
        if room.seen != count:
            after = min(room.told, room.document.sequence)
            edits = Moment.objects.filter(interview_round=current, kind=Moment.Kind.EDIT)
            new = edits.filter(sequence__gt=after).order_by("sequence")
            for sequence, payload in new.values_list("sequence", "payload"):
                if sequence > room.document.sequence:
                    room.document.follow_one(sequence, payload)
                if sequence > room.told:
                    news.updates.append(("", recording.update_of(payload)))
        return room.document


def _taken(
    burst: Burst,
    document: Document,
    current: InterviewRound,
    standings: Standings,
    at: datetime,
    news: News,
) -> Change | None:
    """Take a burst in, if its writer may write now; None if there is nothing to record."""
    listener = burst.listener
    role = standings.role_of((current.interview_id, current.number), listener.user_id)
    change = None
    if role not in LEADING:
        news.refuse(listener, NOT_FOUND if role is None else READ_ONLY)
        return None
    if burst.update is not None:
        if not current.takes(at):
            news.refuse(listener, NOT_RUNNING)
            return None
        try:
            change = document.take(burst.update)
        except (OutOfStep, TooLarge) as error:
            news.refuse(listener, TOO_LARGE if isinstance(error, TooLarge) else OUT_OF_STEP)
            return None
    news.kept.append(burst)
    news.people[listener.person] = listener.shown
    return change


_Call = tuple[Listener, Callable[..., None], tuple[Any, ...]]


def _told(key: Key, room: Room, news: News, standings: Standings) -> list[_Call]:
    """What each listener is called with. Who may not see the room any more is closed instead."""
    for listener in room.listeners.values():
        if standings.role_of(key, listener.user_id) is None:
            news.refuse(listener, NOT_FOUND)
    calls: list[_Call] = []
    for listener, code in news.refused.values():
        room.listeners.pop(listener.person, None)
        calls.append((listener, listener.refused, (code,)))
    for listener in room.listeners.values():
        updates = [update for person, update in news.updates if person != listener.person]
        people = {one: shown for one, shown in news.people.items() if one != listener.person}
        if updates or people:
            calls.append((listener, listener.heard, (updates, people)))
    present = {one.person: one.shown for one in room.listeners.values()}
    for enter in news.entering:
        document = room.document
        if document is None or enter.listener.person in news.refused:
            continue
        room.listeners[enter.listener.person] = enter.listener
        missing = document.since(enter.state)
        calls.append((enter.listener, enter.listener.opened, (missing, document.state)))
        others = {one: shown for one, shown in present.items() if one != enter.listener.person}
        if others:
            calls.append((enter.listener, enter.listener.heard, ([], others)))
        present[enter.listener.person] = enter.listener.shown
    # First everybody else: the writer has time until the next burst.
    for burst in news.kept:
        if burst.listener.person not in news.refused:
            calls.append((burst.listener, burst.listener.kept, (burst.number,)))
    return calls


def _connect() -> None:
    """The thread's own connection, which stays open while there are rooms."""
    if connection.connection is not None:
        return
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        # An acknowledged word outlives the machine's power too. One flush serves a whole turn.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=FULL")


def _broken(task: Task, error: BaseException) -> list[_Call]:
    logger.error("a room could not be served: %s", task.key, exc_info=error)
    if isinstance(task, Enter | Burst):
        return [(task.listener, task.listener.refused, (BROKEN,))]
    return []


def _call(calls: list[_Call]) -> None:
    """In each listener's own loop, all of a turn at once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Call]] = {}
    for call in calls:
        by_loop.setdefault(call[0].loop, []).append(call)
    for loop, own in by_loop.items():
        with contextlib.suppress(RuntimeError):  # that loop has ended, and its sockets with it
            loop.call_soon_threadsafe(_call_all, own)


def _call_all(calls: list[_Call]) -> None:
    for _listener, function, arguments in calls:
        function(*arguments)


desk = Desk()
