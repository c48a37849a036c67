"""Does an operation cost more on a larger pool? Measured as CPU time of the sandbox, as a ratio.

The same operations run on pools of growing size. Everything that both runs pay (the harness, the
pipe) only brings the ratio nearer to 1, and of several rounds the fastest counts, so that what else
the machine does cannot refuse a right submission. The clock is the kernel's account of the
sandbox's processes, which the candidate's code cannot reach.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from graders.simulation.kv_cache.model import BlockPool
from graders.simulation.stateful.judging import Examined, Rejection
from graders.simulation.stateful.program import Broken, Call, Candidate, same
from graders.simulation.stateful.steps import Row, Step, call_text, operations, python_text
from graders.text import say
from graders.verdict import Json, JsonObject, Verdict

FACTOR = 4  # from one pool to the next
MAX_GROWTH = 6.0  # of a right one it is 2 at most: memory caches hold less of a large pool
ROUNDS = 3
FILLS = 16
BLOCK_SIZE = 2
SEQUENCE_BLOCKS = 8
LIVING = 12
_OUT_OF_TIME = "\N{EM DASH}"


@dataclass(frozen=True, slots=True)
class Growth:
    """A case's ``growth``: the smallest and the largest pool, and operations in a round."""

    small: int
    large: int
    operations: int

    @classmethod
    def read(cls, case_input: Mapping[str, object]) -> Growth:
        """From a case's input.

        Raises
        ------
        ValueError
            If a key is unknown or missing, or a value out of its range.
        """
        fields = case_input.get("growth")
        if set(case_input) != {"growth"} or not isinstance(fields, dict):
            raise ValueError("input must have growth alone, a mapping")
        if set(fields) != {"small", "large", "operations"}:
            raise ValueError(f"growth must have small, large, operations, got {sorted(fields)}")
        growth = cls(**{name: int(value) for name, value in fields.items()})
        least = 4 * LIVING * SEQUENCE_BLOCKS
        if not least <= growth.small < growth.large or growth.operations < 100:
            raise ValueError(f"growth must start at {least} blocks or more and grow, got {fields}")
        return growth


@dataclass(frozen=True, slots=True)
class _Measured:
    num_blocks: int
    us_per_operation: float | None  # None: the time ran out on the way
    rejection: Rejection | None = None


def measure(growth: Growth, candidate: Candidate, seed: int) -> Examined:
    """Pools from small to large; ends at the first that costs too much or answers wrongly."""
    candidate.close()  # a fresh program, so that memory of earlier cases costs nothing here
    pools: list[_Measured] = []
    size = growth.small
    while True:
        pools.append(_on_pool(size, growth, candidate, seed))
        if pools[-1].rejection is not None:
            return Examined(pools[-1].rejection)
        ratio = _ratio(pools)
        if ratio is None or ratio > MAX_GROWTH:
            return Examined(_slow(growth, pools, ratio), _metrics(pools), 1 / (ratio or 1000.0))
        if size == growth.large:
            return Examined(None, _metrics(pools))
        size = min(size * FACTOR, growth.large)


def _ratio(pools: list[_Measured]) -> float | None:
    first, last = pools[0].us_per_operation, pools[-1].us_per_operation
    return None if first is None or last is None else last / first


def _on_pool(num_blocks: int, growth: Growth, candidate: Candidate, seed: int) -> _Measured:
    """Fill a quarter of the pool with content that nobody uses any more; then measure rounds."""
    model = BlockPool(num_blocks, BLOCK_SIZE)
    generator = random.Random(seed)  # noqa: S311  which tokens is no secret
    make: JsonObject = {"num_blocks": num_blocks, "block_size": BLOCK_SIZE}
    rejection: Rejection | Broken | None = None
    # In parts, each a request: one for all took so long that on a machine with much else to do a
    # right submission came near the time limit of a request.
    for part in range(FILLS):
        if rejection is not None:
            break
        tokens: list[Json] = [(part + at) % 251 for at in range(num_blocks // 2 // FILLS)]
        fill: list[Call] = [("allocate", ("old", tokens)), ("free", ("old",))]
        rejection = _run(candidate, model, make if part == 0 else None, fill)
    best_us: float | None = None
    for _ in range(ROUNDS):
        if rejection is not None:
            break
        calls = _round(model, growth.operations, generator)
        before_s = candidate.usage().cpu_time_s
        rejection = _run(candidate, model, None, calls)
        if rejection is None:
            spent_us = (candidate.usage().cpu_time_s - before_s) * 1e6 / len(calls)
            best_us = spent_us if best_us is None else min(best_us, spent_us)
    if isinstance(rejection, Rejection):
        return _Measured(num_blocks, None, rejection)
    return _Measured(num_blocks, None if rejection is not None else best_us)


def _run(
    candidate: Candidate, model: BlockPool, make: JsonObject | None, calls: list[Call]
) -> Rejection | Broken | None:
    """None if all is right; Broken if the time ran out, which is for the caller to judge."""
    replies = candidate.run(make, calls)
    for call, got in zip(calls, replies.answers, strict=False):
        expected = model.answer(call)
        if not same(expected, got):
            text = say(
                "on a pool of {num_blocks} blocks {call} must return {expected}, got {got}: "
                "nothing may depend on the size of the pool.",
                num_blocks=model.num_blocks,
                call=call_text(call),
                expected=python_text(expected),
                got=python_text(got),
            )
            return _rejection(Verdict.WRONG_ANSWER, text, model, call, expected, got)
    broken = replies.broken
    if broken is None or broken.verdict is Verdict.TIME_LIMIT:
        return broken
    call = calls[min(len(replies.answers), len(calls) - 1)]
    return _rejection(broken.verdict, broken.text, model, call, model.answer(call), None)


def _rejection(
    verdict: Verdict, text: str, model: BlockPool, call: Call, expected: Json, got: Json
) -> Rejection:
    row = Row(say("answer"), python_text(expected), python_text(got), ok=False)
    make = f"BlockManager(num_blocks={model.num_blocks}, block_size={BLOCK_SIZE})"
    data = operations(make, [Step(call_text(call), [row])])
    return Rejection(verdict, text, {}, data)


def _round(model: BlockPool, count: int, generator: random.Random) -> list[Call]:
    """A steady state: sequences come, grow, are forked and go; a few live at any time.

    It is drawn without the model, which must answer the calls later.
    """
    living: list[str] = []
    calls: list[Call] = []
    serial = 0
    while len(calls) < count:
        serial += 1
        name = f"s{serial}"
        tokens: list[Json] = [
            generator.randrange(4) for _ in range(2 * generator.randint(2, SEQUENCE_BLOCKS) + 1)
        ]
        calls.append(("allocate", (name, tokens)))
        calls += [("append", (name, generator.randrange(4))) for _ in range(4)]
        calls.append(("fork", (name, f"{name}f")))
        calls.append(("append", (f"{name}f", 1)))
        calls.append(("free", (name,)))
        living.append(f"{name}f")
        if len(living) > LIVING:
            calls.append(("free", (living.pop(generator.randrange(LIVING)),)))
    calls += [("free", (name,)) for name in living]
    return calls


def _metrics(pools: list[_Measured]) -> JsonObject:
    return {
        "us_per_operation": [
            {"num_blocks": pool.num_blocks, "us": round(pool.us_per_operation, 1)}
            for pool in pools
            if pool.us_per_operation is not None
        ]
    }


def _slow(growth: Growth, pools: list[_Measured], ratio: float | None) -> Rejection:
    costs = [
        _OUT_OF_TIME if cost is None else f"{cost:.1f} us"
        for cost in (pool.us_per_operation for pool in pools)
    ]
    if ratio is None:
        fact = say(
            "it takes {cost} on a small pool, and on a large one the time ran out", cost=costs[0]
        )
    else:
        fact = say(
            "it takes {cost} on a small pool and {more} on a large one, {ratio} times as much",
            cost=costs[0],
            more=costs[-1],
            ratio=f"{ratio:.1f}",
        )
    text = say(
        "the cost of an operation must not grow with the pool: {fact}. Look for a walk over all "
        "blocks, such as min, sort, remove or pop(0) on a list.",
        fact=fact,
    )
    data: JsonObject = {
        "growth": [
            {"num_blocks": pool.num_blocks, "cost": cost}
            for pool, cost in zip(pools, costs, strict=True)
        ]
    }
    literal: JsonObject = {
        "growth": {"small": growth.small, "large": growth.large, "operations": growth.operations}
    }
    return Rejection(Verdict.TOO_SLOW, text, literal, data, "growth")
