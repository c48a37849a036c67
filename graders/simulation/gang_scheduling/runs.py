"""One trace through the cluster with a scheduler, and the smallest trace that fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from graders.budget import Budget
from graders.simulation.gang_scheduling.cluster import NODE_SPEED, Arrival, Cluster, Ended
from graders.simulation.gang_scheduling.engine import Engine
from graders.simulation.gang_scheduling.yardstick import Yardstick
from graders.simulation.stateful.program import Broken as NoAnswer
from graders.simulation.stateful.program import Candidate
from graders.text import say
from graders.verdict import Json, JsonObject, Verdict

MIN_MAX_WAIT_ROUNDS = 60
WAITS_OF_THE_REFERENCE = 4
ROUNDS_OF_THE_REFERENCE = 5
MORE_ROUNDS = 100
SHRINK_ROUNDS = 3000  # that the candidate's scheduler is asked while a trace is shrunk

Ask: TypeAlias = Callable[[int, list[JsonObject]], "Json | NoAnswer"]


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for a whole trace.

    Attributes
    ----------
    max_wait, max_rounds : int
        Rounds that a job may wait in a row, and rounds until all jobs must have ended.
    """

    cluster: Cluster
    max_wait: int
    max_rounds: int


@dataclass(frozen=True, slots=True)
class Taken:
    """One round: what the scheduler saw and chose, who held which GPU after its choice."""

    at: int
    seen: list[JsonObject]
    chosen: Json
    held: dict[int, str]
    news: list[str]  # what happened since the round before


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run ends before all jobs have; `jobs` are those that the page marks."""

    kind: str
    verdict: Verdict
    text: str
    jobs: tuple[str, ...] = ()
    traceback: str = ""


@dataclass(slots=True)
class Run:
    """What came of a trace."""

    trace: list[Arrival]
    taken: list[Taken] = field(default_factory=list)
    failure: Failure | None = None
    ended: list[Ended] = field(default_factory=list)
    preemptions: int = 0
    longest_wait: int = 0

    @property
    def turnaround(self) -> float:
        """Rounds from arrival to end, weighted by priority; of a whole run only."""
        weights = sum(one.weight for one in self.trace)
        total = sum(one.arrival.weight * (one.end - one.arrival.at) for one in self.ended)
        return total / weights if weights else 0.0


def measure(cluster: Cluster, trace: list[Arrival]) -> Run:
    """The run of our own scheduler, with no bounds on its waits.

    Raises
    ------
    ValueError
        If it breaks a rule, since then there is nothing to measure by: our fault.
    """
    made = drive(Engine(cluster, trace, None), trace, Yardstick(cluster).schedule, None)
    if made.failure is not None:
        raise ValueError(f"our own scheduler must keep the rules: {made.failure.text}")
    return made


def setting(cluster: Cluster, reference: Run) -> Setting:
    """The bounds that follow from how our own scheduler does on the same trace."""
    max_wait = max(MIN_MAX_WAIT_ROUNDS, WAITS_OF_THE_REFERENCE * reference.longest_wait)
    last = max((one.end for one in reference.ended), default=0)
    return Setting(cluster, max_wait, ROUNDS_OF_THE_REFERENCE * last + MORE_ROUNDS)


def run(given: Setting, trace: list[Arrival], candidate: Candidate) -> Run:
    """Drive the candidate's scheduler until all jobs have ended, or a rule is broken."""
    made = {**given.cluster.to_json(), "max_wait": given.max_wait}
    make: JsonObject | None = made

    def ask(now: int, jobs: list[JsonObject]) -> Json | NoAnswer:
        nonlocal make
        listed: list[Json] = list(jobs)
        replies = candidate.run(make, [("schedule", (now, listed))])
        make = None
        return replies.broken if replies.broken is not None else replies.answers[0]

    engine = Engine(given.cluster, trace, given.max_wait)
    return drive(engine, trace, ask, given.max_rounds)


def drive(engine: Engine, trace: list[Arrival], ask: Ask, max_rounds: int | None) -> Run:
    """Ask `ask` in each round of a fresh engine until all jobs have ended, or a rule is broken."""
    made = Run(trace)
    while not engine.is_over and made.failure is None:
        seen, at, news = engine.seen(), engine.now, engine.news
        answer = ask(at, seen)
        if isinstance(answer, NoAnswer):
            made.failure = Failure(
                answer.kind, answer.verdict, answer.text, traceback=answer.traceback
            )
            made.taken.append(Taken(at, seen, None, engine.held(), news))
            break
        broken = engine.take(answer)
        # After a round without a fault some may have ended already.
        held = engine.held() if broken is not None else _held(seen, answer)
        made.taken.append(Taken(at, seen, answer, held, news))
        if broken is not None:
            made.failure = Failure(broken.kind, Verdict.WRONG_ANSWER, broken.text, broken.jobs)
        elif max_rounds is not None and engine.now > max_rounds and not engine.is_over:
            text = say(
                "all jobs must have ended by round {limit}, and {count} have not. Let jobs run on, "
                "and on more of the GPUs.",
                limit=max_rounds,
                count=len(engine.alive),
            )
            made.failure = Failure("rounds", Verdict.WRONG_ANSWER, text, tuple(engine.alive))
    made.ended = engine.ended
    made.preemptions, made.longest_wait = engine.preemptions, engine.longest_wait
    return made


def _held(seen: list[JsonObject], answer: Any) -> dict[int, str]:
    """Who holds which GPU in a round whose choice kept the rules."""
    placed: dict[str, Any] = {str(job["id"]): job["placed"] for job in seen}
    placed.update(dict.fromkeys(answer["preempt"], ()))
    placed.update(answer["start"])
    return {gpu: name for name, gpus in placed.items() for gpu in gpus}


Fails: TypeAlias = Callable[[Run], bool]


def shrink(given: Setting, failed: Run, candidate: Candidate, still_fails: Fails) -> Run:
    """Leave out jobs, then make what is left smaller, as long as it fails in the same way."""
    search = _Search(given, failed, candidate, still_fails)
    search.leave_out()
    if search.come_earlier():
        search.leave_out()
    search.train_less()
    return search.smallest


class _Search:
    """The smallest trace so far that still fails, and how much may be spent on a smaller one."""

    def __init__(
        self, given: Setting, failed: Run, candidate: Candidate, still_fails: Fails
    ) -> None:
        self.smallest = failed
        self._given = given
        self._candidate = candidate
        self._still_fails = still_fails
        self._budget = Budget(SHRINK_ROUNDS)

    def leave_out(self) -> None:
        """Half of the jobs, a quarter, ... one; single ones until all are needed."""
        part = len(self.smallest.trace)
        while part > 1:
            part = (part + 1) // 2
            while self._leave_out(part) and part == 1:
                pass

    def _leave_out(self, part: int) -> bool:
        found, begin = False, 0
        while begin < len(self.smallest.trace):
            trace = self.smallest.trace
            if self._try(trace[:begin] + trace[begin + part :]):
                found = True
            else:
                begin += part
        return found

    def come_earlier(self) -> bool:
        """All in round 0; or else all so much earlier that the first comes in round 0."""
        trace = self.smallest.trace
        first, last = min(one.at for one in trace), max(one.at for one in trace)
        if last > first and self._try([replace(one, at=0) for one in trace]):
            return True
        return first > 0 and self._try([replace(one, at=one.at - first) for one in trace])

    def train_less(self) -> None:
        """Each job half as long, and again, down to one round in a node."""
        for index in range(len(self.smallest.trace)):
            trace = self.smallest.trace
            shorter = trace
            while shorter is self.smallest.trace and shorter[index].steps > NODE_SPEED:
                half = max(NODE_SPEED, shorter[index].steps // 2 // NODE_SPEED * NODE_SPEED)
                one = replace(shorter[index], steps=half)
                shorter = [*shorter[:index], one, *shorter[index + 1 :]]
                self._try(shorter)

    def _try(self, trace: list[Arrival]) -> bool:
        """Take this trace if it fails as well. One on which our own scheduler breaks a rule shows
        nothing."""
        if not trace or self._budget.is_spent:
            return False
        given = self._given
        engine = Engine(given.cluster, trace, given.max_wait)
        own = drive(engine, trace, Yardstick(given.cluster).schedule, given.max_rounds)
        if own.failure is not None:
            return False
        tried = run(given, trace, self._candidate)
        self._budget.spend(len(tried.taken))
        if self._still_fails(tried):
            self.smallest = tried
            return True
        return False
