class Scheduler:
    def __init__(self, token_budget: int, kv_tokens: int) -> None:
        self.token_budget = token_budget
        self.kv_tokens = kv_tokens

    def schedule(self, now_ms: float, requests: list[dict]) -> dict:
        """{"run": {id: tokens}, "preempt": [id, ...]} for one step."""
        first = requests[0]
        left = first["prompt"] + first["generated"] - first["computed"]
        return {"run": {first["id"]: min(left, self.token_budget)}, "preempt": []}
