"""The simulator ``ring-collective``: judges an all-reduce case by case."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

from graders.ports import Case, Launcher, Task
from graders.simulation.ring.checks import Costs, examine
from graders.simulation.ring.collective import Trace, run
from graders.simulation.ring.counterexample import counterexample, diagram
from graders.simulation.ring.failures import Failure
from graders.simulation.ring.inputs import Input, Settings
from graders.simulation.ring.ranks import ImportFailed, Ranks
from graders.simulation.ring.ring import Ring
from graders.simulation.ring.shrink import shrink
from graders.text import say
from graders.verdict import (
    CaseResult,
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

MAX_FAILED_CASES = 3  # a case that is right but slow does not count: its programs are still good


def judge(task: Task, source: bytes, launcher: Launcher, seed: int) -> Iterator[Event]:
    """See `graders.simulation.judge`."""
    settings = Settings.parse(task.settings)
    inputs = [Input.parse(case.input) for case in task.cases]
    yield compiling()
    ranks = Ranks(launcher, source, settings.entry_point, task.limits)
    judging = _Judging(ranks, settings, seed)
    try:
        try:
            ranks.ensure(max((chosen.n_ranks for chosen in inputs), default=1))
        except ImportFailed as failed:
            yield compile_error(failed.text, failed.output)
            return
        results: list[CaseResult] = []
        not_run: list[Json] = []
        n_failed = 0
        for index, (case, chosen) in enumerate(zip(task.cases, inputs, strict=True), 1):
            if n_failed == MAX_FAILED_CASES:
                not_run.append(case.name)
                continue
            yield case_started(index, len(inputs), case.name)
            results.append(judging.case(case, chosen))
            n_failed += results[-1].verdict not in (Verdict.ACCEPTED, Verdict.TOO_SLOW)
            yield case_finished(index, len(inputs), results[-1])
    finally:
        ranks.close()
    event = judged(results, judging.metrics(results, not_run))
    # What was not run earned nothing.
    event.data["score"] = sum(each.score for each in results) / max(len(inputs), 1)
    yield event


class _Judging:
    """One submission's way through the cases."""

    def __init__(self, ranks: Ranks, settings: Settings, seed: int) -> None:
        self.ranks = ranks
        self.settings = settings
        self.seed = seed
        self.diagram: JsonObject | None = None
        self._numbers = itertools.count(1)
        self._smallest: dict[tuple[str, str, str, bool], tuple[Trace, Failure]] = {}

    def run(self, chosen: Input) -> tuple[Trace, Failure | None]:
        """Run one input and examine what it left."""
        try:
            trace = run(self.ranks, chosen, self.seed, self.settings, next(self._numbers))
        except ImportFailed as failed:
            ring = Ring(chosen.n_ranks, self.settings.alpha_s, self.settings.beta_s_per_byte)
            failure = Failure(
                "import",
                Verdict.RUNTIME_ERROR,
                say(
                    "{fact}. It could be imported before: do the same at each import.",
                    fact=failed.text,
                ),
                detail={"traceback": failed.output},
            )
            trace = Trace(chosen, chosen.vectors(self.seed), ring, failure=failure)
        return trace, examine(trace)

    def case(self, case: Case, chosen: Input) -> CaseResult:
        """Judge one case; if it fails, look for the smallest input that fails alike."""
        started_s = time.monotonic()
        trace, failure = self.run(chosen)
        time_s = time.monotonic() - started_s
        output = self.ranks.take_output()
        costs = Costs.of(chosen, trace.ring)
        ended = len(trace.results) == chosen.n_ranks
        metrics: JsonObject = {**chosen.to_json(), **(costs.to_json() if ended else {})}
        verdict, message, score, example = Verdict.ACCEPTED, "", 1.0, None
        if failure is not None:
            small, small_failure = self._shrink(trace, failure)
            verdict = failure.verdict
            score = 0.0
            if verdict is Verdict.TOO_SLOW:
                score = 1 / max(costs.bytes_ratio, costs.time_ratio, 1.0)
            message = say(
                "{text} (Seen with {input}.)",
                text=small_failure.text,
                input=small.input.describe(),
            )
            if small.input != chosen:
                message = say(
                    "{text} (The smallest run found that shows it has {smallest}; this case has "
                    "{input}.)",
                    text=small_failure.text,
                    smallest=small.input.describe(),
                    input=chosen.describe(),
                )
            example = counterexample(small, small_failure, case.name, self.seed)
            self.ranks.take_output()  # what the smaller runs printed is nobody's output
        elif case.sample and self.diagram is None:
            self.diagram = diagram(trace)
        return CaseResult(
            name=case.name,
            verdict=verdict,
            message=message,
            score=score,
            time_s=round(time_s, 4),
            memory_mib=round(self.ranks.memory_mib(), 1),
            metrics=metrics,
            output=output.text,
            output_truncated=output.truncated,
            counterexample=example,
        )

    def metrics(self, results: list[CaseResult], not_run: list[Json]) -> JsonObject:
        """The report's metrics: the worst ratios, each case's, and a diagram of a sample."""
        metrics: JsonObject = {
            name: max(
                (ratio for each in results if isinstance(ratio := each.metrics.get(name), float)),
                default=None,
            )
            for name in ("bytes_ratio", "time_ratio")
        }
        metrics["cases"] = [
            {"name": each.name, "verdict": each.verdict, **each.metrics} for each in results
        ]
        metrics["cases_not_run"] = not_run
        if self.diagram is not None:
            metrics["diagram"] = self.diagram
        return metrics

    def _shrink(self, trace: Trace, failure: Failure) -> tuple[Trace, Failure]:
        """The smallest run that fails alike, looked for once a kind of failure and of input."""
        key = (failure.kind, failure.place, trace.input.dtype, trace.input.length == 0)
        known = self._smallest.get(key)
        if known is None or known[0].input > trace.input:
            small, found = shrink(trace, failure, self.run)
            if small is not trace:
                small, found = self._again(small, found) or (trace, failure)
            known = self._smallest[key] = small, found
        return known

    def _again(self, small: Trace, failure: Failure) -> tuple[Trace, Failure] | None:
        """The same failure in fresh programs; None if it came from what earlier runs left."""
        self.ranks.discard(set(range(small.input.n_ranks)))
        trace, found = self.run(small.input)
        if found is None or (found.kind, found.place) != (failure.kind, failure.place):
            return None
        return trace, found
