"""What orders must fulfil, the gravest first."""

from __future__ import annotations

from dataclasses import dataclass

from graders.simulation.pipeline.operations import Operation, Orders, Part
from graders.simulation.pipeline.pipelines import Pipeline, Schedule
from graders.simulation.pipeline.published import published
from graders.simulation.pipeline.simulate import Place, Run, gives, needs, run
from graders.text import Text, say, say_n
from graders.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Failure:
    """Why orders are rejected.

    Attributes
    ----------
    kind : str
        Shrinking keeps it.
    marked : tuple of Place
        The operations that show it; the first one is where it shows.
    waits : tuple of (Place, Place)
        Of a deadlock, who waits for whom.
    """

    kind: str
    verdict: Verdict
    text: Text
    marked: tuple[Place, ...] = ()
    waits: tuple[tuple[Place, Place], ...] = ()


def time_limit(pipeline: Pipeline) -> int:
    """Units that a step may take: the closed form; with a latency, what the published order takes.

    With a latency 1F1B loses some time in each turn, and the published order is the one that loses
    least within its memory.
    """
    if pipeline.costs.latency == 0:
        return pipeline.step_time()
    return run(published(pipeline), pipeline).end


def examine(made: Run) -> Failure | None:
    """The gravest thing wrong with a run; None if it is accepted."""
    for check in (_placement, _once, _complete, _own_order, _deadlock, _memory, _time):
        failure = check(made)
        if failure is not None:
            return failure
    return None


def _listed(orders: Orders) -> list[tuple[Place, Operation, Part]]:
    return [
        ((rank, index), operation, part)
        for rank, order in enumerate(orders)
        for index, operation in enumerate(order)
        for part in operation.parts
    ]


def _places(orders: Orders) -> dict[Part, tuple[Place, Part]]:
    """Where what others need is listed, and as what."""
    return {gives(part): (place, part) for place, _, part in _listed(orders)}


def _placement(made: Run) -> Failure | None:
    pipeline = made.pipeline
    for (rank, index), _, part in _listed(made.orders):
        holder = pipeline.rank_of(part.micro_batch, part.stage)
        if holder == rank:
            continue
        own = pipeline.stages_of(rank, part.micro_batch)
        text = say(
            "a rank can only run the stages that it holds: rank {rank} lists {part}, which is on "
            "rank {holder}. For this micro-batch rank {rank} holds stage {own}.",
            rank=rank,
            part=part.describe(),
            holder=holder,
            own=", ".join(str(stage) for stage in own),
        )
        return _wrong("placement", text, (rank, index))
    return None


def _once(made: Run) -> Failure | None:
    seen: dict[Part, tuple[Place, Part]] = {}
    for place, _, part in _listed(made.orders):
        # A whole backward pass is both halves.
        kinds = ("I", "W") if part.kind == "B" else (part.kind,)
        for kind in kinds:
            key = Part(kind, part.micro_batch, part.stage)
            earlier, before = seen.setdefault(key, (place, part))
            if earlier == place:
                continue
            if before.kind == part.kind:
                fact = say(
                    "rank {rank} lists {part} a second time", rank=place[0], part=part.describe()
                )
            else:
                fact = say(
                    "rank {rank} lists {part}, and {before} too; B is I and W together",
                    rank=place[0],
                    part=part.describe(),
                    before=before.describe(),
                )
            text = say("every pass must be listed once: {fact}.", fact=fact)
            return _wrong("twice", text, place, earlier)
    return None


def _complete(made: Run) -> Failure | None:
    pipeline = made.pipeline
    listed = {part for _, _, part in _listed(made.orders)}
    for micro_batch in range(pipeline.n_micro_batches):
        for stage in range(pipeline.n_stages):
            forward, whole, by_input, by_weights = (
                Part(kind, micro_batch, stage) for kind in "FBIW"
            )
            absent = next(
                (
                    part
                    for part, is_there in (
                        (forward, forward in listed),
                        (whole, whole in listed or {by_input, by_weights} & listed),
                        (by_input, whole in listed or by_input in listed),
                        (by_weights, whole in listed or by_weights in listed),
                    )
                    if not is_there
                ),
                None,
            )
            if absent is None:
                continue
            rank = pipeline.rank_of(micro_batch, stage)
            text = say(
                "every micro-batch must pass every stage forward and backward: rank {rank} lists "
                "no {part}. It lists {count} operations.",
                rank=rank,
                part=absent.describe(),
                count=len(made.orders[rank]),
            )
            last = len(made.orders[rank]) - 1
            return _wrong("missing", text, *([(rank, last)] if last >= 0 else []))
    return None


def _own_order(made: Run) -> Failure | None:
    places = _places(made.orders)
    for place, _, part in _listed(made.orders):
        for need in needs(part, made.pipeline):
            earlier, as_listed = places[need]
            if need.stage != part.stage or earlier[1] < place[1]:
                continue
            text = say(
                "what a pass needs must be listed before it: rank {rank} lists {part} as its "
                "operation {index}, and {need} only as its operation {later}.",
                rank=place[0],
                part=part.describe(),
                index=place[1],
                need=as_listed.describe(),
                later=earlier[1],
            )
            return _wrong("before_forward", text, place, earlier)
    return None


def _deadlock(made: Run) -> Failure | None:
    if not made.stuck:
        return None
    places = _places(made.orders)
    chain: list[int] = []
    rank = min(made.stuck)
    while rank not in chain:
        chain.append(rank)
        rank = places[made.stuck[rank]][0][0]
    cycle = chain[chain.index(rank) :]
    links = None
    waits: list[tuple[Place, Place]] = []
    for rank in cycle:
        at = len(made.ran[rank])
        (other, index), part = places[made.stuck[rank]]
        link = say(
            "rank {rank} stands at {operation} and needs {part} of rank {other}",
            rank=rank,
            operation=made.orders[rank][at].describe(),
            part=part.describe(),
            other=other,
        )
        links = link if links is None else say("{links}; {link}", links=links, link=link)
        waits.append(((rank, at), (other, index)))
    assert links is not None  # noqa: S101  a cycle has at least one rank
    text = say(
        "deadlock: ranks must not wait for each other in a circle, but {links}. List what is "
        "needed before what waits.",
        links=links,
    )
    marked = tuple(place for place, _ in waits)
    return Failure("deadlock", Verdict.WRONG_ANSWER, text, marked, tuple(waits))


def _memory(made: Run) -> Failure | None:
    over = [
        one
        for rank, ran in enumerate(made.ran)
        for one in ran
        if one.in_flight > made.pipeline.max_in_flight(rank)
    ]
    if not over:
        return None
    first = min(over, key=lambda one: (one.begin, one.rank))
    limit = made.pipeline.max_in_flight(first.rank)
    text = say(
        "{schedule} lets rank {rank} hold {limit} at most: from time {begin}, when it begins "
        "{operation}, it holds {count}. Run a backward pass first, which frees one.",
        schedule=made.pipeline.schedule.value,
        rank=first.rank,
        limit=say_n("{count} stash", "{count} stashes", count=limit),
        begin=first.begin,
        operation=first.operation.describe(),
        count=first.in_flight,
    )
    return _wrong("memory", text, (first.rank, first.index))


def _time(made: Run) -> Failure | None:
    pipeline = made.pipeline
    limit = time_limit(pipeline)
    if made.end <= limit:
        return None
    idlest = max(range(pipeline.n_ranks), key=made.idle)
    text = say(
        "every pass is there, and it takes too long: a step of {schedule} may take {limit} units "
        "({formula}); this one takes {end}, {fact}.",
        schedule=pipeline.schedule.value,
        limit=limit,
        formula=_formula(pipeline),
        end=made.end,
        fact=say("and rank {rank} is idle in {idle} of them", rank=idlest, idle=made.idle(idlest))
        if made.idle(idlest)
        else say("and no rank is idle: overlap more pairs"),
    )
    late = _first_late(made)
    marked: tuple[Place, ...] = ()
    if late is not None:
        place, part, begin, earlier = late
        marked = (place,)
        text = say(
            "{text} The first pass that comes later than in the published order is {part}, at "
            "{begin} instead of {earlier}.",
            text=text,
            part=part.describe(),
            begin=begin,
            earlier=earlier,
        )
    return Failure("time", Verdict.TOO_SLOW, text, marked)


def _first_late(made: Run) -> tuple[Place, Part, int, int] | None:
    best = run(published(made.pipeline), made.pipeline)
    begins = {
        gives(part): one.begin for ran in best.ran for one in ran for part in one.operation.parts
    }
    late = [
        (one.begin, one.rank, one.index, part, begins[gives(part)])
        for ran in made.ran
        for one in ran
        for part in one.operation.parts
        if one.begin > begins.get(gives(part), one.begin)
    ]
    if not late:
        return None
    begin, rank, index, part, earlier = min(late)
    return (rank, index), part, begin, earlier


def _formula(pipeline: Pipeline) -> str:
    if pipeline.costs.latency:
        return say("what the published order takes with this latency")
    match pipeline.schedule:
        case Schedule.ONE_F_ONE_B:
            return "(m + p - 1)(F + B)"
        case Schedule.INTERLEAVED:
            if pipeline.n_micro_batches % pipeline.n_ranks:
                return "(v p ceil(m / p) + p - 1)(F + B)"
            return "(v m + p - 1)(F + B)"
        case Schedule.ZB1P:
            return "(m + p - 1)(F + I) + (1 + max(0, m - p)) W"
        case Schedule.DUALPIPE:
            return "(m - p - 1) FB + (p + 1)(F + B) + (p / 2 - 1)(FB + B - 3 W)"


def _wrong(kind: str, text: Text, *marked: Place) -> Failure:
    return Failure(kind, Verdict.WRONG_ANSWER, text, marked)
