"""Judging a kernel: every case recorded, the small ones interpreted, the large ones compiled."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from graders.kernel import findings, on_gpu, thread_findings
from graders.kernel.disassembly import disassemble
from graders.kernel.emulation import ThreadFault
from graders.kernel.interpreted import (
    Broke,
    Compared,
    Interpreter,
    MemoryFault,
    can_interpret,
)
from graders.kernel.operations import OPERATIONS
from graders.kernel.operations.base import Call, Operation
from graders.kernel.plan import Target
from graders.kernel.plan_reader import PlanError
from graders.kernel.record import Raised, Record, Recorder, Refused, Stopped, target_named
from graders.kernel.report import not_measured, report
from graders.ports import CannotJudge, Case, Environment, JudgeError, Launcher, Task
from graders.text import Text, say
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

QUEUE = "gpu"


@dataclass(frozen=True, slots=True)
class Settings:
    """The grader's section of problem.yaml."""

    operation: Operation
    entry_point: str
    target: Target

    @classmethod
    def of(cls, task: Task) -> Settings:
        """Read a validated section.

        Raises
        ------
        JudgeError
            If it names what is not there.
        """
        name = str(task.settings["operation"])
        if name not in OPERATIONS:
            raise JudgeError(f"operation must be one of {', '.join(OPERATIONS)}, got {name!r}")
        return cls(
            OPERATIONS[name],
            str(task.settings["entry_point"]),
            target_named(str(task.settings["target"])),
        )


def judge(task: Task, source: bytes, launcher: Launcher, seed: int) -> Iterator[Event]:
    """Judge one submission; the last event carries the verdict.

    Parameters
    ----------
    task : Task
        `settings` is a `problems.sections.kernel.KernelGrader` section; each case's input is what
        its operation takes.
    seed : int
        Draws the inputs. It never enters a sandbox in which the submission's host code runs.

    Raises
    ------
    JudgeError
        If the package asks for what the grader does not have, or a program of ours breaks.
    """
    yield compiling()
    settings = Settings.of(task)
    if not launcher.offers(Environment.TORCH):
        raise CannotJudge(
            say(
                "This site cannot judge kernels: they are recorded with torch and Triton, which "
                "are not installed for submissions here. Whoever runs the site can add them with "
                "{command}.",
                command="python -m sandboxes.runtime torch",
            )
        )
    session = on_gpu.open_session(launcher, str(task.settings["operation"]))
    target = (on_gpu.target_of(session) if session else None) or settings.target

    def recorder_of(code: bytes) -> Recorder:
        seen = int(session.properties["multiprocessors"]) if session else 0
        return Recorder(launcher, code, settings.entry_point, task.limits, target, seen)

    recorder = recorder_of(source)
    interpreter = Interpreter(launcher)
    try:
        failed = recorder.load()
        if failed is not None:
            yield _import_failed(failed, recorder)
            return
        if session is not None:
            own = task.files[on_gpu.REFERENCE]
            reference = on_gpu.Reference(own, target, lambda: recorder_of(own))
            text = source.decode("utf-8", "replace")
            yield from on_gpu.judge(
                task, settings.operation, session, recorder, reference, text, seed
            )
            return
        judging = Judging(
            settings, launcher, recorder, interpreter, source.decode("utf-8", "replace"), seed
        )
        results: list[CaseResult] = []
        total = len(task.cases)
        for index, case in enumerate(task.cases, start=1):
            yield case_started(index, total, case.name)
            result = judging.judge(case)
            results.append(result)
            yield case_finished(index, total, result)
            if judging.over:
                break
        yield judged(
            results,
            {
                "not_measured": not_measured(in_cuda=judging.in_cuda),
                "compiled": judging.compiled,
            },
        )
    finally:
        recorder.close()
        interpreter.close()
        if session is not None:
            session.close()


def _import_failed(failed: Refused | Raised | Stopped, recorder: Recorder) -> Event:
    _, counterexample = findings.of_failure(failed, {})
    printed = recorder.take_output().text
    if isinstance(failed, Raised):
        return compile_error(
            say("the submission must import: {message}", message=failed.message), failed.traceback
        )
    return compile_error(
        say("the submission must import: {reason}", reason=counterexample.summary), printed
    )


class Judging:
    """One submission on its way through the cases."""

    def __init__(
        self,
        settings: Settings,
        launcher: Launcher,
        recorder: Recorder,
        interpreter: Interpreter,
        source: str,
        seed: int,
    ) -> None:
        self._settings, self._launcher = settings, launcher
        self._recorder, self._interpreter = recorder, interpreter
        self._source, self._seed = source, seed
        self.compiled: list[Json] = []
        self.in_cuda = False  # the submission launched CUDA C++
        self.sound = True  # no case has failed so far
        self.over = False  # the submission's program is gone, and no more can be asked of it

    def judge(self, case: Case) -> CaseResult:
        """One case."""
        operation = self._settings.operation
        try:
            call = operation.call(case.input)
        except ValueError as error:
            raise JudgeError(f"case {case.name}: {error}") from error
        replay: JsonObject = {"case": case.name, "seed": self._seed}
        timed = bool(case.input.get("timed"))
        before = self._recorder.usage().cpu_time_s
        # Compiling takes seconds, and tells nothing that a rejected submission waits for.
        record = self._recorder.record(call, compiles=timed and self.sound)
        used = self._recorder.usage()
        if isinstance(record, Record):
            finding, metrics = self._look(case, call, record, replay, timed=timed)
        else:
            self.over = isinstance(record, Stopped)
            finding, metrics = findings.of_failure(record, replay), {}
        output = self._recorder.take_output()
        verdict, counterexample = finding or (Verdict.ACCEPTED, None)
        self.sound = self.sound and finding is None
        return CaseResult(
            name=case.name,
            verdict=verdict,
            message=counterexample.summary if counterexample else "",
            score=1.0 if verdict is Verdict.ACCEPTED else 0.0,
            time_s=max(0.0, used.cpu_time_s - before),
            memory_mib=used.memory_mib,
            metrics=metrics,
            output=output.text,
            output_truncated=output.truncated,
            counterexample=counterexample,
        )

    def _look(
        self, case: Case, call: Call, record: Record, replay: JsonObject, *, timed: bool
    ) -> tuple[findings.Finding | None, JsonObject]:
        try:
            self.in_cuda |= any("cuda" in one.get("launch", {}) for one in record.message["steps"])
            wrong_shape = findings.of_shape(call, record.message["results"], replay)
            if wrong_shape is not None:
                return wrong_shape, {}
            if timed:
                return None, self._compiled(record) if self.sound else {}
            if not can_interpret(call):
                return None, {"not_run": _needs_gpu()}
            return self._interpreted(case, call, record, replay)
        except PlanError as error:
            broken = Counterexample("plain", error.text, {}, replay)
            return (Verdict.RUNTIME_ERROR, broken), {}
        except (KeyError, TypeError):
            forged = say("a record must be what the recorder writes, this one was changed")
            return (Verdict.RUNTIME_ERROR, Counterexample("plain", forged, {}, replay)), {}

    def _compiled(self, record: Record) -> JsonObject:
        plan = record.plan()
        sass = disassemble(self._launcher, plan.kernels)
        made = report(plan, record.message["kernels"], self._source, sass)
        self.compiled.extend(made)
        return {"not_run": _too_large(), "kernels": len(plan.kernels)}

    def _interpreted(
        self, case: Case, call: Call, record: Record, replay: JsonObject
    ) -> tuple[findings.Finding | None, JsonObject]:
        seed = case_seed(self._seed, case.name)
        run = self._interpreter.run(record, self._settings.operation, case.input, seed)
        if isinstance(run, MemoryFault):
            return findings.of_memory(call, run, replay), {}
        if isinstance(run, ThreadFault):
            return thread_findings.of_thread(call, run, self._source, replay), {}
        if isinstance(run, Broke):
            of_break = thread_findings.of_break if run.in_cuda else findings.of_break
            return of_break(run, replay), {}
        return _compared(call, run, replay)


def _compared(
    call: Call, run: Compared, replay: JsonObject
) -> tuple[findings.Finding | None, JsonObject]:
    metrics: JsonObject = {
        "error_over_bound": {
            output.name: findings.number_to_json(one.worst_ratio)
            for output, one in zip(call.outputs, run.comparisons, strict=True)
        }
    }
    for number, comparison in enumerate(run.comparisons):
        if comparison.mismatch is not None:
            return findings.of_mismatch(call, number, comparison.mismatch, replay), metrics
    return None, metrics


def _needs_gpu() -> Text:
    return say("recorded only: bf16 is judged on a GPU")


def _too_large() -> Text:
    return say("recorded and compiled: this size runs on a GPU")


def case_seed(seed: int, name: str) -> int:
    """A seed of the case's own, so that a replay of one case draws what the whole run drew."""
    digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
    return int.from_bytes(digest[:8], "little")
