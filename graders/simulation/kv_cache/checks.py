"""Runs one sequence of operations beside the model and says what the first wrong answer breaks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from graders.simulation.kv_cache.misconceptions import Observed, advice
from graders.simulation.kv_cache.model import NULL_BLOCK, BlockPool
from graders.simulation.kv_cache.operations import from_records
from graders.simulation.stateful.program import Broken, Call, Candidate, Replies, same
from graders.simulation.stateful.search import RECORD_BYTES, Script
from graders.simulation.stateful.steps import (
    Cell,
    Row,
    Step,
    View,
    call_text,
    operations,
    python_text,
)
from graders.text import say
from graders.verdict import Json, JsonObject, Verdict

INSPECTIONS: tuple[Call, ...] = (("ref_counts", ()), ("free_queue", ()))
_PER_STEP = 1 + len(INSPECTIONS)
MAX_CELLS = 48
N_PROBES = 12
PROBE_OPERATIONS = 30


@dataclass(frozen=True, slots=True)
class Failure:
    """The first wrong answer of a run.

    Attributes
    ----------
    step : int
        Index of the operation that it follows.
    calls, answers : tuple
        Of the whole run, with the inspections; the first `n_seen` lead to the wrong answer.
    """

    verdict: Verdict
    text: str
    step: int
    calls: tuple[Call, ...]
    answers: tuple[Json, ...]
    n_seen: int
    broken: Broken | None = None

    @property
    def stopped(self) -> bool:
        return self.broken is not None and self.broken.stopped


def attempt(script: Script, candidate: Candidate) -> Failure | None:
    """Run a script, with a look at counts and queue after every operation."""
    calls = tuple(inspected(script.calls))
    return examine(script, calls, candidate.run(script.make, calls))


def inspected(calls: Sequence[Call]) -> Iterator[Call]:
    """Each operation, then the inspections."""
    for call in calls:
        yield call
        yield from INSPECTIONS


def examine(script: Script, calls: tuple[Call, ...], replies: Replies) -> Failure | None:
    """Hold the replies against the model; None if they are right to the end."""
    model = pool_of(script)
    answers = tuple(replies.answers)
    for at, (call, got) in enumerate(zip(calls, answers, strict=False)):
        before = list(model.free)
        users = _users(model)
        expected = model.answer(call)
        if not same(expected, got):
            text = _explain(model, calls[: at + 1], got, expected, before, users)
            step = at // _PER_STEP
            return Failure(Verdict.WRONG_ANSWER, text, step, calls, answers, at + 1)
    if replies.broken is None:
        return None
    step = min(len(answers), len(calls) - 1) // _PER_STEP
    broken = replies.broken
    return Failure(broken.verdict, broken.text, step, calls, answers, len(answers), broken)


def pool_of(script: Script) -> BlockPool:
    """The model's pool for a script's arguments."""
    return BlockPool(int(str(script.make["num_blocks"])), int(str(script.make["block_size"])))


def _users(model: BlockPool) -> list[int]:
    users = [0] * model.num_blocks
    for sequence in model.sequences.values():
        for block in sequence.table:
            users[block] += 1
    return users


def _explain(
    model: BlockPool,
    calls: tuple[Call, ...],
    got: Json,
    expected: Json,
    free_before: list[int],
    users: list[int],
) -> str:
    """The rule and the fact."""
    call = calls[-1]
    if call[0] == "ref_counts":
        return _about_references(calls[-2], users, got)
    if call[0] == "free_queue":
        return say(
            "after {call} the free queue must be {expected}, head first, got {got}",
            call=call_text(calls[-3]),
            expected=python_text(expected),
            got=python_text(got),
        )
    if call[0] == "free":
        return say("{call} must return None, got {got}", call=call_text(call), got=python_text(got))
    if expected is None:
        return say(
            "{call} must return None and change nothing, because there are too few free blocks "
            "({n_free}); got {got}",
            call=call_text(call),
            n_free=len(free_before),
            got=python_text(got),
        )
    return say(
        "{call} must return {expected}, got {got}",
        call=call_text(call),
        expected=python_text(expected),
        got=python_text(got),
    )


def _about_references(call: Call, users: list[int], got: Json) -> str:
    if not isinstance(got, list) or len(got) != len(users):
        return say(
            "ref_counts() must return one number for each of the {count} blocks, got {got}",
            count=len(users),
            got=python_text(got),
        )
    block = next(at for at, count in enumerate(users) if not same(count, got[at]))
    return say(
        "a block's reference count must be the number of sequences whose table holds it: after "
        "{call} that of block {block} must be {count}, and is {got}",
        call=call_text(call),
        block=block,
        count=users[block],
        got=python_text(got[block]),
    )


def advised(script: Script, failure: Failure, candidate: Candidate) -> str:
    """The failure's text with what to do: the mistake's name where it is a known one."""
    if failure.broken is not None:
        return failure.text
    n_seen = failure.n_seen
    runs = [_observed(script, failure.calls[:n_seen], failure.answers[:n_seen])]
    for probe in _probes():
        calls = tuple(inspected(probe.calls))
        answers = candidate.run(probe.make, calls).answers
        runs.append(_observed(probe, calls[: len(answers)], answers))
    known = advice(runs) or say("step through the operations and compare the state after each")
    return say("{said}: {advice}.", said=failure.text, advice=known)


def _observed(script: Script, calls: Sequence[Call], answers: Sequence[Json]) -> Observed:
    pool = pool_of(script)
    return Observed(pool.num_blocks, pool.block_size, calls, answers)


@cache
def _probes() -> tuple[Script, ...]:
    """Sequences on which one mistake behaves unlike another."""
    generator = random.Random(N_PROBES)  # noqa: S311  they are no secret
    return tuple(
        from_records([generator.randbytes(RECORD_BYTES) for _ in range(PROBE_OPERATIONS)])
        for _ in range(N_PROBES)
    )


def draw(script: Script, failure: Failure) -> JsonObject:
    """The counterexample's data: every operation, its answers, and the blocks after it."""
    model = pool_of(script)
    steps = []
    calls = tuple(inspected(script.calls[: failure.step + 1]))
    for begin in range(0, len(calls), _PER_STEP):
        group = calls[begin : begin + _PER_STEP]
        rows = []
        for at, call in enumerate(group, begin):
            expected = model.answer(call)
            there = at < len(failure.answers)
            got = failure.answers[at] if there else None
            rows.append(
                Row(
                    call_text(call) if at > begin else say("answer"),
                    python_text(expected),
                    python_text(got) if there else None,
                    there and same(expected, got),
                )
            )
        steps.append(Step(call_text(group[0]), rows, [_block_map(model)]))
    make = ", ".join(f"{name}={value!r}" for name, value in script.make.items())
    data = operations(f"BlockManager({make})", steps)
    if failure.broken is not None:
        data["traceback"] = failure.broken.traceback
    return data


def _block_map(model: BlockPool) -> View:
    """Every block with what it holds, who uses it and where it waits to be taken."""
    owners: dict[int, list[str]] = {}
    content: dict[int, tuple[int, ...]] = {}
    for name, sequence in model.sequences.items():
        for place, block in enumerate(sequence.table):
            owners.setdefault(block, []).append(name)
            begin = place * model.block_size
            content[block] = tuple(sequence.tokens[begin : begin + model.block_size])
    places = {block: place for place, block in enumerate(model.free, 1)}
    cells = []
    for block in range(min(model.num_blocks, MAX_CELLS)):
        lines: list[str] = []
        tone = "plain"
        if block == NULL_BLOCK:
            lines, tone = [say("never handed out")], "faint"
        elif block in owners:
            names = ", ".join(owners[block])
            lines = [" ".join(map(str, content[block])), say("used by {names}", names=names)]
            tone = "shared" if len(owners[block]) > 1 else "busy"
        if block in places:
            lines.append(say("number {place} in the free queue", place=places[block]))
        if block in model.key_of:
            lines.append(say("can be hit"))
            tone = "kept" if block in places else tone
        cells.append(Cell(str(block), lines, tone))
    return View(say("The blocks as they must be after this operation"), cells)
