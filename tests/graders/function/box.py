"""A small package to judge against: the volume and the surface of a box with a lid or without."""

from __future__ import annotations

from typing import Any

from graders.function import judge
from graders.ports import Case, Launcher, ProgramLimits, Task
from graders.verdict import EventKind

CHECKER = b"""
import random

from graders.harness.items import Item, Step


def draw(case_input, seed):
    chance = random.Random(seed)
    return [
        {"sides": {"a": chance.randint(2, 9), "b": chance.randint(2, 9), "c": 3}, "lid": True}
        for _ in range(case_input["count"])
    ]


def simpler(case_input):
    sides, lid = case_input["sides"], case_input["lid"]
    out = [{"sides": {**sides, name: 1}, "lid": lid} for name in sides if sides[name] != 1]
    return out + [{"sides": sides, "lid": False}] * lid


def check(case_input, answer, seed):
    if not isinstance(answer, dict) or set(answer) != {"volume", "surface"}:
        return f"the answer must have the keys surface and volume, got {answer!r}"
    a, b, c = case_input["sides"].values()
    right = {"volume": a * b * c, "surface": 2 * (a + b) * c + a * b * (1 + case_input["lid"])}
    items = []
    for name, expected in right.items():
        got = float(answer[name])
        no_lid = name == "surface" and case_input["lid"] and got == expected - a * b
        items.append(Item(
            name, "", expected, got, 1e-9 * expected, abs(got - expected) <= 1e-9 * expected,
            "no-lid" if no_lid else "", "the lid is missing" if no_lid else "",
            (Step("all", "a b c", f"{a} {b} {c}", expected, ""),),
        ))
    return items
"""
RIGHT = """
def box(sides, lid):
    a, b, c = sides["a"], sides["b"], sides["c"]
    return {"volume": a * b * c, "surface": 2 * (a + b) * c + a * b * (1 + lid)}
"""
CASES = (
    Case("one", "units", sample=True, input={"sides": {"a": 4, "b": 5, "c": 6}, "lid": True}),
    Case("many", "all", sample=False, input={"draw": "boxes", "count": 5}),
)


def box_task(checker: bytes = CHECKER, answer_time_limit_s: float = 2.0) -> Task:
    """The box problem."""
    settings = {
        "kind": "function",
        "entry_point": "box",
        "signature": "box(sides, lid) -> dict",
        "checker": "checker.py",
        "answer_time_limit_s": answer_time_limit_s,
    }
    limits = ProgramLimits(cpu_time_s=20, wall_time_s=60, memory_mib=512, output_kib=16)
    return Task(settings, CASES, limits, {"checker.py": checker})


def verdict_of(
    source: str | bytes, launcher: Launcher, task: Task | None = None, seed: int = 7
) -> dict[str, Any]:
    """The report at the end of judging."""
    data = source.encode() if isinstance(source, str) else source
    *_, last = judge(task or box_task(), data, launcher, seed)
    assert last.kind is EventKind.VERDICT
    return dict(last.data)
