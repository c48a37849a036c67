"""A scheduler for prefill and decode: decodes first, then prompts in chunks, the oldest first."""

from __future__ import annotations

LONG_PREFILL = 400  # tokens of one prompt in a step, so that a long one leaves room for others
WATERMARK = 0.04  # part of the KV cache that admission leaves to those who are already in it


class Scheduler:
    def __init__(self, token_budget: int, kv_tokens: int) -> None:
        self.token_budget = token_budget
        self.kv_tokens = kv_tokens

    def schedule(self, now_ms: float, requests: list[dict]) -> dict:
        oldest_first = sorted(requests, key=lambda one: (one["arrival_ms"], one["id"]))
        decodes = [one for one in oldest_first if one["computed"] and left_of(one) == 1]
        prefills = [one for one in oldest_first if not (one["computed"] and left_of(one) == 1)]
        free = self.kv_tokens - sum(one["computed"] for one in requests)
        preempted = self.make_room(oldest_first, decodes, free)
        free += sum(one["computed"] for one in oldest_first if one["id"] in preempted)

        run: dict[str, int] = {}
        budget = self.token_budget
        for one in decodes:
            if budget and one["id"] not in preempted:
                run[one["id"]] = 1
                budget, free = budget - 1, free - 1
        if not preempted:
            # What is begun keeps its place; what is not must fit as a whole, or it would be
            # preempted half-way.
            promised = sum(left_of(one) for one in prefills if one["computed"])
            for one in prefills:
                room = free if one["computed"] else free - promised - self.reserve(run)
                if not one["computed"] and left_of(one) > room:
                    break
                count = min(left_of(one), budget, free, LONG_PREFILL)
                if count <= 0:
                    break
                run[one["id"]] = count
                budget, free = budget - count, free - count
                promised += left_of(one) - count if not one["computed"] else -count
        return {"run": run, "preempt": sorted(preempted)}

    def reserve(self, run: dict[str, int]) -> int:
        """Tokens that a new prompt must leave; none if nobody else is there."""
        return int(WATERMARK * self.kv_tokens) if run else 0

    def make_room(self, oldest_first: list[dict], decodes: list[dict], free: int) -> set[str]:
        """The newest requests whose blocks the others' next tokens need."""
        preempted: set[str] = set()
        needed = min(len(decodes), self.token_budget)
        for one in reversed(oldest_first[1:]):
            if needed <= free:
                break
            if one["computed"]:
                preempted.add(one["id"])
                free += one["computed"]
                needed -= one in decodes
        return preempted


def left_of(request: dict) -> int:
    """Tokens of the context that are not in the cache."""
    return request["prompt"] + request["generated"] - request["computed"]
