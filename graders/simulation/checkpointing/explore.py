"""Crashes the job after every operation, in every way that the disk allows, and restores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graders.simulation.checkpointing.filesystem import Crash, FileSystem, Image
from graders.simulation.checkpointing.run import Done, Fault, Ranks, Run, Saves, state_of
from graders.simulation.checkpointing.schedules import SCHEDULES, Order
from graders.simulation.stateful.program import Broken, raised_in, sandbox_text
from graders.text import say
from graders.verdict import Json, Verdict

IMAGES_PER_FRAME = 64
RESTARTS = 12  # crashes after which the job goes on and is crashed again
RECHECKS = 3  # crashes restored once more, each by a program that has seen no other
Restored: TypeAlias = Any  # of one rank: [step, hex], None or an object; the candidate's word


@dataclass(frozen=True, slots=True)
class Job:
    """What a case runs: so many ranks, so many saves."""

    n_ranks: int
    saves: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A crash that `restore` does not survive, or a rule broken on the way (`crash` is None).

    Attributes
    ----------
    before : tuple of Done
        The operations of the first life, where the crash is in the second one.
    image : Image
        What the second life began with; empty in the first.
    """

    verdict: Verdict
    text: str
    schedule: str
    done: tuple[Done, ...]
    crash: Crash | None = None
    restored: tuple[str, ...] = ()
    expected: str = ""
    traceback: str = ""
    image: Image = field(default_factory=dict)
    before: tuple[Done, ...] = ()


@dataclass(frozen=True, slots=True)
class Survived:
    """Nothing went wrong: how many crashes were tried, and how long training was blocked.

    `slowest` is the run that blocked it longest, in the order of ranks that `schedule` names.
    """

    crashes: int
    schedule: str
    slowest: Run


@dataclass(frozen=True, slots=True)
class _Allowed:
    """What a restore may give: steps, each with the life that it was saved in."""

    lives: dict[int, int]
    may_be_none: bool

    def text(self) -> str:
        steps = " or ".join(str(step) for step in sorted(self.lives))
        if not self.may_be_none:
            return say("step {steps}", steps=steps)
        return say("None or step {steps}", steps=steps) if steps else "None"


@dataclass(slots=True)
class _Restart:
    number: int  # from 1
    crash: Crash
    done: tuple[Done, ...]
    step: int  # that was restored; 0 for none


@dataclass(frozen=True, slots=True)
class _Answered:
    """A restore that was right; the most lost ones are asked for once more."""

    crash: Crash
    restored: list[Restored]
    run: Run
    done: int  # operations before it
    context: _Context


class _Found(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


def explore(ranks: Ranks, job: Job, seed: int) -> Failure | Survived:
    """All schedules, all crashes; then lives after a crash, crashed again."""
    return _Explorer(ranks, job, seed).explore()


class _Explorer:
    def __init__(self, ranks: Ranks, job: Job, seed: int) -> None:
        self._ranks = ranks
        self._job = job
        self._seed = seed
        self._seen: set[tuple[object, ...]] = set()
        self._restarts: list[_Restart] = []
        self._crashes = 0
        self._most_lost: list[_Answered] = []

    def explore(self) -> Failure | Survived:
        runs: dict[str, Run] = {}
        try:
            for name, order in SCHEDULES.items():
                run = Run(self._job.n_ranks)
                self._live(run, name, order, 1, self._job.saves, lives={})
                runs[name] = run
            self._again()
            self._recheck()
        except _Found as found:
            return found.failure
        name = max(runs, key=lambda one: runs[one].blocked_ms_per_save)
        return Survived(self._crashes, name, runs[name])

    def _again(self) -> None:
        """From some of the disks that a crash left: save once more, and crash that too."""
        chosen = self._restarts[:: max(1, len(self._restarts) // RESTARTS)]
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

    def _recheck(self) -> None:
        """A restore that lives on what it saw of other crashes fails in a fresh program."""
        for one in self._most_lost:
            self._ranks.restoring.close()
            del one.run.done[one.done :]
            (restored,) = self._restore([one.crash], one.run, one.context)
            if restored != one.restored:
                text = say(
                    "restore must depend on the disk alone: after other restores this disk gave "
                    "{before}, and {after} in a program that had seen no other. Keep nothing "
                    "between calls.",
                    before=_shown(one.restored[0]),
                    after=_shown(restored[0]),
                )
                shown = [_shown(rank) for rank in restored]
                expected = _shown(one.restored[0])
                raise _Found(
                    one.context.crashed(
                        Verdict.WRONG_ANSWER, text, one.run, one.crash, shown, expected
                    )
                )

    def _live(
        self,
        run: Run,
        schedule: str,
        order: Order,
        first: int,
        last: int,
        lives: dict[int, int],
        restart: _Restart | None = None,
    ) -> None:
        """One life, crashed after every operation. `lives` says what was saved before it."""
        life = 0 if restart is None else 1
        saves = Saves(self._ranks, run, self._seed, order, first, last, life)
        context = _Context(schedule, restart)
        self._crash(run, context, lives, life)
        for _ in saves:
            self._crash(run, context, lives, life)
        if saves.fault is not None:
            raise _Found(context.fault(saves.fault, run))

    def _crash(self, run: Run, context: _Context, before: dict[int, int], life: int) -> None:
        lives = {step: before.get(step, life) for step in (run.ended, run.saving) if step}
        if run.saving:
            lives[run.saving] = life
        allowed = _Allowed(lives, may_be_none=run.ended == 0)
        key = (run.ended, run.saving, life, context.number)
        fresh = []
        for crash in run.disk.crashes(self._seed):
            image_key = (key, tuple(sorted(crash.image.items())))
            if image_key not in self._seen:
                self._seen.add(image_key)
                fresh.append(crash)
        for begin in range(0, len(fresh), IMAGES_PER_FRAME):
            part = fresh[begin : begin + IMAGES_PER_FRAME]
            for crash, restored in zip(part, self._restore(part, run, context), strict=True):
                self._crashes += 1
                self._check(crash, restored, allowed, run, context)

    def _restore(
        self, crashes: list[Crash], run: Run, context: _Context
    ) -> Iterator[list[Restored]]:
        images: list[Json] = [list(crash.image) for crash in crashes]
        blobs = [data for crash in crashes for data in crash.image.values()]
        said = self._ranks.restoring.ask(
            {"do": "restore", "images": images, "n_ranks": run.n_ranks}, *blobs
        )
        if isinstance(said, Broken) and len(crashes) > 1:
            # Which of them was it? One at a time; the first that ends the program speaks.
            for crash in crashes:
                yield from self._restore([crash], run, context)
            return
        if isinstance(said, Broken):
            text = say("restore after a crash: {what}", what=said.text)
            raise _Found(context.crashed(said.verdict, text, run, crashes[0], [], ""))
        answers = said[0].get("restored")
        shape = isinstance(answers, list) and len(answers) == len(crashes)
        if not shape or not all(
            isinstance(one, list) and len(one) == run.n_ranks for one in answers or []
        ):
            broken = self._ranks.restoring.forged()
            raise _Found(context.crashed(broken.verdict, broken.text, run, crashes[0], [], ""))
        yield from answers or []

    def _check(
        self,
        crash: Crash,
        restored: list[Restored],
        allowed: _Allowed,
        run: Run,
        context: _Context,
    ) -> None:
        verdict, text, traceback = self._fault(restored, allowed)
        if text:
            shown = [_shown(one) for one in restored]
            failure = context.crashed(verdict, text, run, crash, shown, allowed.text(), traceback)
            raise _Found(failure)
        answered = _Answered(crash, restored, run, len(run.done), context)
        self._most_lost = sorted(
            [*self._most_lost, answered], key=lambda one: one.crash.losses, reverse=True
        )[:RECHECKS]
        if context.restart is None and run.saving is not None:
            step = 0 if restored[0] is None else int(restored[0][0])
            self._restarts.append(_Restart(len(self._restarts) + 1, crash, tuple(run.done), step))

    def _fault(self, restored: list[Restored], allowed: _Allowed) -> tuple[Verdict, str, str]:
        wrong = Verdict.WRONG_ANSWER
        for rank, one in enumerate(restored):
            if isinstance(one, dict) and "raised" in one:
                broken = raised_in(one["raised"], "restore")
                text = say("on rank {rank}: {what}", rank=rank, what=broken.text)
                return broken.verdict, text, broken.traceback
            if isinstance(one, dict):
                fault = sandbox_text(one.get("malformed"))
                return wrong, say("{fault} (on rank {rank})", fault=fault, rank=rank), ""
        steps = [None if one is None else one[0] for one in restored]
        for rank, step in enumerate(steps):
            if step != steps[0]:
                text = say(
                    "all ranks must restore the same step, or the model is a mixture: rank 0 "
                    "restores {first}, rank {rank} restores {other}. Let one file decide which "
                    "step counts, and write it when all ranks are done.",
                    first=_step_text(steps[0]),
                    rank=rank,
                    other=_step_text(step),
                )
                return wrong, text, ""
        return wrong, self._fault_of_step(steps[0], restored, allowed), ""

    def _fault_of_step(self, step: Any, restored: list[Restored], allowed: _Allowed) -> str:
        if step is None and allowed.may_be_none:
            return ""
        if step is None:
            return say(
                "a step whose save has ended on every rank must survive: restore gives None, and "
                "{expected} was safe. Make the new checkpoint certain before you remove the old "
                "one: fsync the file, and the directory for its name.",
                expected=allowed.text(),
            )
        if type(step) is not int or step not in allowed.lives:
            return say(
                "restore must give the newest step whose save has ended, or the one that is being "
                "saved: {expected} here, got {got}. A save that returns must have made its step "
                "certain: fsync its files, and the directory for their names.",
                expected=allowed.text(),
                got=_step_text(step),
            )
        for rank, one in enumerate(restored):
            right = state_of(self._seed, step, rank, allowed.lives[step])
            if one[1] != right.hex():
                return _fault_of_state(step, rank, one[1], right)
        return ""


def _fault_of_state(step: int, rank: int, got: Any, right: bytes) -> str:
    try:
        state = bytes.fromhex(str(got))
    except ValueError:
        state = b""
    if state and all(byte in (good, good ^ 0xFF) for byte, good in zip(state, right, strict=False)):
        if len(state) < len(right) and state == right[: len(state)]:
            return say(
                "restore must give a whole state: that of step {step} on rank {rank} ends after "
                "{got} of {want} bytes. Call a checkpoint complete only after an fsync of its "
                "files.",
                step=step,
                rank=rank,
                got=len(state),
                want=len(right),
            )
        if len(state) == len(right):
            return say(
                "training goes on after resume and changes the state: what was restored for step "
                "{step} on rank {rank} is the state of a later moment. Copy it before resume.",
                step=step,
                rank=rank,
            )
    return say(
        "restore must give the state as it was when save was called: that of step {step} on rank "
        "{rank} is another ({got} bytes, {want} are right). Call a checkpoint complete only after "
        "an fsync of its files, and never write into the files of one that counts.",
        step=step,
        rank=rank,
        got=len(state),
        want=len(right),
    )


def _step_text(step: object) -> str:
    return "None" if step is None else say("step {step}", step=str(step)[:40])


def _shown(one: Restored) -> str:
    if isinstance(one, list) and len(one) == 2:
        n_bytes = len(str(one[1])) // 2
        return say("step {step}, {count} bytes", step=str(one[0])[:40], count=n_bytes)
    return "None" if one is None else say("an exception")


@dataclass(frozen=True, slots=True)
class _Context:
    """Where a failure belongs: which schedule, which life."""

    schedule: str
    restart: _Restart | None

    @property
    def number(self) -> int:
        """Tells one second life from another; 0 in the first."""
        return 0 if self.restart is None else self.restart.number

    def crashed(
        self,
        verdict: Verdict,
        text: str,
        run: Run,
        crash: Crash,
        restored: list[str],
        expected: str,
        traceback: str = "",
    ) -> Failure:
        """The failure of a restore after this crash."""
        return Failure(
            verdict,
            text,
            self.schedule,
            tuple(run.done),
            crash,
            tuple(restored),
            expected,
            traceback,
            self.restart.crash.image if self.restart else {},
            self.restart.done if self.restart else (),
        )

    def fault(self, fault: Fault, run: Run) -> Failure:
        """The failure of a save."""
        return Failure(
            fault.verdict,
            fault.text,
            self.schedule,
            tuple(run.done),
            traceback=fault.traceback,
            image=self.restart.crash.image if self.restart else {},
            before=self.restart.done if self.restart else (),
        )
