"""A trace to triage as a form: causes, measurements, and every span as a row of a table.

The table works without scripts and for screen readers; with scripts a timeline stands above it and
ticks its rows.
"""

from __future__ import annotations

from typing import Any, cast

from django.http import QueryDict
from django.utils.translation import gettext as _

from app.practice.answer_form import PREFIX
from app.practice.models import ProblemVersion
from app.practice.wording import in_words, texts_of
from graders.answers import Answer, Unreadable, read, written
from graders.text import to_json
from graders.triage import FIELDS, Incident, Settings, draw, unreadable
from graders.triage.chrome import tracks
from graders.triage.machine import Span


def form_context(version: ProblemVersion, seed: int, text: str) -> dict[str, Any]:
    """What ``practice/parts/trace_form.html`` shows, filled in from a draft."""
    try:
        answers: dict[str, Answer] = read(text)
    except Unreadable:
        answers = {}
    settings, incident = Settings.of(version.spec.grader.model_dump()), draw(seed)
    chosen = {name: str(answers.get(name, "")) for name in FIELDS}
    options = {
        "causes": [
            {"name": one.cause.value, "label": one.label, "is_chosen": chosen["cause"] == one.cause}
            for one in settings.causes
        ],
        "measurements": [
            {
                "name": one.name,
                "label": one.label,
                "is_chosen": chosen["measurement"] == one.name,
            }
            for one in settings.measurements
        ],
    }
    said = in_words(to_json(options), lambda: texts_of(version))
    return {**cast("dict[str, Any]", said), "ranks": _ranks(incident, chosen["span"])}


def facts(seed: int) -> list[dict[str, str]]:
    """The trace in a line or two, as rows of ``practice/parts/values.html``."""
    incident = draw(seed)
    step_ms = incident.recording.step_us / 1e3
    return [
        {"name": "step", "label": _("Time of the step"), "value": f"{step_ms:.1f} ms"},
        {"name": "spans", "label": _("Spans recorded"), "value": str(len(incident.spans))},
    ]


def unread(version: ProblemVersion, source: str, seed: int) -> str:
    """Why answers cannot be judged yet, in the reader's language; empty if they can."""
    message = unreadable(version.spec.grader.model_dump(), source, seed)
    return "" if message is None else str(in_words(to_json(message), lambda: texts_of(version)))


def source_of(data: QueryDict) -> str:
    """The answers of a form that was sent without scripts, as YAML."""
    return written({name: data.get(PREFIX + name, "").strip() for name in FIELDS})


def _ranks(incident: Incident, chosen: str) -> list[dict[str, Any]]:
    """Ranks, their tracks, and the spans of each in the order of time."""
    by_track: dict[Any, list[dict[str, Any]]] = {track: [] for track in tracks()}
    for number, span in enumerate(incident.spans, start=1):
        by_track[span.track].append(_row(number, span, chosen))
    ranks: dict[int, list[dict[str, Any]]] = {}
    for track, rows in by_track.items():
        ranks.setdefault(track.rank, []).append({"name": track.name, "spans": rows})
    return [
        {
            "number": rank,
            "tracks": rows,
            "is_open": any(one["is_chosen"] for track in rows for one in track["spans"]),
        }
        for rank, rows in ranks.items()
    ]


def _row(number: int, span: Span, chosen: str) -> dict[str, Any]:
    return {
        "number": number,
        "name": span.name,
        "start_ms": f"{span.start_us / 1e3:.2f}",
        "duration_ms": f"{span.duration_us / 1e3:.2f}",
        "details": ", ".join(f"{key} {value}" for key, value in span.args.items()),
        "is_chosen": chosen == str(number),
    }
