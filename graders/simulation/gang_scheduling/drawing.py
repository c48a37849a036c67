"""A failed run as the counterexample ``gang_schedule``, and a slow one beside ours as lanes."""

from __future__ import annotations

from typing import Any

from graders.simulation.gang_scheduling.cluster import Arrival, Cluster
from graders.simulation.gang_scheduling.engine import CHECKPOINT_ROUNDS, START_ROUNDS
from graders.simulation.gang_scheduling.runs import Run, Setting, Taken
from graders.simulation.stateful.lanes import Figure, Lane, Span
from graders.text import clean, say, say_list
from graders.verdict import Json, JsonObject

ROUNDS_SHOWN = 40
JOBS_SHOWN = 12
TONES = 8  # colours of jobs; their names stand beside them


def failed(given: Setting, made: Run) -> JsonObject:
    """The rounds in which something happened, the last one open: cluster and jobs in each."""
    assert made.failure is not None  # noqa: S101  only failed runs are drawn so
    tones = {one.name: index % TONES for index, one in enumerate(made.trace)}
    told = [
        taken
        for index, taken in enumerate(made.taken)
        if taken.news or _acts(taken.chosen) or index == len(made.taken) - 1
    ][-ROUNDS_SHOWN:]
    rounds: list[Json] = []
    for index, taken in enumerate(told):
        last = index == len(told) - 1
        after = None if last else told[index + 1].at
        rounds.append(
            {
                "number": taken.at,
                "call": _chosen(taken.chosen),
                "ok": not last,
                "shown": last,
                "news": say_list(taken.news) if taken.news else "",
                "quiet": _quiet(taken.at, after),
                "racks": _racks(given.cluster, taken.held, tones),
                "jobs": _jobs(taken, tones, made.failure.jobs if last else ()),
            }
        )
    return {
        "make": _make(given),
        "rounds": rounds,
        "traceback": made.failure.traceback,
    }


def _make(given: Setting) -> str:
    cluster = given.cluster
    return (
        f"Scheduler(racks={cluster.racks}, nodes_per_rack={cluster.nodes_per_rack}, "
        f"gpus_per_node={cluster.gpus_per_node}, quota={dict(cluster.quota)}, "
        f"max_wait={given.max_wait})"
    )


def _acts(chosen: Any) -> bool:
    return not isinstance(chosen, dict) or bool(chosen.get("preempt") or chosen.get("start"))


def _chosen(chosen: Any) -> str:
    if not isinstance(chosen, dict):
        return say("no answer")
    if not _acts(chosen):
        return say("nothing")
    parts = []
    if chosen.get("preempt"):
        parts.append(f"preempt {_short(chosen['preempt'])}")
    start = chosen.get("start")
    if isinstance(start, dict):
        parts += [f"start {clean(name)[:20]} on {gpu_ranges(gpus)}" for name, gpus in start.items()]
    elif start:
        parts.append(_short(start))
    return _short_text(", ".join(parts))


def _short(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(clean(one)[:20] for one in value)
    return f"{value!r:.60}"


def _short_text(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]}…"


def gpu_ranges(gpus: Any) -> str:
    """``0-3, 6``; what is no list of numbers is shown as it is."""
    if not isinstance(gpus, list) or not all(type(gpu) is int for gpu in gpus):
        return f"{gpus!r:.60}"
    parts: list[list[int]] = []
    for gpu in gpus:
        if parts and gpu == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], gpu]
        else:
            parts.append([gpu, gpu])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)[:120] or "[]"


def _quiet(at: int, after: int | None) -> str:
    if after is None or after == at + 1:
        return ""
    if after == at + 2:
        return say("Nothing changes in round {at}.", at=at + 1)
    return say("Nothing changes in rounds {first} to {last}.", first=at + 1, last=after - 1)


def _racks(cluster: Cluster, held: dict[int, str], tones: dict[str, int]) -> list[Json]:
    racks: list[Json] = []
    gpu = 0
    for rack in range(cluster.racks):
        nodes: list[Json] = []
        for node in range(cluster.nodes_per_rack):
            gpus: list[Json] = []
            for _ in range(cluster.gpus_per_node):
                job = held.get(gpu)
                gpus.append({"number": gpu, "job": job or "", "tone": tones.get(job or "", -1)})
                gpu += 1
            number = rack * cluster.nodes_per_rack + node
            nodes.append({"name": say("node {number}", number=number), "gpus": gpus})
        racks.append({"name": say("rack {number}", number=rack), "nodes": nodes})
    return racks


def _jobs(taken: Taken, tones: dict[str, int], marked: tuple[str, ...]) -> list[Json]:
    holding = set(taken.held.values())
    rows: list[Json] = []
    for job in taken.seen:
        name = str(job["id"])
        since = int(str(job["since"]))
        if name in holding and job["placed"]:
            state = say("runs since round {since}", since=since)
        elif name in holding:
            state = say("starts")
        elif job["placed"]:
            state = say("preempted")
        else:
            state = say("waits since round {since}", since=since)
        rows.append(
            {
                "name": name,
                "tone": tones[name],
                "team": job["team"],
                "priority": job["priority"],
                "gpus": job["gpus"],
                "state": state,
                "steps": say(
                    "{done} of {steps}, {saved} saved",
                    done=int(str(job["done"])),
                    steps=int(str(job["steps"])),
                    saved=int(str(job["saved"])),
                ),
                "wrong": name in marked,
            }
        )
    return rows


def slow(cluster: Cluster, made: Run, reference: Run) -> JsonObject:
    """The jobs that lose most, each in two lanes: the candidate's schedule and ours."""
    ours = {one.arrival.name: one.end for one in reference.ended}
    theirs = {one.arrival.name: one.end for one in made.ended}

    def lost(one: Arrival) -> int:
        return one.weight * (theirs[one.name] - ours[one.name])

    worst = sorted(made.trace, key=lost, reverse=True)[:JOBS_SHOWN]
    lanes = []
    for one in sorted(worst, key=lambda one: one.at):
        about = say(
            "{name} ({gpus} GPUs, priority {priority})",
            name=one.name,
            gpus=one.gpus,
            priority=one.priority,
        )
        mine = say("{rounds} rounds", rounds=theirs[one.name] - one.at)
        own = say("{rounds} rounds", rounds=ours[one.name] - one.at)
        spans = _spans(cluster, made, one, theirs[one.name])
        lanes.append(Lane(about, spans, mine, apart=True))
        spans = _spans(cluster, reference, one, ours[one.name])
        lanes.append(Lane(say("the reference"), spans, own))
    key: dict[str, str] = {
        "wait": say("waits"),
        "start": say("starts"),
        "work": say("trains in one node"),
        "spread": say("trains, spread over nodes or racks"),
        "lost": say("trains, and loses it by a preemption"),
    }
    title = say("Each job from its arrival to its end, yours and the reference's")
    return Figure(title, say("rounds"), lanes, key).to_json()


def _spans(cluster: Cluster, made: Run, one: Arrival, end: int) -> list[Span]:
    """What became of a job, from its arrival to its end."""
    runs: list[tuple[int, int, list[int]]] = []  # first round, the round after the last, GPUs
    for taken in made.taken:
        gpus = [gpu for gpu, name in taken.held.items() if name == one.name]
        chosen: Any = taken.chosen
        started = one.name in chosen["start"]
        if gpus and (started or not runs):
            runs.append((taken.at, taken.at + 1, gpus))
        elif gpus:
            runs[-1] = (runs[-1][0], taken.at + 1, runs[-1][2])
    spans = []
    at = one.at
    for first, last, gpus in runs:
        if first > at:
            spans.append(Span(at, first, "wait", say("waits")))
        ready = min(last, first + START_ROUNDS)
        spans.append(Span(first, ready, "start", say("starts on {gpus}", gpus=gpu_ranges(gpus))))
        speed = cluster.speed(gpus)
        kept = (
            last if last == end else ready + (last - ready) // CHECKPOINT_ROUNDS * CHECKPOINT_ROUNDS
        )
        said = say("trains on {gpus}, {speed} steps a round", gpus=gpu_ranges(gpus), speed=speed)
        if kept > ready:
            spans.append(Span(ready, kept, "work" if speed == 10 else "spread", said))
        if last > kept:
            spans.append(Span(kept, last, "lost", say("lost by a preemption")))
        at = last
    return spans
