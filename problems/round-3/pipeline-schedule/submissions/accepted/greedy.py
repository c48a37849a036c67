"""1F1B is not written down: each rank does what it can, backward first, within its memory."""

import itertools


def schedule(name, p, m, v, costs):
    if name == "1f1b":
        return greedy(p, m, costs)
    if name == "interleaved":
        return [list(interleaved(p, m, v, rank)) for rank in range(p)]
    if name == "zb1p":
        return [list(split(order, rank)) for rank, order in enumerate(greedy(p, m, costs))]
    return [list(dualpipe(p, m, rank)) for rank in range(p)]


def greedy(p, m, costs):
    """Go through time event by event; a rank holds p - rank micro-batches at most."""
    arrived = {("F", i, 0): 0 for i in range(m)}  # when a rank can begin a pass
    free, at = [0] * p, [dict(F=0, B=0) for _ in range(p)]
    orders = [[] for _ in range(p)]

    def next_of(rank):
        """The earliest pass that the rank can begin; backward first where both can."""
        i, j = at[rank]["F"], at[rank]["B"]
        found = []
        if ("B", j, rank) in arrived:
            found.append((max(free[rank], arrived["B", j, rank]), 0, "B", j))
        if ("F", i, rank) in arrived and i - j < p - rank:
            found.append((max(free[rank], arrived["F", i, rank]), 1, "F", i))
        return min(found, default=None)

    for _ in range(2 * m * p):
        waiting = ((next_of(rank), rank) for rank in range(p))
        (begin, _, kind, i), rank = min((one, rank) for one, rank in waiting if one)
        end = begin + costs[kind]
        free[rank] = end
        at[rank][kind] += 1
        orders[rank].append((kind, i, rank))
        if kind == "F" and rank == p - 1:
            arrived["B", i, rank] = end
        elif kind == "F":
            arrived["F", i, rank + 1] = end + costs["latency"]
        elif rank:
            arrived["B", i, rank - 1] = end + costs["latency"]
    return orders


def split(order, rank):
    """Each backward pass as two halves, the second `rank` micro-batches later."""
    late = []
    for kind, i, stage in order:
        if kind == "F":
            yield kind, i, stage
            continue
        yield "I", i, stage
        late.append(("W", i, stage))
        if len(late) > rank:
            yield late.pop(0)
    yield from late


def interleaved(p, m, v, rank):
    """Both sides as endless streams, the backward one later; what does not exist is left out."""
    turns = -(-m // p) * p * v

    def stream(kind, chunks):
        for group in itertools.count():
            for chunk, place in itertools.product(chunks, range(p)):
                yield kind, group * p + place, chunk * p + rank

    behind = 2 * (p - 1 - rank) + (v - 1) * p
    forward = itertools.islice(stream("F", range(v)), turns)
    backward = itertools.islice(stream("B", range(v - 1, -1, -1)), turns)
    late = itertools.chain([None] * behind, backward)
    for both in itertools.zip_longest(forward, late):
        yield from (one for one in both if one and one[1] < m)


def dualpipe(p, m, rank):
    end = min(rank, p - 1 - rank)
    gap = p // 2 - 1 - end
    ways = [(0, rank), (m // 2, p - 1 - rank)]
    if rank >= p // 2:
        ways.reverse()
    near, far = ((itertools.count(first), stage) for first, stage in ways)
    near_back, far_back = ((itertools.count(first), stage) for first, stage in ways)
    late = []

    def run(kind, way):
        return kind, next(way[0]), way[1]

    def both(way, back):
        return "FB", next(way[0]), way[1], next(back[0]), back[1]

    def half(back):
        kind, i, stage = run("I", back)
        late.append(("W", i, stage))
        return kind, i, stage

    for k in range(2 * gap + end + 1):
        yield run("F", near)
        if k >= 2 * gap:
            yield run("F", far)
    for _ in range(gap):
        yield half(far_back)
        yield late.pop()
        yield run("F", far)
    left = m // 2 - p + end + 1
    if gap == 0:
        yield run("F", near)
        yield run("B", far_back)
        yield both(far, near_back)
        left -= 1
    for _ in range(left):
        yield both(near, far_back)
        yield both(far, near_back)
    for _ in range(gap):
        yield run("B", far_back)
        yield both(far, near_back)
    for k in range(2 * end + 2):
        back = near_back if k % 2 else far_back
        yield run("B", back) if k <= end else half(back)
    for _ in range(gap):
        yield late.pop(0)
        yield half(near_back)
    yield from late
