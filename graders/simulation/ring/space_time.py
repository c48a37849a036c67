"""The space-time diagram of a run: ranks as rows, time to the right, messages as arrows.

Pure geometry: a trace goes in, a JSON object with every coordinate comes out, and the template
only writes it down. With three ranks or more the first rank appears again below the last one, so
that every arrow of the ring goes to the next row and none crosses the whole picture.
"""

from __future__ import annotations

import math
from collections.abc import Collection

from graders.simulation.ring.ring import Message, Post, Ring, Wait
from graders.text import say, say_n
from graders.verdict import Json, JsonObject

LABEL_WIDTH = 64.0
PLOT_WIDTH = 640.0
RIGHT_MARGIN = 40.0
TOP_MARGIN = 22.0
ROW_HEIGHT = 54.0
AXIS_HEIGHT = 40.0
ARROW_LENGTH = 8.0
ARROW_HALF_WIDTH = 3.2
OPEN_ARROW_WIDTH = 70.0
OPEN_ARROW_REACH = 0.4  # of the way: an arrow that never arrives stops before the middle
LABEL_AT = 0.3  # of the way: before the middle, where arrows of both directions cross
MAX_MESSAGES = 120
MAX_LABELLED = 16


def layout(
    ring: Ring,
    bad: Message | None = None,
    wrong_ranks: Collection[int] = (),
    returned: Collection[int] = (),
    waiting: Collection[int] = (),
) -> JsonObject:
    """Lay out a run.

    Parameters
    ----------
    ring : Ring
        The run's messages, waits and clocks.
    bad : Message, optional
        The first bad message; it is marked.
    wrong_ranks, returned, waiting : collections of int
        Ranks that ended with a wrong result, that returned, and that stand in a wait for ever.

    Returns
    -------
    JsonObject
        ``width``, ``height``, ``rows``, ``ticks``, ``waits``, ``arrows`` and ``messages`` (the
        same as a table), all coordinates in user units of an SVG; times as text with unit.
    """
    ordered = sorted(ring.messages, key=_order)
    kept = ordered[:MAX_MESSAGES]
    if bad is not None and not any(message is bad for message in kept):
        kept[-1] = bad
    shown_until_s = max((_known_until(message) for message in kept), default=0.0)
    complete = len(kept) == len(ordered)
    end_s = max(ring.time_s, shown_until_s) if complete else shown_until_s
    if waiting or any(message.end_s is None for message in kept):
        end_s += ring.alpha_s  # room for what never ends
    plot = _Plot(ring.n_ranks, end_s or ring.alpha_s)
    rows: list[Json] = []
    for row in range(plot.n_rows):
        rank = row % ring.n_ranks
        mark = "bad" if rank in wrong_ranks else "ok" if rank in returned else "none"
        rows.append(
            {
                "rank": rank,
                "label": say("rank {rank}", rank=rank),
                "y": _round(plot.row_y(row)),
                "text_y": _round(plot.row_y(row) + 4),
                "x1": LABEL_WIDTH,
                "x2": LABEL_WIDTH + PLOT_WIDTH,
                "mark_x": LABEL_WIDTH + PLOT_WIDTH + 16,
                "mark": mark,
                "repeated": row >= ring.n_ranks,
            }
        )
    waits = list(ring.waits) + [Wait(rank, ring.clock_s[rank], end_s) for rank in waiting]
    drawn_waits = [box for wait in waits if wait.begin_s < end_s for box in plot.wait(wait)]
    label_all = len(kept) <= MAX_LABELLED
    arrows: list[Json] = [plot.arrow(message, message is bad, label_all) for message in kept]
    return {
        "width": LABEL_WIDTH + PLOT_WIDTH + RIGHT_MARGIN,
        "height": _round(plot.bottom_y + AXIS_HEIGHT),
        "axis_y": _round(plot.bottom_y + 8),
        "tick_y": _round(plot.bottom_y + 13),
        "tick_text_y": _round(plot.bottom_y + 27),
        "plot_x1": LABEL_WIDTH,
        "plot_x2": LABEL_WIDTH + PLOT_WIDTH,
        "top_y": TOP_MARGIN / 2,
        "rows": rows,
        "ticks": list(plot.ticks()),
        "waits": list(drawn_waits),
        "arrows": arrows,
        "messages": [_table_row(message, message is bad) for message in kept],
        "messages_in_all": len(ordered),
        "messages_shown": len(kept),
        "text": say(
            "{ranks}, {messages}, {time} of simulated time.",
            ranks=say_n("{count} rank", "{count} ranks", count=ring.n_ranks),
            messages=say_n("{count} message", "{count} messages", count=len(ordered)),
            time=_microseconds(ring.time_s),
        ),
    }


class _Plot:
    """Turns ranks and times into coordinates."""

    def __init__(self, n_ranks: int, end_s: float) -> None:
        self.n_ranks = n_ranks
        self.n_rows = n_ranks + 1 if n_ranks > 2 else n_ranks
        self.end_s = end_s

    @property
    def bottom_y(self) -> float:
        return TOP_MARGIN + (self.n_rows - 1) * ROW_HEIGHT

    def row_y(self, row: int) -> float:
        return TOP_MARGIN + row * ROW_HEIGHT

    def x(self, time_s: float) -> float:
        return LABEL_WIDTH + PLOT_WIDTH * min(time_s / self.end_s, 1.0)

    def rows_of(self, source: int, target: int) -> tuple[int, int]:
        """The rows between which a message is drawn: across the seam to the repeated row."""
        last = self.n_ranks - 1
        if self.n_rows > self.n_ranks and {source, target} == {0, last} and last > 1:
            return (last, last + 1) if source == last else (last + 1, last)
        return source, target

    def wait(self, wait: Wait) -> list[Json]:
        x1, x2 = self.x(wait.begin_s), self.x(wait.end_s)
        return [
            {
                "x": _round(x1),
                "width": _round(x2 - x1),
                "y": _round(self.row_y(row) - 3.5),
                "height": 7,
                "title": say(
                    "rank {rank} waits from {begin} to {end}",
                    rank=wait.rank,
                    begin=_microseconds(wait.begin_s),
                    end=_microseconds(wait.end_s),
                ),
            }
            for row in range(wait.rank, self.n_rows, self.n_ranks)
        ]

    def ticks(self) -> list[Json]:
        """About six round times along the axis."""
        raw = self.end_s * 1e6 / 6
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
        count = int(self.end_s * 1e6 / step * 1.000001)
        return [
            {"x": _round(self.x(index * step / 1e6)), "label": f"{index * step:.6g}"}
            for index in range(count + 1)
        ]

    def arrow(self, message: Message, bad: bool, labelled: bool) -> JsonObject:
        from_row, to_row = self.rows_of(message.source, message.target)
        y1, y2 = self.row_y(from_row), self.row_y(to_row)
        if message.start_s is not None and message.end_s is not None:
            x1, x2, state = self.x(message.start_s), self.x(message.end_s), "sent"
        else:
            state = "open"
            x1 = self.x(message.post.time_s)
            x2 = x1 + OPEN_ARROW_WIDTH
            reach = (y2 - y1) * OPEN_ARROW_REACH
            if message.send is not None:
                y2 = y1 + reach
            else:  # a receive alone: its half of the arrow, which ends at the receiver
                y1 = y2 - reach
        posted_x = self.x(message.post.time_s)
        if state == "open":
            label_x, label_y = x2 + 6, y2 + 4
        else:
            label_x = x1 + (x2 - x1) * LABEL_AT + 6
            label_y = y1 + (y2 - y1) * LABEL_AT + (-3 if y2 > y1 else 10)
        return {
            "x1": _round(x1),
            "y1": _round(y1),
            "x2": _round(x2),
            "y2": _round(y2),
            "head": _arrow_head(x1, y1, x2, y2),
            "posted_x": _round(posted_x),
            "late": state == "sent" and x1 - posted_x > 1.5,
            "label": _elements(message) if labelled or bad else "",
            "label_x": _round(label_x),
            "label_y": _round(label_y),
            "state": state,
            "bad": bad,
            "title": _title(message),
        }


def _order(message: Message) -> tuple[float, int, int]:
    time_s = message.post.time_s if message.start_s is None else message.start_s
    return (time_s, message.source, message.target)


def _known_until(message: Message) -> float:
    return message.post.time_s if message.end_s is None else message.end_s


def _arrow_head(x1: float, y1: float, x2: float, y2: float) -> str:
    """The points of an SVG polygon: a triangle whose tip is at (x2, y2)."""
    length = math.hypot(x2 - x1, y2 - y1) or 1.0
    dx, dy = (x2 - x1) / length, (y2 - y1) / length
    base_x, base_y = x2 - ARROW_LENGTH * dx, y2 - ARROW_LENGTH * dy
    points = (
        (x2, y2),
        (base_x - ARROW_HALF_WIDTH * dy, base_y + ARROW_HALF_WIDTH * dx),
        (base_x + ARROW_HALF_WIDTH * dy, base_y - ARROW_HALF_WIDTH * dx),
    )
    return " ".join(f"{_round(x)},{_round(y)}" for x, y in points)


def _elements(message: Message) -> str:
    """``[4:6)`` of the vector, or how many elements if it is not known which."""
    count = message.post.count
    if message.first is not None:
        return f"[{message.first}:{message.first + count})"
    return say("empty") if count == 0 else say("{count} el.", count=count)


def _title(message: Message) -> str:
    if message.end_s is None:
        return say(
            "{post}, posted at {time}, never met",
            post=message.post.describe(),
            time=_posted(message.post),
        )
    return say(
        "rank {source} to rank {target}: {elements}, {n_bytes} bytes, {start} to {end}",
        source=message.source,
        target=message.target,
        elements=_elements_in_words(message),
        n_bytes=message.post.n_bytes,
        start=_microseconds(message.start_s),
        end=_microseconds(message.end_s),
    )


def _elements_in_words(message: Message) -> str:
    count = message.post.count
    if message.first is None:
        return say_n("{count} element", "{count} elements", count=count)
    return say("elements [{first}, {end})", first=message.first, end=message.first + count)


def _table_row(message: Message, bad: bool) -> JsonObject:
    return {
        "source": message.source,
        "target": message.target,
        "elements": _elements_in_words(message),
        "bytes": message.post.n_bytes,
        "posted": _posted(message.send),
        "received": _posted(message.recv),
        "start": _microseconds(message.start_s),
        "end": _microseconds(message.end_s),
        "bad": bad,
    }


def _posted(post: Post | None) -> str:
    return say("never") if post is None else _microseconds(post.time_s)


def _microseconds(time_s: float | None) -> str:
    return say("never") if time_s is None else f"{time_s * 1e6:.6g} \N{MICRO SIGN}s"


def _round(coordinate: float) -> float:
    return round(coordinate, 1)
