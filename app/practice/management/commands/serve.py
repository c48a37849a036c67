"""manage.py serve: the whole site on this machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import fcntl
import io
import json
import os
import signal
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext_lazy as _

from app import valkey
from app.practice import gpu
from app.serving.address import CannotListen, base_url, listening, sign_in_page_status
from app.serving.children import Program
from app.serving.logs import Terminal
from app.serving.supervisor import Service, StartFailed, Supervisor

WORKER_GRACE_S = 5.0  # to finish what it judges; after that the lease runs out and it is given back
GRACE_S = 3.0
STOP_ORDER = [
    "web",
    "loader",
    "sweeper",
    "gpu-worker",
    "worker",
    "valkey",
]  # no new work, then none in hand, then no mail


class Command(BaseCommand):
    help = str(_("Run the whole site on this machine: broker, worker, sweeper and web server."))
    # The checks of the database come with `migrate`.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help=str(_("address to listen on")))
        parser.add_argument(
            "--port", type=int, default=8000, help=str(_("port; 0 takes any free one"))
        )
        parser.add_argument(
            "--workers",
            type=int,
            default=default_workers(),
            help=str(_("submissions judged at once (cores less one, at least 1)")),
        )

    def handle(self, *args: object, host: str, port: int, workers: int, **options: object) -> None:
        if workers < 1:
            raise CommandError(f"--workers must be 1 or more, got {workers}.")
        terminal = Terminal()
        try:
            with data_folder_locked() as note_address, listening(host, port) as listener:
                address = base_url(host, listener)
                note_address(address)
                prepare_database(terminal)
                started = asyncio.run(serve(listener, address, workers, terminal))
        except CannotListen as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:  # before there was anything to stop
            sys.exit(130)
        if not started:
            sys.exit(1)


def default_workers() -> int:
    """Submissions to judge at once: one core stays for the web server, the broker and the person.

    A judging keeps about one core busy, since grader and program wait for each other.
    """
    return max(1, len(os.sched_getaffinity(0)) - 1)


async def serve(listener: socket.socket, address: str, workers: int, terminal: Terminal) -> bool:
    """Run until a signal; False if the site could not start."""
    loop = asyncio.get_running_loop()
    supervisor = Supervisor(
        services(listener, address, workers), STOP_ORDER, settings.DATA_DIR / "log", terminal
    )
    asked = 0

    def ask_to_stop() -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            terminal.tell("\nStopping; Ctrl-C again to stop at once.", "dim")
            supervisor.stop()
        else:
            loop.create_task(supervisor.kill())  # noqa: RUF006  `close` waits for its effect

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ask_to_stop)
    try:
        await supervisor.start()
        if not supervisor.stopping:
            link = await asyncio.to_thread(sign_in_link, address)
            terminal.tell("")
            terminal.tell("Gauntlet is ready. This link signs you in, once, within 10 minutes:")
            terminal.tell(f"  {link}", "bold")
            terminal.tell(f"Later open {address}/ . Ctrl-C ends everything.", "dim")
            await supervisor.run()
    except StartFailed as error:
        terminal.tell(str(error), "red")
        return False
    finally:
        await supervisor.close()
        if asked:
            terminal.tell("Stopped.", "dim")
    return True


def services(listener: socket.socket, address: str, workers: int) -> list[list[Service]]:
    """The site's processes, by stage."""
    python = sys.executable

    def program(
        name: str,
        *argv: str,
        grace_s: float = GRACE_S,
        announces: bool = False,
        descriptors: tuple[int, ...] = (),
    ) -> Program:
        # A relative DATA_DIR means another folder to a process that runs in another one.
        environment = {"DATA_DIR": str(settings.DATA_DIR)}
        folder = settings.BASE_DIR
        return Program(name, argv, grace_s, announces, descriptors, folder, environment)

    def worker_of(queue: str, name: str, at_once: int) -> Program:
        return program(
            name,
            *(python, "-m", "celery", "-A", "app", "worker"),
            # Celery sets the root logger to its own level, whatever the settings say.
            *("--loglevel", os.environ.get("LOG_LEVEL", "INFO")),
            *("--queues", queue, "--concurrency", str(at_once), "--hostname", f"{queue}@%h"),
            # Nobody to gossip with that matters, and waiting for it takes a second.
            *("--without-gossip", "--without-mingle", "--without-heartbeat", "-O", "fair"),
            grace_s=WORKER_GRACE_S,
            announces=True,
        )

    sweeper = program("sweeper", python, "manage.py", "sweep")
    web = program(
        "web",
        *(python, "-m", "app.serving.web", str(listener.fileno())),
        descriptors=(listener.fileno(),),
    )

    async def page_answers() -> bool:
        status = await asyncio.to_thread(sign_in_page_status, listener, settings.ALLOWED_HOSTS)
        if status not in (None, 200):
            raise StartFailed(
                f"The sign-in page must come with status 200, and came with {status}. "
                f"{settings.DATA_DIR / 'log' / 'web.log'} says why."
            )
        return status == 200

    rest = [
        Service(worker_of("cpu", "worker", workers)),
        Service(sweeper),
        Service(web, page_answers),
    ]
    if settings.DEBUG:
        # Who writes a problem reloads the page and sees what was saved.
        rest.append(Service(program("loader", python, "manage.py", "load_problems", "--watch")))
    if has_gpu():
        rest.append(Service(worker_of("gpu", "gpu-worker", 1)))
    if not settings.EMBEDDED_VALKEY:
        if not valkey.answers(settings.REDIS_URL, timeout_s=5.0):
            raise CommandError(
                "REDIS_URL must name a Redis or Valkey that answers, and the one given does not. "
                "Start it, correct REDIS_URL, or unset it to use a private one."
            )
        return [rest]
    try:
        command = valkey.server_command(settings.VALKEY_SOCKET)
    except valkey.SocketPathTooLong as error:
        raise CommandError(str(error)) from None

    async def broker_answers() -> bool:
        return valkey.answers(settings.REDIS_URL)

    broker = program("valkey", *command)
    return [[Service(broker, broker_answers)], rest]


def has_gpu() -> bool:
    """Whether kernels can be timed here.

    Raises
    ------
    CommandError
        If the environment says GPU=on and there is none.
    """
    try:
        return gpu.properties() is not None
    except gpu.GpuUnusable as error:
        raise CommandError(f"{error}. Correct GPU in the environment, or the driver.") from None


def prepare_database(terminal: Terminal) -> None:
    """Migrate, then load the problems that come with the project."""
    terminal.tell("Bringing the database and the problems up to date...", "dim")
    call_command("migrate", verbosity=0, interactive=False)
    said = io.StringIO()
    try:
        call_command("load_problems", stdout=said, stderr=said)
    except CommandError as error:
        # The other problems are loaded: one faulty package must not close the site.
        terminal.tell(str(error), "yellow")
    terminal.tell(said.getvalue().rstrip(), "dim")


def sign_in_link(address: str) -> str:
    """The owner's one-time link."""
    from app.accounts.owner import sign_in_link as make_link  # needs the models

    return make_link(address)


@contextmanager
def data_folder_locked() -> Iterator[Callable[[str], None]]:
    """Let one `serve` at a time use DATA_DIR; the kernel lets go of the lock when it ends.

    Yields a function that notes the address, for the message to a second one.
    """
    path = settings.DATA_DIR / "serve.lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CommandError(already_running(lock.read())) from None

        def note_address(address: str) -> None:
            lock.seek(0)
            lock.truncate()
            lock.write(json.dumps({"pid": os.getpid(), "address": address}))
            lock.flush()

        yield note_address
        lock.seek(0)
        lock.truncate()


def already_running(note: str) -> str:
    """The message to a second `serve` in the same DATA_DIR."""
    try:
        running = json.loads(note)
        fact = f"process {running['pid']} at {running['address']} does"
    except (ValueError, KeyError, TypeError):
        fact = "another one is just starting there"
    return (
        f"One site at a time may use {settings.DATA_DIR}: {fact}. "
        "Use that one, stop it with Ctrl-C, or set DATA_DIR to another folder."
    )
