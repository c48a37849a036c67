"""One process of the site: started, watched, its output logged, ended for certain."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.serving.lifeline import READY_FD, die_with_parent
from app.serving.logs import ChildLog

READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    Attributes
    ----------
    grace_s : float
        How long it may take to end after SIGTERM before it is killed, in seconds.
    announces : bool
        It writes to the descriptor named by READY_FD when ready; others are ready once started.
    descriptors : tuple of int
        Open files that it inherits under the same numbers.
    environment : mapping
        Variables added to those of this process.
    """

    name: str
    argv: tuple[str, ...]
    grace_s: float
    announces: bool = False
    descriptors: tuple[int, ...] = ()
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


class Child:
    """A program that runs, in a session of its own so that its whole group can be ended.

    Make and use it inside the event loop's thread: the kernel ties "die with the parent" to the
    thread that forked.
    """

    def __init__(self, program: Program, log: ChildLog) -> None:
        loop = asyncio.get_running_loop()
        self.program = program
        self.ready = asyncio.Event()
        self.ended = asyncio.Event()
        self.returncode: int | None = None
        self._log = log
        self._open: set[int] = set()
        parent_pid = os.getpid()
        output, output_end = os.pipe()
        ready, ready_end = os.pipe()
        environment = dict(os.environ) | dict(program.environment)
        descriptors = program.descriptors
        if program.announces:
            environment[READY_FD] = str(ready_end)
            descriptors += (ready_end,)
        try:
            self._process = subprocess.Popen(
                program.argv,
                stdin=subprocess.DEVNULL,
                stdout=output_end,
                stderr=output_end,
                cwd=program.folder,
                env=environment,
                pass_fds=descriptors,
                start_new_session=True,
                # One prctl, looked up beforehand: nothing that a fork could find locked.
                preexec_fn=lambda: die_with_parent(parent_pid),
            )
        except BaseException:
            os.close(output)
            os.close(ready)
            raise
        finally:
            os.close(output_end)
            os.close(ready_end)
        self.pid = self._process.pid
        self._output = output
        self._watch(output, self._read_output)
        self._watch(ready, lambda: self._read_ready(ready))
        exited = os.pidfd_open(self.pid)
        self._watch(exited, lambda: self._reap(exited))
        if not program.announces:
            loop.call_soon(self.ready.set)

    async def stop(self, grace_s: float | None = None) -> None:
        """SIGTERM, then after the grace SIGKILL to all that is left of its group."""
        grace_s = self.program.grace_s if grace_s is None else grace_s
        if not self.ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.ended.wait(), grace_s)
        if not self.ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            await self.ended.wait()

    def _watch(self, descriptor: int, callback: object) -> None:
        os.set_blocking(descriptor, False)
        self._open.add(descriptor)
        asyncio.get_running_loop().add_reader(descriptor, callback)  # type: ignore[arg-type]

    def _forget(self, descriptor: int) -> None:
        if descriptor in self._open:
            self._open.remove(descriptor)
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)

    def _read_output(self) -> bool:
        try:
            data = os.read(self._output, READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._forget(self._output)
            return False
        self._log.feed(data)
        return True

    def _read_ready(self, descriptor: int) -> None:
        with contextlib.suppress(BlockingIOError):
            if os.read(descriptor, 1):
                self.ready.set()
            self._forget(descriptor)

    def _reap(self, pidfd: int) -> None:
        # Before the wait: a process id that is not waited for yet cannot be another's.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.returncode = self._process.wait()
        self._forget(pidfd)
        while self._output in self._open and self._read_output():
            pass  # what it said last is what one wants to read
        for descriptor in list(self._open):
            self._forget(descriptor)
        self.ended.set()


def how_it_ended(returncode: int) -> str:
    """A return code of `subprocess` in words."""
    if returncode < 0:
        try:
            return f"killed by {signal.Signals(-returncode).name}"
        except ValueError:
            return f"killed by signal {-returncode}"
    return f"exit code {returncode}"
