"""What a run that came to its end must fulfil, the gravest first."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from graders.simulation.ring.collective import Trace
from graders.simulation.ring.contributions import (
    count_parts,
    describe_parts,
    name_ranks,
    rounding_bound,
)
from graders.simulation.ring.failures import Failure
from graders.simulation.ring.inputs import Input, Vector
from graders.simulation.ring.ring import Message, Ring, Side, ring_bytes, ring_time_s
from graders.text import say
from graders.verdict import JsonObject, Verdict

TIME_TOLERANCE = 0.02
MAX_ELEMENTS_TRACED = 4  # of each message, when the first bad one is looked for
MIN_TOLERANCE_ELEMENTS = 4  # a vector of few elements cannot be cut evenly; see `Costs`


@dataclass(frozen=True, slots=True)
class Costs:
    """What a run cost beside what a ring all-reduce costs.

    Each rank sends ``2(n-1)/n`` of the vector, within one chunk (``ceil(length / n)`` elements).
    Where a chunk is smaller than 4 elements the tolerance is 4 elements: two chunks, or four if
    the vector goes round both ways, are each rounded by less than an element.
    """

    sent_bytes: tuple[int, ...]
    ideal_bytes: float
    tolerance_bytes: int
    time_s: float
    ideal_time_s: float

    @classmethod
    def of(cls, chosen: Input, ring: Ring) -> Costs:
        chunk = -(-chosen.length // chosen.n_ranks)
        return cls(
            tuple(ring.sent_bytes),
            ring_bytes(chosen.n_ranks, chosen.vector_bytes),
            max(chunk, MIN_TOLERANCE_ELEMENTS) * chosen.item_bytes if chosen.length else 0,
            ring.time_s,
            ring_time_s(
                chosen.n_ranks,
                chosen.length,
                chosen.item_bytes,
                ring.alpha_s,
                ring.beta_s_per_byte,
            ),
        )

    @property
    def bytes_ratio(self) -> float:
        """The most that a rank sent over the ideal; 1 where nothing has to be sent and is."""
        most = max(self.sent_bytes)
        return most / (self.ideal_bytes or self.tolerance_bytes or 1) if most else 1.0

    @property
    def time_ratio(self) -> float:
        return self.time_s / self.ideal_time_s if self.ideal_time_s else 1.0

    @property
    def too_slow(self) -> bool:
        return self.time_s > self.ideal_time_s * (1 + TIME_TOLERANCE)

    def to_json(self) -> JsonObject:
        return {
            "bytes_sent_by_rank": list(self.sent_bytes),
            "ideal_bytes": round(self.ideal_bytes, 1),
            "bytes_ratio": round(self.bytes_ratio, 4),
            "time_us": round(self.time_s * 1e6, 4),
            "ideal_time_us": round(self.ideal_time_s * 1e6, 4),
            "time_ratio": round(self.time_ratio, 4),
        }


def examine(trace: Trace) -> Failure | None:
    """The gravest thing wrong with a run; None if it is accepted."""
    if trace.failure is not None:
        return trace.failure
    for check in (_messages_met, _requests_waited, _sum, _same_bits, _bytes, _time):
        failure = check(trace)
        if failure is not None:
            return failure
    return None


def result(trace: Trace, rank: int) -> Vector:
    """What a rank that returned holds, shape (length,)."""
    return np.frombuffer(trace.results[rank], trace.input.dtype)


def exact_sum(vectors: list[Vector]) -> Vector:
    """The sum over ranks, shape (length,): integers exactly, floats rounded once, to float64."""
    if vectors[0].dtype.kind == "i":
        total: Vector = np.sum(vectors, axis=0)
        return total
    columns = np.array(vectors, dtype=np.float64).T
    return np.array([math.fsum(column) for column in columns], dtype=np.float64)


def wrong_elements(trace: Trace) -> dict[int, list[int]]:
    """Of each rank that returned, the elements that are not the sum, ascending."""
    expected = exact_sum(trace.vectors)
    bound = rounding_bound(np.array(trace.vectors))
    wrong = {}
    for rank in sorted(trace.results):
        got = result(trace, rank)
        if got.dtype.kind == "i":
            right = got == expected
        else:
            with np.errstate(invalid="ignore", over="ignore"):
                right = np.abs(got - expected) <= bound  # False for NaN
        wrong[rank] = [int(index) for index in np.flatnonzero(~right)]
    return wrong


def _messages_met(trace: Trace) -> Failure | None:
    for message in trace.ring.messages:
        if message.end_s is None:
            kind = "unread"
            text = say(
                "every message must be sent and received: no rank posted the irecv for {post}. "
                "Receive it, or do not send it.",
                post=message.post.describe(),
            )
            if message.recv is not None:
                kind = "never_sent"
                text = say(
                    "every message must be sent and received: no rank posted the isend for {post}. "
                    "Send it, or do not post the receive.",
                    post=message.post.describe(),
                )
            return Failure(kind, Verdict.WRONG_ANSWER, text, message, message.post.rank)
    return None


def _requests_waited(trace: Trace) -> Failure | None:
    for post in trace.ring.posts:
        if not post.waited:
            return Failure(
                "never_waited",
                Verdict.WRONG_ANSWER,
                say(
                    "every request must be waited for before the function returns: {post} never "
                    "was. Call wait() on it.",
                    post=post.describe(),
                ),
                trace.ring.requests[post.rank][post.request],
                post.rank,
            )
    return None


def _sum(trace: Trace) -> Failure | None:
    wrong = wrong_elements(trace)
    bad_ranks = [rank for rank, elements in wrong.items() if elements]
    if not bad_ranks:
        return None
    rank = bad_ranks[0]
    unchanged = all(
        trace.results[each] == vector.tobytes() for each, vector in enumerate(trace.vectors)
    )
    if unchanged and any(trace.ring.sent_bytes):
        name = trace.returned[rank]
        given = say("nothing was written")
        if name:
            given = say("the function returned a value of type {name}", name=name)
        text = say(
            "the sum must be left in buf: on every rank buf is unchanged and {given}. "
            "Write into it, as in buf[...] = total; `buf = total` only renames.",
            given=given,
        )
        return Failure("not_in_place", Verdict.WRONG_ANSWER, text, rank=rank)
    element = wrong[rank][0]
    got = result(trace, rank)[element].item()
    expected = exact_sum(trace.vectors)[element].item()
    parts = np.array([vector[element] for vector in trace.vectors])
    counts = count_parts(got, parts)
    passed_on = not set.intersection(*(set(elements) for elements in wrong.values()))
    fact = say(
        "on {ranks} element {element} is {got} instead of {expected}",
        ranks=name_ranks([rank]),
        element=element,
        got=f"{got:.6g}",
        expected=f"{expected:.6g}",
    )
    if math.isnan(got) or abs(got) >= 1 << 62:  # what the harness fills pending arrays with
        todo = say("It was read between irecv and its wait(), where an array holds no data.")
    else:
        why = describe_parts(counts)
        if why:
            fact = say("{fact}: {why}", fact=fact, why=why)
        todo = say("Check which chunk each step sends and receives.")
        if passed_on:
            todo = say(
                "Each element is right on some rank: the sums are made but not passed on to all "
                "ranks. Add or finish the all-gather."
            )
    text = say("every rank must end with the sum: {fact}. {todo}", fact=fact, todo=todo)
    detail: JsonObject = {
        "rank": rank,
        "element": element,
        "got": repr(got),
        "expected": repr(expected),
        "parts": [repr(part.item()) for part in parts],
        "counts": list(counts) if counts is not None else None,
        "wrong_ranks": list(bad_ranks),
    }
    return Failure(
        "wrong_sum", Verdict.WRONG_ANSWER, text, _first_wrong_message(trace, wrong), rank, detail
    )


def _first_wrong_message(trace: Trace, wrong: dict[int, list[int]]) -> Message | None:
    """The first message that no right all-reduce would send; None if what is wrong is missing.

    Such a message is written to other elements than it was read from, or carries what is no sum
    of parts that are there once each, or is the last to arrive at a wrong element and was left
    there as it came although it is no finished sum. Where elements lie is the ranks' own word: a
    lie marks another arrow, and changes no verdict.
    """
    parts = np.array(trace.vectors)
    sent = [message for message in trace.ring.messages if message.start_s is not None]
    sent.sort(key=lambda message: (message.start_s or 0.0, message.source))
    last_arrival: dict[tuple[int, int], Message] = {}
    for message in sent:
        first = _written_at(message)
        if first is not None:
            for element in range(first, first + message.post.count):
                last_arrival[message.target, element] = message
    for message in sent:
        read, written = message.send and message.send.first, message.recv and message.recv.first
        if read is not None and written is not None and read != written:
            return message
        first = _written_at(message)
        if first is None or message.post.dtype != parts.dtype.str:
            continue
        payload = np.frombuffer(message.payload, parts.dtype)
        for offset in range(min(len(payload), MAX_ELEMENTS_TRACED)):
            element = first + offset
            counts = count_parts(payload[offset].item(), parts[:, element])
            if counts is None or max(counts) > 1:
                return message
            was_copied = payload[offset] == result(trace, message.target)[element]
            is_last = last_arrival[message.target, element] is message
            if was_copied and is_last and element in wrong[message.target]:
                return message
    return None


def _written_at(message: Message) -> int | None:
    """Where the receiver puts the elements, by its own word or else the sender's."""
    written = message.recv.first if message.recv is not None else None
    return message.first if written is None else written


def _same_bits(trace: Trace) -> Failure | None:
    for rank in range(1, trace.input.n_ranks):
        if trace.results[rank] == trace.results[0]:
            continue
        here, there = result(trace, rank), result(trace, 0)
        as_bytes = (-1, trace.input.item_bytes)
        differs = here.view(np.uint8).reshape(as_bytes) != there.view(np.uint8).reshape(as_bytes)
        element = int(np.flatnonzero(differs.any(axis=1))[0])
        text = say(
            "all ranks must end with the same bits: element {element} is {there} on rank 0 and "
            "{here} on rank {rank}. The ranks add in different orders: let one rank finish each "
            "chunk and pass its result on.",
            element=element,
            there=repr(there[element].item()),
            here=repr(here[element].item()),
            rank=rank,
        )
        detail: JsonObject = {
            "element": element,
            "by_rank": [repr(result(trace, each)[element].item()) for each in trace.results],
            "wrong_ranks": [rank],
        }
        return Failure("not_identical", Verdict.WRONG_ANSWER, text, None, rank, detail)
    return None


def _bytes(trace: Trace) -> Failure | None:
    costs = Costs.of(trace.input, trace.ring)
    most, least, total = max(costs.sent_bytes), min(costs.sent_bytes), sum(costs.sent_bytes)
    needed_bytes = 2 * (trace.input.n_ranks - 1) * trace.input.vector_bytes
    rule = say("2(n-1)/n of the vector, {ideal_bytes:.6g} bytes", ideal_bytes=costs.ideal_bytes)
    if total < needed_bytes:
        text = say(
            "an all-reduce must move 2(n-1) vectors, {needed_bytes} bytes over all ranks: these "
            "ranks sent {sent_bytes} bytes, too few to know the sum. Exchange the elements "
            "themselves, all of them, through comm.",
            needed_bytes=needed_bytes,
            sent_bytes=total,
        )
        return Failure("too_few_bytes", Verdict.WRONG_ANSWER, text, None, 0, costs.to_json())
    budget_bytes = costs.ideal_bytes + costs.tolerance_bytes
    if most > budget_bytes:
        rank = costs.sent_bytes.index(most)
        text = say(
            "the sum is right, but it costs too many bytes: a rank may send {rule}, and at most "
            "{tolerance_bytes} bytes more; rank {rank} sent {sent_bytes}, {bytes_ratio:.2f} times "
            "the ideal (simulated time: {time_ratio:.2f} times). Send each chunk once to sum it "
            "and once to pass it on, with chunks that differ by one element at most.",
            rule=rule,
            tolerance_bytes=costs.tolerance_bytes,
            rank=rank,
            sent_bytes=most,
            bytes_ratio=costs.bytes_ratio,
            time_ratio=costs.time_ratio,
        )
        bad = _first_over_budget(trace, rank, budget_bytes)
        return Failure("bytes", Verdict.TOO_SLOW, text, bad, rank, costs.to_json())
    if least < costs.ideal_bytes - costs.tolerance_bytes:
        rank = costs.sent_bytes.index(least)
        text = say(
            "the sum is right, but the ranks do not share the work: each must send {rule}, and at "
            "most {tolerance_bytes} bytes less; rank {rank} sent {least_bytes} and another "
            "{most_bytes}, {bytes_ratio:.2f} times the ideal (simulated time: {time_ratio:.2f} "
            "times). Give every rank a chunk to finish.",
            rule=rule,
            tolerance_bytes=costs.tolerance_bytes,
            rank=rank,
            least_bytes=least,
            most_bytes=most,
            bytes_ratio=costs.bytes_ratio,
            time_ratio=costs.time_ratio,
        )
        return Failure("uneven_bytes", Verdict.TOO_SLOW, text, None, rank, costs.to_json())
    return None


def _first_over_budget(trace: Trace, rank: int, budget_bytes: float) -> Message | None:
    sent_bytes = 0
    for post in trace.ring.posts:
        if post.rank == rank and post.side is Side.SEND:
            sent_bytes += post.n_bytes
            if sent_bytes > budget_bytes:
                return trace.ring.requests[rank][post.request]
    return None


def _time(trace: Trace) -> Failure | None:
    costs = Costs.of(trace.input, trace.ring)
    if not costs.too_slow:
        return None
    limit_s = costs.ideal_time_s * (1 + TIME_TOLERANCE)
    late = [each for each in trace.ring.messages if (each.end_s or 0.0) > limit_s]
    bad = min(late, key=lambda message: (message.end_s or 0.0, message.source), default=None)
    text = say(
        "the sum is right, but it takes too long: the simulated time may be 2 % over "
        "2(n-1)(alpha + beta*S/n) = {ideal_us:.6g} us, and was {time_us:.6g} us, "
        "{time_ratio:.2f} times as much. In each step let every rank send and receive at the same "
        "time.",
        ideal_us=costs.ideal_time_s * 1e6,
        time_us=costs.time_s * 1e6,
        time_ratio=costs.time_ratio,
    )
    return Failure(
        "time", Verdict.TOO_SLOW, text, bad, bad.source if bad else None, costs.to_json()
    )
