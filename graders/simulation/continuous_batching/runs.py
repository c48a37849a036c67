"""One trace through the engine with the candidate's scheduler, and the smallest that fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from graders.simulation.continuous_batching.engine import (
    Arrival,
    Engine,
    Limits,
    Request,
    is_good,
    longest_gap_ms,
    ttft_ms,
)
from graders.simulation.stateful.program import Broken as NoAnswer
from graders.simulation.stateful.program import Candidate
from graders.simulation.stateful.steps import Cell, Row, Step, View, operations
from graders.text import clean, say
from graders.verdict import Json, JsonObject, Verdict

MAX_STEPS = 4000
MAX_TRIES = 40
STEPS_SHOWN = 40
Part = TypeVar("Part", dict[str, Any], list[Any])


@dataclass(frozen=True, slots=True)
class Taken:
    """One step: when it began, what the scheduler saw and chose, what the cache held after it."""

    at_ms: float
    seen: list[Json]
    chosen: Json
    kv_used: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run ends before all requests are done."""

    kind: str
    verdict: Verdict
    text: str
    traceback: str = ""


@dataclass(slots=True)
class Run:
    """What came of a trace."""

    limits: Limits
    trace: list[Arrival]
    taken: list[Taken] = field(default_factory=list)
    failure: Failure | None = None
    done: list[Request] = field(default_factory=list)
    good: int = 0
    late_first: list[str] = field(default_factory=list)
    late_next: list[str] = field(default_factory=list)
    makespan_ms: float = 0.0
    preemptions: int = 0

    @property
    def share(self) -> float:
        """Part of the requests that kept both limits."""
        return self.good / len(self.trace) if self.trace else 1.0


def run(limits: Limits, trace: list[Arrival], candidate: Candidate) -> Run:
    """Drive the scheduler step by step until all are done, or a rule is broken."""
    engine = Engine(limits, trace)
    made = Run(limits, trace)
    make: JsonObject | None = {
        "token_budget": limits.token_budget,
        "kv_tokens": limits.kv_tokens,
    }
    while not engine.is_over:
        seen = [request.to_json() for request in engine.alive.values()]
        listed: list[Json] = list(seen)
        at_ms = engine.now_ms
        replies = candidate.run(make, [("schedule", (at_ms, listed))])
        make = None
        if replies.broken is not None:
            made.taken.append(Taken(at_ms, listed, None, engine.kv_used()))
            made.failure = _no_answer(replies.broken)
            return made
        answer: Any = replies.answers[0]
        broken = engine.take(answer)
        made.taken.append(Taken(at_ms, listed, answer, engine.kv_used()))
        if broken is not None:
            made.failure = Failure(broken.kind, Verdict.WRONG_ANSWER, broken.text)
            return made
        if len(made.taken) == MAX_STEPS:
            text = say(
                "the trace must be done in {limit} steps, and {count} requests are left. Run more "
                "requests in one step.",
                limit=MAX_STEPS,
                count=len(engine.alive),
            )
            made.failure = Failure("steps", Verdict.WRONG_ANSWER, text)
            return made
    made.done = engine.done
    made.good = sum(is_good(request, limits) for request in engine.done)
    made.late_first = [one.arrival.name for one in engine.done if ttft_ms(one) > limits.ttft_ms]
    made.late_next = [
        one.arrival.name for one in engine.done if longest_gap_ms(one) > limits.itl_ms
    ]
    made.makespan_ms = engine.now_ms
    made.preemptions = engine.preemptions
    return made


def _no_answer(broken: NoAnswer) -> Failure:
    return Failure(broken.kind, broken.verdict, broken.text, broken.traceback)


def shrink(failed: Run, candidate: Candidate) -> Run:
    """Leave out requests, then halve what is left of them, as long as the same rule breaks."""
    assert failed.failure is not None  # noqa: S101  only failed runs are shrunk
    if failed.failure.kind.startswith("stopped"):
        return failed
    tries = 0
    shrinking = True
    while shrinking:
        shrinking = False
        for trace in _smaller(failed.trace):
            if tries == MAX_TRIES:
                return failed
            tries += 1
            smaller = run(failed.limits, trace, candidate)
            if smaller.failure is not None and smaller.failure.kind == failed.failure.kind:
                failed, shrinking = smaller, True
                break
    return failed


def _smaller(trace: list[Arrival]) -> Iterator[list[Arrival]]:
    part = len(trace) // 2
    while part >= 1:
        for begin in range(0, len(trace), part):
            rest = trace[:begin] + trace[begin + part :]
            if rest:
                yield rest
        part //= 2


def draw(made: Run) -> JsonObject:
    """The last steps of a failed run: what was there, what was chosen, what the cache held."""
    steps = []
    first = max(0, len(made.taken) - STEPS_SHOWN)
    for number, taken in enumerate(made.taken[first:], first + 1):
        last = number == len(made.taken)
        cells = [_cell(one, taken.chosen) for one in taken.seen if isinstance(one, dict)]
        rows = []
        if last and made.failure is not None:
            rows = [Row(say("this step"), say("every rule kept"), made.failure.kind, ok=False)]
        note = say(
            "KV cache after the step: {used} of {limit} tokens",
            used=taken.kv_used,
            limit=made.limits.kv_tokens,
        )
        call = say(
            "step {number} at {at} ms: {chosen}",
            number=number,
            at=f"{taken.at_ms:.0f}",
            chosen=_chosen(taken.chosen),
        )
        steps.append(Step(call, rows, [View(say("Requests before the step"), cells)], note))
    limits = made.limits
    make = f"Scheduler(token_budget={limits.token_budget}, kv_tokens={limits.kv_tokens})"
    data = operations(make, steps)
    if made.failure is not None:
        data["traceback"] = made.failure.traceback
    return data


def _chosen(answer: Any) -> str:
    """What the scheduler chose; where a rule about its shape is broken, as it came."""
    if answer is None:
        return say("no answer")
    run, preempt = _part(answer, "run", dict), _part(answer, "preempt", list)
    if run is None or preempt is None:
        return clean(f"{answer!r:.120}")
    run_text = ", ".join(f"{name}: {count}" for name, count in run.items())
    text = f"run {{{run_text}}}"
    return clean(f"{text}, preempt {preempt}" if preempt else text)


def _part(answer: Any, key: str, kind: type[Part]) -> Part | None:
    part = answer.get(key) if isinstance(answer, dict) else None
    return part if isinstance(part, kind) else None


def _cell(request: JsonObject, answer: Any) -> Cell:
    name = str(request["id"])
    context = int(str(request["prompt"])) + int(str(request["generated"]))
    lines: list[str] = [
        say(
            "{computed} of {context} tokens computed",
            computed=str(request["computed"]),
            context=context,
        ),
        say("{generated} tokens of output", generated=str(request["generated"])),
        say("here since {at} ms", at=f"{float(str(request['arrival_ms'])):.0f}"),
    ]
    ran = name in (_part(answer, "run", dict) or ())
    out = name in (_part(answer, "preempt", list) or ())
    return Cell(name, lines, "busy" if ran else "kept" if out else "plain")
