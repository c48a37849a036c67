"""Keeps a list of who is running, as vLLM does; the waiting ones come in when they fit."""


class Scheduler:
    def __init__(self, token_budget, kv_tokens):
        self.token_budget, self.kv_tokens = token_budget, kv_tokens
        self.running = []

    def schedule(self, now_ms, requests):
        alive = {request["id"]: request for request in requests}
        self.running = [name for name in self.running if name in alive]
        held = sum(request["computed"] for request in requests)

        def left(name):
            return alive[name]["prompt"] + alive[name]["generated"] - alive[name]["computed"]

        out = []
        while len(self.running) > 1 and held + sum(map(left, self.running)) > self.kv_tokens:
            name = self.running.pop()
            out.append(name)
            held -= alive[name]["computed"]
        promised = held + sum(map(left, self.running))
        waiting = [r for r in requests if r["id"] not in self.running and r["id"] not in out]
        for request in sorted(waiting, key=lambda r: (r["arrival_ms"], r["id"])):
            cost = left(request["id"]) + 4 * (len(self.running) + 1) if self.running else 0
            if out or promised + cost > self.kv_tokens:
                break
            self.running.append(request["id"])
            promised += left(request["id"])
        run, budget = {}, self.token_budget
        for name in sorted(self.running, key=lambda name: (left(name) > 1, self.running.index(name))):
            count = min(left(name), budget)
            if count > 0:
                run[name] = count
                budget -= count
        return {"run": run, "preempt": out}
