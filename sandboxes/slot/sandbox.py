"""The sandbox that stands on slots, behind the same interface as bubblewrap's."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandboxes import cgroups
from sandboxes.bubblewrap import advice, find_hierarchies
from sandboxes.cgroups import Hierarchies
from sandboxes.identity import FIRST_UID, LAST_UID, take_identity
from sandboxes.interface import Command, Limits, Profile, RunResult, RunStatus, SandboxError
from sandboxes.kernel import become_subreaper
from sandboxes.profiles import TRAITS, packages_of
from sandboxes.run import Run
from sandboxes.runtime import ensure_runtime
from sandboxes.seccomp import filter_program
from sandboxes.slot import records
from sandboxes.slot.build import Launcher, ensure_launcher
from sandboxes.slot.launch import SlotLaunched
from sandboxes.slot.slot import Slot

MOST_IDLE = 16  # slots of a kind that are kept
MOST_IDLE_WITH_TORCH = 2  # in each is a process of some 150 MiB that nobody shares
ZYGOTES: Mapping[Profile, tuple[str, ...]] = {
    Profile.PYTHON: ("numpy",),
    Profile.TORCH: ("torch", "triton"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes a slot fit for a command: the profile's view of files, and what is imported."""

    profile: Profile
    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Host:
    """What this host lets a sandbox use, found out by trying."""

    launcher: Launcher
    runtime: Path
    seccomp: bytes
    hierarchies: Hierarchies
    first_uid: int = FIRST_UID
    last_uid: int = LAST_UID
    bounds_inodes: bool = True  # a slot mounts its own tmpfs, whoever the runner is

    @property
    def is_root(self) -> bool:
        return os.geteuid() == 0


class SlotSandbox:
    """Runs commands in slots, which are kept from one run to the next. Safe in many threads.

    In each that is kept an init waits already for the next run. They end with this process, or by
    `close`.

    Parameters
    ----------
    runtime : Path, optional
        The tree that `sandboxes.runtime` builds; built where it belongs if left out.
    hierarchies : Hierarchies, optional
        Where to make control groups; searched for if left out. `Hierarchies()` uses none.
    uids : tuple of int, optional
        First and last user id that slots may have when this process is root.
    zygotes : mapping of Profile to tuple of str
        What is imported already when a Python program of the profile starts.
    progress : callable
        Told, in a sentence, what takes long.

    Raises
    ------
    SandboxError
        If this host cannot isolate a program; the message says what to do.
    """

    def __init__(
        self,
        runtime: Path | None = None,
        hierarchies: Hierarchies | None = None,
        uids: tuple[int, int] = (FIRST_UID, LAST_UID),
        zygotes: Mapping[Profile, tuple[str, ...]] = ZYGOTES,
        progress: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.host = Host(
            launcher=ensure_launcher(progress),
            runtime=ensure_runtime(runtime, progress),
            seccomp=filter_program(),
            hierarchies=find_hierarchies() if hierarchies is None else hierarchies,
            first_uid=uids[0],
            last_uid=uids[1],
        )
        self._zygotes = dict(zygotes)
        self._changed = threading.Condition()
        self._owner = os.getpid()
        self._idle: defaultdict[Kind, list[Slot]] = defaultdict(list)
        self._getting_ready: defaultdict[Kind, int] = defaultdict(int)
        cgroups.sweep(self.host.hierarchies)
        self._try_once()

    def run(self, command: Command, stdin: bytes = b"") -> RunResult:
        """Run to the end and report."""
        with self.begin(command, stdin) as run:
            return run.wait()

    def begin(self, command: Command, stdin: bytes = b"") -> Run:
        """As `run`, but return at once, with what can be waited for and ended."""
        return self._run(command, interactive=False, stdin=stdin)

    def start(self, command: Command) -> Run:
        """Start a command that is spoken to in frames, and return at once."""
        return self._run(command, interactive=True, stdin=b"")

    def sweep(self) -> list[str]:
        """Remove what runners that are gone left on this host; the names of what was found."""
        return cgroups.sweep(self.host.hierarchies)

    def close(self) -> None:
        """End the idle slots; those in use end with their runs. More runs make new ones."""
        self._forget_after_a_fork()
        with self._changed:
            self._changed.wait_for(lambda: not any(self._getting_ready.values()))
            idle = [slot for slots in self._idle.values() for slot in slots]
            self._idle.clear()
        for slot in idle:
            slot.end()

    def kind_of(self, command: Command) -> Kind:
        """The kind of slot that a command runs in."""
        name, *rest = command.argv
        modules = self._zygotes.get(command.profile, ())
        runs_a_file = bool(rest) and (rest[0] in command.files or (rest[0] == "-m" and rest[1:]))
        return Kind(command.profile, modules if name == "python" and runs_a_file else ())

    def _run(self, command: Command, interactive: bool, stdin: bytes) -> Run:
        return Run(
            lambda: self._launch(command, interactive, stdin),
            self.host.hierarchies,
            command,
            interactive,
        )

    def _launch(self, command: Command, interactive: bool, stdin: bytes) -> SlotLaunched:
        kind = self.kind_of(command)

        def give_back(slot: Slot, is_sound: bool) -> None:
            self._give_back(kind, slot, is_sound)

        return SlotLaunched(
            lambda: self._take(kind),
            give_back,
            lambda slot: self._make_ready(kind, slot),
            self.host.hierarchies,
            command,
            interactive,
            stdin,
        )

    def _take(self, kind: Kind) -> Slot:
        self._forget_after_a_fork()
        with self._changed:
            # One that is nearly ready is sooner ready than a new one.
            self._changed.wait_for(lambda: self._idle[kind] or not self._getting_ready[kind])
            if self._idle[kind]:
                return self._idle[kind].pop()
        slot = self._make(kind)
        slot.fork_ahead(self.host.hierarchies)
        return slot

    def _make(self, kind: Kind) -> Slot:
        host = self.host
        become_subreaper()
        runtime = packages_of(kind.profile, host.runtime)
        identity = take_identity(host.first_uid, host.last_uid)
        try:
            settings = records.settings(
                identity.uid, host.seccomp, kind.profile, runtime, kind.modules
            )
            is_randomized = TRAITS[kind.profile].is_randomized
            return Slot(host.launcher, identity, settings, bool(kind.modules), is_randomized)
        except BaseException:
            identity.release()
            raise

    def _give_back(self, kind: Kind, slot: Slot, is_sound: bool) -> None:
        if not is_sound:
            slot.end()
            return
        with self._changed:
            self._getting_ready[kind] += 1

    def _make_ready(self, kind: Kind, slot: Slot) -> None:
        is_ready = False
        try:
            most = MOST_IDLE_WITH_TORCH if "torch" in kind.modules else MOST_IDLE
            if len(self._idle[kind]) < most:
                slot.fork_ahead(self.host.hierarchies)
                is_ready = True
            else:
                slot.end()
        except SandboxError:
            pass  # it has ended; whoever needs the next one learns what is wrong
        finally:
            with self._changed:
                self._getting_ready[kind] -= 1
                if is_ready:
                    self._idle[kind].append(slot)
                self._changed.notify_all()

    def _forget_after_a_fork(self) -> None:
        """The slots of the process that this one was forked from are not ours to use.

        Nor is its lock, which one of its threads may have held.
        """
        if self._owner != os.getpid():
            self._changed = threading.Condition()
            for slots in self._idle.values():
                for slot in slots:
                    slot.forget()
            self._idle.clear()
            self._getting_ready.clear()
            self._owner = os.getpid()

    def _try_once(self) -> None:
        command = Command(
            argv=("/usr/bin/true",), profile=Profile.RUN_CPP, limits=Limits(processes=2)
        )
        try:
            result = self.run(command)
        except SandboxError as error:
            raise SandboxError(f"{error}. {advice()}") from error
        if result.status is not RunStatus.EXITED or result.exit_code != 0:
            raise SandboxError(f"a trial run of true ended with {result}. {advice()}")
