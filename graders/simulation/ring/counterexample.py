"""A failed run as a counterexample: what is drawn, what is said, and how to see it again."""

from __future__ import annotations

from graders.simulation.ring import space_time, wait_graph
from graders.simulation.ring.checks import result, wrong_elements
from graders.simulation.ring.collective import Trace
from graders.simulation.ring.failures import Failure
from graders.verdict import Counterexample, Json, JsonObject, Verdict

MAX_NUMBERS_SHOWN = 64
_WITHOUT_A_MESSAGE = {
    Verdict.RUNTIME_ERROR,
    Verdict.TIME_LIMIT,
    Verdict.MEMORY_LIMIT,
    Verdict.OUTPUT_LIMIT,
}


def counterexample(trace: Trace, failure: Failure, case: str, seed: int) -> Counterexample:
    """What the page shows of a failed run; `case` and `seed` are for its replay."""
    if failure.kind == "deadlock":
        kind = "wait_cycle"
    elif failure.verdict in _WITHOUT_A_MESSAGE:
        kind = "rank_error"
    else:
        kind = "space_time"
    data: JsonObject = {
        "input": trace.input.to_json(),
        "failure": failure.kind,
        "rank": failure.rank,
        "detail": failure.detail,
        "diagram": diagram(trace, failure),
        "vectors": _vectors(trace),
    }
    waits = failure.detail.get("waits")
    if isinstance(waits, list):
        edges = [wait for wait in waits if isinstance(wait, dict)]
        data["wait_graph"] = wait_graph.layout(trace.input.n_ranks, edges)
    replay: JsonObject = {"case": case, "seed": seed, "input": trace.input.to_json()}
    return Counterexample(kind, failure.text, data, replay)


def diagram(trace: Trace, failure: Failure | None = None) -> JsonObject:
    """The space-time diagram of a run, with what is wrong in it marked."""
    ended = failure is None or len(trace.results) == trace.input.n_ranks
    wrong: set[int] = set()
    waiting: set[int] = set()
    if failure is not None:
        named = failure.detail.get("wrong_ranks")
        waits = failure.detail.get("waits")
        if isinstance(named, list):
            wrong = {rank for rank in named if isinstance(rank, int)}
        elif failure.rank is not None and failure.bad is None:
            wrong = {failure.rank}
        if isinstance(waits, list):
            waiting = {
                wait["rank"]
                for wait in waits
                if isinstance(wait, dict) and isinstance(wait["rank"], int)
            }
    return space_time.layout(
        trace.ring,
        bad=failure.bad if failure else None,
        wrong_ranks=wrong,
        returned=set(trace.results) if ended else (),
        waiting=waiting,
    )


def _vectors(trace: Trace) -> list[Json]:
    """Each rank's vector before and after, where few enough to read."""
    chosen = trace.input
    if not 0 < chosen.n_ranks * chosen.length <= MAX_NUMBERS_SHOWN:
        return []
    rows: list[Json] = []
    wrong = wrong_elements(trace)
    for rank, vector in enumerate(trace.vectors):
        after: list[Json] | None = None
        if rank in trace.results:
            after = [
                {"text": _short(value.item()), "wrong": index in wrong[rank]}
                for index, value in enumerate(result(trace, rank))
            ]
        rows.append(
            {"rank": rank, "before": [_short(value.item()) for value in vector], "after": after}
        )
    return rows


def _short(value: float | int) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"
