"""The orders that the schedules were published with, written from their descriptions.

What they cost is held against the closed forms and against published figures by tests. They are
drawn beside the candidate's, and give the limit where there is a latency.
"""

from __future__ import annotations

from collections.abc import Iterator

from graders.simulation.pipeline.operations import Operation, Orders, passes
from graders.simulation.pipeline.pipelines import Pipeline, Schedule


def published(pipeline: Pipeline) -> Orders:
    """The order of each rank."""
    orders = {
        Schedule.ONE_F_ONE_B: _one_f_one_b,
        Schedule.INTERLEAVED: _interleaved,
        Schedule.ZB1P: _zb1p,
        Schedule.DUALPIPE: _dualpipe,
    }[pipeline.schedule]
    return [list(orders(pipeline, rank)) for rank in range(pipeline.n_ranks)]


def _one_f_one_b(pipeline: Pipeline, rank: int) -> Iterator[Operation]:
    """Fill the pipeline behind this rank, then one backward pass for each forward pass."""
    n_ahead = pipeline.n_ranks - 1 - rank
    for turn in range(pipeline.n_micro_batches + n_ahead):
        if turn < pipeline.n_micro_batches:
            yield passes("F", turn, rank)
        if turn >= n_ahead:
            yield passes("B", turn - n_ahead, rank)


def _interleaved(pipeline: Pipeline, rank: int) -> Iterator[Operation]:
    """Groups of p micro-batches go through the rank's chunks in turn, backward passes reversed.

    Where p does not divide m the last group is made whole with micro-batches that are then left
    out: each chunk's turn keeps its place, and no rank waits for another in a circle.
    """
    p, v = pipeline.n_ranks, pipeline.n_chunks
    n_turns = -(-pipeline.n_micro_batches // p) * p * v
    n_ahead = min(2 * (p - 1 - rank) + (v - 1) * p, n_turns)
    for turn in range(n_turns + n_ahead):
        for kind, at in (("F", turn), ("B", turn - n_ahead)):
            group, within = divmod(at, p * v)
            chunk, place = divmod(within, p)
            micro_batch = group * p + place
            if 0 <= at < n_turns and micro_batch < pipeline.n_micro_batches:
                if kind == "B":
                    chunk = v - 1 - chunk
                yield passes(kind, micro_batch, chunk * p + rank)


def _zb1p(pipeline: Pipeline, rank: int) -> Iterator[Operation]:
    """1F1B's order with each W put off by `rank` micro-batches, so that it fills the bubble."""
    m, n_ahead = pipeline.n_micro_batches, pipeline.n_ranks - 1 - rank
    for turn in range(m + pipeline.n_ranks - 1):
        if turn < m:
            yield passes("F", turn, rank)
        if n_ahead <= turn < m + n_ahead:
            yield passes("I", turn - n_ahead, rank)
        if n_ahead + rank <= turn:
            yield passes("W", turn - n_ahead - rank, rank)


def _dualpipe(pipeline: Pipeline, rank: int) -> Iterator[Operation]:
    """The eight phases of DeepSeek's DualPipe; "near" micro-batches entered at the nearer end."""
    p, half = pipeline.n_ranks, pipeline.n_micro_batches // 2
    from_end = min(rank, p - 1 - rank)
    from_middle = p // 2 - 1 - from_end
    near, far = (
        (_Passage(0, rank), _Passage(half, p - 1 - rank))
        if rank < p // 2
        else (_Passage(half, p - 1 - rank), _Passage(0, rank))
    )
    put_off: list[tuple[int, int]] = []

    def split(passage: _Passage) -> Operation:
        put_off.append(passage.backward())
        return passes("I", *put_off[-1])

    for _ in range(2 * from_middle):
        yield passes("F", *near.forward())
    for _ in range(from_end + 1):
        yield passes("F", *near.forward())
        yield passes("F", *far.forward())
    for _ in range(from_middle):
        yield split(far)
        yield passes("W", *put_off.pop(0))
        yield passes("F", *far.forward())
    for turn in range(half - p + from_end + 1):
        if turn == 0 and from_middle == 0:
            # Not overlapped, so that the other middle rank gets the forward pass sooner.
            yield passes("F", *near.forward())
            yield passes("B", *far.backward())
        else:
            yield passes("FB", *near.forward(), *far.backward())
        yield passes("FB", *far.forward(), *near.backward())
    for _ in range(from_middle):
        yield passes("B", *far.backward())
        yield passes("FB", *far.forward(), *near.backward())
    for turn in range(2 * (from_end + 1)):
        passage = near if turn % 2 else far
        # The second half of these leaves its W's for the end, where they fill the bubble.
        yield split(passage) if turn > from_end else passes("B", *passage.backward())
    for _ in range(from_middle):
        yield passes("W", *put_off.pop(0))
        yield split(near)
    for left in put_off:
        yield passes("W", *left)


class _Passage:
    """The micro-batches that pass this rank in one direction, each forward once and back once."""

    def __init__(self, first: int, stage: int) -> None:
        self._stage = stage
        self._forward = self._backward = first - 1

    def forward(self) -> tuple[int, int]:
        self._forward += 1
        return self._forward, self._stage

    def backward(self) -> tuple[int, int]:
        self._backward += 1
        return self._backward, self._stage
