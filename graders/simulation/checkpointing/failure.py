"""What a case runs, and what is told of a crash that a store does not survive."""

from __future__ import annotations

from dataclasses import dataclass, field

from graders.simulation.checkpointing.filesystem import Crash, Image
from graders.simulation.checkpointing.run import Done, Fault, Run
from graders.verdict import Verdict


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


class Found(Exception):
    """Ends the search: this is the failure."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Restart:
    """A crash of the first life after which the job goes on.

    Attributes
    ----------
    number : int
        From 1, in the order of the crashes.
    step : int
        What was restored; 0 for nothing.
    """

    number: int
    schedule: str
    crash: Crash
    done: tuple[Done, ...]
    step: int


@dataclass(frozen=True, slots=True)
class Context:
    """Where a failure belongs: which schedule, which life."""

    schedule: str
    restart: Restart | None

    @property
    def life(self) -> int:
        """0, or 1 after a crash."""
        return 0 if self.restart is None else 1

    @property
    def number(self) -> int:
        """Tells one second life from another; 0 in the first."""
        return 0 if self.restart is None else self.restart.number

    def crashed(
        self,
        verdict: Verdict,
        text: str,
        done: tuple[Done, ...],
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
            done,
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
