"""Saves of several ranks on the simulated disk: who goes next, what it costs, what is kept.

Ranks go on in turns that a schedule decides. What a rank's program says is the candidate's word:
every operation is checked here, and the disk is ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from graders.ports import Launcher, Output, Task
from graders.simulation.checkpointing.filesystem import FileSystem, Misuse
from graders.simulation.checkpointing.schedules import Order
from graders.simulation.checkpointing.timing import SaveClock
from graders.simulation.stateful.program import Broken, Harnessed, raised_in, sandbox_text
from graders.text import Text, say
from graders.verdict import JsonObject, Verdict

STATE_BYTES = 32
MAX_OPERATIONS = 200  # of one rank in one save
CAPACITY_STATES = 3  # states of all ranks that the disk holds, and some room for the rest
CAPACITY_EXTRA_BYTES = 128  # a rank
REFERENCE = "reference.py"  # of the package
_ARITY = {
    "create": 1,
    "write": 1,
    "fsync": 1,
    "rename": 2,
    "unlink": 1,
    "fsync_dir": 0,
    "list": 0,
    "read": 1,
    "barrier": 0,
    "resume": 0,
}


@dataclass(frozen=True, slots=True)
class Done:
    """One operation that was carried out, for the timeline."""

    rank: int
    step: int
    name: str
    arguments: tuple[str, ...]
    data: bytes = b""

    def __str__(self) -> str:
        parts = [*map(repr, self.arguments)]
        if self.name == "write":
            parts.append(f"{len(self.data)} bytes")
        return f"{self.name}({', '.join(parts)})"


@dataclass(frozen=True, slots=True)
class Fault:
    """What ends a run: the candidate broke a rule, or its program ended."""

    verdict: Verdict
    text: str
    traceback: str = ""


@dataclass(slots=True)
class Run:
    """A run as far as it has come; the explorer looks at it after every operation.

    Attributes
    ----------
    done : list of Done
        All operations in the order in which they were carried out; an index is the operation's
        number on the disk.
    ended : int
        The newest step whose save has ended on every rank; 0 if none has.
    saving : int or None
        The step whose save is under way.
    saves : list of SaveClock
        Where the time of each ended save went.
    """

    n_ranks: int
    disk: FileSystem = field(default_factory=FileSystem)
    done: list[Done] = field(default_factory=list)
    ended: int = 0
    saving: int | None = None
    saves: list[SaveClock] = field(default_factory=list)

    @property
    def blocked_ms_per_save(self) -> float:
        """How long training stood still for a save, on average."""
        return sum(one.blocked_ms for one in self.saves) / max(len(self.saves), 1)


def state_of(seed: int, step: int, rank: int, life: int = 0) -> bytes:
    """A rank's state at a step: `STATE_BYTES` bytes that nobody can guess."""
    return hashlib.sha256(f"{seed}/{life}/{step}/{rank}".encode()).digest()[:STATE_BYTES]


class Ranks:
    """The programs that save, one a rank, and the one that restores.

    A second life saves in programs that never saw a first one: nothing is left but the disk.
    """

    def __init__(self, launcher: Launcher, source: bytes, task: Task) -> None:
        self._launcher, self._source, self._task = launcher, source, task
        self.saving: dict[tuple[int, int], Harnessed] = {}  # by life and rank
        self.restoring = self._made()
        self.entry_point = str(task.settings["entry_point"])

    def _made(self) -> Harnessed:
        return Harnessed(self._launcher, self._source, self._task, "checkpointing", ())

    def reference_save(self, n_ranks: int, step: int, order: Order) -> SaveClock | None:
        """Where the time goes in the reference's save of a step; None if the task brings none.

        Raises
        ------
        ValueError
            If the reference does not come to the end of it: our fault.
        """
        source = self._task.files.get(REFERENCE)
        if source is None:
            return None
        ranks = Ranks(self._launcher, source, self._task)
        try:
            run = Run(n_ranks)
            saves = Saves(ranks, run, 0, order, 1, step)
            for _ in saves:
                pass
        finally:
            ranks.close()
        if saves.fault is not None:
            raise ValueError(f"the reference must save without a fault: {saves.fault.text}")
        return run.saves[-1]

    def of(self, life: int, rank: int) -> Harnessed:
        """The program of one rank, made when first asked for."""
        if (life, rank) not in self.saving:
            self.saving[life, rank] = self._made()
        return self.saving[life, rank]

    def close_saving(self) -> None:
        """End the programs that save; others are made when asked for."""
        for program in self.saving.values():
            program.close()

    def everyone(self) -> list[Harnessed]:
        return [*self.saving.values(), self.restoring]

    def memory_mib(self) -> float:
        """The largest peak of any program."""
        return max(program.memory_mib() for program in self.everyone())

    def take_output(self) -> Output:
        """What all programs printed, the ranks' own lines under their numbers."""
        outputs = [
            (f"[rank {rank}{', restarted' * life}] ", one.take_output())
            for (life, rank), one in sorted(self.saving.items())
        ]
        outputs.append(("[restore] ", self.restoring.take_output()))
        lines = [head + line + "\n" for head, one in outputs for line in one.text.splitlines()]
        return Output("".join(lines)[:65536], any(one.truncated for _, one in outputs))

    def close(self) -> None:
        for program in self.everyone():
            program.close()


def carry_out(
    disk: FileSystem, number: int, name: str, arguments: tuple[str, ...], data: bytes
) -> None:
    """Do one operation on a disk; what does not concern the disk does nothing.

    Raises
    ------
    Misuse
        If it needs a file that does not exist.
    """
    match name:
        case "create":
            disk.create(number, *arguments)
        case "write":
            disk.write(number, arguments[0], data)
        case "fsync":
            disk.fsync(*arguments)
        case "rename":
            disk.rename(number, *arguments)
        case "unlink":
            disk.unlink(number, *arguments)
        case "fsync_dir":
            disk.fsync_dir()


class _Broke(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.text)
        self.fault = fault


class Saves:
    """The saves of one life of the job, operation by operation.

    Parameters
    ----------
    first, last : int
        The steps to save, one after the other.
    life : int
        0, or 1 after a crash: the programs' objects are made anew, states differ from life 0's.
    """

    def __init__(
        self, ranks: Ranks, run: Run, seed: int, order: Order, first: int, last: int, life: int = 0
    ) -> None:
        self._ranks = ranks
        self.run = run
        self._seed = seed
        self._order = order
        self._steps = range(first, last + 1)
        self._life = life
        self.fault: Fault | None = None

    def __iter__(self) -> Iterator[None]:
        """Yields after every operation, and after each save has ended; a fault ends it."""
        try:
            for step in self._steps:
                yield from self._save(step)
        except _Broke as broke:
            self.fault = broke.fault

    def _save(self, step: int) -> Iterator[None]:
        run = self.run
        run.saving = step
        clock = SaveClock(run.n_ranks, step)
        waiting: dict[int, _Request] = {}  # what each rank asks for next
        counts = dict.fromkeys(range(run.n_ranks), 0)
        for rank in range(run.n_ranks):
            state = state_of(self._seed, step, rank, self._life)
            fresh = step == self._steps.start
            request: JsonObject = {
                "do": "begin",
                "fresh": fresh,
                "rank": rank,
                "n_ranks": run.n_ranks,
                "step": step,
            }
            asked = self._ask(rank, request, state)
            if asked is not None:
                waiting[rank] = asked
        while waiting:
            ready = [rank for rank, one in sorted(waiting.items()) if one.name != "barrier"]
            if not ready:
                self._check_barrier(waiting)
                clock.barrier()
                for rank in list(waiting):
                    self._note(rank, step, waiting[rank])
                    self._go_on(rank, waiting, None, b"")
                yield
                continue
            rank = self._order(ready, len(run.done))
            asked = waiting[rank]
            counts[rank] += 1
            if counts[rank] > MAX_OPERATIONS:
                raise _Broke(
                    Fault(
                        Verdict.WRONG_ANSWER,
                        say(
                            "a rank may do {limit} operations in a save, rank {rank} asks for "
                            "more. Look for a loop that does not end.",
                            limit=MAX_OPERATIONS,
                            rank=rank,
                        ),
                    )
                )
            number = self._note(rank, step, asked)
            result, blob = self._carry_out(rank, number, asked)
            clock.spend(rank, asked.name, len(asked.data) if asked.name == "write" else 0)
            self._go_on(rank, waiting, result, blob)
            yield
        run.ended, run.saving = step, None
        run.saves.append(clock)
        yield

    def _note(self, rank: int, step: int, asked: _Request) -> int:
        self.run.done.append(Done(rank, step, asked.name, asked.arguments, asked.data))
        return len(self.run.done) - 1

    def _go_on(self, rank: int, waiting: dict[int, _Request], result: Any, blob: bytes) -> None:
        asked = self._ask(rank, {"do": "next", "result": result}, blob)
        if asked is None:
            del waiting[rank]
        else:
            waiting[rank] = asked

    def _check_barrier(self, waiting: dict[int, _Request]) -> None:
        if len(waiting) < self.run.n_ranks:
            missing = min(set(range(self.run.n_ranks)) - set(waiting))
            raise _Broke(
                Fault(
                    Verdict.WRONG_ANSWER,
                    say(
                        "every rank must come to each barrier: rank {rank} waits at one, and rank "
                        "{missing} has ended its save without it. Let all ranks take the same "
                        "number.",
                        rank=min(waiting),
                        missing=missing,
                    ),
                )
            )

    def _carry_out(self, rank: int, number: int, asked: _Request) -> tuple[Any, bytes]:
        disk = self.run.disk
        try:
            if asked.name == "list":
                return list(disk.names()), b""
            if asked.name == "read":
                return "blob", disk.read(*asked.arguments)
            carry_out(disk, number, asked.name, asked.arguments, asked.data)
        except Misuse as misuse:
            text = say(
                "{operation} needs a file that exists, and rank {rank} asks it of {name}, which "
                "does not. Create it first, or look with list.",
                operation=asked.name,
                rank=rank,
                name=repr(str(misuse)),
            )
            raise _Broke(Fault(Verdict.WRONG_ANSWER, text)) from None
        capacity = self.run.n_ranks * (STATE_BYTES * CAPACITY_STATES + CAPACITY_EXTRA_BYTES)
        if disk.used_bytes() > capacity:
            text = say(
                "the disk holds {capacity} bytes, {states} states of all ranks and some room: "
                "rank {rank} wants to write beyond that. Remove old checkpoints, once a newer one "
                "is safe.",
                capacity=capacity,
                states=CAPACITY_STATES,
                rank=rank,
            )
            raise _Broke(Fault(Verdict.WRONG_ANSWER, text))
        return None, b""

    def _ask(self, rank: int, request: JsonObject, blob: bytes) -> _Request | None:
        """What the rank wants next; None if its save has ended."""
        program = self._ranks.of(self._life, rank)
        said = program.ask(request, blob)
        if isinstance(said, Broken):
            raise _Broke(_fault(rank, said))
        message, blobs = said
        if "raised" in message:
            raise _Broke(_fault(rank, raised_in(message["raised"], "save")))
        if "malformed" in message:
            text = say(
                "{fault} (on rank {rank})", fault=sandbox_text(message["malformed"]), rank=rank
            )
            raise _Broke(Fault(Verdict.WRONG_ANSWER, text))
        if message == {"ended": True}:
            return None
        op = message.get("op")
        listed = isinstance(op, list) and op and all(isinstance(part, str) for part in op)
        if not listed or len(blobs) != 1:
            raise _Broke(_fault(rank, program.forged()))
        name, *arguments = op  # type: ignore[misc]
        fault = _misnamed(name, arguments)
        if fault is not None:
            raise _Broke(Fault(Verdict.WRONG_ANSWER, fault))
        return _Request(name, tuple(arguments), blobs[0])


@dataclass(frozen=True, slots=True)
class _Request:
    name: str
    arguments: tuple[str, ...]
    data: bytes


def _misnamed(name: str, arguments: list[str]) -> Text | None:
    if name not in _ARITY:
        return say(
            "an operation must be one of {names}, got {name}",
            names=", ".join(_ARITY),
            name=repr(name),
        )
    if len(arguments) != _ARITY[name]:
        return say(
            "{name} takes {count} file names, got {got}",
            name=name,
            count=_ARITY[name],
            got=len(arguments),
        )
    wrong = [one for one in arguments if not one or len(one) > 100 or "/" in one or "\0" in one]
    if wrong:
        return say(
            "a file name must have 1 to 100 characters and no slash, got {name}",
            name=repr(wrong[0]),
        )
    return None


def _fault(rank: int, broken: Broken) -> Fault:
    text = say("on rank {rank}: {what}", rank=rank, what=broken.text)
    return Fault(broken.verdict, text, broken.traceback)
