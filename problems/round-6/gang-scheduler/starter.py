class Scheduler:
    def __init__(
        self,
        racks: int,
        nodes_per_rack: int,
        gpus_per_node: int,
        quota: dict[str, int],
        max_wait: int,
    ) -> None:
        self.gpus = racks * nodes_per_rack * gpus_per_node

    def schedule(self, now: int, jobs: list[dict]) -> dict:
        """{"preempt": [id, ...], "start": {id: [gpu, ...]}} for one round."""
        free = [gpu for gpu in range(self.gpus) if not any(gpu in job["placed"] for job in jobs)]
        first = jobs[0]
        if first["placed"]:
            return {"preempt": [], "start": {}}
        return {"preempt": [], "start": {first["id"]: free[: first["gpus"]]}}
