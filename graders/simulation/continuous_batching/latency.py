"""Late requests on a time axis: when their tokens came, and when they had to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from graders.simulation.continuous_batching.engine import (
    Limits,
    Request,
    is_good,
    longest_gap_ms,
    ttft_ms,
)
from graders.simulation.stateful.lanes import Figure, Lane, Span
from graders.text import say, say_n
from graders.verdict import JsonObject

REQUESTS_SHOWN = 10


def draw(done: list[Request], limits: Limits) -> JsonObject:
    """The latest of the requests that missed a limit, a lane each, from their arrival on."""

    def lateness(one: Request) -> float:
        return max(ttft_ms(one) / limits.ttft_ms, longest_gap_ms(one) / limits.itl_ms)

    late = [one for one in done if not is_good(one, limits)]
    worst = sorted(late, key=lateness, reverse=True)[:REQUESTS_SHOWN]
    worst.sort(key=lambda one: (one.arrival.at_ms, one.arrival.name))
    key: dict[str, str] = {
        "wait": say("waits for its first token"),
        "work": say("tokens come in time"),
        "lost": say("a token is late"),
    }
    title = say(
        "Requests from their arrival on, the latest {shown} of {late} that were late",
        shown=len(worst),
        late=len(late),
    )
    limit = say(
        "the first token must come by then ({ttft} ms), each next one {itl} ms after the last",
        ttft=f"{limits.ttft_ms:g}",
        itl=f"{limits.itl_ms:g}",
    )
    lanes = [_lane(one, limits) for one in worst]
    return Figure(title, say("ms"), lanes, key, limit).to_json()


def _lane(one: Request, limits: Limits) -> Lane:
    label = say(
        "{name} ({prompt} + {output} tokens)",
        name=one.arrival.name,
        prompt=one.arrival.prompt,
        output=one.arrival.output,
    )
    value = say(
        "first {first}, then {gap} ms",
        first=f"{ttft_ms(one):.0f}",
        gap=f"{longest_gap_ms(one):.0f}",
    )
    return Lane(label, list(_spans(one, limits)), value, limits.ttft_ms)


def _spans(one: Request, limits: Limits) -> Iterator[Span]:
    came = [round(at_ms - one.arrival.at_ms, 1) for at_ms in one.token_ms]
    first, limit = came[0], limits.ttft_ms
    yield Span(0.0, min(first, limit), "wait", say("waits for its first token"))
    if first > limit:
        yield Span(limit, first, "lost", say("the first token is late"))
    since, count = first, 0  # tokens in time that are not told yet
    for before, at in pairwise(came):
        if at - before <= limits.itl_ms:
            count += 1
            continue
        if before > since:
            yield Span(since, before, "work", _in_time(count))
        due = before + limits.itl_ms
        yield Span(before, due, "work", say("the next token is due"))
        yield Span(due, at, "lost", say("a token is late"))
        since, count = at, 0
    if came[-1] > since:
        yield Span(since, came[-1], "work", _in_time(count))


def _in_time(count: int) -> str:
    return say_n("{count} token in time", "{count} tokens in time", count=count)
