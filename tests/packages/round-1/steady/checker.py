"""Compares the wait that was asked for with the one that was reported."""

from graders.harness.items import Item


def check(case_input: dict, answer: dict, seed: int) -> list[Item] | str:
    waited_s = answer.get("waited_s") if isinstance(answer, dict) else None
    if type(waited_s) not in (int, float):
        return f"wait must return {{'waited_s': seconds}}, got {answer!r:.80}"
    asked_s = case_input["wait_s"]
    return [Item("waited_s", "s", asked_s, waited_s, 0.0, waited_s == asked_s)]
