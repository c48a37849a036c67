"""A recording in Chrome's trace event format, which Perfetto and chrome://tracing open.

Only what a profiler would see goes in: nothing says what was planted. Spans are numbered by time.

References
----------
.. [1] "Trace Event Format", Google, 2016: complete events (``X``) and metadata (``M``).
"""

from __future__ import annotations

from graders.triage.incident import Incident
from graders.triage.machine import Track
from graders.triage.step import TRACKS
from graders.triage.workload import N_RANKS
from graders.verdict import Json, JsonObject

THREAD_OF_TRACK = {name: place for place, name in enumerate(TRACKS)}


def tracks() -> list[Track]:
    """The rows of the timeline, rank by rank."""
    return [Track(rank, name) for rank in range(N_RANKS) for name in TRACKS]


def chrome_trace(incident: Incident) -> JsonObject:
    """The trace as JSON; times in microseconds, a span's number in its ``args.span``."""
    events: list[Json] = []
    for rank in range(N_RANKS):
        events.append(_metadata("process_name", rank, 0, {"name": f"rank {rank}"}))
        events.append(_metadata("process_sort_index", rank, 0, {"sort_index": rank}))
    for track in tracks():
        thread = THREAD_OF_TRACK[track.name]
        events.append(_metadata("thread_name", track.rank, thread, {"name": track.name}))
        events.append(_metadata("thread_sort_index", track.rank, thread, {"sort_index": thread}))
    for number, span in enumerate(incident.spans, start=1):
        events.append(
            {
                "ph": "X",
                "name": span.name,
                "cat": span.category,
                "pid": span.track.rank,
                "tid": THREAD_OF_TRACK[span.track.name],
                "ts": round(span.start_us, 1),
                "dur": round(span.duration_us, 1),
                "args": {"span": number, **span.args},
            }
        )
    return {"displayTimeUnit": "ms", "traceEvents": events}


def _metadata(name: str, rank: int, thread: int, args: JsonObject) -> JsonObject:
    return {"ph": "M", "name": name, "pid": rank, "tid": thread, "ts": 0, "args": args}
