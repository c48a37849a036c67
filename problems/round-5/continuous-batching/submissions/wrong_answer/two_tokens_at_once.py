"""Gives a decode two tokens, though the second is not known yet."""


class Scheduler:
    def __init__(self, token_budget, kv_tokens):
        self.budget, self.kv = token_budget, kv_tokens

    def schedule(self, now_ms, requests):
        order = sorted(requests, key=lambda r: (r["arrival_ms"], r["id"]))
        need = {r["id"]: r["prompt"] + r["generated"] - r["computed"] for r in order}
        active = [r for r in order if r["computed"]]
        room = self.kv - sum(r["computed"] for r in active)
        out = []
        # Those that are in the cache must be able to finish their context and one token more.
        while len(active) > 1 and sum(need[r["id"]] for r in active) > room:
            last = active.pop()
            out.append(last["id"])
            room += last["computed"]
        run, budget = {}, self.budget
        for r in sorted(active, key=lambda r: need[r["id"]] > 1):
            count = min(need[r["id"]], budget)
            if count:
                run[r["id"]] = count + (need[r["id"]] == 1)
                budget -= count
        room -= sum(need[r["id"]] for r in active)
        for r in order:
            if out or r["computed"]:
                continue
            if need[r["id"]] + len(active) > room or not budget:
                break
            count = min(need[r["id"]], budget)
            run[r["id"]] = count
            budget -= count
            room -= need[r["id"]]
            active.append(r)
        return {"run": run, "preempt": out}
