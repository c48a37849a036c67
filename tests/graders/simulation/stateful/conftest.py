"""Judging small stateful submissions in plain processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from graders.ports import Case, ProgramLimits, Task
from graders.simulation import judge
from graders.simulation.stateful.program import Candidate
from tests.graders.plain_launcher import PlainLauncher, plain_launcher

PACKAGE = Path(__file__).parents[4] / "problems/round-5/kv-cache"
REFERENCE = (PACKAGE / "reference.py").read_text()
SETTINGS = {
    "kind": "simulation",
    "simulator": "kv-cache",
    "entry_point": "BlockManager",
    "step_time_limit_s": 10.0,  # a busy machine must not fail a test
}
LIMITS = ProgramLimits(cpu_time_s=20, wall_time_s=60, memory_mib=512, output_kib=64)
Report = Callable[..., dict[str, Any]]


def literal(*operations: list[Any], num_blocks: int = 4, block_size: int = 2) -> Case:
    fields = {"num_blocks": num_blocks, "block_size": block_size, "operations": list(operations)}
    return Case("literal", "a test", sample=True, input=fields)


def drawn(examples: int = 80, least: int = 1, most: int = 20) -> Case:
    fields = {"examples": examples, "min_operations": least, "max_operations": most}
    return Case("drawn", "a test", sample=False, input={"draw": fields})


@pytest.fixture
def launcher() -> Iterator[PlainLauncher]:
    with plain_launcher() as launcher:
        yield launcher


@pytest.fixture
def report(launcher: PlainLauncher) -> Report:
    def last(source: str, *cases: Case, seed: int = 1, **changes: Any) -> dict[str, Any]:
        task = Task({**SETTINGS, **changes}, cases, LIMITS, {})
        events = list(judge(task, source.encode(), launcher, seed))
        assert launcher.running == [], "judging must leave no program running"
        return dict(events[-1].data)

    return last


@pytest.fixture
def candidate(launcher: PlainLauncher) -> Callable[[str], Candidate]:
    def made(source: str) -> Candidate:
        return Candidate(launcher, source.encode(), Task(SETTINGS, (), LIMITS, {}))

    return made
