"""What a rank does: operations on micro-batches and stages, read from the candidate's answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from graders.simulation.pipeline.pipelines import Pipeline
from graders.text import Text, say
from graders.verdict import Json, JsonObject

MAX_SHOWN = 100  # characters of an answer inside a message


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One pass of one micro-batch through one stage. `kind` is F, B, I or W."""

    kind: str
    micro_batch: int
    stage: int

    def describe(self) -> Text:
        """``B of micro-batch 3 in stage 0``."""
        return say(
            "{kind} of micro-batch {micro_batch} in stage {stage}",
            kind=self.kind,
            micro_batch=self.micro_batch,
            stage=self.stage,
        )

    @property
    def backward(self) -> bool:
        """It gives the gradient of the stage's input, which the stage before waits for."""
        return self.kind in ("B", "I")


@dataclass(frozen=True, slots=True)
class Operation:
    """What a rank does at a time: one pass, or a forward and a backward pass overlapped."""

    parts: tuple[Part, ...]

    @property
    def kind(self) -> str:
        return "".join(part.kind for part in self.parts)

    def describe(self) -> Text:
        first = self.parts[0].describe()
        if len(self.parts) == 1:
            return first
        return say("FB ({first} with {second})", first=first, second=self.parts[1].describe())

    @property
    def takes(self) -> int:
        """Stashes that it adds at its start."""
        return sum(part.kind == "F" for part in self.parts)

    @property
    def frees(self) -> int:
        """Stashes that it gives back at its end: with the whole backward pass, or its last half."""
        return sum(part.kind in ("B", "W") for part in self.parts)

    def to_json(self) -> Json:
        """As the candidate writes it."""
        numbers: list[Json] = [
            number for part in self.parts for number in (part.micro_batch, part.stage)
        ]
        return [self.kind, *numbers]


Orders: TypeAlias = list[list[Operation]]  # of each rank, first operation first


def passes(kind: str, *numbers: int) -> Operation:
    """``passes("F", 3, 0)``; ``passes("FB", 4, 0, 3, 0)`` is a forward pass with a backward one."""
    kinds = ("F", "B") if kind == "FB" else (kind,)
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return Operation(tuple(Part(one, *pair) for one, pair in zip(kinds, pairs, strict=True)))


@dataclass(frozen=True, slots=True)
class Misread:
    """The rule that the shape of an answer breaks, and what was there."""

    kind: str
    text: Text


def read_orders(answer: Json, pipeline: Pipeline) -> Orders | Misread:
    """The operations of each rank, or what is wrong with how they are written."""
    if not isinstance(answer, list) or len(answer) != pipeline.n_ranks:
        got = say("{count} lists", count=len(answer)) if isinstance(answer, list) else _cut(answer)
        return Misread(
            "shape",
            say(
                "schedule must return one list of operations for each of the {ranks} ranks, got "
                "{got}",
                ranks=pipeline.n_ranks,
                got=got,
            ),
        )
    orders: Orders = []
    for rank, given in enumerate(answer):
        if not isinstance(given, list):
            text = say(
                "each rank must have a list of operations: that of rank {rank} is {got}",
                rank=rank,
                got=_cut(given),
            )
            return Misread("shape", text)
        orders.append([])
        for index, one in enumerate(given):
            read = _read(one, pipeline)
            if isinstance(read, Text):
                text = say(
                    "{rule}. Operation {index} of rank {rank} is {got}",
                    rule=read,
                    index=index,
                    rank=rank,
                    got=_cut(one),
                )
                return Misread("shape", text)
            orders[-1].append(read)
    return orders


def _read(given: Json, pipeline: Pipeline) -> Operation | Text:
    kinds = pipeline.schedule.kinds
    if not isinstance(given, list) or not given or given[0] not in kinds:
        return say(
            "an operation of {schedule} must be a tuple that begins with one of {kinds}",
            schedule=pipeline.schedule.value,
            kinds=", ".join(kinds),
        )
    kind, numbers = str(given[0]), given[1:]
    if kind == "FB" and len(numbers) != 4:
        return say('an overlapped pair must be ("FB", micro-batch, stage, micro-batch, stage)')
    if kind != "FB" and len(numbers) != 2:
        return say("an operation must be (kind, micro-batch, stage)")
    whole = [one for one in numbers if type(one) is int]
    limits = (pipeline.n_micro_batches, pipeline.n_stages) * 2
    inside = all(0 <= one < limit for one, limit in zip(whole, limits, strict=False))
    if len(whole) < len(numbers) or not inside:
        return say(
            "micro-batches must be ints from 0 to {micro_batches} and stages from 0 to {stages}",
            micro_batches=pipeline.n_micro_batches - 1,
            stages=pipeline.n_stages - 1,
        )
    if kind == "FB" and whole[0] == whole[2]:
        return say("an overlapped pair must be of two micro-batches")
    return passes(kind, *whole)


def _cut(value: object) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def orders_to_json(orders: Orders) -> JsonObject:
    """For a counterexample that keeps what the candidate gave."""
    return {str(rank): [one.to_json() for one in order] for rank, order in enumerate(orders)}
