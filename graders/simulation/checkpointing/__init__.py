"""The simulator ``checkpointing``: saves on a simulated disk, crashed after every operation.

A case's input has ``n_ranks`` and ``saves``; the grader's parameters have ``max_blocked_ms``, how
long training may stand still for a save on average.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from graders.ports import Case, Launcher, Task
from graders.simulation.checkpointing import timing
from graders.simulation.checkpointing.explore import Survived, explore
from graders.simulation.checkpointing.failure import Failure, Job
from graders.simulation.checkpointing.run import Ranks
from graders.simulation.checkpointing.schedules import SCHEDULES
from graders.simulation.checkpointing.timeline import draw
from graders.simulation.stateful.judging import case_seed
from graders.simulation.stateful.program import ImportFailed
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

__all__ = ["judge"]

_KINDS = {"operations": "operations", "lanes": "figure"}  # of a counterexample, and what it needs


def judge(task: Task, source: bytes, launcher: Launcher, seed: int) -> Iterator[Event]:
    """See `graders.simulation.judge`."""
    max_blocked_ms = _max_blocked_ms(task.settings)
    jobs = [_job(case) for case in task.cases]
    yield compiling()
    ranks = Ranks(launcher, source, task)
    try:
        try:
            ranks.restoring.ensure()
        except ImportFailed as failed:
            yield compile_error(failed.text, failed.output)
            return
        results: list[CaseResult] = []
        not_run: list[Json] = []
        total = len(jobs)
        for index, (case, job) in enumerate(zip(task.cases, jobs, strict=True), 1):
            # The smallest job that fails says most; a larger one would only fail later.
            if any(one.verdict not in (Verdict.ACCEPTED, Verdict.TOO_SLOW) for one in results):
                not_run.append(case.name)
                continue
            yield case_started(index, total, case.name)
            results.append(_judge_case(case, job, ranks, seed, max_blocked_ms))
            yield case_finished(index, total, results[-1])
        event = judged(results, {"cases_not_run": not_run} if not_run else {})
        event.data["score"] = sum(each.score for each in results) / max(total, 1)
        yield event
    finally:
        ranks.close()


def _judge_case(case: Case, job: Job, ranks: Ranks, seed: int, max_blocked_ms: float) -> CaseResult:
    started_s = time.monotonic()
    verdict, text, score = Verdict.ACCEPTED, "", 1.0
    data: JsonObject = {}
    metrics: JsonObject = {}
    try:
        found = explore(ranks, job, case_seed(seed, case.name), max_blocked_ms)
    except ImportFailed as failed:
        text = say("{said}. It could be imported before: do the same each time.", said=failed.text)
        verdict, score, data = Verdict.RUNTIME_ERROR, 0.0, {"traceback": failed.output}
    else:
        match found:
            case Failure():
                verdict, text, score = found.verdict, found.text, 0.0
                data = draw(job, found)
            case Survived(crashes, schedule, slowest):
                blocked_ms = slowest.blocked_ms_per_save
                metrics = {"crashes": crashes, "blocked_ms_per_save": round(blocked_ms, 1)}
                if blocked_ms > max_blocked_ms:
                    verdict, score = Verdict.TOO_SLOW, max_blocked_ms / blocked_ms
                    text = _too_slow(blocked_ms, max_blocked_ms)
                    mine = max(slowest.saves, key=lambda one: one.blocked_ms)
                    own = ranks.reference_save(job.n_ranks, mine.step, SCHEDULES[schedule])
                    data = {**metrics, "figure": timing.draw(mine, own, max_blocked_ms)}
    output = ranks.take_output()
    example = None
    if verdict is not Verdict.ACCEPTED:
        replay: JsonObject = {"case": case.name, "seed": seed}
        kinds = (kind for kind, needs in _KINDS.items() if needs in data)
        kind = next(kinds, "plain")
        example = Counterexample(kind, text, data or metrics, replay)
    return CaseResult(
        name=case.name,
        verdict=verdict,
        message=text,
        score=score,
        time_s=round(time.monotonic() - started_s, 4),
        memory_mib=round(ranks.memory_mib(), 1),
        metrics=metrics,
        output=output.text,
        output_truncated=output.truncated,
        counterexample=example,
    )


def _too_slow(blocked_ms: float, max_blocked_ms: float) -> str:
    return say(
        "training may stand still for {limit} ms a save, on average: it stood still for {blocked} "
        "ms of simulated time. Copy the state, resume, and write in the background; be done before "
        "the next save.",
        limit=f"{max_blocked_ms:g}",
        blocked=f"{blocked_ms:.0f}",
    )


def _max_blocked_ms(settings: Mapping[str, Any]) -> float:
    parameters = settings["parameters"]
    if set(parameters) != {"max_blocked_ms"} or not parameters["max_blocked_ms"] > 0:
        raise ValueError(f"parameters must be max_blocked_ms, positive, got {parameters}")
    return float(parameters["max_blocked_ms"])


def _job(case: Case) -> Job:
    fields = case.input
    if set(fields) != {"n_ranks", "saves"}:
        raise ValueError(f"input must have n_ranks and saves, got {sorted(fields)}")
    job = Job(int(str(fields["n_ranks"])), int(str(fields["saves"])))
    if not 1 <= job.n_ranks <= 4 or not 1 <= job.saves <= 8:
        raise ValueError(f"n_ranks must be 1 to 4 and saves 1 to 8, got {job}")
    return job
