"""What the page draws of a refuted triage: the same step two or three times, on one scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from graders.text import Text, say
from graders.triage.incident import Incident
from graders.triage.machine import Span, Track
from graders.triage.network import NCCL
from graders.triage.step import COMPUTE, MAIN, Recording
from graders.triage.workload import N_RANKS
from graders.verdict import Json, JsonObject

WIDTH = 1000  # of the time axis, in units of the drawing
LANES = {MAIN: "host", COMPUTE: "compute", NCCL: "nccl"}
LANE_HEIGHT, RANK_GAP = 9, 7
MERGE = 1.5  # spans nearer to each other than this are drawn as one


def named(incident: Incident, number: int) -> Text:
    """A span in words: its number, name, place and times."""
    span = incident.span(number)
    return say(
        "span {number} ({name}, rank {rank}, {track}, {start_ms:.1f} to {end_ms:.1f} ms)",
        number=number,
        name=span.name,
        rank=span.track.rank,
        track=span.track.name,
        start_ms=span.start_us / 1e3,
        end_ms=span.end_us / 1e3,
    )


def drawn(
    incident: Incident,
    recordings: Sequence[tuple[Text, Recording]],
    marks: Mapping[str, int],
) -> JsonObject:
    """Recordings below each other; `marks` names spans to point at in the first of them.

    Lengths are units of the drawing, `WIDTH` of them for the longest recording.
    """
    end_us = max(span.end_us for _, one in recordings for span in one.spans if _is_shown(span))
    scale = WIDTH / end_us
    rank_height = LANE_HEIGHT * len(LANES) + RANK_GAP
    timelines: list[Json] = [
        {
            "label": label,
            "step_ms": round(recording.step_us / 1e3, 1),
            "end": round(_end_us(recording) * scale, 1),
            "bars": [*_bars(recording, scale, rank_height)],
        }
        for label, recording in recordings
    ]
    shown = ((kind, incident.span(number)) for kind, number in marks.items())
    return {
        "timelines": timelines,
        "ranks": [
            {"name": rank, "y": rank * rank_height, "middle": rank * rank_height + 18}
            for rank in range(N_RANKS)
        ],
        "marks": [
            {
                "kind": kind,
                "x": round(span.start_us * scale, 1),
                "width": round(max(2.0, span.duration_us * scale), 1),
                "y": _y(span.track, rank_height) - 1,
            }
            for kind, span in shown
        ],
        "height": N_RANKS * rank_height,
    }


def _is_shown(span: Span) -> bool:
    return span.track.name in LANES


def _end_us(recording: Recording) -> float:
    return max(span.end_us for span in recording.spans if _is_shown(span))


def _y(track: Track, rank_height: int) -> int:
    """The top of a track's lane; tracks without one are pointed at in the host's."""
    lane = list(LANES).index(track.name) if track.name in LANES else 0
    return track.rank * rank_height + lane * LANE_HEIGHT


def _bars(recording: Recording, scale: float, rank_height: int) -> Iterable[Json]:
    for rank in range(N_RANKS):
        for name, kind in LANES.items():
            track = Track(rank, name)
            top = _y(track, rank_height)
            spans = sorted(
                (span.start_us * scale, span.end_us * scale)
                for span in recording.spans
                if span.track == track and span.category != "cuda_runtime"  # it mostly waits
            )
            for start, end in _merged(spans):
                yield {
                    "kind": kind,
                    "x": round(start, 1),
                    "y": top,
                    "width": round(max(0.8, end - start), 1),
                }


def _merged(spans: Iterable[tuple[float, float]]) -> Iterable[tuple[float, float]]:
    """Bars with the small gaps between them closed."""
    start = end = None
    for left, right in spans:
        if start is None or end is None:
            start, end = left, right
        elif left - end <= MERGE:
            end = max(end, right)
        else:
            yield start, end
            start, end = left, right
    if start is not None and end is not None:
        yield start, end
