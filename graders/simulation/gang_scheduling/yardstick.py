"""The schedule that a candidate's is measured by: strict priorities, backfill, compact gangs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from graders.simulation.gang_scheduling.cluster import NODE_SPEED, Cluster
from graders.simulation.gang_scheduling.engine import START_ROUNDS
from graders.verdict import JsonObject


class Yardstick:
    """A scheduler of ours, asked as a candidate's is.

    Jobs are taken by priority, then by arrival. Whoever is first and does not fit is promised the
    GPUs that become free next; others start before it only if that delays it by nothing (EASY
    backfill [1]_).

    References
    ----------
    .. [1] Mu'alem, Feitelson, "Utilization, predictability, workloads, and user runtime estimates
       in scheduling the IBM SP2 with backfilling", IEEE TPDS 2001.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def schedule(self, now: int, jobs: list[JsonObject]) -> JsonObject:
        """What to preempt and to start in this round."""
        return _Round(self._cluster, now, jobs).decide()


@dataclass(slots=True)
class _Promise:
    """The round in which the first that waits can start, and the GPUs that it leaves then: in the
    cluster, and in its team's quota."""

    at: int
    team: str
    spare: int
    spare_quota: int


class _Round:
    def __init__(self, cluster: Cluster, now: int, jobs: list[JsonObject]) -> None:
        self.cluster = cluster
        self.now = now
        self.jobs: list[dict[str, Any]] = [dict(job) for job in jobs]
        taken = {gpu for job in self.jobs for gpu in job["placed"]}
        self.free = set(range(cluster.gpus)) - taken
        self.preempt: list[str] = []
        self.start: dict[str, list[int]] = {}
        self.promised: _Promise | None = None

    def decide(self) -> JsonObject:
        waiting = [job for job in self.jobs if not job["placed"]]
        for job in sorted(waiting, key=lambda job: (-job["priority"], job["arrival"])):
            self._consider(job)
        started: dict[str, Any] = self.start
        return {"preempt": list(self.preempt), "start": started}

    def _consider(self, job: dict[str, Any]) -> None:
        victims = self._victims(job)
        if victims is None:
            if self.promised is None:
                self.promised = self._promise(job)
            return
        room = self.free.union(*(victim["placed"] for victim in victims))
        gpus = compact(self.cluster, room, job["gpus"])
        if not self._delays_nobody(job, gpus):
            return
        for victim in victims:
            victim["placed"] = []
            self.preempt.append(victim["id"])
        self.free = room - set(gpus)
        job["placed"], job["since"] = gpus, self.now
        self.start[job["id"]] = gpus

    def _victims(self, job: dict[str, Any]) -> list[dict[str, Any]] | None:
        """Whom to preempt so that it fits, the least lost work first; None if nothing helps."""
        team = [one for one in self.jobs if one["team"] == job["team"]]
        free = len(self.free)
        quota = self.cluster.quota[job["team"]] - sum(len(one["placed"]) for one in team)
        chosen: list[dict[str, Any]] = []
        lower = [one for one in self.jobs if one["placed"] and one["priority"] < job["priority"]]
        for one in sorted(lower, key=_loss):
            short_of_quota = job["gpus"] > quota
            if job["gpus"] <= free and not short_of_quota:
                break
            if short_of_quota and job["gpus"] <= free and one["team"] != job["team"]:
                continue
            chosen.append(one)
            free += len(one["placed"])
            quota += len(one["placed"]) if one["team"] == job["team"] else 0
        if job["gpus"] > free or job["gpus"] > quota:
            return None
        for one in sorted(chosen, key=_loss, reverse=True):  # who need not go after all
            size = len(one["placed"])
            own = size if one["team"] == job["team"] else 0
            if job["gpus"] <= free - size and job["gpus"] <= quota - own:
                chosen.remove(one)
                free, quota = free - size, quota - own
        return chosen

    def _promise(self, job: dict[str, Any]) -> _Promise:
        """Those of lower priority go when it starts; of the others each keeps its GPUs to its end.

        Raises
        ------
        ValueError
            If the job does not fit into the empty cluster and its team's quota.
        """
        held = [one for one in self.jobs if one["placed"] and one["priority"] >= job["priority"]]
        spare = self.cluster.gpus - sum(len(one["placed"]) for one in held) - job["gpus"]
        quota = self.cluster.quota[job["team"]] - job["gpus"]
        quota -= sum(len(one["placed"]) for one in held if one["team"] == job["team"])
        for end, one in sorted(
            ((self._end(one, self.cluster.speed(one["placed"])), one) for one in held),
            key=lambda each: each[0],
        ):
            spare += len(one["placed"])
            quota += len(one["placed"]) if one["team"] == job["team"] else 0
            if spare >= 0 and quota >= 0:
                return _Promise(end, job["team"], spare, quota)
        raise ValueError(f"a job must fit into the empty cluster and its quota, got {job}")

    def _end(self, job: dict[str, Any], speed: int) -> int:
        starting = max(0, START_ROUNDS - (self.now - job["since"]))
        return int(self.now + starting - (job["done"] - job["steps"]) // speed)

    def _delays_nobody(self, job: dict[str, Any], gpus: list[int]) -> bool:
        promise = self.promised
        begun = {**job, "since": self.now, "done": job["saved"]}
        if promise is None or self._end(begun, self.cluster.speed(gpus)) <= promise.at:
            return True
        of_team = job["gpus"] if job["team"] == promise.team else 0
        if job["gpus"] > promise.spare or of_team > promise.spare_quota:
            return False
        promise.spare -= job["gpus"]
        promise.spare_quota -= of_team
        return True


def _loss(job: dict[str, Any]) -> tuple[int, int]:
    """Steps that its preemption throws away, on all its GPUs; a start counts as some."""
    return job["priority"], (job["done"] - job["saved"] + NODE_SPEED) * len(job["placed"])


def compact(cluster: Cluster, free: set[int], count: int) -> list[int]:
    """`count` of the free GPUs, as close together as can be: the tightest node or rack that holds
    them, else whole nodes, the fullest first."""
    in_node = Counter(cluster.node_of(gpu) for gpu in free)
    in_rack = Counter(cluster.rack_of(gpu) for gpu in free)
    nodes = [(size, node) for node, size in in_node.items() if size >= count]
    if nodes:
        best = min(nodes)[1]
        return sorted(gpu for gpu in free if cluster.node_of(gpu) == best)[:count]
    racks = [(size, rack) for rack, size in in_rack.items() if size >= count]
    if racks:
        best = min(racks)[1]
        free = {gpu for gpu in free if cluster.rack_of(gpu) == best}

    def key(gpu: int) -> tuple[int, int, int, int, int]:
        rack, node = cluster.rack_of(gpu), cluster.node_of(gpu)
        return (-in_rack[rack], rack, -in_node[node], node, gpu)

    return sorted(free, key=key)[:count]
