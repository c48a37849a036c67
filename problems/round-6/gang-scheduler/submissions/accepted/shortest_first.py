"""The least remaining work first within a priority; who has waited for long goes before all others."""


class Scheduler:
    def __init__(self, racks, nodes_per_rack, gpus_per_node, quota, max_wait):
        self.shape = (racks, nodes_per_rack, gpus_per_node)
        self.total = racks * nodes_per_rack * gpus_per_node
        self.quota = quota
        self.old = max_wait // 4

    def schedule(self, now, jobs):
        jobs = [dict(job) for job in jobs]
        preempt, start, closed = [], {}, set()
        waiting = [job for job in jobs if not job["placed"]]

        def rank(job):
            aged = now - job["since"] >= self.old
            return (-job["priority"], not aged, (job["steps"] - job["saved"]) * job["gpus"])

        for job in sorted(waiting, key=rank):
            free = self.free(jobs)
            victims = self.victims(job, jobs, len(free))
            if victims is None or job["team"] in closed:
                if now - job["since"] >= self.old:  # what becomes free is kept for it
                    if self.room(job, jobs) >= job["gpus"]:
                        break
                    closed.add(job["team"])
                continue
            for victim in victims:
                free += victim["placed"]
                victim["placed"] = []
                preempt.append(victim["id"])
            job["placed"] = self.pick(free, job["gpus"])
            start[job["id"]] = job["placed"]
        return {"preempt": preempt, "start": start}

    def free(self, jobs):
        taken = set()
        for job in jobs:
            taken.update(job["placed"])
        return [gpu for gpu in range(self.total) if gpu not in taken]

    def room(self, job, jobs):
        mine = [one for one in jobs if one["team"] == job["team"] and one["placed"]]
        return self.quota[job["team"]] - sum(one["gpus"] for one in mine)

    def victims(self, job, jobs, free):
        room = self.room(job, jobs)
        lower = [one for one in jobs if one["placed"] and one["priority"] < job["priority"]]
        lower.sort(key=lambda one: (one["done"] - one["saved"]) * one["gpus"])
        chosen = []
        for one in lower:
            if room < job["gpus"] and one["team"] == job["team"]:
                chosen.append(one)
                room += one["gpus"]
                free += one["gpus"]
        for one in lower:
            if free < job["gpus"] and one not in chosen:
                chosen.append(one)
                free += one["gpus"]
        return chosen if free >= job["gpus"] and room >= job["gpus"] else None

    def pick(self, free, count):
        _, nodes_per_rack, gpus_per_node = self.shape
        best = None
        for width in (gpus_per_node, gpus_per_node * nodes_per_rack, self.total):
            for part in range(self.total // width):
                inside = [gpu for gpu in free if gpu // width == part]
                if len(inside) >= count and (best is None or len(inside) < len(best)):
                    best = inside
            if best is not None:
                break
        by_node = {}
        for gpu in best:
            by_node.setdefault(gpu // gpus_per_node, []).append(gpu)
        groups = sorted(by_node.values(), key=len, reverse=True)
        return [gpu for group in groups for gpu in sorted(group)][:count]
