"""Judging a structure: refuse, compile, inspect, check the model, then real threads."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from graders.concurrency import build, compiler, inspection, messages
from graders.concurrency.checking import PROGRAM, RUNNER, Checker, Stopped, how_it_stopped
from graders.concurrency.compiler import Compiled, DebugInfo, NotCompiled
from graders.concurrency.counterexample import interleaving
from graders.concurrency.fields import Fields
from graders.concurrency.program import SUBMISSION, instances_of, interface, scenarios_file
from graders.concurrency.results import (
    PROGRESS_CLASSES,
    Coverage,
    Failure,
    Progress,
    SharedLine,
    read_lines,
)
from graders.concurrency.scenarios import Check, Plan, Structure, read_plan
from graders.concurrency.threads import Threads
from graders.ports import Launcher, Outcome, StopReason, Task
from graders.text import say
from graders.verdict import (
    CaseResult,
    Counterexample,
    Event,
    EventKind,
    JsonObject,
    Report,
    Verdict,
    case_finished,
    case_started,
    compiling,
    judged,
)

QUEUE = "cpu"
SEARCH_TIME_LIMIT_S = 8.0  # CPU time of all interleavings; then a search is "not exhausted"
RANDOM_EXECUTIONS = 3000  # of each scenario
_Answer = TypeVar("_Answer", bound=Progress | Failure | list[SharedLine])
_VERDICTS = {
    "unsupported": Verdict.RUNTIME_ERROR,
    "ended": Verdict.RUNTIME_ERROR,
    "uncaught_exception": Verdict.RUNTIME_ERROR,
    "assertion": Verdict.RUNTIME_ERROR,
    "crash": Verdict.RUNTIME_ERROR,
    "foreign_memory": Verdict.RUNTIME_ERROR,
    "foreign_jump": Verdict.RUNTIME_ERROR,
    "endless_loop": Verdict.TIME_LIMIT,
    "out_of_memory": Verdict.MEMORY_LIMIT,
}


def judge(task: Task, source: bytes, launcher: Launcher, seed: int) -> Iterator[Event]:
    """Judge one submission; the last event carries the verdict.

    Parameters
    ----------
    task : Task
        `settings` is a `ConcurrencyGrader` section, each case's input what problems/README.md says
        of it; `files` holds the reference, beside which throughput is measured.
    source : bytes
        The submission, a C++20 header.
    seed : int
        Draws the random executions. The exhaustive ones are the same with every seed.

    Raises
    ------
    JudgeError
        If the package asks for what cannot be, or the model checker cannot be built.
    """
    yield compiling()
    structure = Structure.of(task.settings)
    plans = [read_plan(case, structure) for case in task.cases]
    text = source.decode(errors="replace")
    if (refused := build.refusal(text)) is not None:
        yield _not_compiled(NotCompiled(refused))
        return
    judging = _Judging(task, structure, plans, source, launcher, seed)
    if (refused_later := judging.compile()) is not None:
        yield _not_compiled(refused_later)
        return
    yield from judging.events()


def _not_compiled(found: NotCompiled) -> Event:
    counterexample = Counterexample("compiler_output", found.message, {"output": found.output})
    report = Report(Verdict.COMPILE_ERROR, found.message, 0.0, [], counterexample)
    return Event(EventKind.VERDICT, report.to_json())


@dataclass(slots=True)
class _Clock:
    """What a case took: seconds since the last one ended."""

    started: float

    def lap_s(self) -> float:
        now = time.monotonic()
        lap_s, self.started = now - self.started, now
        return lap_s


def only_answer(checker: Checker, command: Sequence[str], kind: type[_Answer]) -> _Answer:
    """The one message that a runner sends when it is asked about one scenario.

    Raises
    ------
    Stopped
        If it came to no end, or said less, more or something else.
    """
    said = list(checker.ask(command))
    if len(said) != 1 or not isinstance(said[0], kind):
        raise Stopped(Outcome(StopReason.BAD_FRAME))
    return said[0]


class _Judging:
    """One submission on its way through the stages; a rejection ends it."""

    def __init__(
        self,
        task: Task,
        structure: Structure,
        plans: Sequence[Plan],
        source: bytes,
        launcher: Launcher,
        seed: int,
    ) -> None:
        self._task = task
        self._structure = structure
        self._plans = plans
        self._source = source
        self._launcher = launcher
        self._seed = seed % (1 << 63)
        self._results: dict[str, CaseResult] = {}
        self._clock = _Clock(time.monotonic())
        self._compiled = Compiled(b"", "")

    def compile(self) -> NotCompiled | None:
        """Compile for the model checker and look at what came of it; what stands against it."""
        scenarios = [plan.scenario for plan in self._plans if plan.check.model_checked]
        instances = instances_of(scenarios) or [self._plans[0].load.instance]
        done = compiler.compile_for_checker(
            self._launcher,
            self._source,
            interface(self._structure, instances),
            scenarios_file(self._structure, scenarios),
        )
        if isinstance(done, NotCompiled):
            return done
        # Macros can put a word together that the source does not have.
        if (refused := build.refusal(build.own_part(done.preprocessed, SUBMISSION))) is not None:
            return NotCompiled(refused)
        if (objection := inspection.objection(done.assembly)) is not None:
            return NotCompiled(objection)
        self._compiled = done
        self._checker = Checker(self._launcher, done.program, self._task.limits)
        return None

    def events(self) -> Iterator[Event]:
        """All stages, until one rejects."""
        stages = {
            Check.INTERLEAVINGS: self._interleavings,
            Check.PROGRESS: self._progress,
            Check.CACHE_LINES: self._cache_lines,
            Check.REAL_THREADS: self._real_threads,
            Check.THROUGHPUT: self._throughput,
        }
        for check, stage in stages.items():
            plans = [plan for plan in self._plans if plan.check is check]
            if plans:
                yield from stage(plans)
            if self._rejected():
                break
        order = [plan.case.name for plan in self._plans]
        end = judged(sorted(self._results.values(), key=lambda result: order.index(result.name)))
        # What was not judged any more counts as failed, or who fails late would seem to be better.
        earned = sum(result.score for result in self._results.values())
        yield Event(end.kind, {**end.data, "score": earned / len(self._plans)})

    def _rejected(self) -> bool:
        mild = (Verdict.ACCEPTED, Verdict.TOO_SLOW)
        return any(result.verdict not in mild for result in self._results.values())

    def _started(self, plan: Plan) -> Event:
        return case_started(self._index(plan), len(self._plans), plan.case.name)

    def _finished(
        self,
        plan: Plan,
        verdict: Verdict,
        message: str,
        counterexample: Counterexample | None = None,
        metrics: JsonObject | None = None,
        memory_mib: float | None = None,
    ) -> Event:
        result = CaseResult(
            name=plan.case.name,
            verdict=verdict,
            message=message,
            score=1.0 if verdict is Verdict.ACCEPTED else 0.0,
            time_s=self._clock.lap_s(),
            memory_mib=self._checker.usage.memory_mib if memory_mib is None else memory_mib,
            metrics=metrics or {},
            counterexample=counterexample,
        )
        self._results[result.name] = result
        return case_finished(self._index(plan), len(self._plans), result)

    def _index(self, plan: Plan) -> int:
        return self._plans.index(plan) + 1

    # --- stages ---

    def _interleavings(self, plans: list[Plan]) -> Iterator[Event]:
        if plans[0].scenario.schedule and (failure := self._repeat(plans[0])) is not None:
            yield self._started(plans[0])
            yield self._failed(plans[0], failure)
            return
        command = build.check(
            RUNNER,
            PROGRAM,
            descriptor=4,
            seed=self._seed,
            limits=build.SearchLimits(RANDOM_EXECUTIONS, time_limit_s=SEARCH_TIME_LIMIT_S),
            scenarios={plan.case.name: plan.scenario.executions for plan in plans},
        )
        waiting = {plan.case.name: plan for plan in plans}
        current = plans[0]
        yield self._started(current)
        try:
            for message in self._checker.ask(command):
                match message:
                    case Coverage() as coverage:
                        plan = waiting.pop(coverage.scenario, None)
                        if plan is not current:
                            raise Stopped(Outcome(StopReason.BAD_FRAME))
                        yield self._finished(
                            plan, Verdict.ACCEPTED, *_covered(coverage, self._structure)
                        )
                        if waiting:
                            current = next(iter(waiting.values()))
                            yield self._started(current)
                    case Failure() as failure:
                        plan = waiting.get(failure.scenario)
                        if plan is None:
                            raise Stopped(Outcome(StopReason.BAD_FRAME))
                        if plan is not current:
                            yield self._started(plan)
                        yield self._failed(plan, failure)
                        return
                    case _:
                        raise Stopped(Outcome(StopReason.BAD_FRAME))
            if waiting:
                raise Stopped(Outcome(StopReason.BAD_FRAME))
        except Stopped as stopped:
            yield self._ended(current, stopped)

    def _repeat(self, plan: Plan) -> Failure | None:
        """What the execution of a replay does now; None if nothing is wrong with it."""
        command = build.replay(
            RUNNER, PROGRAM, descriptor=4,
            scenario=plan.case.name, schedule=plan.scenario.schedule,
        )  # fmt: skip
        try:
            found = only_answer(self._checker, command, Failure)
        except Stopped:
            return None  # the whole search will say why
        return found if found.kind else None

    def _failed(self, plan: Plan, failure: Failure) -> Event:
        verdict = _VERDICTS.get(failure.kind, Verdict.WRONG_ANSWER)
        told = _with_advice(messages.sentence(failure.message), messages.advice(failure.kind))
        scenario_input = {k: v for k, v in plan.case.input.items() if k != "schedule"}
        replay: JsonObject = {
            "case": plan.case.name,
            "seed": self._seed,
            "input": {**scenario_input, "schedule": failure.schedule},  # type: ignore[dict-item]
        }
        return self._finished(
            plan, verdict, told, self._drawn(failure, told, replay), _effort(failure)
        )

    def _drawn(
        self,
        failure: Failure,
        message: str,
        replay: JsonObject,
        suspended_after: int | None = None,
    ) -> Counterexample:
        found = self._debug_info(failure.program_counters())
        lines = _line_numbers(found)
        return interleaving(
            failure,
            message,
            self._source.decode(errors="replace"),
            lines,
            Fields(found.types).name,
            self._structure.methods,
            replay,
            suspended_after,
        )

    def _debug_info(self, pcs: Sequence[str]) -> DebugInfo:
        return compiler.debug_info(self._launcher, self._compiled.program, pcs)

    def _ended(self, plan: Plan, stopped: Stopped) -> Event:
        verdict, message = how_it_stopped(stopped.outcome, self._task.limits)
        counterexample = Counterexample(
            "plain", message, {}, {"case": plan.case.name, "seed": self._seed}
        )
        return self._finished(plan, verdict, message, counterexample)

    def _progress(self, plans: list[Plan]) -> Iterator[Event]:
        wanted = self._structure.progress
        for plan in plans:
            yield self._started(plan)
            command = build.progress(
                RUNNER, PROGRAM, descriptor=4, seed=self._seed, scenario=plan.case.name
            )
            try:
                found = only_answer(self._checker, command, Progress)
                if found.scenario != plan.case.name:
                    raise Stopped(Outcome(StopReason.BAD_FRAME))
            except Stopped as stopped:
                yield self._ended(plan, stopped)
                return
            yield self._classified(plan, found, wanted)
            if self._rejected():
                return

    def _classified(self, plan: Plan, found: Progress, wanted: str) -> Event:
        metrics: JsonObject = {"progress_class": found.progress_class}
        if PROGRESS_CLASSES.index(found.progress_class) >= PROGRESS_CLASSES.index(wanted):
            message = say(
                "Its progress is {found} here, and {wanted} is asked for.",
                found=_class_name(found.progress_class),
                wanted=_class_name(wanted),
            )
            return self._finished(plan, Verdict.ACCEPTED, message, metrics=metrics)
        message = say(
            "The structure must be {wanted}, and it is {found}. {fact}",
            wanted=_class_name(wanted),
            found=_class_name(found.progress_class),
            fact=messages.sentence(found.message),
        )
        suspended = found.progress_class in ("blocking", "stalls")
        drawn = self._drawn(
            found.failure,
            message,
            {"case": plan.case.name, "seed": self._seed},
            found.after_steps if suspended else None,
        )
        return self._finished(plan, Verdict.WRONG_ANSWER, message, drawn, metrics)

    def _cache_lines(self, plans: list[Plan]) -> Iterator[Event]:
        for plan in plans:
            yield self._started(plan)
            command = build.cache_lines(
                RUNNER, PROGRAM, descriptor=4, seed=self._seed, scenario=plan.case.name
            )
            try:
                pairs = only_answer(self._checker, command, list)
            except Stopped as stopped:
                yield self._ended(plan, stopped)
                return
            yield self._shared(plan, pairs)

    def _shared(self, plan: Plan, pairs: list[SharedLine]) -> Event:
        if not pairs:
            message = say("No two threads keep storing to different variables of one cache line.")
            return self._finished(plan, Verdict.ACCEPTED, message)
        pcs = [pc for pair in pairs for pc in (pair.first.pc, pair.second.pc)]
        found = self._debug_info(pcs)
        lines, fields = _line_numbers(found), Fields(found.types)
        rows: list[Any] = []
        for pair in pairs:
            rows += [
                {
                    "place": fields.name(one.place),
                    "thread": one.thread,
                    "line": lines.get(one.pc),
                    "line_offset_bytes": one.line_offset_bytes,
                    "size_bytes": one.size_bytes,
                }
                for one in (pair.first, pair.second)
            ]
        first, second = pairs[0].first, pairs[0].second
        message = say(
            "Variables that different threads keep storing to must lie in different cache lines of "
            "64 bytes: thread {first_thread} stores to {first} and thread {second_thread} to "
            "{second}, {distance_bytes} bytes further on in the same line. Put alignas(64) before "
            "each of them.",
            first=fields.name(first.place),
            second=fields.name(second.place),
            first_thread=first.thread,
            second_thread=second.thread,
            distance_bytes=(second.line_offset_bytes - first.line_offset_bytes) % 64,
        )
        counterexample = Counterexample(
            "cache_line",
            message,
            {"line_bytes": 64, "variables": rows},
            {"case": plan.case.name, "seed": self._seed},
        )
        return self._finished(plan, Verdict.TOO_SLOW, message, counterexample)

    def _real_threads(self, plans: list[Plan]) -> Iterator[Event]:
        for plan in plans:
            yield self._started(plan)
            verdict, message, counterexample, metrics, memory_mib = self._threads().sanitize(plan)
            yield self._finished(plan, verdict, message, counterexample, metrics, memory_mib)
            if self._rejected():
                return

    def _throughput(self, plans: list[Plan]) -> Iterator[Event]:
        for plan in plans:
            yield self._started(plan)
            verdict, message, counterexample, metrics, memory_mib = self._threads().measure(plan)
            yield self._finished(plan, verdict, message, counterexample, metrics, memory_mib)

    def _threads(self) -> Threads:
        return Threads(self._task, self._structure, self._source, self._launcher, self._seed)


def _line_numbers(found: DebugInfo) -> dict[str, int]:
    """Program counter -> line of the submission."""
    lines = read_lines(found.lines, [SUBMISSION])
    return {pc: int(line.rpartition(":")[2]) for pc, line in lines.items()}


def _covered(coverage: Coverage, structure: Structure) -> tuple[str, None, JsonObject]:
    metrics: JsonObject = {
        "executions": coverage.executions,
        "random_executions": coverage.random_executions,
        "proved": coverage.proved,
    }
    if coverage.proved:
        told = say(
            "Proved for this scope: none of its {executions} executions breaks it.",
            executions=coverage.executions,
        )
    else:
        told = say(
            "Not exhausted: none of {executions} executions breaks it, and there are more.",
            executions=coverage.executions + coverage.random_executions,
        )
    return told, None, metrics


def _effort(failure: Failure) -> JsonObject:
    return {
        "executions_until_found": failure.random_executions + failure.exhaustive_executions,
        "context_switches": failure.context_switches,
    }


def _with_advice(message: str, advice: str) -> str:
    return say("{rule} {advice}", rule=message, advice=advice) if advice else message


def _class_name(progress_class: str) -> str:
    return {
        "blocking": say("blocking"),
        "stalls": say("never blocking, but stalling"),
        "lock_free": say("lock-free"),
        "wait_free": say("wait-free"),
    }[progress_class]
