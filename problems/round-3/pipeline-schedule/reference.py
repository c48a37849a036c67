"""Four pipeline schedules: 1F1B, interleaved 1F1B, ZB1P and DualPipe."""


def schedule(name, p, m, v, costs):
    """Order the operations of each rank of a pipeline.

    Parameters
    ----------
    name : str
        "1f1b", "interleaved", "zb1p" or "dualpipe".
    p, m, v : int
        Ranks, micro-batches, and stages a rank (1 unless interleaved).
    costs : dict
        Units of time of F, B, I, W and FB, and the latency. The orders are right for all.

    Returns
    -------
    list of list of tuple
        For each rank ``(kind, micro_batch, stage)``, or ``("FB", micro_batch, stage,
        micro_batch, stage)`` for a forward and a backward pass that overlap.
    """
    if name == "dualpipe":
        return [dualpipe(p, m, rank) for rank in range(p)]
    order = {"1f1b": one_f_one_b, "interleaved": interleaved, "zb1p": zb1p}[name]
    return [order(p, m, v, rank) for rank in range(p)]


def one_f_one_b(p, m, v, rank):
    """Forward until the pipeline behind is full, then one backward and one forward in turn."""
    warm_up = min(m, p - 1 - rank)
    order = [("F", i, rank) for i in range(warm_up)]
    for i in range(m - warm_up):
        order += [("F", warm_up + i, rank), ("B", i, rank)]
    order += [("B", i, rank) for i in range(m - warm_up, m)]
    return order


def interleaved(p, m, v, rank):
    """Groups of p micro-batches go through chunk 0, 1, ...; backward through the last one first.

    The last group is filled up with micro-batches that do not exist and are dropped at the end.
    Without them its chunks would be shorter than the warm-up counts on, and ranks would wait in a
    circle.
    """
    groups = -(-m // p)
    forward, backward = [], []
    for group in range(groups):
        for chunk in range(v):
            for i in range(group * p, (group + 1) * p):
                forward.append(("F", i, chunk * p + rank))
                backward.append(("B", i, (v - 1 - chunk) * p + rank))
    warm_up = min(len(forward), 2 * (p - 1 - rank) + (v - 1) * p)
    order = forward[:warm_up]
    for one, other in zip(forward[warm_up:], backward, strict=False):
        order += [one, other]
    order += backward[len(forward) - warm_up :]
    return [(kind, i, stage) for kind, i, stage in order if i < m]


def zb1p(p, m, v, rank):
    """1F1B with the backward pass cut in two: W waits for `rank` turns, and fills the bubble."""
    warm_up = min(m, p - 1 - rank)
    order = [("F", i, rank) for i in range(warm_up)]
    for i in range(m):
        if warm_up + i < m:
            order.append(("F", warm_up + i, rank))
        order.append(("I", i, rank))
        if i >= rank:
            order.append(("W", i - rank, rank))
    order += [("W", i, rank) for i in range(max(0, m - rank), m)]
    return order


def dualpipe(p, m, rank):
    """Two pipelines in opposite directions on the same ranks, m / 2 micro-batches each.

    Seen from a rank, `near` micro-batches entered at the end that it is closer to. By symmetry
    the order depends on the distance to that end alone.
    """
    down = iter_passes(0, rank), iter_passes(0, rank)
    up = iter_passes(m // 2, p - 1 - rank), iter_passes(m // 2, p - 1 - rank)
    (near_f, near_b), (far_f, far_b) = (down, up) if rank < p // 2 else (up, down)
    to_end = min(rank, p - 1 - rank)
    to_middle = p // 2 - 1 - to_end
    order, put_off = [], []

    def one(kind, passes):
        order.append((kind, *next(passes)))
        if kind == "I":
            put_off.append(order[-1][1:])

    def weights():
        order.append(("W", *put_off.pop(0)))

    def pair(forward, backward):
        order.append(("FB", *next(forward), *next(backward)))

    for _ in range(2 * to_middle):  # fill the near half of the pipeline
        one("F", near_f)
    for _ in range(to_end + 1):  # the other direction arrives
        one("F", near_f)
        one("F", far_f)
    for _ in range(to_middle):  # its first backward passes, W's in the gaps
        one("I", far_b)
        weights()
        one("F", far_f)
    for i in range(m // 2 - p + to_end + 1):  # everything overlaps
        if i == 0 and to_middle == 0:
            one("F", near_f)  # apart, so that the other middle rank has it sooner
            one("B", far_b)
        else:
            pair(near_f, far_b)
        pair(far_f, near_b)
    for _ in range(to_middle):  # no near micro-batch is left to go forward
        one("B", far_b)
        pair(far_f, near_b)
    for i in range(to_end + 1):  # backward only, the second half with W put off
        one("I" if 2 * i > to_end else "B", far_b)
        one("I" if 2 * i + 1 > to_end else "B", near_b)
    for _ in range(to_middle):  # W's fill the time until gradients arrive
        weights()
        one("I", near_b)
    while put_off:
        weights()
    return order


def iter_passes(first, stage):
    """The micro-batches of one direction at one stage, in the order in which they come."""
    micro_batch = first
    while True:
        yield micro_batch, stage
        micro_batch += 1
