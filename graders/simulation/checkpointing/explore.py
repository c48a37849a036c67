"""Crashes the job after every operation, in every way that the disk allows, and restores."""

from __future__ import annotations

from dataclasses import dataclass

from graders.simulation.checkpointing.alone import Plan, explore_alone
from graders.simulation.checkpointing.answers import Allowed, Restored, fault_of, shown
from graders.simulation.checkpointing.failure import Context, Failure, Found, Job, Restart
from graders.simulation.checkpointing.filesystem import Crash, FileSystem
from graders.simulation.checkpointing.restoring import restore
from graders.simulation.checkpointing.run import Ranks, Run, Saves
from graders.simulation.checkpointing.schedules import SCHEDULES, Order
from graders.verdict import Verdict

IMAGES_PER_FRAME = 64
RESTARTS = 12  # crashes after which the job goes on and is crashed again


@dataclass(frozen=True, slots=True)
class Survived:
    """Nothing went wrong: how many crashes were tried, and how long training was blocked.

    `slowest` is the run that blocked it longest, in the order of ranks that `schedule` names.
    """

    crashes: int
    schedule: str
    slowest: Run


def explore(ranks: Ranks, job: Job, seed: int, max_blocked_ms: float) -> Failure | Survived:
    """All schedules, all crashes; lives after a crash, crashed again; then each disk alone.

    A store that blocks training for longer than `max_blocked_ms` is refused for that, and no disk
    of it is looked at alone.
    """
    return _Explorer(ranks, job, seed).explore(max_blocked_ms)


class _Explorer:
    def __init__(self, ranks: Ranks, job: Job, seed: int) -> None:
        self._ranks = ranks
        self._job = job
        self._seed = seed
        self._seen: set[tuple[object, ...]] = set()
        self._restarts: list[Restart] = []
        self._plan = Plan()
        self._crashes = 0

    def explore(self, max_blocked_ms: float) -> Failure | Survived:
        runs: list[tuple[str, Run]] = []
        try:
            for name, order in SCHEDULES.items():
                run = Run(self._job.n_ranks)
                self._live(run, name, order, 1, self._job.saves, lives={})
                runs.append((name, run))
            chosen = self._restarts[:: max(1, len(self._restarts) // RESTARTS)]
            self._again(chosen)
            if max(run.blocked_ms_per_save for _, run in runs) <= max_blocked_ms:
                # A save that is quick here and slow there must not have the better of both.
                runs += explore_alone(self._ranks, self._job, self._seed, self._plan)
        except Found as found:
            return found.failure
        name, slowest = max(runs, key=lambda one: one[1].blocked_ms_per_save)
        return Survived(self._crashes, name, slowest)

    def _again(self, chosen: list[Restart]) -> None:
        """From some of the disks that a crash left: save once more, and crash that too."""
        for restart in chosen:
            run = Run(
                self._job.n_ranks,
                disk=FileSystem(restart.crash.image),
                ended=restart.step,
            )
            step = restart.step + 1
            lives = {restart.step: 0} if restart.step else {}
            order = SCHEDULES["in turns"]
            self._live(run, "in turns", order, step, step, lives, restart)

    def _live(
        self,
        run: Run,
        schedule: str,
        order: Order,
        first: int,
        last: int,
        lives: dict[int, int],
        restart: Restart | None = None,
    ) -> None:
        """One life, crashed after every operation. `lives` says what was saved before it."""
        context = Context(schedule, restart)
        saves = Saves(self._ranks, run, self._seed, order, first, last, context.life)
        self._plan.begin(schedule, restart)
        self._crash(run, context, lives)
        for _ in saves:
            self._crash(run, context, lives)
        if saves.fault is not None:
            raise Found(context.fault(saves.fault, run))

    def _crash(self, run: Run, context: Context, before: dict[int, int]) -> None:
        allowed = Allowed.now(run, before, context.life)
        key = (run.ended, run.saving, context.number)
        fresh = []
        crashes = run.disk.crashes(self._seed)
        self._plan.add(crashes, allowed, len(run.done))
        for crash in crashes:
            image_key = (key, tuple(sorted(crash.image.items())))
            if image_key not in self._seen:
                self._seen.add(image_key)
                fresh.append(crash)

        def tell(verdict: Verdict, text: str, crash: Crash) -> Exception:
            return Found(context.crashed(verdict, text, tuple(run.done), crash, [], ""))

        for begin in range(0, len(fresh), IMAGES_PER_FRAME):
            part = fresh[begin : begin + IMAGES_PER_FRAME]
            answers = restore(self._ranks.restoring, part, run.n_ranks, tell)
            for crash, restored in zip(part, answers, strict=True):
                self._crashes += 1
                self._check(crash, restored, allowed, run, context)

    def _check(
        self,
        crash: Crash,
        restored: list[Restored],
        allowed: Allowed,
        run: Run,
        context: Context,
    ) -> None:
        verdict, text, traceback = fault_of(restored, allowed, self._seed)
        done = tuple(run.done)
        if text:
            seen = [shown(one) for one in restored]
            raise Found(
                context.crashed(verdict, text, done, crash, seen, allowed.text(), traceback)
            )
        if context.restart is None and run.saving is not None:
            step = 0 if restored[0] is None else int(restored[0][0])
            number = len(self._restarts) + 1
            self._restarts.append(Restart(number, context.schedule, crash, done, step))
