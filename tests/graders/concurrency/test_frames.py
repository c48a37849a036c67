"""What a runner must have said before anything is accepted."""

from __future__ import annotations

from typing import Any, cast

import pytest

from graders.concurrency import build
from graders.concurrency.checking import Checker, Stopped
from graders.concurrency.judging import only_answer
from graders.concurrency.results import Progress, SharedLine
from graders.harness import wire
from graders.ports import Launcher, Outcome, ProgramLimits, StopReason, Usage

LIMITS = ProgramLimits(cpu_time_s=1.0, wall_time_s=1.0, memory_mib=64, output_kib=1)
DONE = {"type": "done"}
LINES = {"type": "cache_lines", "pairs": []}
PROGRESS = {
    "type": "progress", "class": "wait_free", "scenario": "s", "kind": "", "message": "",
    "schedule": "", "after_steps": 0, "context_switches": 0, "operations": [], "steps": [],
    "thread": 0,
}  # fmt: skip


class Said:
    """A program that says these messages and ends."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self._messages = messages

    def start(self, spec: object) -> Said:
        return self

    def receive(self, timeout_s: float) -> bytes | Outcome:
        return wire.pack(self._messages.pop(0)) if self._messages else Outcome(StopReason.EXITED)

    def usage(self) -> Usage:
        return Usage(0.0, 0.0)

    def close(self) -> None:
        self._messages = []


def checker_of(monkeypatch: pytest.MonkeyPatch, *messages: dict[str, Any]) -> Checker:
    monkeypatch.setattr("graders.concurrency.checking.runner", lambda: b"")
    return Checker(cast(Launcher, Said(list(messages))), b"", LIMITS)


@pytest.mark.parametrize(
    ("kind", "messages"),
    [
        (list, [DONE]),
        (list, [LINES, LINES, DONE]),
        (list, [PROGRESS, DONE]),
        (list, [LINES]),
        (Progress, [DONE]),
        (Progress, [PROGRESS, PROGRESS, DONE]),
        (Progress, [LINES, DONE]),
    ],
)
def test_a_report_that_is_missing_or_doubled_is_none(
    kind: type[Progress] | type[list[SharedLine]],
    messages: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = build.cache_lines("runner", "program", descriptor=4, seed=1)
    with pytest.raises(Stopped):
        only_answer(checker_of(monkeypatch, *messages), command, kind)


def test_one_report_and_an_end_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    checker = checker_of(monkeypatch, LINES, DONE)
    assert only_answer(checker, ("lines",), list) == []
