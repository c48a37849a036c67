"""Whatever fits starts; once somebody has waited for six rounds, only what ends in time passes."""

PATIENT = 6


class Scheduler:
    def __init__(self, racks, nodes_per_rack, gpus_per_node, quota, max_wait):
        self.widths = (gpus_per_node, gpus_per_node * nodes_per_rack)
        self.gpus = racks * nodes_per_rack * gpus_per_node
        self.quota = quota

    def schedule(self, now, jobs):
        jobs = [dict(job) for job in jobs]
        preempt, start = [], {}
        until = None  # when whoever is drained for can start
        waiting = [job for job in jobs if not job["placed"]]
        for job in sorted(waiting, key=lambda job: (-job["priority"], job["arrival"])):
            victims = self.victims(job, jobs)
            if victims is None:
                if until is None and now - job["since"] >= PATIENT:
                    until = self.could_start(now, job, jobs)
                continue
            gone = [gpu for victim in victims for gpu in victim["placed"]]
            gpus = self.close(self.free(jobs) + gone, job["gpus"])
            begun = {**job, "placed": gpus, "since": now, "done": job["saved"]}
            if until is not None and self.end(now, begun) > until:
                continue
            for victim in victims:
                preempt.append(victim["id"])
                victim["placed"] = []
            job.update(begun)
            start[job["id"]] = gpus
        return {"preempt": preempt, "start": start}

    def free(self, jobs):
        taken = {gpu for job in jobs for gpu in job["placed"]}
        return [gpu for gpu in range(self.gpus) if gpu not in taken]

    def victims(self, job, jobs):
        """The cheapest of lower priority, one after the other, until it fits."""
        lower = [one for one in jobs if one["placed"] and one["priority"] < job["priority"]]
        lower.sort(key=lambda one: (one["done"] - one["saved"]) * one["gpus"])
        chosen = []
        while not self.fits(job, jobs, chosen):
            team_full = not self.fits(job, jobs, chosen, quota_only=True)
            useful = [one for one in lower if not team_full or one["team"] == job["team"]]
            if not useful:
                return None
            chosen.append(useful[0])
            lower.remove(useful[0])
        return chosen

    def fits(self, job, jobs, without, quota_only=False):
        rest = [one for one in jobs if one["placed"] and one not in without]
        of_team = sum(one["gpus"] for one in rest if one["team"] == job["team"])
        if of_team + job["gpus"] > self.quota[job["team"]]:
            return False
        return quota_only or sum(one["gpus"] for one in rest) + job["gpus"] <= self.gpus

    def could_start(self, now, job, jobs):
        gone = [one for one in jobs if one["placed"] and one["priority"] < job["priority"]]
        rest = [one for one in jobs if one["placed"] and one["priority"] >= job["priority"]]
        for one in sorted(rest, key=lambda one: self.end(now, one)):
            gone.append(one)
            if self.fits(job, jobs, gone):
                return self.end(now, one)
        return now

    def end(self, now, job):
        nodes, racks = (len({gpu // width for gpu in job["placed"]}) for width in self.widths)
        speed = 10 if nodes == 1 else 8 if racks == 1 else 5
        return now + (job["since"] == now) - (job["done"] - job["steps"]) // speed

    def close(self, free, count):
        for width in self.widths:
            parts = {}
            for gpu in sorted(free):
                parts.setdefault(gpu // width, []).append(gpu)
            enough = [part for part in parts.values() if len(part) >= count]
            if enough:
                free = min(enough, key=len)
                break
        parts = {}
        for gpu in sorted(free):
            parts.setdefault(gpu // self.widths[0], []).append(gpu)
        return sum(sorted(parts.values(), key=len, reverse=True), [])[:count]
