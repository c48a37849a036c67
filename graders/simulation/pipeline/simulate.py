"""Runs orders: each rank does its operations in turn, each as soon as what it needs is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from graders.simulation.pipeline.operations import Operation, Orders, Part
from graders.simulation.pipeline.pipelines import Pipeline

Place: TypeAlias = tuple[int, int]  # rank, and index in its order


@dataclass(frozen=True, slots=True)
class Ran:
    """One operation that was carried out, and the stashes that its rank held while it ran."""

    rank: int
    index: int
    operation: Operation
    begin: int
    end: int
    in_flight: int


@dataclass(slots=True)
class Run:
    """All that came of some orders; where an operation's needs never come, its rank stops there.

    Attributes
    ----------
    ran : list of list of Ran
        Of each rank, in order.
    stuck : dict of int to Part
        Of each rank that stopped, what its next operation waits for.
    """

    pipeline: Pipeline
    orders: Orders
    ran: list[list[Ran]] = field(default_factory=list)
    stuck: dict[int, Part] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """Units from the first operation to the end of the last."""
        return max((rank[-1].end for rank in self.ran if rank), default=0)

    def idle(self, rank: int) -> int:
        """Units in which the rank does nothing until the end of the step."""
        return self.end - sum(one.end - one.begin for one in self.ran[rank])

    @property
    def bubble(self) -> int:
        """The most that any rank is idle."""
        return max(self.idle(rank) for rank in range(len(self.ran)))

    def peak(self, rank: int) -> int:
        """The most stashes that the rank held."""
        return max((one.in_flight for one in self.ran[rank]), default=0)


def needs(part: Part, pipeline: Pipeline) -> list[Part]:
    """What must have ended before; of a B and an I, whichever of the two was listed, an I stands.

    A forward pass needs the stage before, a backward pass its own forward pass and the stage
    after, a weight's half its input's half.
    """
    micro_batch, stage = part.micro_batch, part.stage
    if part.kind == "F":
        return [Part("F", micro_batch, stage - 1)] if stage else []
    if part.kind == "W":
        return [Part("I", micro_batch, stage)]
    own = [Part("F", micro_batch, stage)]
    return own + ([Part("I", micro_batch, stage + 1)] if stage + 1 < pipeline.n_stages else [])


def gives(part: Part) -> Part:
    """Under what name others need it."""
    return Part("I", part.micro_batch, part.stage) if part.backward else part


def run(orders: Orders, pipeline: Pipeline) -> Run:
    """Run orders as far as they go. They need not be right, only written as operations."""
    made = Run(pipeline, orders, [[] for _ in orders])
    ended: dict[Part, tuple[int, int]] = {}  # when, and on which rank
    clock = [0] * len(orders)
    in_flight = [0] * len(orders)
    waiting: dict[Part, list[int]] = {}  # ranks to look at again
    todo = list(range(len(orders)))
    while todo:
        rank = todo.pop()
        made.stuck.pop(rank, None)
        for index in range(len(made.ran[rank]), len(orders[rank])):
            operation = orders[rank][index]
            begin = clock[rank]
            wanted = [need for part in operation.parts for need in needs(part, pipeline)]
            missing = next((need for need in wanted if need not in ended), None)
            if missing is not None:
                made.stuck[rank] = missing
                waiting.setdefault(missing, []).append(rank)
                break
            for need in wanted:
                at, where = ended[need]
                begin = max(begin, at + (pipeline.costs.latency if where != rank else 0))
            end = begin + pipeline.costs.of(operation.kind)
            in_flight[rank] += operation.takes
            made.ran[rank].append(Ran(rank, index, operation, begin, end, in_flight[rank]))
            in_flight[rank] -= operation.frees
            clock[rank] = end
            for part in operation.parts:
                given = gives(part)
                ended.setdefault(given, (end, rank))
                todo += waiting.pop(given, [])
    return made
