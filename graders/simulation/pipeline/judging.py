"""The simulator ``pipeline-schedule``: one submission's way through the cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from graders.budget import Budget
from graders.endings import how_it_ended
from graders.function.programs import NoJson, Raised, Returned, Stopped, Submission
from graders.ports import Case, Launcher, Outcome, StopReason, Task
from graders.simulation.pipeline import timeline
from graders.simulation.pipeline.cases import pipelines_of, smaller
from graders.simulation.pipeline.checks import Failure, examine, time_limit
from graders.simulation.pipeline.operations import Misread, read_orders
from graders.simulation.pipeline.pipelines import Pipeline
from graders.simulation.pipeline.published import published
from graders.simulation.pipeline.simulate import Run, run
from graders.simulation.stateful.judging import case_seed
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

MAX_TRIES = 500  # smaller pipelines asked for
_STOPPED = {
    StopReason.CPU_TIME: Verdict.TIME_LIMIT,
    StopReason.WALL_TIME: Verdict.TIME_LIMIT,
    StopReason.MEMORY: Verdict.MEMORY_LIMIT,
    StopReason.OUTPUT: Verdict.OUTPUT_LIMIT,
}


@dataclass(frozen=True, slots=True)
class Tried:
    """One call of the candidate's function and what came of it; no run where it gave no orders."""

    pipeline: Pipeline
    run: Run | None
    failure: Failure | None
    traceback: str = ""
    ended: Outcome | None = None  # how its program ended, if it did


def judge(task: Task, source: bytes, launcher: Launcher, seed: int) -> Iterator[Event]:
    """See `graders.simulation.judge`."""
    pipelines = [pipelines_of(case.input, case_seed(seed, case.name)) for case in task.cases]
    limit_s = task.settings["step_time_limit_s"]
    settings = {**task.settings, "answer_time_limit_s": limit_s}
    yield compiling()
    submission = Submission(launcher, source, replace(task, settings=settings))
    judging = _Judging(submission, seed)
    try:
        failed = submission.load()
        if failed is not None:
            printed = submission.take_output().text
            yield _import_failed(failed, printed)
            return
        results: list[CaseResult] = []
        not_run: list[Json] = []
        total = len(task.cases)
        for index, (case, chosen) in enumerate(zip(task.cases, pipelines, strict=True), 1):
            if any(one.verdict is Verdict.TIME_LIMIT for one in results):
                not_run.append(case.name)  # each late case costs its whole time limit
                continue
            yield case_started(index, total, case.name)
            results.append(judging.case(case, chosen))
            yield case_finished(index, total, results[-1])
    finally:
        submission.close()
    metrics: JsonObject = {"cases_not_run": not_run} if not_run else {}
    if judging.timelines:
        metrics["pipeline_timelines"] = list(judging.timelines.values())
    event = judged(results, metrics)
    # What was not run earned nothing.
    event.data["score"] = sum(one.score for one in results) / max(total, 1)
    yield event


class _Judging:
    def __init__(self, submission: Submission, seed: int) -> None:
        self.submission = submission
        self.seed = seed
        self.timelines: dict[str, Json] = {}  # of the first accepted sample of each schedule
        self._smallest: dict[tuple[str, str], Tried] = {}

    def case(self, case: Case, pipelines: list[Pipeline]) -> CaseResult:
        """Judge one case; of several pipelines the first that fails speaks, made smaller."""
        before = self.submission.usage()
        tried = [self._try(pipelines[0])]
        for pipeline in pipelines[1:]:
            if tried[-1].failure is not None:
                break
            tried.append(self._try(pipeline))
        last = tried[-1]
        used = last.ended or self.submission.usage()
        output = self.submission.take_output()
        verdict, message, example = Verdict.ACCEPTED, "", None
        if last.failure is not None:
            verdict = last.failure.verdict
            if last.ended is not None:
                self.submission.close()
            small = last if "shrunk" in case.input else self._shrink(last)
            self.submission.take_output()  # what the smaller ones printed is nobody's output
            message, example = _explain(small, last.pipeline, case, self.seed)
        elif case.sample and last.run is not None:
            name = last.pipeline.schedule.value
            self.timelines.setdefault(name, timeline.beside(last.run, _best(last.pipeline)))
        slower = verdict is Verdict.TOO_SLOW and last.run is not None
        return CaseResult(
            name=case.name,
            verdict=verdict,
            message=message,
            score=_share(last) if slower else float(last.failure is None),
            time_s=max(0.0, used.cpu_time_s - before.cpu_time_s),
            memory_mib=used.memory_mib,
            metrics=_metrics(tried),
            output=output.text,
            output_truncated=output.truncated,
            counterexample=example,
        )

    def _try(self, pipeline: Pipeline) -> Tried:
        match self.submission.call(pipeline.arguments()):
            case Returned(answer):
                orders = read_orders(answer, pipeline)
                if isinstance(orders, Misread):
                    failure = Failure(orders.kind, Verdict.WRONG_ANSWER, orders.text)
                    return Tried(pipeline, None, failure)
                made = run(orders, pipeline)
                return Tried(pipeline, made, examine(made))
            case NoJson(message):
                text = say("{message}", message=message)
                return Tried(pipeline, None, Failure("no_json", Verdict.WRONG_ANSWER, text))
            case Raised(error, message, traceback):
                text = say(
                    "schedule must return without an exception: it raised {error}", error=message
                )
                failure = Failure(f"raised {error}", Verdict.RUNTIME_ERROR, text)
                return Tried(pipeline, None, failure, traceback)
            case Stopped(outcome):
                text = say("schedule must return, but {fact}", fact=how_it_ended(outcome))
                verdict = _STOPPED.get(outcome.reason, Verdict.RUNTIME_ERROR)
                failure = Failure(f"stopped {outcome.reason}", verdict, text)
                return Tried(pipeline, None, failure, ended=outcome)

    def _shrink(self, failed: Tried) -> Tried:
        """The smallest pipeline of the same schedule that fails alike."""
        assert failed.failure is not None  # noqa: S101  only what failed is made smaller
        if failed.ended is not None:
            return failed
        key = (failed.failure.kind, failed.pipeline.schedule.value)
        known = self._smallest.get(key)
        if known is not None and known.pipeline < failed.pipeline:
            return known
        self._smallest[key] = failed
        budget = Budget(MAX_TRIES)
        for pipeline in smaller(failed.pipeline):
            if budget.is_spent:
                break
            budget.spend()
            tried = self._try(pipeline)
            if tried.failure is not None and tried.failure.kind == failed.failure.kind:
                self._smallest[key] = tried
                break
            if tried.ended is not None:
                self.submission.close()
                break
        return self._smallest[key]


def _best(pipeline: Pipeline) -> Run:
    return run(published(pipeline), pipeline)


def _share(tried: Tried) -> float:
    """Of a right but slow schedule, half of the time allowed over its time."""
    assert tried.run is not None  # noqa: S101  only a run can be slow
    return time_limit(tried.pipeline) / tried.run.end / 2


def _metrics(tried: list[Tried]) -> JsonObject:
    """Of the last pipeline; of several, how many were tried."""
    last = tried[-1]
    metrics: JsonObject = {
        "schedule": last.pipeline.schedule.value,
        "n_ranks": last.pipeline.n_ranks,
        "n_micro_batches": last.pipeline.n_micro_batches,
        "n_chunks": last.pipeline.n_chunks,
        "pipelines": len(tried),
    }
    if last.run is not None and not last.run.stuck:
        metrics["step_units"] = last.run.end
        metrics["step_units_allowed"] = time_limit(last.pipeline)
        metrics["bubble_units"] = last.run.bubble
        metrics["peak_in_flight"] = max(last.run.peak(r) for r in range(last.pipeline.n_ranks))
    return metrics


def _explain(small: Tried, asked: Pipeline, case: Case, seed: int) -> tuple[str, Counterexample]:
    failure = small.failure
    assert failure is not None  # noqa: S101  only what failed is explained
    message = say("{text} (Seen with {input}.)", text=failure.text, input=small.pipeline.describe())
    if small.pipeline != asked:
        message = say(
            "{text} (The smallest pipeline found that shows it: {smallest}; this case has "
            "{input}.)",
            text=failure.text,
            smallest=small.pipeline.describe(),
            input=asked.describe(),
        )
    given = small.pipeline.to_json()
    data: JsonObject = {"make": _call(small.pipeline), "failure": failure.kind}
    if small.traceback:
        data["traceback"] = small.traceback
    if small.run is not None:
        best = _best(small.pipeline)
        data["timelines"] = timeline.beside(small.run, best, failure)
    # A replay shows this pipeline, and looks for no smaller one.
    replay: JsonObject = {"case": case.name, "seed": seed, "input": {**given, "shrunk": True}}
    return message, Counterexample("pipeline_timeline", failure.text, data, replay)


def _call(pipeline: Pipeline) -> str:
    """The call of the candidate's function, as Python writes it."""
    return f"schedule({', '.join(repr(one) for one in pipeline.arguments().values())})"


def _import_failed(failed: Raised | Stopped, printed: str) -> Event:
    if isinstance(failed, Stopped):
        text = say(
            "the submission must be imported without ending its program, but {how}",
            how=how_it_ended(failed.outcome),
        )
        return compile_error(text, printed)
    text = say("the submission must be importable: {said}", said=failed.message)
    return compile_error(text, failed.traceback)
