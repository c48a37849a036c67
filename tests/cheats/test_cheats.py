"""No cheat is accepted, no honest submission is refused."""

from __future__ import annotations

from typing import Any

import pytest

import graders.kernel
from app.practice.judging import make_launcher
from graders.ports import Case, ProgramLimits, Task
from sandboxes.runtime import TORCH, runtime_directory
from tests.cheats.table import CHEATS, HEAD, HONEST, Cheat

pytestmark = pytest.mark.skipif(
    not (runtime_directory(TORCH) / "COMPLETE").exists(),
    reason="script/bootstrap has not installed torch",
)

INPUT: dict[str, object] = {"rows": 3, "columns": 40, "dtype": "fp32"}
TASK = Task(
    settings={
        "kind": "kernel",
        "operation": "softmax",
        "entry_point": "softmax",
        "signature": "softmax(x) -> y",
        "target": "sm_90",
    },
    cases=(
        Case("first", "what is wrong at once", sample=True, input=INPUT),
        Case("second", "what is right only once", sample=False, input=INPUT),
    ),
    limits=ProgramLimits(
        cpu_time_s=60.0, wall_time_s=120.0, memory_mib=2048, output_kib=64, processes=16
    ),
    files={},
)


def judge(cheat: Cheat) -> dict[str, Any]:
    source = (HEAD + cheat.source).encode()
    with make_launcher() as launcher:
        *_, last = graders.kernel.judge(TASK, source, launcher, seed=11)
    return dict(last.data)


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda cheat: cheat.name)
def test_a_cheat_is_refused_for_what_it_is(cheat: Cheat) -> None:
    report = judge(cheat)
    assert report["verdict"] not in ("AC", "JE"), report
    assert cheat.said in report["message"]
    assert report["counterexample"] is not None


@pytest.mark.parametrize("cheat", HONEST, ids=lambda cheat: cheat.name)
def test_an_honest_submission_is_not_refused(cheat: Cheat) -> None:
    report = judge(cheat)
    assert report["verdict"] == "AC", report["message"]


def test_there_are_as_many_cheats_as_promised() -> None:
    assert len(CHEATS) >= 45
    assert len({cheat.name for cheat in CHEATS}) == len(CHEATS)
