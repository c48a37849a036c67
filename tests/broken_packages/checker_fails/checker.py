"""Checks one doubled number."""

import random

from graders.harness.items import Item, Step


def draw(case_input, seed):
    """Whole numbers far from those of the fixed cases."""
    chance = random.Random(seed)
    return [{"n": chance.randint(100, 10**6)} for _ in range(case_input["count"])]


def simpler(case_input):
    """The same number with one digit less."""
    n = case_input["n"]
    return [{"n": n // 10}] if n >= 10 else []


def check(case_input, answer, seed):
    """Compare the one number of the answer."""
    if not isinstance(answer, dict) or set(answer) != {"doubled"}:
        return f"the answer must be a dict with the one key doubled, got {answer!r}"
    if type(answer["doubled"]) not in (int, float):
        return f"doubled must be a number, got {answer['doubled']!r}"
    n, got = case_input["n"], float(answer["doubled"])
    squared = got == n / 0
    step = Step("twice the number", "2 n", f"2 x {n}", 2.0 * n, "")
    return [
        Item(
            name="doubled",
            unit="",
            expected=2.0 * n,
            got=got,
            tolerance=0.0,
            ok=got == 2 * n,
            misconception="squared" if squared else "",
            advice="you squared it" if squared else "",
            arithmetic=(step,),
        )
    ]
