"""One run of a collective: ranks in their programs on one side, the simulated ring on the other.

Ranks run one at a time, each until it waits for something that is not complete or returns. What a
rank's program says is the candidate's word: every field is checked before it counts.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from graders.harness import wire
from graders.ports import Outcome
from graders.simulation.ring.failures import Failure, deadlock, raised, stopped
from graders.simulation.ring.inputs import Input, Settings, Vector
from graders.simulation.ring.ranks import Ranks
from graders.simulation.ring.ring import Message, Ring, Side, Violation
from graders.text import Text, say
from graders.verdict import Json, JsonObject, Verdict

MESSAGES_PER_RANK = 2048
FLOOD_FACTOR = 64  # of the vector's bytes, and a MiB: no rank of any sane algorithm sends as much
_DTYPE = re.compile(r"[<>|=][biufc](\d{1,2})")


@dataclass(slots=True)
class Trace:
    """All that one run left: what the ring saw, what the ranks hold, and what stopped it."""

    input: Input
    vectors: list[Vector]
    ring: Ring
    results: dict[int, bytes] = field(default_factory=dict)  # of the ranks that returned
    returned: dict[int, str | None] = field(default_factory=dict)  # type name of the value
    failure: Failure | None = None


class _Stray(Exception):
    """A frame that the harness would not have written."""

    def __init__(self, fact: Text) -> None:
        super().__init__(fact)
        self.fact = fact


def run(ranks: Ranks, chosen: Input, seed: int, settings: Settings, number: int) -> Trace:
    """Run one collective to its end, or to the first thing that stops it.

    Parameters
    ----------
    ranks : Ranks
        Programs; fresh ones are started where missing, and those left in the middle are closed.
    number : int
        Tells this run's frames from any other's.

    Raises
    ------
    ImportFailed
        If a fresh program could not import the submission.
    """
    ranks.ensure(chosen.n_ranks)
    ring = Ring(chosen.n_ranks, settings.alpha_s, settings.beta_s_per_byte)
    trace = Trace(chosen, chosen.vectors(seed), ring)
    _Run(ranks, trace, settings, number).to_the_end()
    return trace


class _Run:
    def __init__(self, ranks: Ranks, trace: Trace, settings: Settings, number: int) -> None:
        self.ranks = ranks
        self.trace = trace
        self.ring = trace.ring
        self.settings = settings
        self.number = number
        self.waiting: dict[int, int] = {}  # rank -> request that it stands at
        self.untold: list[list[int]] = [[] for _ in trace.vectors]  # requests, by rank

    def to_the_end(self) -> None:
        trace = self.trace
        runnable = deque(range(trace.input.n_ranks))
        started: set[int] = set()
        while runnable and trace.failure is None:
            rank = runnable.popleft()
            if rank in started:
                self._wake(rank)
            else:
                started.add(rank)
                self._begin(rank)
            trace.failure = self._hear(rank)
            for other, request in sorted(self.waiting.items()):
                complete = self.ring.requests[other][request].end_s is not None
                if complete and other not in runnable:
                    runnable.append(other)
        if trace.failure is None and self.waiting:
            trace.failure = deadlock(self.ring, self.waiting)
        if trace.failure is None:
            self._settle()
        self.ranks.discard(started - set(trace.results))

    def _settle(self) -> None:
        """See that no rank has left a frame behind, which would be taken for a later answer."""
        for rank in sorted(self.trace.results):
            self.ranks.send(rank, {"type": "settle", "run": self.number})
            answer = self.ranks.receive(rank, self.settings.step_time_limit_s)
            if isinstance(answer, Outcome):
                self.trace.failure = stopped(rank, answer, self.settings.step_time_limit_s)
            elif not _is_settled(answer, self.number):
                self.trace.failure = _stray_frame(rank, say("it came after the call had returned"))
            else:
                continue
            del self.trace.results[rank]
            return

    def _begin(self, rank: int) -> None:
        message: JsonObject = {
            "type": "run",
            "run": self.number,
            "rank": rank,
            "size": self.trace.input.n_ranks,
            "dtype": self.trace.input.dtype,
        }
        self.ranks.send(rank, message, self.trace.vectors[rank].tobytes())

    def _wake(self, rank: int) -> None:
        """Tell a rank of all its requests that are complete and that it does not know of."""
        self.ring.wait(rank, self.waiting.pop(rank))
        complete: list[Json] = []
        pending = []
        payloads = []
        for request in self.untold[rank]:
            message = self.ring.requests[rank][request]
            if message.end_s is None:
                pending.append(request)
                continue
            complete.append(request)
            if self.ring.post_of(rank, request).side is Side.RECV:
                payloads.append(message.payload)
        self.untold[rank] = pending
        self.ranks.send(rank, {"type": "completed", "requests": complete}, *payloads)

    def _hear(self, rank: int) -> Failure | None:
        """Take in one frame of a rank; what it says that ends the run."""
        answer = self.ranks.receive(rank, self.settings.step_time_limit_s)
        if isinstance(answer, Outcome):
            return stopped(rank, answer, self.settings.step_time_limit_s)
        try:
            message, blobs = wire.unpack(answer)
            if message.get("run") != self.number:
                raise _Stray(say("it belongs to no call"))
            return self._take(rank, message, blobs)
        except Violation as violation:
            return Failure(
                violation.kind, Verdict.WRONG_ANSWER, violation.text, violation.message, rank
            )
        except wire.WireError:
            return _stray_frame(rank, say("it is no whole message"))
        except _Stray as stray:
            return _stray_frame(rank, stray.fact)

    def _take(self, rank: int, message: dict[str, Any], blobs: list[bytes]) -> Failure | None:
        kind = message.get("type")
        ops = message.get("ops")
        if not isinstance(ops, list):
            raise _Stray(say("it lists no operations"))
        if kind == "wait" and not (ops and isinstance(ops[-1], dict) and ops[-1].get("op")):
            raise _Stray(say("a wait must name its request"))
        last = ops.pop() if kind == "wait" else None
        payloads = deque(blobs)
        for op in ops:
            failure = self._apply(rank, op, payloads)
            if failure is not None:
                return failure
        if last is not None:
            if payloads or last.get("op") != "wait":
                raise _Stray(say("it carries more than it says"))
            self.waiting[rank] = self._request(rank, last)
            return None
        if kind == "returned" and len(payloads) == 1:
            name = message.get("returned")
            if len(payloads[0]) != self.trace.input.vector_bytes:
                raise _Stray(say("the vector that it gives back has another size"))
            self.trace.results[rank] = payloads[0]
            self.trace.returned[rank] = str(name)[:80] if name is not None else None
            return None
        if kind in ("raised", "misuse") and not payloads:
            try:
                return raised(rank, message, self.settings.entry_point)
            except ValueError:
                raise _Stray(say("its exception has no text")) from None
        raise _Stray(say("its type is unknown"))

    def _apply(self, rank: int, op: object, payloads: deque[bytes]) -> Failure | None:
        """One posted request or one wait for a request that the rank knew to be complete."""
        if not isinstance(op, dict):
            raise _Stray(say("an operation must be an object"))
        if op.get("op") == "wait":
            if not self.ring.wait(rank, self._request(rank, op)):
                raise _Stray(say("it went on before its request was complete"))
            return None
        if op.get("op") not in ("send", "recv"):
            raise _Stray(say("its operation is unknown"))
        side = Side(op["op"])
        peer, count, dtype, first = (op.get(key) for key in ("peer", "count", "dtype", "first"))
        n_ranks = self.trace.input.n_ranks
        if type(peer) is not int or not 0 <= peer < n_ranks or peer == rank:
            raise _Stray(say("its peer is no other rank"))
        match = _DTYPE.fullmatch(dtype) if isinstance(dtype, str) else None
        if type(count) is not int or not 0 <= count < 1 << 32 or match is None:
            raise _Stray(say("its array has no dtype or length"))
        if op.get("request") != len(self.ring.requests[rank]):
            raise _Stray(say("its requests are not numbered in order"))
        n_bytes = count * int(match[1])
        payload = b""
        if side is Side.SEND:
            if not payloads or len(payloads[0]) != n_bytes:
                raise _Stray(say("its payload does not fit its length"))
            payload = payloads.popleft()
        known = type(first) is int and 0 <= first <= self.trace.input.length - count
        begin = first if known else None
        self.untold[rank].append(len(self.ring.requests[rank]))
        message = self.ring.post(side, rank, peer, str(dtype), count, n_bytes, begin, payload)
        return self._flood(rank, message)

    def _request(self, rank: int, op: dict[str, Any]) -> int:
        request = op.get("request")
        if type(request) is not int or not 0 <= request < len(self.ring.requests[rank]):
            raise _Stray(say("it waits for a request that it never made"))
        return request

    def _flood(self, rank: int, message: Message) -> Failure | None:
        limit_bytes = FLOOD_FACTOR * self.trace.input.vector_bytes + (1 << 20)
        sent_bytes = self.ring.sent_bytes[rank]
        n_requests = len(self.ring.requests[rank])
        if n_requests <= MESSAGES_PER_RANK and sent_bytes <= limit_bytes:
            return None
        return Failure(
            "flood",
            Verdict.WRONG_ANSWER,
            say(
                "a rank may post {max_requests} requests and send {limit_bytes} bytes at most: "
                "rank {rank} has posted {n_requests} and sent {sent_bytes}. Look for a loop that "
                "does not end.",
                max_requests=MESSAGES_PER_RANK,
                limit_bytes=limit_bytes,
                rank=rank,
                n_requests=n_requests,
                sent_bytes=sent_bytes,
            ),
            message,
            rank,
        )


def _is_settled(answer: bytes, number: int) -> bool:
    try:
        message, blobs = wire.unpack(answer)
    except wire.WireError:
        return False
    return message == {"type": "settled", "run": number} and not blobs


def _stray_frame(rank: int, fact: Text) -> Failure:
    return Failure(
        "stray_frame",
        Verdict.RUNTIME_ERROR,
        say(
            "only the harness may write to its descriptors: what came from the program of rank "
            "{rank} is no answer of the harness ({fact}). Use comm alone.",
            rank=rank,
            fact=fact,
        ),
        rank=rank,
    )
