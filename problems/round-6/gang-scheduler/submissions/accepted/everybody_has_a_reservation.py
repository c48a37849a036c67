"""Conservative backfill: a plan for all who wait, each as early as those before it allow."""


class Scheduler:
    def __init__(self, racks, nodes_per_rack, gpus_per_node, quota, max_wait):
        self.node, self.rack = gpus_per_node, gpus_per_node * nodes_per_rack
        self.total = racks * self.rack
        self.quota = quota

    def schedule(self, now, jobs):
        running = [job for job in jobs if job["placed"]]
        preempt, start, plan = [], {}, []
        waiting = [job for job in jobs if not job["placed"]]
        for job in sorted(waiting, key=lambda job: (-job["priority"], job["arrival"])):
            # Those of lower priority are no obstacle; what they hold can be had.
            held = [
                (now, self.end(now, one), one["gpus"], one["team"])
                for one in running
                if one["priority"] >= job["priority"]
            ]
            begin, end = self.earliest(now, job, held + plan)
            if begin > now:
                plan.append((begin, end, job["gpus"], job["team"]))
                continue
            victims = self.victims(job, running)
            for victim in victims:
                preempt.append(victim["id"])
                running.remove(victim)
            gpus = self.place(running, job["gpus"])
            start[job["id"]] = gpus
            running.append({**job, "placed": gpus, "since": now, "done": job["saved"]})
        return {"preempt": preempt, "start": start}

    def end(self, now, job):
        starting = 1 if job["since"] == now else 0
        return now + starting - (job["done"] - job["steps"]) // self.speed(job["placed"])

    def earliest(self, now, job, spans):
        """The first window in which neither the cluster nor the team's quota is exceeded."""
        speed = 10 if job["gpus"] <= self.node else 8 if job["gpus"] <= self.rack else 5
        length = 1 - (job["saved"] - job["steps"]) // speed
        for begin in sorted({now, *(end for _, end, _, _ in spans)}):
            end = begin + length
            moments = [begin, *(first for first, _, _, _ in spans if begin < first < end)]
            if all(self.fits(job, moment, spans) for moment in moments):
                return begin, end
        raise ValueError("the empty cluster holds every job")

    def fits(self, job, moment, spans):
        there = [(gpus, team) for first, last, gpus, team in spans if first <= moment < last]
        used = sum(gpus for gpus, _ in there)
        of_team = sum(gpus for gpus, team in there if team == job["team"])
        quota = self.quota[job["team"]]
        return used + job["gpus"] <= self.total and of_team + job["gpus"] <= quota

    def victims(self, job, running):
        missing = job["gpus"] - self.total + sum(one["gpus"] for one in running)
        over = job["gpus"] - self.quota[job["team"]]
        over += sum(one["gpus"] for one in running if one["team"] == job["team"])
        chosen = []
        lower = [one for one in running if one["priority"] < job["priority"]]
        lower.sort(key=lambda one: (one["done"] - one["saved"], one["gpus"]))
        for one in lower:
            mine = one["team"] == job["team"]
            if (over > 0 and mine) or (over <= 0 and missing > 0):
                chosen.append(one)
                missing -= one["gpus"]
                over -= one["gpus"] if mine else 0
        for one in lower:
            if missing > 0 and one not in chosen:
                chosen.append(one)
                missing -= one["gpus"]
        return chosen

    def speed(self, gpus):
        if len({gpu // self.node for gpu in gpus}) == 1:
            return 10
        return 8 if len({gpu // self.rack for gpu in gpus}) == 1 else 5

    def place(self, running, count):
        taken = {gpu for one in running for gpu in one["placed"]}
        free = [gpu for gpu in range(self.total) if gpu not in taken]
        best = free
        for width in (self.rack, self.node):
            parts = [[g for g in best if g // width == p] for p in range(self.total // width)]
            parts = [part for part in parts if len(part) >= count]
            best = min(parts, key=len) if parts else best
        sizes = {}
        for gpu in best:
            for key in (("rack", gpu // self.rack), ("node", gpu // self.node)):
                sizes[key] = sizes.get(key, 0) + 1

        def order(gpu):
            rack, node = gpu // self.rack, gpu // self.node
            return (-sizes["rack", rack], rack, -sizes["node", node], node, gpu)

        return sorted(best, key=order)[:count]
