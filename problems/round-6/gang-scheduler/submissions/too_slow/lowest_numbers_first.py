"""Takes free GPUs by their numbers, and so leaves holes that the next gang is spread over."""


class Scheduler:
    def __init__(self, racks, nodes_per_rack, gpus_per_node, quota, max_wait):
        self.node, self.rack = gpus_per_node, gpus_per_node * nodes_per_rack
        self.gpus = racks * self.rack
        self.quota = quota

    def schedule(self, now, jobs):
        jobs = [dict(job) for job in jobs]
        preempt, start = [], {}
        closed = set()  # teams whose quota is kept for one of theirs
        waiting = [job for job in jobs if not job["placed"]]
        for job in sorted(waiting, key=lambda one: (-one["priority"], one["arrival"])):
            runs = [one for one in jobs if one["placed"]]
            free = set(range(self.gpus)) - {gpu for one in runs for gpu in one["placed"]}
            mine = sum(one["gpus"] for one in runs if one["team"] == job["team"])
            room = self.quota[job["team"]] - mine
            victims = []
            lower = [one for one in runs if one["priority"] < job["priority"]]
            for one in sorted(lower, key=lambda one: one["done"] - one["saved"]):
                if len(free) >= job["gpus"] and room >= job["gpus"]:
                    break
                victims.append(one)
                free |= set(one["placed"])
                room += one["gpus"] if one["team"] == job["team"] else 0
            if room < job["gpus"] or job["team"] in closed:
                closed.add(job["team"])
                continue
            if len(free) < job["gpus"]:
                break  # nobody overtakes
            for one in victims:
                one["placed"] = []
                preempt.append(one["id"])
            job["placed"] = start[job["id"]] = self.pick(free, job["gpus"])
        return {"preempt": preempt, "start": start}

    def pick(self, free, count):
        return sorted(free)[:count]
