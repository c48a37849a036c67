"""The simulator ``continuous-batching``: a scheduler of prefill and decode on a simulated engine.

A case's input has ``limits`` (see `engine.Limits`), a trace (``requests`` or ``draw``) and
``min_share``: the part of the requests that must keep both limits on time.
"""

from __future__ import annotations

from collections.abc import Iterator

from graders.ports import Case, Launcher, Task
from graders.simulation.continuous_batching import latency, traces
from graders.simulation.continuous_batching.engine import Limits
from graders.simulation.continuous_batching.runs import Run, draw, run, shrink
from graders.simulation.stateful import judging
from graders.simulation.stateful.judging import Examined, Rejection
from graders.simulation.stateful.program import Candidate
from graders.text import say
from graders.verdict import Event, JsonObject, Verdict

__all__ = ["judge"]


def judge(task: Task, source: bytes, launcher: Launcher, seed: int) -> Iterator[Event]:
    """See `graders.simulation.judge`."""
    yield from judging.judge(task, source, launcher, seed, _examine)


def _examine(case: Case, candidate: Candidate, seed: int) -> Examined:
    fields = case.input
    limits = Limits.read(fields["limits"])  # type: ignore[arg-type]
    min_share = float(str(fields["min_share"]))
    made = run(limits, traces.read(fields, seed), candidate)
    literal: JsonObject = {"limits": dict(fields["limits"]), "min_share": min_share}  # type: ignore[call-overload]
    if made.failure is not None:
        if "shrunk" not in fields:
            made = shrink(made, candidate)
        candidate.take_output()  # what the search printed is nobody's output
        assert made.failure is not None  # noqa: S101  what is shrunk still fails
        literal["requests"] = traces.to_json(made.trace)
        literal["shrunk"] = True  # a replay shows this trace, and looks for no smaller one
        failure = made.failure
        return Examined(Rejection(failure.verdict, failure.text, literal, draw(made)))
    metrics: JsonObject = {
        "goodput_share": round(made.share, 4),
        "late_first_tokens": len(made.late_first),
        "late_next_tokens": len(made.late_next),
        "preemptions": made.preemptions,
        "makespan_ms": round(made.makespan_ms, 1),
    }
    if made.share >= min_share:
        return Examined(None, metrics, made.share)
    literal["requests"] = traces.to_json(made.trace)
    data: JsonObject = {**metrics, "figure": latency.draw(made.done, limits)}
    text = _too_slow(made, limits, min_share)
    rejection = Rejection(Verdict.TOO_SLOW, text, literal, data, "lanes")
    return Examined(rejection, metrics, made.share / min_share * 0.5)


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
