"""manage.py bench_rooms: how many live rooms one server carries on this machine.

The people are simulated on the same cores. Each step says how much of them the server, its broker
and the people took, for a limit may be theirs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import tempfile
import time
from argparse import ArgumentParser
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext_lazy as _
from pycrdt import Doc, Text
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from app.accounts.models import User
from app.interviews import running
from app.interviews.models import Interview, InterviewRound, Link
from app.serving.trial import TrialSite
from graders.verdict import JsonObject

KEYSTROKES_PER_S = 20  # in each room
BURST_S = 0.05  # as the page gathers them
LIMIT_MS = 200.0  # for the 95th percentile, from the key to the other's page
SETTLE_S = 5.0  # for what is on its way when the typing ends
PEOPLE = ("bench-writer", "bench-reader")
STARTER = "".join(f"def step_{number}(state):\n    return state\n\n" for number in range(160))


class Command(BaseCommand):
    help = str(_("Measure how many live rooms one server carries, on a site of its own."))

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seconds", type=float, default=5.0, help="of typing at each step")
        parser.add_argument("--most", type=int, default=64, help="rooms at which to stop")
        parser.add_argument("--rooms", type=int, help="measure this many, and search no further")
        parser.add_argument("--prepare", type=Path, help="make the rooms, and write them here")

    def handle(
        self,
        *args: object,
        seconds: float,
        most: int,
        rooms: int | None,
        prepare: Path | None,
        **options: object,
    ) -> None:
        if prepare is not None:
            prepare.write_text(json.dumps(prepared(most)))
            return
        if seconds < 1 or most < 1:
            raise CommandError("--seconds and --most must be 1 or more.")
        cores = len(os.sched_getaffinity(0))
        self.stdout.write(
            f"{KEYSTROKES_PER_S} keystrokes a second in each room, two people, {cores} cores "
            f"for the server, its broker and the people together"
        )
        with tempfile.TemporaryDirectory(prefix="gauntlet-rooms-") as folder:
            if rooms is not None:
                self.search(Path(folder), seconds, rooms, only=True)
                return
            carried = self.search(Path(folder), seconds, most)
        more = " or more" if carried == most else ""
        self.stdout.write(f"rooms with p95 under {LIMIT_MS:.0f} ms: {carried}{more}")

    def search(self, folder: Path, seconds: float, most: int, *, only: bool = False) -> int:
        """Double the rooms until the limit is passed, then halve the rest; or `only` measure."""
        static = folder / "static"
        if settings.STATIC_ROOT.exists():
            static.symlink_to(settings.STATIC_ROOT)
        with TrialSite(folder, {"DEBUG": "false"}, "--port", "0", "--workers", "1") as site:
            site.manage("bench_rooms", "--most", str(most), "--prepare", str(folder / "rooms"))
            rooms = json.loads((folder / "rooms").read_text())
            good, bad, count = 0, most + 1, most if only else 1
            while good + 1 < bad:
                p95_ms = self.measured(site, rooms, count, seconds)
                if only:
                    break
                good, bad = (count, bad) if p95_ms <= LIMIT_MS else (good, count)
                count = min(2 * good, most) if bad > most else (good + bad) // 2
        return good

    def measured(self, site: TrialSite, rooms: dict[str, Any], count: int, seconds: float) -> float:
        """The 95th percentile with so many rooms, told with who took the processor's time."""
        parts = {"server": "app.serving.web", "broker": "valkey-server"}
        pids = {name: process_of(site.process.pid, words) for name, words in parts.items()}
        pids["people"] = os.getpid()
        before: dict[str, float] = {}

        def begin() -> None:
            before.update({name: cpu_s(pid) for name, pid in pids.items()})
            before["time"] = time.perf_counter()

        waits_ms, bursts = asyncio.run(step(site.address, rooms, count, seconds, begin))
        spent_s = time.perf_counter() - before["time"]
        used_s = {name: cpu_s(pid) - before[name] for name, pid in pids.items()}
        shares = ", ".join(f"{name} {100 * used / spent_s:.0f} %" for name, used in used_s.items())
        p95_ms = statistics.quantiles(waits_ms, n=20, method="inclusive")[-1]
        self.stdout.write(
            f"{count:>6} rooms  p95 {p95_ms:7.1f} ms  p50 {statistics.median(waits_ms):6.1f} ms  "
            f"{bursts / spent_s:5.0f} bursts/s, {1000 * used_s['server'] / bursts:5.2f} ms of the "
            f"server's processor each; of one core: {shares}"
        )
        return p95_ms


def process_of(root: int, words: str) -> int:
    """The process below `root` whose command line has these words."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if words in line and root in ancestors(int(folder.name)):
                return int(folder.name)
    raise CommandError(f"no process of the site runs {words!r}")


def ancestors(pid: int) -> list[int]:
    """The parents of a process up to the first."""
    found = []
    while pid > 1:
        stat = Path(f"/proc/{pid}/stat").read_text()
        pid = int(stat.rpartition(") ")[2].split()[1])
        found.append(pid)
    return found


def cpu_s(pid: int) -> float:
    """Seconds of a processor that this process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def prepared(count: int) -> dict[str, Any]:
    """So many running interviews, and the sessions of two people who have a seat in each.

    Both write, as a candidate does. A candidate sits one interview at a time, so each has its own.
    """
    people = [User.objects.create_user(name) for name in PEOPLE]
    made = []
    for number in range(count):
        candidate = User.objects.create_user(f"bench-candidate-{number}")
        interview = Interview.objects.create(
            candidate=candidate, title=f"Room {number}", with_interviewer=True
        )
        question: JsonObject = {
            "format": 1,
            "title": "Bench",
            "summary": "A text to type into.",
            "minutes": 60,
            "prompt": "Type.",
            "points": ["speed"],
            "rubric": [{"criterion": "Speed", "levels": ["slow", "steady", "fast"]}],
        }
        InterviewRound.objects.create(
            interview=interview, number=1, question=question, minutes=60, text=STARTER
        )
        for person in people:
            link, _token = Link.issue(interview, Link.Scope.INTERVIEWER)
            link.seat(person)
        running.start(interview, candidate)
        made.append(str(interview.pk))
    return {"sessions": [session_of(person) for person in people], "interviews": made}


def session_of(user: User) -> str:
    """The key of a session in which this person is signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)


async def step(
    address: str, rooms: dict[str, Any], count: int, seconds: float, begin: Callable[[], None]
) -> tuple[list[float], int]:
    """Milliseconds from each key to the other's page in `count` rooms at once, and all bursts.

    `begin` is called when everybody has come in and the typing begins.
    """
    everybody = asyncio.Barrier(count)
    typed = [
        one_room(address, rooms["sessions"], interview, seconds, everybody, begin)
        for interview in rooms["interviews"][:count]
    ]
    done = await asyncio.gather(*typed)
    return [wait for waits, _bursts in done for wait in waits], sum(bursts for _, bursts in done)


async def one_room(
    address: str,
    sessions: list[str],
    interview: str,
    seconds: float,
    everybody: asyncio.Barrier,
    begin: Callable[[], None],
) -> tuple[list[float], int]:
    """One types and the other reads: milliseconds from each key to the other's text, and bursts.

    Both have the sockets that their pages have: of the text, and of the interview.
    """
    writer, reader = Seat(address, sessions[0]), Seat(address, sessions[1])
    async with (
        writer.watching(interview),
        reader.watching(interview),
        writer.at(interview) as write,
        reader.at(interview) as read,
    ):
        await writer.hello(write)
        await reader.hello(read)
        if await everybody.wait() == 0:
            begin()
        begun = len(writer.text)
        pressed: list[float] = []
        arrived: list[float] = []

        async def watch() -> None:
            async for message in read:
                reader.take(json.loads(message))
                new = len(reader.text) - begun - len(arrived)
                arrived.extend([time.perf_counter()] * new)

        watching = asyncio.create_task(watch())
        typing = asyncio.create_task(writer.type(write, pressed, seconds))
        bursts = await typing
        deadline = time.perf_counter() + SETTLE_S
        while len(arrived) < len(pressed) and time.perf_counter() < deadline:
            await asyncio.sleep(0.05)
        watching.cancel()
    # What has not come by now took at least this long.
    arrived += [time.perf_counter()] * (len(pressed) - len(arrived))
    return [1000 * (end - begin) for begin, end in zip(pressed, arrived, strict=True)], bursts


class Seat:
    """One person's page: the messages and the pace of the editor in the browser."""

    def __init__(self, address: str, session: str) -> None:
        self.address, self.session = address, session
        self.doc: Doc[Text] = Doc()
        self.text = self.doc.get("text", type=Text)

    def at(self, interview: str) -> connect:
        return self._socket(f"{interview}/rounds/1/")

    @contextlib.asynccontextmanager
    async def watching(self, interview: str) -> AsyncIterator[None]:
        """The socket that brings moments and the clock."""
        async with self._socket(f"{interview}/") as socket:

            async def drain() -> None:
                async for _message in socket:
                    pass

            draining = asyncio.create_task(drain())
            yield
            draining.cancel()

    def _socket(self, path: str) -> connect:
        return connect(
            f"ws{self.address.removeprefix('http')}/ws/interviews/{path}",
            origin=Origin(self.address),
            additional_headers={"Cookie": f"sessionid={self.session}"},
            proxy=None,
        )

    async def hello(self, socket: ClientConnection) -> None:
        state = b64encode(self.doc.get_state()).decode()
        await socket.send(json.dumps({"type": "hello", "state": state}))
        while self.take(json.loads(await socket.recv())) != "text":
            pass

    def take(self, message: dict[str, Any]) -> str:
        if message.get("update"):
            self.doc.apply_update(b64decode(message["update"]))
        return str(message["type"])

    async def type(self, socket: ClientConnection, pressed: list[float], seconds: float) -> int:
        """Press keys at an even pace; one burst is on its way at a time. Returns how many."""
        end = time.perf_counter() + seconds
        number, sent = 0, self.doc.get_state()
        due = time.perf_counter()
        while time.perf_counter() < end:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            while due <= time.perf_counter():
                self.text.insert(len(self.text), "x")
                pressed.append(due)
                due += 1 / KEYSTROKES_PER_S
            await asyncio.sleep(BURST_S)
            update = b64encode(self.doc.get_update(sent)).decode()
            sent = self.doc.get_state()
            number += 1
            write = {"type": "write", "number": number, "update": update, "cursor": None}
            await socket.send(json.dumps(write))
            while self.take(json.loads(await socket.recv())) != "kept":
                pass
        return number
