"""Why a run is rejected, in words: the rule, the fact, and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from graders.endings import how_it_ended
from graders.ports import Outcome, StopReason
from graders.simulation.ring.ring import Message, Post, Ring, Side
from graders.text import Text, clean, from_sandbox, say
from graders.verdict import Json, JsonObject, Verdict


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run is rejected.

    Shrinking keeps `kind` and `place`, which says of an exception what and where it was, with its
    numbers struck out, since they may differ on a smaller input.
    """

    kind: str
    verdict: Verdict
    text: Text
    bad: Message | None = None
    rank: int | None = None
    detail: JsonObject = field(default_factory=dict)
    place: str = ""


def stopped(rank: int, outcome: Outcome, step_time_limit_s: float) -> Failure:
    """The failure of a rank whose program has ended or is late."""
    reason = outcome.reason
    if reason is StopReason.WALL_TIME:
        text = say(
            "a rank may compute for {limit_s:g} s between two blocking calls: rank {rank} gave "
            "no answer in that time. Look for a loop that does not end.",
            limit_s=step_time_limit_s,
            rank=rank,
        )
        return Failure("time_limit", Verdict.TIME_LIMIT, text, rank=rank)
    verdict = {
        StopReason.CPU_TIME: Verdict.TIME_LIMIT,
        StopReason.MEMORY: Verdict.MEMORY_LIMIT,
        StopReason.OUTPUT: Verdict.OUTPUT_LIMIT,
    }.get(reason, Verdict.RUNTIME_ERROR)
    text = say(
        "the program of each rank must live until the run ends: that of rank {rank} did not: "
        "{fact}. Return from the function instead.",
        rank=rank,
        fact=how_it_ended(outcome),
    )
    return Failure(f"stopped_{reason}", verdict, text, rank=rank)


def raised(rank: int, message: dict[str, Any], entry_point: str) -> Failure:
    """The failure of a rank whose call ended in an exception.

    Raises
    ------
    ValueError
        If the message is no text that the harness would have written.
    """
    error, said = clean(str(message.get("error"))), from_sandbox(message.get("message"))
    detail: JsonObject = {"error": error, "traceback": clean(str(message.get("traceback")))}
    if message["type"] == "misuse":
        text = say(
            "{fact}. This happened on rank {rank}. Wait first, or use another array.",
            fact=said,
            rank=rank,
        )
        return Failure("buffer_changed", Verdict.WRONG_ANSWER, text, None, rank, detail)
    verdict = Verdict.MEMORY_LIMIT if error == "MemoryError" else Verdict.RUNTIME_ERROR
    text = say(
        "{entry_point} must return without an exception: rank {rank} raised {error}",
        entry_point=entry_point,
        rank=rank,
        error=said,
    )
    place = f"{error} at {message.get('line')}: {re.sub('[0-9]+', '#', said)}"
    return Failure("raised", verdict, text, None, rank, detail, place)


def deadlock(ring: Ring, waiting: dict[int, int]) -> Failure:
    """Who waits for whom: the cycle, or the chain that ends at a rank that has returned."""
    posts = {rank: ring.post_of(rank, request) for rank, request in waiting.items()}
    chain = [min(waiting)]
    while posts[chain[-1]].peer in waiting and posts[chain[-1]].peer not in chain:
        chain.append(posts[chain[-1]].peer)
    target = posts[chain[-1]].peer
    if target in waiting:
        chain = chain[chain.index(target) :]
    links = say_wait(posts[chain[0]])
    for rank in chain[1:]:
        links = say("{links}, {link}", links=links, link=say_wait(posts[rank]))
    if target in waiting:
        text = say(
            "deadlock: every wait must be met by the other end, but {links}: a cycle. An isend "
            "completes only when its receive is posted, so post irecv before you wait for isend.",
            links=links,
        )
    else:
        text = say(
            "deadlock: every wait must be met by the other end, but {links}, which has returned "
            "without the call that would meet it. Make both ends take the same number of steps.",
            links=links,
        )
    edges: list[Json] = [
        {
            "rank": rank,
            "waits_for": post.peer,
            "in_cycle": rank in chain,
            "text": say_wait(post),
        }
        for rank, post in sorted(posts.items())
    ]
    detail: JsonObject = {"waits": edges, "is_cycle": target in waiting}
    bad = ring.requests[chain[0]][waiting[chain[0]]]
    return Failure("deadlock", Verdict.WRONG_ANSWER, text, bad, chain[0], detail)


def say_wait(post: Post) -> Text:
    """``rank 0 waits for its isend to rank 1``."""
    if post.side is Side.SEND:
        return say("rank {rank} waits for its isend to rank {peer}", rank=post.rank, peer=post.peer)
    return say("rank {rank} waits for its irecv from rank {peer}", rank=post.rank, peer=post.peer)
