"""A gang scheduler: by priority, then arrival; backfill that the first in line never feels."""

from __future__ import annotations

from collections import Counter

START = 1  # rounds of a run without a step
SPEEDS = {"node": 10, "rack": 8, "spread": 5}


class Scheduler:
    def __init__(
        self,
        racks: int,
        nodes_per_rack: int,
        gpus_per_node: int,
        quota: dict[str, int],
        max_wait: int,
    ) -> None:
        self.per_node, self.per_rack = gpus_per_node, gpus_per_node * nodes_per_rack
        self.gpus = self.per_rack * racks
        self.quota = quota

    def schedule(self, now: int, jobs: list[dict]) -> dict:
        running = {job["id"]: job for job in jobs if job["placed"]}
        free = set(range(self.gpus)).difference(*(job["placed"] for job in running.values()))
        used = Counter()  # GPUs of each team
        for job in running.values():
            used[job["team"]] += job["gpus"]
        preempt: list[str] = []
        start: dict[str, list[int]] = {}
        promise = None  # what the first that must wait was promised
        waiting = [job for job in jobs if not job["placed"]]
        for job in sorted(waiting, key=lambda one: (-one["priority"], one["arrival"])):
            victims = self.victims(job, running, len(free), used)
            if victims is None:
                if promise is None:
                    promise = self.promise(now, job, running)
                continue
            room = free.union(*(victim["placed"] for victim in victims))
            gpus = self.place(room, job["gpus"])
            if promise is not None and self.end(now, job, gpus) > promise["at"]:
                of_team = job["gpus"] if job["team"] == promise["team"] else 0
                if job["gpus"] > promise["gpus"] or of_team > promise["quota"]:
                    continue
                promise["gpus"] -= job["gpus"]
                promise["quota"] -= of_team
            for victim in victims:
                del running[victim["id"]]
                used[victim["team"]] -= victim["gpus"]
                preempt.append(victim["id"])
            free = room.difference(gpus)
            used[job["team"]] += job["gpus"]
            start[job["id"]] = gpus
            running[job["id"]] = {**job, "placed": gpus, "since": now, "done": job["saved"]}
        return {"preempt": preempt, "start": start}

    def victims(
        self, job: dict, running: dict[str, dict], free: int, used: Counter
    ) -> list[dict] | None:
        """Jobs of lower priority whose end lets it start, the least lost work first; or None."""
        missing = job["gpus"] - free
        over = used[job["team"]] + job["gpus"] - self.quota[job["team"]]
        chosen: list[dict] = []
        lower = [one for one in running.values() if one["priority"] < job["priority"]]
        lower.sort(key=lambda one: (one["priority"], self.lost(one)))
        # Its own team's first where the quota is what is missing: they free GPUs as well.
        own = [one for one in lower if one["team"] == job["team"]]
        for one in own:
            if over > 0:
                chosen.append(one)
                over, missing = over - one["gpus"], missing - one["gpus"]
        for one in lower:
            if missing > 0 and one not in chosen:
                chosen.append(one)
                missing -= one["gpus"]
                over -= one["gpus"] if one["team"] == job["team"] else 0
        if missing > 0 or over > 0:
            return None
        for one in sorted(chosen, key=self.lost, reverse=True):
            mine = one["gpus"] if one["team"] == job["team"] else 0
            if missing + one["gpus"] <= 0 and over + mine <= 0:
                chosen.remove(one)
                missing, over = missing + one["gpus"], over + mine
        return chosen

    def lost(self, job: dict) -> int:
        """What a preemption costs: steps since the checkpoint and a start, on every GPU."""
        return (job["done"] - job["saved"] + SPEEDS["node"] * START) * job["gpus"]

    def promise(self, now: int, job: dict, running: dict[str, dict]) -> dict:
        """When it has enough GPUs if everybody runs on whom it cannot preempt, and what it leaves
        then: GPUs, and GPUs of its team's quota."""
        held = [one for one in running.values() if one["priority"] >= job["priority"]]
        held.sort(key=lambda one: self.end(now, one, one["placed"]))
        while held:
            first = held.pop(0)
            gpus = self.gpus - sum(one["gpus"] for one in held) - job["gpus"]
            quota = self.quota[job["team"]] - job["gpus"]
            quota -= sum(one["gpus"] for one in held if one["team"] == job["team"])
            if gpus >= 0 and quota >= 0:
                break
        at = self.end(now, first, first["placed"])
        return {"at": at, "team": job["team"], "gpus": gpus, "quota": quota}

    def end(self, now: int, job: dict, gpus: list[int]) -> int:
        """The round in which its GPUs are free again."""
        starts = not job["placed"]
        starting = START if starts else max(0, START - (now - job["since"]))
        left = job["steps"] - (job["saved"] if starts else job["done"])
        return now + starting + -(-left // self.speed(gpus))

    def speed(self, gpus: list[int]) -> int:
        if len({gpu // self.per_node for gpu in gpus}) == 1:
            return SPEEDS["node"]
        return SPEEDS["rack" if len({gpu // self.per_rack for gpu in gpus}) == 1 else "spread"]

    def place(self, free: set[int], count: int) -> list[int]:
        """The tightest node that holds it, else the tightest rack, else the emptiest racks."""
        nodes = Counter(gpu // self.per_node for gpu in free)
        racks = Counter(gpu // self.per_rack for gpu in free)
        for sizes, width in ((nodes, self.per_node), (racks, self.per_rack)):
            enough = [(size, part) for part, size in sizes.items() if size >= count]
            if enough:
                free = {gpu for gpu in free if gpu // width == min(enough)[1]}
                break
        return sorted(
            free,
            key=lambda gpu: (
                -racks[gpu // self.per_rack],
                gpu // self.per_rack,
                -nodes[gpu // self.per_node],
                gpu,
            ),
        )[:count]
