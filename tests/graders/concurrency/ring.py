"""The small ring of ``tests/packages``, judged as the web judges it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from app.practice.judging import Mode, judge, make_launcher
from graders.verdict import Event, JsonObject
from problems.package import Package, read_package

FOLDER = Path(__file__).parents[2] / "packages" / "round-1" / "small-ring"
SEED = 7


@cache
def package() -> Package:
    """The package."""
    return read_package(FOLDER)


def events_of(source: str, mode: Mode = Mode.SUBMIT, **more: Any) -> list[Event]:
    """Everything that the grader tells."""
    spec = package().spec
    return list(judge(spec, package().files, source, mode, SEED, make_launcher(), **more))


def judge_ring(source: str, case: str | None = None) -> dict[str, Any]:
    """The report on a source, on one case or on all."""
    if case is None:
        return dict(events_of(source)[-1].data)
    replay: JsonObject = {"case": case, "seed": SEED}
    return dict(events_of(source, Mode.REPLAY, replay=replay)[-1].data)
