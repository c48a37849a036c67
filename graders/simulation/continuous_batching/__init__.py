"""The simulator ``continuous-batching``: a scheduler of prefill and decode on a simulated engine.

A case's input has ``limits`` (see `engine.Limits`), a trace (``requests`` or ``draw``) and
``min_share``: the part of the requests that must keep both limits on time.
"""

from __future__ import annotations

from collections.abc import Iterator

from graders.ports import Case, Launcher, Task
from graders.simulation.continuous_batching import latency, traces
from graders.simulation.continuous_batching.engine import Limits
from graders.simulation.continuous_batching.runs import Run, draw, run, shrink, shrink_slow
from graders.simulation.stateful import judging
from graders.simulation.stateful.judging import Examined, Rejection
from graders.simulation.stateful.program import Candidate
from graders.text import say
from graders.verdict import Event, JsonObject, Verdict

__all__ = ["judge"]

REFERENCE = "reference.py"  # of the package


def judge(task: Task, source: bytes, launcher: Launcher, seed: int) -> Iterator[Event]:
    """See `graders.simulation.judge`."""
    cases = _Cases(task, launcher)
    try:
        yield from judging.judge(task, source, launcher, seed, cases.examine)
    finally:
        cases.close()


class _Cases:
    """The cases of one submission, and the reference's scheduler for those that are slow."""

    def __init__(self, task: Task, launcher: Launcher) -> None:
        self._task = task
        self._launcher = launcher
        self._reference: Candidate | None = None
        self._has_failed = False

    def examine(self, case: Case, candidate: Candidate, seed: int) -> Examined:
        """One case; a slow trace is made smaller if it may be the one that is shown."""
        limits, min_share, made = _run(case, candidate, seed)
        if made.failure is not None:
            self._has_failed = True
            return _failed(case, candidate, made, min_share)
        metrics = _metrics(made)
        if made.share >= min_share:
            return Examined(None, metrics, made.share)
        score = made.share / min_share * 0.5
        if not self._has_failed and "shrunk" not in case.input:
            self._has_failed = True
            made = self._smaller(made, min_share, candidate)
        return Examined(_slow(case, made, limits, min_share), metrics, score)

    def _smaller(self, made: Run, min_share: float, candidate: Candidate) -> Run:
        source = self._task.files.get(REFERENCE)
        if source is None:
            return made
        if self._reference is None:
            self._reference = Candidate(self._launcher, source, self._task)
        made = shrink_slow(made, min_share, candidate, self._reference)
        candidate.take_output()  # what the search printed is nobody's output
        return made

    def close(self) -> None:
        if self._reference is not None:
            self._reference.close()


def _run(case: Case, candidate: Candidate, seed: int) -> tuple[Limits, float, Run]:
    fields = case.input
    limits = Limits.read(fields["limits"])  # type: ignore[arg-type]
    min_share = float(str(fields["min_share"]))
    return limits, min_share, run(limits, traces.read(fields, seed), candidate)


def _failed(case: Case, candidate: Candidate, made: Run, min_share: float) -> Examined:
    if "shrunk" not in case.input:
        made = shrink(made, candidate)
    candidate.take_output()  # what the search printed is nobody's output
    assert made.failure is not None  # noqa: S101  what is shrunk still fails
    failure, literal = made.failure, _literal(case, made, min_share)
    return Examined(Rejection(failure.verdict, failure.text, literal, draw(made)))


def _slow(case: Case, made: Run, limits: Limits, min_share: float) -> Rejection:
    data: JsonObject = {**_metrics(made), "figure": latency.draw(made.done, limits)}
    text = _too_slow(made, limits, min_share)
    literal = _literal(case, made, min_share)
    return Rejection(Verdict.TOO_SLOW, text, literal, data, "lanes")


def _literal(case: Case, made: Run, min_share: float) -> JsonObject:
    """A replay shows this trace, and looks for no smaller one."""
    return {
        "limits": dict(case.input["limits"]),  # type: ignore[call-overload]
        "min_share": min_share,
        "requests": traces.to_json(made.trace),
        "shrunk": True,
    }


def _metrics(made: Run) -> JsonObject:
    return {
        "goodput_share": round(made.share, 4),
        "late_first_tokens": len(made.late_first),
        "late_next_tokens": len(made.late_next),
        "preemptions": made.preemptions,
        "makespan_ms": round(made.makespan_ms, 1),
    }


def _too_slow(made: Run, limits: Limits, min_share: float) -> str:
    return say(
        "{wanted} % of the requests must get their first token in {ttft} ms and every next one in "
        "{itl} ms: {share} % did. {first} had a late first token, {next} a late next one. "
        "{advice}",
        wanted=f"{100 * min_share:.0f}",
        ttft=f"{limits.ttft_ms:.0f}",
        itl=f"{limits.itl_ms:.0f}",
        share=f"{100 * made.share:.1f}",
        first=len(made.late_first),
        next=len(made.late_next),
        advice=say("Cut long prompts into chunks beside the decodes.")
        if len(made.late_next) >= len(made.late_first)
        else say("Fill what is left of the budget with prompts in each step."),
    )
