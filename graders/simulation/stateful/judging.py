"""The way of one submission through the cases of a stateful problem."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from graders.ports import Case, Launcher, Task
from graders.simulation.stateful.program import Candidate, ImportFailed
from graders.text import say
from graders.verdict import (
    CaseResult,
    Counterexample,
    Event,
    Json,
    JsonObject,
    Verdict,
    case_finished,
    case_started,
    compile_error,
    compiling,
    judged,
)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a case is refused, with what the page draws.

    Attributes
    ----------
    input : JsonObject
        A literal input: a case with it shows the same again.
    """

    verdict: Verdict
    text: str
    input: JsonObject
    data: JsonObject
    kind: str = "operations"


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of one case."""

    rejection: Rejection | None
    metrics: JsonObject = field(default_factory=dict)
    score: float | None = None  # None: 1 if accepted, else 0


SEARCHES = {"draw", "growth"}  # keys of a case's input that is not literal

Examine = Callable[[Case, Candidate, int], Examined]  # the int is the case's own seed


def judge(
    task: Task, source: bytes, launcher: Launcher, seed: int, examine: Examine
) -> Iterator[Event]:
    """Judge all cases, each by `examine`; see `graders.simulation.judge`."""
    yield compiling()
    candidate = Candidate(launcher, source, task)
    try:
        try:
            candidate.ensure()
        except ImportFailed as failed:
            yield compile_error(failed.text, failed.output)
            return
        results: list[CaseResult] = []
        not_run: list[Json] = []
        total = len(task.cases)
        for index, case in enumerate(task.cases, 1):
            if _is_needless(case, results):
                not_run.append(case.name)
                continue
            yield case_started(index, total, case.name)
            result = _judge_case(case, candidate, seed, examine)
            results.append(result)
            yield case_finished(index, total, result)
        metrics: JsonObject = {"cases_not_run": not_run} if not_run else {}
        event = judged(results, metrics)
        # What was not run earned nothing.
        event.data["score"] = sum(each.score for each in results) / max(total, 1)
        yield event
    finally:
        candidate.close()


def _is_needless(case: Case, results: list[CaseResult]) -> bool:
    """After a time limit each case costs its whole time limit, and a worker meanwhile; a search
    finds nothing smaller than a literal case has shown, and what a wrong answer costs says nothing.
    """
    failed = [result for result in results if result.verdict is not Verdict.ACCEPTED]
    late = any(result.verdict is Verdict.TIME_LIMIT for result in failed)
    return late or bool(failed and SEARCHES & set(case.input))


def _judge_case(case: Case, candidate: Candidate, seed: int, examine: Examine) -> CaseResult:
    started_s = time.monotonic()
    try:
        examined = examine(case, candidate, case_seed(seed, case.name))
    except ImportFailed as failed:
        text = say("{said}. It could be imported before: do the same each time.", said=failed.text)
        data: JsonObject = {"traceback": failed.output}
        examined = Examined(
            Rejection(Verdict.RUNTIME_ERROR, text, dict(case.input), data)  # type: ignore[arg-type]
        )
    rejection = examined.rejection
    output = candidate.take_output()
    example = None
    if rejection is not None:
        replay: JsonObject = {"case": case.name, "seed": seed, "input": rejection.input}
        example = Counterexample(rejection.kind, rejection.text, rejection.data, replay)
    score = examined.score if examined.score is not None else float(rejection is None)
    return CaseResult(
        name=case.name,
        verdict=rejection.verdict if rejection else Verdict.ACCEPTED,
        message=rejection.text if rejection else "",
        score=score,
        time_s=round(time.monotonic() - started_s, 4),
        memory_mib=round(candidate.memory_mib(), 1),
        metrics=examined.metrics,
        output=output.text,
        output_truncated=output.truncated,
        counterexample=example,
    )


def case_seed(seed: int, name: str) -> int:
    """A seed of the case's own, so that cases can come and go without changing each other."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:6], "big")
