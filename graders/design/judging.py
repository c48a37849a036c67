"""Judges a design: read it, let the model assess it for each case's parameters, name what fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from graders.design.assessment import Assessment, Constraint, assessment
from graders.design.explaining import (
    constraint_counterexample,
    cost_counterexample,
    cost_message,
    shown,
    unreadable,
)
from graders.design.fields import groups_of
from graders.design.program import Model
from graders.design.reading import read
from graders.ports import Case, JudgeError, Launcher, Task
from graders.verdict import (
    CaseResult,
    Event,
    JsonObject,
    Verdict,
    case_finished,
    case_started,
    compiling,
    judged,
    worst,
)

QUEUE = "cpu"


@dataclass(frozen=True, slots=True)
class _Judged:
    """A case with the assessment that it was judged by."""

    result: CaseResult
    found: Assessment
    max_ratio: float | None


def judge(task: Task, source: bytes, launcher: Launcher, seed: int) -> Iterator[Event]:
    """Judge one design; nothing is drawn, so the seed only goes into replays.

    Raises
    ------
    JudgeError
        If the package's model is missing, fails or breaks its contract.
    """
    yield compiling()
    text = source.decode(errors="replace")
    reading = read(groups_of(task.settings), text)
    if reading.design is None:
        yield unreadable(reading.faults, text)
        return
    declared = cast("list[str]", task.settings["constraints"])
    done: list[_Judged] = []
    with Model(launcher, task) as model:
        assessed: dict[str, Assessment] = {}
        for index, case in enumerate(task.cases, start=1):
            yield case_started(index, len(task.cases), case.name)
            parameters = cast("JsonObject", case.input.get("parameters", {}))
            key = json.dumps(parameters, sort_keys=True)
            if key not in assessed:
                assessed[key] = assessment(model.assess(reading.design, parameters), declared)
            one = _judge_case(case, assessed[key], declared, reading.design, seed)
            done.append(one)
            yield case_finished(index, len(task.cases), one.result)
    yield judged([one.result for one in done], _metrics(done, declared))


def _judge_case(
    case: Case, found: Assessment, declared: list[str], design: JsonObject, seed: int
) -> _Judged:
    names = cast("list[str]", case.input.get("constraints") or declared)
    ratio = cast("float | None", case.input.get("max_cost_ratio"))
    replay: JsonObject = {"case": case.name, "seed": seed}
    own = [found.named(name) for name in names]
    failing = _speaks(own, found, ratio)
    if failing is not None:
        held = sum(one is not None and one.holds for one in own)
        result = CaseResult(
            case.name,
            Verdict.WRONG_ANSWER,
            message=failing.message,
            score=held / len(own),
            counterexample=constraint_counterexample(failing, found, declared, design, replay),
        )
        return _Judged(result, found, ratio)
    if ratio is None:
        return _Judged(CaseResult(case.name, Verdict.ACCEPTED, score=1.0), found, ratio)
    if found.cost is None or found.best is None:
        raise JudgeError(f"case {case.name} judges the cost, and the model gives none")
    if found.cost.value <= ratio * found.best:
        return _Judged(CaseResult(case.name, Verdict.ACCEPTED, score=1.0), found, ratio)
    message = cost_message(found, ratio)
    result = CaseResult(
        case.name,
        Verdict.TOO_SLOW,
        message=message,
        score=min(1.0, found.best / found.cost.value),
        counterexample=cost_counterexample(found, ratio, message, design, replay),
    )
    return _Judged(result, found, ratio)


def _speaks(
    own: list[Constraint | None], found: Assessment, ratio: float | None
) -> Constraint | None:
    """The constraint that a case is refused by, if any.

    Its own first one that fails; or, where one of its own or its cost could not be computed, the
    one that stands in the way.
    """
    failing = next((one for one in own if one is not None and not one.holds), None)
    if failing is None and (None in own or ratio is not None):
        return found.failing
    return failing


def _metrics(done: list[_Judged], declared: list[str]) -> JsonObject:
    """The assessment to show: of the case that speaks, or the last one that judges the cost."""
    verdict = worst([one.result.verdict for one in done])
    if verdict is Verdict.ACCEPTED:
        telling = next((one for one in reversed(done) if one.max_ratio is not None), done[0])
    else:
        telling = next(one for one in done if one.result.verdict is verdict)
    return {"assessment": shown(telling.found, declared, telling.max_ratio)}
