"""Restores every disk again where nothing but that disk can help.

One program restores many crashes of a run, for speed, and what it has seen of one could help it
with another: the state that this disk lost stands on the disk before it. A program of its own for
each disk would cost minutes. So the job is run again, each time with other states, and a program
gets disks of many runs, but of each run only one, in an order that is drawn. Then nothing that it
has seen, and nothing that lies beside a disk in the same request, says anything about what was
saved in the run of that disk, or when it crashed.

A disk that two lives leave with the same states is restored once, for all that they allow.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from graders.simulation.checkpointing.answers import Allowed, fault_of, shown
from graders.simulation.checkpointing.failure import Context, Failure, Found, Job, Restart
from graders.simulation.checkpointing.filesystem import Crash, FileSystem, Image
from graders.simulation.checkpointing.restoring import restore
from graders.simulation.checkpointing.run import Done, Ranks, Run, Saves
from graders.simulation.checkpointing.schedules import SCHEDULES
from graders.simulation.stateful.judging import case_seed
from graders.text import say
from graders.verdict import Verdict

# Starting a program takes about as long as this many operations of a save. More programs need fewer
# runs; the sum of both is least where they take the same time.
START_OPERATIONS = 150
MAX_PROGRAMS = 64
_Content: TypeAlias = tuple[tuple[str, bytes], ...]


@dataclass(slots=True)
class Life:
    """A life that was crashed in every way, with those of its disks that no life before had.

    Attributes
    ----------
    moments : list of list of (int, Crash)
        Of each moment the disks to look at again, each with its number in this life. A disk that
        several moments leave stands at each of them that allows other answers.
    n_operations : int
        Of the life, and of that before it.
    """

    schedule: str
    restart: Restart | None
    moments: list[list[tuple[int, Crash]]] = field(default_factory=list)
    n_operations: int = 0
    n_disks: int = 0


class Plan:
    """The lives to look at, found with the same states, so that equal disks are equal."""

    def __init__(self) -> None:
        self.lives: list[Life] = []
        self._known: set[tuple[_Content, Allowed]] = set()
        self._numbers: dict[_Content, int] = {}

    def begin(self, schedule: str, restart: Restart | None) -> None:
        """A life begins; what follows belongs to it."""
        self.lives.append(Life(schedule, restart))
        self._numbers = {}

    def add(self, crashes: Iterable[Crash], allowed: Allowed, n_done: int) -> None:
        """The crashes of the life's next moment, after `n_done` operations."""
        life = self.lives[-1]
        moment = []
        for crash in crashes:
            content = _content(crash.image)
            if (content, allowed) not in self._known:
                self._known.add((content, allowed))
                moment.append((self._numbers.setdefault(content, len(self._numbers)), crash))
        life.moments.append(moment)
        life.n_disks = len(self._numbers)
        life.n_operations = n_done + (len(life.restart.done) if life.restart else 0)


def _content(image: Image) -> _Content:
    return tuple(sorted(image.items()))


@dataclass(slots=True)
class _Disk:
    """A disk that a crash of a run may leave; `allowed` once for each moment that leaves it."""

    crash: Crash
    context: Context
    run: Run
    n_done: int  # operations before the crash
    seed: int  # that the run's states were drawn from
    allowed: list[Allowed]

    @property
    def done(self) -> tuple[Done, ...]:
        return tuple(self.run.done[: self.n_done])

    @property
    def holds_a_step(self) -> bool:
        return not any(one.may_be_none for one in self.allowed)


def explore_alone(ranks: Ranks, job: Job, seed: int, plan: Plan) -> list[tuple[str, Run]]:
    """Restore each disk of the plan in a program that has seen no other disk of its run.

    Returns
    -------
    list of (str, Run)
        The runs of first lives that came to their end, each with the schedule's name.

    Raises
    ------
    Found
        With the first answer that is wrong.
    """
    n_operations = sum(life.n_disks * life.n_operations for life in plan.lives)
    n_programs = min(1 + math.isqrt(n_operations // START_OPERATIONS), MAX_PROGRAMS)
    # Programs that have not yet saved anything cannot tell these runs from the first ones.
    ranks.close_saving()
    return _Alone(ranks, job, seed, n_programs).explore(plan.lives)


class _Alone:
    def __init__(self, ranks: Ranks, job: Job, seed: int, n_programs: int) -> None:
        self._ranks = ranks
        self._job = job
        self._seed = seed
        self._n_programs = n_programs
        self._held: list[list[_Disk]] = [[] for _ in range(n_programs)]

    def explore(self, lives: list[Life]) -> list[tuple[str, Run]]:
        runs = []
        for life in lives:
            for run in self._share_out(life):
                if life.restart is None and run.ended == self._job.saves:
                    runs.append((life.schedule, run))
        for disks in self._held:
            if disks:
                random.Random(disks[0].seed).shuffle(disks)  # noqa: S311  as above
                # First comes one that has something to restore: after a real crash each restore is
                # the first that its program is asked for.
                first = next((at for at, one in enumerate(disks) if one.holds_a_step), 0)
                disks[0], disks[first] = disks[first], disks[0]
                self._ranks.restoring.close()
                self._check(disks)
        return runs

    def _share_out(self, life: Life) -> Iterator[Run]:
        """Run a life so often that each program gets one disk of each run, and all are given."""
        place = life.restart.number if life.restart else 0
        for begin in range(0, life.n_disks, self._n_programs):
            seed = case_seed(self._seed, f"alone/{life.schedule}/{place}/{begin}")
            places = list(range(self._n_programs))
            random.Random(seed).shuffle(places)  # noqa: S311  the seed is the secret
            run, disks = self._live(seed, life, range(begin, begin + self._n_programs))
            for index, disk in enumerate(disks):
                self._held[places[index % self._n_programs]].append(disk)
            yield run

    def _live(self, seed: int, life: Life, wanted: range) -> tuple[Run, list[_Disk]]:
        """One life with states of its own, and those of its disks that have these numbers.

        The run ends with the last of them, but for the one that has the life's last disk.
        """
        if life.restart is None:
            context, before = Context(life.schedule, None), {}
            run = Run(self._job.n_ranks)
            saves = Saves(self._ranks, run, seed, SCHEDULES[life.schedule], 1, self._job.saves)
        else:
            again = self._crashed_again(seed, life.restart)
            context = Context(life.schedule, again)
            before = {again.step: 0} if again.step else {}
            run = Run(self._job.n_ranks, disk=FileSystem(again.crash.image), ended=again.step)
            step = again.step + 1
            saves = Saves(self._ranks, run, seed, SCHEDULES[life.schedule], step, step, 1)
        found: dict[_Content, _Disk] = {}
        last = max(
            at for at, moment in enumerate(life.moments) if any(one in wanted for one, _ in moment)
        )
        for at, _ in enumerate(_now_and_after(saves)):
            allowed = Allowed.now(run, before, context.life)
            for number, planned in life.moments[at] if at <= last else []:
                if number not in wanted:
                    continue
                image = run.disk.image(planned.fates)
                disk = found.setdefault(
                    _content(image),
                    _Disk(Crash(image, planned.fates), context, run, len(run.done), seed, []),
                )
                if allowed not in disk.allowed:
                    disk.allowed.append(allowed)
            if at >= last and wanted.stop < life.n_disks:
                break
        if saves.fault is not None:
            raise Found(context.fault(saves.fault, run))
        return run, list(found.values())

    def _crashed_again(self, seed: int, restart: Restart) -> Restart:
        """The same crash, as far as the saves do the same with other states."""
        run = Run(self._job.n_ranks)
        order = SCHEDULES[restart.schedule]
        saves = Saves(self._ranks, run, seed, order, 1, self._job.saves)
        for _ in saves:
            if len(run.done) >= len(restart.done):
                break
        if saves.fault is not None:
            raise Found(Context(restart.schedule, None).fault(saves.fault, run))
        crash = Crash(run.disk.image(restart.crash.fates), restart.crash.fates)
        return Restart(restart.number, restart.schedule, crash, tuple(run.done), restart.step)

    def _check(self, disks: list[_Disk]) -> None:
        """One fresh program, and its disks."""

        def tell(verdict: Verdict, text: str, crash: Crash) -> Exception:
            disk = next(one for one in disks if one.crash is crash)
            return Found(_failure(disk, verdict, text, [], ""))

        crashes = [disk.crash for disk in disks]
        answers = restore(self._ranks.restoring, crashes, self._job.n_ranks, tell)
        for disk, restored in zip(disks, answers, strict=True):
            for allowed in disk.allowed:
                verdict, text, traceback = fault_of(restored, allowed, disk.seed)
                if text:
                    seen = [shown(one) for one in restored]
                    expected = allowed.text()
                    raise Found(_failure(disk, verdict, text, seen, expected, traceback))


def _now_and_after(saves: Saves) -> Iterator[None]:
    """A moment before the first operation, and one after each."""
    yield
    yield from saves


def _failure(
    disk: _Disk, verdict: Verdict, text: str, seen: list[str], expected: str, traceback: str = ""
) -> Failure:
    said = say(
        "restore must depend on the disk alone, so keep nothing between calls. It was right for "
        "every crash of a run in a program that had seen others of the same run, and in one that "
        "had not it is wrong: {fault}",
        fault=text,
    )
    return disk.context.crashed(verdict, said, disk.done, disk.crash, seen, expected, traceback)
