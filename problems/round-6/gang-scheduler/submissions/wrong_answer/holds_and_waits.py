"""Books GPUs for each job as they become free, and starts it when it has booked them all."""


class Scheduler:
    def __init__(self, racks, nodes_per_rack, gpus_per_node, quota, max_wait):
        self.gpus = racks * nodes_per_rack * gpus_per_node
        self.booked = {}

    def schedule(self, now, jobs):
        alive = {job["id"]: job for job in jobs}
        self.booked = {name: gpus for name, gpus in self.booked.items() if name in alive}
        start = {}
        # One GPU for each in turn: nobody is treated better than another.
        for _ in range(self.gpus):
            for job in jobs:
                mine = self.booked.setdefault(job["id"], [])
                taken = {gpu for gpus in self.booked.values() for gpu in gpus}
                free = [gpu for gpu in range(self.gpus) if gpu not in taken]
                if free and len(mine) < job["gpus"]:
                    mine.append(free[0])
        for job in jobs:
            if not job["placed"] and len(self.booked[job["id"]]) == job["gpus"]:
                start[job["id"]] = self.booked[job["id"]]
        return {"preempt": [], "start": start}
