"""Keeps the site's processes running: in order up, again after a crash, in order down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from app.serving.children import Child, Program, how_it_ended
from app.serving.logs import ChildLog, Terminal

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 15.0
STEADY_AFTER_S = 30.0  # a process that lived this long starts its next failure from the beginning
LOOK_INTERVAL_S = 0.05


class StartFailed(Exception):
    """The site cannot start; the message is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Service:
    """A program, and how to find out that it does its work."""

    program: Program
    answers: Callable[[], Awaitable[bool]] | None = None
    start_limit_s: float = 60.0


class Supervisor:
    """Runs services. Those in one stage start together, and a stage starts after the one before.

    Stages stop in the order of the list `stop_order`, each given its programs' grace.
    """

    def __init__(
        self, stages: list[list[Service]], stop_order: list[str], logs: Path, terminal: Terminal
    ) -> None:
        self._stages = stages
        self._stop_order = stop_order
        self._terminal = terminal
        self._stopping = asyncio.Event()
        self._logs = {
            service.program.name: ChildLog(service.program.name, logs, terminal)
            for stage in stages
            for service in stage
        }
        self._children: dict[str, Child] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}

    def stop(self) -> None:
        """From a signal handler: end everything, soon."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Somebody has asked for the end."""
        return self._stopping.is_set()

    async def start(self) -> None:
        """Start every stage and wait until it works; returns early when told to stop.

        Raises
        ------
        StartFailed
            If a program ends before it has worked once, or takes longer than its limit.
        """
        stopped = asyncio.create_task(self.run())
        try:
            for stage in self._stages:
                starting = asyncio.create_task(self._start_stage(stage))
                await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
                if self.stopping:
                    starting.cancel()
                    await asyncio.wait([starting])
                    return
                starting.result()
        except ExceptionGroup as failed:
            # One sentence is enough: of several that fail together, the rest follow from it.
            raise failed.exceptions[0] from None
        finally:
            stopped.cancel()

    async def run(self) -> None:
        """Keep everything running until somebody calls `stop`."""
        await self._stopping.wait()

    async def close(self) -> None:
        """End every process in order, and wait until it has ended."""
        self._stopping.set()
        for keeper in self._keepers.values():
            keeper.cancel()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)
        for name in self._stop_order:
            child = self._children.get(name)
            if child is not None:
                await child.stop()
        for log in self._logs.values():
            log.close()

    async def kill(self) -> None:
        """End every process now."""
        await asyncio.gather(*(child.stop(grace_s=0.0) for child in self._children.values()))

    async def _start_stage(self, stage: list[Service]) -> None:
        async with asyncio.TaskGroup() as group:
            for service in stage:
                group.create_task(self._start_first(service))

    async def _start_first(self, service: Service) -> None:
        name, log = service.program.name, self._logs[service.program.name]
        child = self._launch(service.program)
        works = asyncio.create_task(self._works(service, child))
        ends = asyncio.create_task(_end_of(child))
        try:
            async with asyncio.timeout(service.start_limit_s):
                await asyncio.wait([works, ends], return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise StartFailed(
                f"The {name} must answer within {service.start_limit_s:.0f} s, and did not. "
                f"Its last words:\n{_quoted(log)}\nAll of them are in {log.path}."
            ) from None
        finally:
            ends.cancel()
            works.cancel()
        if works.done() and not works.cancelled():
            works.result()  # it may have answered that it will never work
        if child.ended.is_set() and not self.stopping:
            raise StartFailed(
                f"The {name} ended while starting ({how_it_ended(child.returncode or 0)}). "
                f"Its last words:\n{_quoted(log)}\nAll of them are in {log.path}."
            )
        if not self.stopping:
            self._keepers[name] = asyncio.create_task(self._keep(service.program))

    async def _works(self, service: Service, child: Child) -> None:
        await child.ready.wait()
        while service.answers is not None and not await service.answers():
            await asyncio.sleep(LOOK_INTERVAL_S)

    async def _keep(self, program: Program) -> None:
        delay_s = FIRST_DELAY_S
        started_at = time.monotonic()
        while True:
            child = self._children[program.name]
            await child.ended.wait()
            if time.monotonic() - started_at > STEADY_AFTER_S:
                delay_s = FIRST_DELAY_S
            ended = how_it_ended(child.returncode or 0)
            self._terminal.tell(
                f"{program.name:<7} ended ({ended}), starting it again in {delay_s:g} s", "yellow"
            )
            self._logs[program.name].note(f"ended ({ended}), starting again")
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, LONGEST_DELAY_S)
            started_at = time.monotonic()
            self._launch(program)

    def _launch(self, program: Program) -> Child:
        child = Child(program, self._logs[program.name])
        self._children[program.name] = child
        return child


async def _end_of(child: Child) -> None:
    await child.ended.wait()


def _quoted(log: ChildLog) -> str:
    return "\n".join(f"    {line}" for line in log.tail) or "    (none)"
