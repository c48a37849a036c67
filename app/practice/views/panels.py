"""A submission as a panel: its timeline while it is judged, its result afterwards."""

from __future__ import annotations

from typing import Any

from app.designs.reviewing import can_be_reviewed, review_context
from app.practice.forms import replay_of
from app.practice.models import Submission
from app.practice.wording import said_report, texts_of

# Metrics that have a drawing or words of their own.
DRAWN = (
    "assessment",
    "cannot_judge",
    "compiled",
    "diagram",
    "kernel_times",
    "not_measured",
    "pipeline_timelines",
)


def panel_context(submission: Submission) -> dict[str, Any]:
    """What ``practice/panel.html`` shows; the timeline is what has happened so far."""
    return {
        "submission": submission,
        "events": submission.events.all(),
        "place": submission.place_in_queue(),
        **verdict_context(submission),
    }


def verdict_context(submission: Submission) -> dict[str, Any]:
    """What ``practice/verdict.html`` shows of a finished submission."""
    report = said_report(submission)
    counterexample = report.get("counterexample")
    assessment = report.get("metrics", {}).get("assessment")
    return {
        "submission": submission,
        "report": report,
        # A run that went well is worth looking at too: the grader may draw one as a metric.
        "diagram": report.get("metrics", {}).get("diagram"),
        "pipeline_timelines": report.get("metrics", {}).get("pipeline_timelines"),
        "assessment": assessment and with_drawings(assessment),
        "review": review_context(submission, (assessment or {}).get("rubric", []))
        if can_be_reviewed(submission)
        else None,
        "kernel_times": report.get("metrics", {}).get("kernel_times", []),
        "compiled": report.get("metrics", {}).get("compiled"),
        "not_measured": report.get("metrics", {}).get("not_measured"),
        "measured": [
            (key, value) for key, value in report.get("metrics", {}).items() if key not in DRAWN
        ],
        "cases": _cases(submission, report),
        "counterexample": counterexample,
        "drawing": drawings_of(counterexample) if counterexample else None,
        "can_replay": replay_of(submission) is not None,
    }


def drawings_of(counterexample: dict[str, Any]) -> list[str]:
    """Templates that can draw it, the best first; the last one draws anything."""
    kind = str(counterexample.get("kind", ""))
    folder = "practice/counterexamples"
    own = [f"{folder}/{kind}.html"] if kind.isidentifier() else []
    return [*own, f"{folder}/plain.html"]


def with_drawings(assessment: dict[str, Any]) -> dict[str, Any]:
    """The assessment of a design, with the template and the style sheet of each picture."""
    pictures = [
        {
            **one,
            "template": f"practice/pictures/{one['kind']}.html",
            "style": f"css/{one['kind']}.css",
        }
        for one in assessment["pictures"]
        if str(one["kind"]).isidentifier()
    ]
    return {**assessment, "pictures": pictures}


def _cases(submission: Submission, report: dict[str, Any]) -> list[dict[str, Any]]:
    texts = texts_of(submission.judging_version)
    breaks = {
        case.name: texts.get(case.breaks, case.breaks)
        for case in submission.judging_version.spec.cases
    }
    return [{**case, "breaks": breaks.get(case["name"], "")} for case in report.get("cases", [])]
