"""The cluster from round to round: what a scheduler may do, and what becomes of the jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graders.simulation.gang_scheduling.cluster import Arrival, Cluster, Ended, Job
from graders.text import Text, clean, say, say_list
from graders.verdict import JsonObject

START_ROUNDS = 1  # of a run, in which it makes no steps
CHECKPOINT_ROUNDS = 6  # of training between two checkpoints of a run
PATIENCE_ROUNDS = 6  # that a job may wait while jobs of lower priority hold what it needs
IDLE_ROUNDS = 10  # in a row in which nothing runs
LOST_RUNS = 3  # of a job, in a row


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a round breaks; `kind` names it for whoever shrinks the trace.

    `jobs` are those that the page marks.
    """

    kind: str
    text: Text
    jobs: tuple[str, ...] = ()


class Engine:
    """The state between rounds.

    Parameters
    ----------
    trace : list of Arrival
        The jobs, in any order.
    max_wait : int or None
        Rounds that a job may wait in a row; None for as long as it likes.
    """

    def __init__(self, cluster: Cluster, trace: list[Arrival], max_wait: int | None) -> None:
        self.cluster = cluster
        self.max_wait = max_wait
        self.now = 0
        self.alive: dict[str, Job] = {}
        self.ended: list[Ended] = []
        self.preemptions = 0
        self.longest_wait = 0
        self.news: list[str] = []  # what the last round brought: who came, who ended
        self._coming = sorted(trace, key=lambda one: one.at)
        self._idle = 0
        self._admit()

    @property
    def is_over(self) -> bool:
        return not self.alive and not self._coming

    def seen(self) -> list[JsonObject]:
        """The jobs as a scheduler sees them, in the order of arrival."""
        return [job.to_json() for job in self.alive.values()]

    def held(self) -> dict[int, str]:
        """GPU -> the job that holds it."""
        return {gpu: name for name, job in self.alive.items() for gpu in job.gpus}

    def take(self, answer: Any) -> Broken | None:
        """Carry out what the scheduler chose and run the round; None if it keeps the rules."""
        broken = _shape(answer)
        if broken is not None:
            return broken
        preempt, start = answer["preempt"], answer["start"]
        broken = self._preempt(preempt, start) or self._start(start) or self._quota()
        broken = broken or self._passed_over() or self._waits()
        if broken is None:
            self._train()
        return broken

    def _preempt(self, names: list[str], start: dict[str, list[int]]) -> Broken | None:
        for name in names:
            job = self.alive.get(name)
            if job is None or not job.runs:
                text = say(
                    "only a job that runs can be preempted, once: {name} does not run",
                    name=clean(name)[:40],
                )
                return Broken("not running", text, (name,))
            job.gpus = ()
            self.preemptions += 1
        starting = [self.alive[name].arrival.priority for name in start if name in self.alive]
        for name in names:
            job = self.alive[name]
            job.done = job.saved
            job.since = self.now
            if job.saved_in_run or max(starting, default=-1) > job.arrival.priority:
                continue
            job.lost_runs.append((job.started, self.now))
            if len(job.lost_runs) == LOST_RUNS:
                return self._ping_pong(job)
        return None

    def _ping_pong(self, job: Job) -> Broken:
        runs: list[str] = [
            say("rounds {first} to {last}", first=first, last=last - 1)
            if last - 1 > first
            else say("round {first}", first=first)
            for first, last in job.lost_runs
        ]
        text = say(
            "preemption must not go round in circles: {name} has run {count} times ({runs}) and "
            "was preempted each time before its next checkpoint, for no job of a higher priority: "
            "all of it was lost. Leave a job alone until it has saved.",
            name=job.arrival.name,
            count=len(runs),
            runs=say_list(runs),
        )
        return Broken("ping-pong", text, (job.arrival.name,))

    def _start(self, start: dict[str, list[int]]) -> Broken | None:
        holder = self.held()
        for name, gpus in start.items():
            job = self.alive.get(name)
            if job is None or job.runs:
                text = say(
                    "only a job that waits can be started: {name} does not wait",
                    name=clean(name)[:40],
                )
                return Broken("not waiting", text, (name,))
            outside = [gpu for gpu in gpus if not 0 <= gpu < self.cluster.gpus]
            if outside:
                text = say(
                    "GPUs are numbered from 0 to {last}: {name} was given {gpu}",
                    last=self.cluster.gpus - 1,
                    name=name,
                    gpu=str(outside[0])[:20],
                )
                return Broken("no such gpu", text, (name,))
            for gpu in gpus:
                if gpu in holder:
                    text = say(
                        "a GPU belongs to one job at a time: GPU {gpu} was given to {name}, and "
                        "{holder} holds it",
                        gpu=gpu,
                        name=name,
                        holder=holder[gpu],
                    )
                    return Broken("gpu twice", text, (name, holder[gpu]))
                holder[gpu] = name
            if len(gpus) != job.arrival.gpus:
                text = say(
                    "a gang starts with all its GPUs or not at all: {name} needs {needed} and was "
                    "given {given}. Leave the GPUs to somebody whom they are enough for.",
                    name=name,
                    needed=job.arrival.gpus,
                    given=len(gpus),
                )
                return Broken("gang", text, (name,))
            self.longest_wait = max(self.longest_wait, self.now - job.since)
            job.gpus, job.since, job.started = tuple(gpus), self.now, self.now
            job.trained, job.saved_in_run, job.passed_over = 0, False, 0
        return None

    def _quota(self) -> Broken | None:
        for team, quota in self.cluster.quota.items():
            used = sum(len(job.gpus) for job in self.alive.values() if job.arrival.team == team)
            if used > quota:
                text = say(
                    "the jobs of a team may hold its quota of GPUs at most: {team} may hold "
                    "{quota} and holds {used}",
                    team=team,
                    quota=quota,
                    used=used,
                )
                names = [name for name, job in self.alive.items() if job.arrival.team == team]
                return Broken("quota", text, tuple(names))
        return None

    def _passed_over(self) -> Broken | None:
        waiting = [job for job in self.alive.values() if not job.runs]
        first = max(waiting, key=lambda one: one.arrival.priority, default=None)
        for job in self.alive.values():
            if job is not first or not self._lacks_what_lower_hold(job):
                job.passed_over = 0
        if first is None or not self._lacks_what_lower_hold(first):
            return None
        first.passed_over += 1
        if first.passed_over <= PATIENCE_ROUNDS:
            return None
        own = first.arrival
        text = say(
            "the first in line may wait {limit} rounds at most while jobs of lower priority hold "
            "what it lacks: {name} has priority {priority} and needs {gpus} GPUs, and this is "
            "round {count}. Preempt somebody for it.",
            limit=PATIENCE_ROUNDS,
            name=own.name,
            priority=own.priority,
            gpus=own.gpus,
            count=first.passed_over,
        )
        return Broken("passed over", text, (own.name,))

    def _lacks_what_lower_hold(self, waiting: Job) -> bool:
        """Whether it does not fit, and would if no job of a lower priority ran."""
        own = waiting.arrival
        return not self._fits(own, 0) and self._fits(own, own.priority)

    def _fits(self, waiting: Arrival, priority: int) -> bool:
        """Beside the jobs of at least this priority, in the cluster and in its team's quota."""
        others = [job for job in self.alive.values() if job.arrival.priority >= priority]
        held = sum(len(job.gpus) for job in others)
        of_team = sum(len(job.gpus) for job in others if job.arrival.team == waiting.team)
        quota = self.cluster.quota[waiting.team]
        return waiting.gpus <= min(self.cluster.gpus - held, quota - of_team)

    def _waits(self) -> Broken | None:
        for name, job in self.alive.items():
            waited = self.now - job.since
            if self.max_wait is not None and not job.runs and waited >= self.max_wait:
                text = say(
                    "no job may starve: {name}, a gang of {gpus}, has waited for {limit} rounds in "
                    "a row. Keep GPUs for it as they become free.",
                    name=name,
                    gpus=job.arrival.gpus,
                    limit=self.max_wait,
                )
                return Broken("starved", text, (name,))
        self._idle = 0 if any(job.runs for job in self.alive.values()) else self._idle + 1
        if self._idle == IDLE_ROUNDS:
            text = say(
                "something must run while jobs wait: nothing has run for {count} rounds, and "
                "{name} would fit. Whoever waits for more GPUs must hold none, not even in your "
                "own books.",
                count=IDLE_ROUNDS,
                name=next(iter(self.alive)),
            )
            return Broken("idle", text, tuple(self.alive))
        return None

    def _train(self) -> None:
        self.news = []
        for name, job in list(self.alive.items()):
            if not job.runs or self.now - job.started < START_ROUNDS:
                continue
            job.trained += 1
            job.done += self.cluster.speed(job.gpus)
            if job.done >= job.arrival.steps:
                del self.alive[name]
                self.ended.append(Ended(job.arrival, self.now + 1))
                self.news.append(say("{name} ended", name=name))
            elif job.trained % CHECKPOINT_ROUNDS == 0:
                job.saved = job.done
                job.saved_in_run = True
                job.lost_runs.clear()
        self.now += 1
        self._admit()

    def _admit(self) -> None:
        if not self.alive and self._coming:
            self.now = max(self.now, self._coming[0].at)
        while self._coming and self._coming[0].at <= self.now:
            arrival = self._coming.pop(0)
            self.alive[arrival.name] = Job(arrival, since=self.now)
            self.news.append(say("{name} arrived", name=arrival.name))


def _shape(answer: Any) -> Broken | None:
    valid = isinstance(answer, dict) and set(answer) == {"preempt", "start"}
    valid = valid and isinstance(answer["preempt"], list) and isinstance(answer["start"], dict)
    if valid:
        valid = all(isinstance(name, str) for name in answer["preempt"])
        valid = valid and all(
            isinstance(gpus, list) and all(type(gpu) is int for gpu in gpus)
            for gpus in answer["start"].values()
        )
    if valid:
        return None
    text = say(
        'schedule must return {{"preempt": [id, ...], "start": {{id: [gpu, ...]}}}}, got {got}',
        got=f"{answer!r:.120}",
    )
    return Broken("shape", text)
