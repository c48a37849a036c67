"""Judging a kernel on a worker with a GPU: record and compile everything, then run all of it.

Two phases, so that the GPU is held while it works and not while somebody compiles.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graders.kernel import findings
from graders.kernel.gpu import Session
from graders.kernel.operations.base import Operation
from graders.kernel.plan import TARGETS, Target
from graders.kernel.plan_reader import PlanError
from graders.kernel.record import Record, Recorder, Stopped
from graders.kernel.report import report
from graders.ports import Case, Environment, JudgeError, Launcher, Task
from graders.verdict import (
    CaseResult,
    Counterexample,
    Event,
    Json,
    JsonObject,
    Verdict,
    case_finished,
    case_started,
    judged,
)

REFERENCE = "reference.py"


_MAX_KEPT = 32
_kept: dict[str, Record] = {}  # references recorded by this worker, by what they depend on


@dataclass(frozen=True, slots=True)
class Reference:
    """Our own solution, recorded when a timed case asks for it, like any submission."""

    source: bytes
    target: Target
    start: Callable[[], Recorder]

    def record(self, operation: Operation, given: Mapping[str, Any]) -> Record:
        """The reference's call.

        Raises
        ------
        JudgeError
            If it cannot be recorded: the package's fault.
        """
        told = json.dumps([self.target.name, dict(given), hashlib.sha256(self.source).hexdigest()])
        if told not in _kept:
            while len(_kept) >= _MAX_KEPT:
                _kept.pop(next(iter(_kept)))
            _kept[told] = self._record(operation, given)
        return _kept[told]

    def _record(self, operation: Operation, given: Mapping[str, Any]) -> Record:
        recorder = self.start()
        try:
            failed = recorder.load()
            record = failed or recorder.record(operation.call(given), compiles=True)
        finally:
            recorder.close()
        if not isinstance(record, Record):
            raise JudgeError(f"the package's reference cannot be recorded: {record}")
        return record


def open_session(launcher: Launcher, operation: str) -> Session | None:
    """The programs on this worker's GPU; None where kernels cannot run on it."""
    if not launcher.offers(Environment.GPU):
        return None
    session = Session(launcher, operation)
    if target_of(session) is None:
        session.close()
        return None
    return session


def target_of(session: Session) -> Target | None:
    """What kernels are compiled for on this GPU; None if it is none of the chips we know."""
    return TARGETS.get(f"sm_{session.properties['architecture']}")


def judge(
    task: Task,
    operation: Operation,
    session: Session,
    recorder: Recorder,
    reference: Reference,
    source: str,
    seed: int,
) -> Iterator[Event]:
    """Every case on the GPU; the last event carries the verdict.

    Parameters
    ----------
    recorder : Recorder
        The submission, imported already.
    seed : int
        Draws the inputs. No sandbox ever sees it.

    Raises
    ------
    JudgeError
        If a program of ours or the package breaks.
    """
    recorded = _record_all(task, operation, recorder, seed)
    references = {
        case.name: reference.record(operation, case.input)
        for case in task.cases
        if case.input.get("timed") and isinstance(recorded.get(case.name), Record)
    }
    results: list[CaseResult] = []
    compiled: list[Json] = []
    total = len(task.cases)
    for index, case in enumerate(task.cases, start=1):
        yield case_started(index, total, case.name)
        found = recorded.get(case.name)
        if isinstance(found, Record):
            timed = references.get(case.name) if _all_right(results) else None
            result = _run(session, operation, case, found, timed, seed)
            if case.name in references and result.verdict is Verdict.ACCEPTED:
                compiled = report(found.plan(), found.message["kernels"], source)
        elif found is not None:
            result = found
        else:  # the submission's program is gone since an earlier case
            break
        results.append(result)
        yield case_finished(index, total, result)
    session.give_back()
    yield judged(results, _metrics(session, task, results, references, compiled, seed))


def _record_all(
    task: Task, operation: Operation, recorder: Recorder, seed: int
) -> dict[str, Record | CaseResult]:
    """Each case's record, or its rejection; nothing after the program ended."""
    recorded: dict[str, Record | CaseResult] = {}
    for case in task.cases:
        record = recorder.record(operation.call(case.input), compiles=True)
        if isinstance(record, Record):
            recorded[case.name] = record
            continue
        replay: JsonObject = {"case": case.name, "seed": seed}
        verdict, counterexample = findings.of_failure(record, replay)
        output = recorder.take_output()
        recorded[case.name] = CaseResult(
            case.name,
            verdict,
            message=counterexample.summary,
            output=output.text,
            output_truncated=output.truncated,
            counterexample=counterexample,
        )
        if isinstance(record, Stopped):
            break
    return recorded


def _run(
    session: Session,
    operation: Operation,
    case: Case,
    record: Record,
    reference: Record | None,
    seed: int,
) -> CaseResult:
    try:
        return session.judge_case(case, record, reference, seed)
    except PlanError as error:
        replay: JsonObject = {"case": case.name, "seed": seed}
        broken = Counterexample("plain", error.text, {}, replay)
        return CaseResult(
            case.name, Verdict.RUNTIME_ERROR, message=error.text, counterexample=broken
        )


def _metrics(
    session: Session,
    task: Task,
    results: list[CaseResult],
    references: Mapping[str, Record],
    compiled: list[Json],
    seed: int,
) -> JsonObject:
    """What is told of the whole: each timed case beside reference, vendor and roofline."""
    cases = {case.name: case for case in task.cases}
    told: JsonObject = {
        "gpu": str(session.properties["name"]),
        "gpu_held_s": round(session.held_s, 2),
    }
    times: list[Json] = []
    for result in results:
        time = result.metrics.pop("kernel_time", None)
        if not isinstance(time, dict):
            continue
        time |= session.vendor(cases[result.name], references[result.name], seed)
        over, own = time.get("reference_over_vendor"), time["time_over_reference"]
        if isinstance(over, float) and isinstance(own, float):
            # Two ratios, each measured in alternation: the vendor's library never met a submission.
            time["time_over_vendor"] = round(own * over, 4)
        times.append(time)
    return {**told, "kernel_times": times, "compiled": compiled} if times else told


def _all_right(results: list[CaseResult]) -> bool:
    return all(result.verdict is Verdict.ACCEPTED for result in results)
