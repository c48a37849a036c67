"""The simulator ``gang-scheduling``: a scheduler of jobs that need several GPUs at once.

A case's input has ``cluster`` (see `cluster.Cluster`), a trace (``jobs``, each a list of id, round
of arrival, team, priority, GPUs and steps, or ``draw``, see `traces.drawn`) and ``max_ratio``: how
much longer than in our own schedule the jobs may take, as a mean weighted by priority. A trace that
was made smaller has ``bounds`` too, those of the trace that it came from.
"""

from __future__ import annotations

from collections.abc import Iterator

from graders.ports import Case, Launcher, Task
from graders.simulation.gang_scheduling import drawing, traces
from graders.simulation.gang_scheduling.cluster import Arrival, Cluster
from graders.simulation.gang_scheduling.runs import Run, Setting, measure, run, setting, shrink
from graders.simulation.stateful import judging
from graders.simulation.stateful.judging import Examined, Rejection
from graders.simulation.stateful.program import Candidate
from graders.text import say
from graders.verdict import Event, JsonObject, Verdict, worst

__all__ = ["judge"]


def judge(task: Task, source: bytes, launcher: Launcher, seed: int) -> Iterator[Event]:
    """See `graders.simulation.judge`."""
    yield from judging.judge(task, source, launcher, seed, _Cases().examine)


class _Cases:
    """The cases of one submission; only what may speak for it is made smaller."""

    def __init__(self) -> None:
        self._worst = Verdict.ACCEPTED

    def examine(self, case: Case, candidate: Candidate, seed: int) -> Examined:
        fields = case.input
        cluster = Cluster.read(fields["cluster"])  # type: ignore[arg-type]
        max_ratio = float(str(fields["max_ratio"]))
        trace = traces.read(fields, cluster, seed)
        reference = measure(cluster, trace)
        given = setting(cluster, reference)
        if "bounds" in fields:
            given = Setting(cluster, **fields["bounds"])  # type: ignore[arg-type]
        made = run(given, trace, candidate)
        # A replay shows its trace, and looks for no smaller one.
        if made.failure is not None:
            if self._speaks(made.failure.verdict) and "bounds" not in fields:
                made = _smallest_failure(given, made, candidate)
            return _failed(given, made, max_ratio)
        ratio = made.turnaround / reference.turnaround
        metrics: JsonObject = {
            "weighted_turnaround_rounds": round(made.turnaround, 2),
            "time_over_reference": round(ratio, 4),
            "preemptions": made.preemptions,
            "longest_wait_rounds": made.longest_wait,
        }
        if ratio <= max_ratio:
            return Examined(None, metrics, 1.0)
        if self._speaks(Verdict.TOO_SLOW) and "bounds" not in fields:
            made = _smallest_slow(given, made, candidate, max_ratio)
        rejection = _slow(given, made, max_ratio)
        return Examined(rejection, metrics, 0.5 * max_ratio / ratio)

    def _speaks(self, verdict: Verdict) -> bool:
        """Whether this case may be the one whose counterexample is shown: none before is as bad."""
        before, self._worst = self._worst, worst([self._worst, verdict])
        return verdict.severity > before.severity


def _smallest_failure(given: Setting, made: Run, candidate: Candidate) -> Run:
    assert made.failure is not None  # noqa: S101  only failed runs are made smaller so
    kind = made.failure.kind
    if kind.startswith("stopped"):  # asking again costs a whole new program
        return made
    smaller = shrink(
        given,
        made,
        candidate,
        lambda tried: tried.failure is not None and tried.failure.kind == kind,
    )
    candidate.take_output()  # what the search printed is nobody's output
    return smaller


def _failed(given: Setting, made: Run, max_ratio: float) -> Examined:
    assert made.failure is not None  # noqa: S101  only failed runs come here
    literal = _literal(given, made.trace, max_ratio)
    data = drawing.failed(given, made)
    failure = made.failure
    return Examined(Rejection(failure.verdict, failure.text, literal, data, "gang_schedule"))


def _smallest_slow(given: Setting, made: Run, candidate: Candidate, max_ratio: float) -> Run:
    def is_slow(tried: Run) -> bool:
        own = measure(given.cluster, tried.trace)
        return tried.failure is None and tried.turnaround > max_ratio * own.turnaround

    smaller = shrink(given, made, candidate, is_slow)
    candidate.take_output()
    return smaller


def _slow(given: Setting, made: Run, max_ratio: float) -> Rejection:
    reference = measure(given.cluster, made.trace)
    text = say(
        "jobs may take at most {limit} times as long as in the reference's schedule, from arrival "
        "to end, as a mean weighted by priority: they take {mine} rounds and {own} there, {ratio} "
        "times as long. The jobs that lose most are drawn beside the reference's: look where they "
        "wait, train spread out, or lose what they trained.",
        limit=f"{max_ratio:g}",
        mine=f"{made.turnaround:.1f}",
        own=f"{reference.turnaround:.1f}",
        ratio=f"{made.turnaround / reference.turnaround:.2f}",
    )
    data: JsonObject = {"figure": drawing.slow(given.cluster, made, reference)}
    literal = _literal(given, made.trace, max_ratio)
    return Rejection(Verdict.TOO_SLOW, text, literal, data, "lanes")


def _literal(given: Setting, trace: list[Arrival], max_ratio: float) -> JsonObject:
    return {
        "cluster": given.cluster.to_json(),
        "jobs": traces.to_json(trace),
        "max_ratio": max_ratio,
        "bounds": {"max_wait": given.max_wait, "max_rounds": given.max_rounds},
    }
