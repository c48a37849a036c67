"""Judging a function: every case, every input of it, then the smallest counterexample."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from graders.endings import how_it_ended
from graders.function.counterexample import explain
from graders.function.programs import Checker, Raised, Stopped, Submission
from graders.function.trials import Trial, attempt, most_telling, shrink
from graders.ports import Case, Launcher, Task
from graders.text import say
from graders.verdict import (
    CaseResult,
    Event,
    JsonObject,
    Verdict,
    case_finished,
    case_started,
    compile_error,
    compiling,
    judged,
    worst,
)

QUEUE = "cpu"


def judge(task: Task, source: bytes, launcher: Launcher, seed: int) -> Iterator[Event]:
    """Judge one submission; the last event carries the verdict.

    Parameters
    ----------
    task : Task
        `settings` is a `problems.schema.FunctionGrader` section. A case's input is literal (the
        keyword arguments of the function), or has a key ``draw`` and is expanded by the checker.
    source : bytes
        The submission's text.
    seed : int
        Decides every drawn input. It never enters the submission's sandbox.

    Raises
    ------
    JudgeError
        If the package's checker is missing, fails or contradicts itself.
    """
    yield compiling()
    submission = Submission(launcher, source, task)
    try:
        failed = submission.load()
        if failed is not None:
            yield _import_failed(failed, submission)
            return
        checker = Checker(launcher, task, seed)
        try:
            checker.load()
            results: list[CaseResult] = []
            total = len(task.cases)
            for index, case in enumerate(task.cases, start=1):
                yield case_started(index, total, case.name)
                if results and results[-1].verdict is Verdict.TIME_LIMIT:
                    # Each late case costs its whole time limit, and a worker meanwhile.
                    result = _not_run(case)
                else:
                    result = _judge_case(case, submission, checker, seed)
                results.append(result)
                yield case_finished(index, total, result)
            yield judged(results, _metrics(results))
        finally:
            checker.close()
    finally:
        submission.close()


def _import_failed(failed: Raised | Stopped, submission: Submission) -> Event:
    printed = submission.take_output().text
    if isinstance(failed, Stopped):
        message = say(
            "the submission must import: {fact} while importing", fact=how_it_ended(failed.outcome)
        )
        return compile_error(message, printed)
    message = say("the submission must import: {error}", error=failed.message)
    return compile_error(message, failed.traceback)


def _judge_case(case: Case, submission: Submission, checker: Checker, seed: int) -> CaseResult:
    inputs: list[JsonObject] = [dict(case.input)]  # type: ignore[arg-type]
    if "draw" in case.input:
        inputs = checker.draw(case.input, _case_seed(seed, case.name))
    before = submission.usage()
    trials: list[Trial] = []
    for one in inputs:
        trials.append(attempt(one, submission, checker))
        if isinstance(trials[-1].reply, Stopped):
            break
    last = trials[-1].reply
    used = last.outcome if isinstance(last, Stopped) else submission.usage()
    output = submission.take_output()
    if isinstance(last, Stopped):
        submission.close()
    verdict = worst([trial.verdict for trial in trials])
    message, counterexample = "", None
    if verdict is not Verdict.ACCEPTED:
        telling = most_telling([t for t in trials if t.verdict is verdict], checker)
        smallest = shrink(telling, submission, checker)
        submission.take_output()  # what the judge's own questions printed is nobody's output
        replay: JsonObject = {"case": case.name, "seed": seed, "input": smallest.input}
        message, counterexample = explain(smallest, replay)
    right = sum(len(trial.right) for trial in trials)
    return CaseResult(
        name=case.name,
        verdict=verdict,
        message=message,
        score=sum(trial.score for trial in trials) / len(inputs),
        time_s=max(0.0, used.cpu_time_s - before.cpu_time_s),
        memory_mib=used.memory_mib,
        metrics={
            "configurations": len(inputs),
            "items": sum(len(trial.items) for trial in trials),
            "items_right": right,
        },
        output=output.text,
        output_truncated=output.truncated,
        counterexample=counterexample,
    )


def _not_run(case: Case) -> CaseResult:
    return CaseResult(
        name=case.name,
        verdict=Verdict.TIME_LIMIT,
        message=say("not run: an earlier case ran out of time"),
        metrics={"configurations": 0, "items": 0, "items_right": 0},
    )


def _case_seed(seed: int, name: str) -> int:
    """A seed of the case's own, so that cases can come and go without changing each other."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:6], "big")  # exact in JSON


def _metrics(results: list[CaseResult]) -> JsonObject:
    names = ("configurations", "items", "items_right")
    return {name: sum(int(str(result.metrics[name])) for result in results) for name in names}
