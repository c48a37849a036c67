"""Judges a triage: the cause, the span and the measurement, each by what the simulation says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graders.answers.reading import Unreadable, read
from graders.ports import Case, JudgeError, Launcher, Task
from graders.text import Text, say
from graders.triage.deviations import Cause
from graders.triage.drawing import drawn, named
from graders.triage.incident import Incident, NoIncident, draw
from graders.triage.settings import FIELDS, Settings
from graders.verdict import (
    CaseResult,
    Counterexample,
    Event,
    Json,
    JsonObject,
    Verdict,
    case_finished,
    case_started,
    compile_error,
    judged,
)

QUEUE = "cpu"
SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Triage:
    """Answers that were read."""

    cause: Cause
    span: int
    measurement: str


@dataclass(frozen=True, slots=True)
class Refutation:
    """Why an answer is wrong: the sentence, and what the page draws."""

    message: Text
    data: JsonObject


def judge(task: Task, source: bytes, launcher: Launcher, seed: int) -> Iterator[Event]:
    """Judge answers to the trace that `seed` draws; no program is started.

    Raises
    ------
    JudgeError
        If the seed gives no trace.
    """
    try:
        incident = draw(seed)
    except NoIncident as error:
        raise JudgeError(str(error)) from error
    settings = Settings.of(task.settings)
    try:
        triage = _read(source.decode(errors="replace"), incident, settings)
    except Unreadable as error:
        yield compile_error(error.message)
        return
    results: list[CaseResult] = []
    for index, case in enumerate(task.cases, start=1):
        yield case_started(index, len(task.cases), case.name)
        results.append(_judge_case(case, triage, incident, settings, seed))
        yield case_finished(index, len(task.cases), results[-1])
    yield judged(results)


def unreadable(section: Mapping[str, Any], source: str, seed: int) -> Text | None:
    """Why these answers cannot be judged yet; None if each of them can be read."""
    try:
        triage = _read(source, draw(seed), Settings.of(section))
    except Unreadable as error:
        return error.message
    return triage if isinstance(triage, Text) else None


def _read(source: str, incident: Incident, settings: Settings) -> Triage | Text:
    """The answers, or a sentence about the first that cannot be judged.

    Raises
    ------
    Unreadable
        If the source is no YAML of answers.
    """
    answers = read(source)
    for name in answers:
        if name not in FIELDS:
            return say(
                "An answer must be cause, span or measurement, {name} is none. Remove it.",
                name=name[:SHOWN_CHARACTERS],
            )
    given = {name: str(answers.get(name, ""))[:SHOWN_CHARACTERS] for name in FIELDS}
    if given["cause"] not in set(Cause):
        return _misread(say("The cause"), given["cause"], [one.value for one in Cause])
    n_spans = len(incident.spans)
    number = int(given["span"]) if given["span"].isdecimal() and given["span"].isascii() else 0
    if not 1 <= number <= n_spans:
        return say(
            "The span must be the number of a span of this trace, 1 to {n_spans}, got {given}. "
            "Select one in the timeline.",
            n_spans=n_spans,
            given=given["span"] or say("nothing"),
        )
    if settings.measurement(given["measurement"]) is None:
        known = [one.name for one in settings.measurements]
        return _misread(say("The next measurement"), given["measurement"], known)
    return Triage(Cause(given["cause"]), number, given["measurement"])


def _misread(field: Text, given: str, known: list[str]) -> Text:
    return say(
        "{field} must be one of {known}, got {given}. Choose one.",
        field=field,
        known=", ".join(known),
        given=given or say("nothing"),
    )


def _judge_case(
    case: Case, triage: Triage | Text, incident: Incident, settings: Settings, seed: int
) -> CaseResult:
    replay: JsonObject = {"case": case.name, "seed": seed}
    if isinstance(triage, Text):
        shown = Counterexample("plain", triage, {}, replay)
        return CaseResult(case.name, Verdict.WRONG_ANSWER, message=triage, counterexample=shown)
    asked = case.input.get("answer")
    if asked is None:
        return CaseResult(
            case.name,
            Verdict.ACCEPTED,
            score=1.0,
            metrics={"read_as": _read_as(triage, incident, settings)},
        )
    refutation = _REFUTE[str(asked)](triage, incident, settings)
    if refutation is None:
        return CaseResult(case.name, Verdict.ACCEPTED, score=1.0)
    shown = Counterexample("triage", refutation.message, refutation.data, replay)
    return CaseResult(
        case.name, Verdict.WRONG_ANSWER, message=refutation.message, counterexample=shown
    )


def _read_as(triage: Triage, incident: Incident, settings: Settings) -> list[Json]:
    """What was understood, and nothing about whether it is right."""
    measurement = settings.measurement(triage.measurement)
    understood = {
        "cause": settings.option(triage.cause).label,
        "span": named(incident, triage.span),
        "measurement": measurement.label if measurement else "",
    }
    given = {"cause": triage.cause.value, "span": str(triage.span)}
    return [
        {"field": name, "given": given.get(name, triage.measurement), "read_as": understood[name]}
        for name in FIELDS
    ]


def _refute_cause(triage: Triage, incident: Incident, settings: Settings) -> Refutation | None:
    if triage.cause is incident.cause:
        return None
    given, right = settings.option(triage.cause), settings.option(incident.cause)
    instead = incident.without_cause(triage.cause)
    message = say(
        "The cause must give the time back when it is taken away. Without {given} the step would "
        "still take {instead_ms:.1f} ms of {step_ms:.1f} ms; without {right}, {mended_ms:.1f} ms.",
        given=given.label,
        right=right.label,
        step_ms=incident.recording.step_us / 1e3,
        instead_ms=instead.step_us / 1e3,
        mended_ms=incident.without([0]).step_us / 1e3,
    )
    data = drawn(
        incident,
        [
            (say("As recorded"), incident.recording),
            (say("Without {cause}", cause=given.label), instead),
            (say("Without {cause}", cause=right.label), incident.without([0])),
        ],
        {"right": incident.proofs[0]},
    )
    return Refutation(message, _told(data, given.label, right.label, right.telltale))


def _refute_span(triage: Triage, incident: Incident, settings: Settings) -> Refutation | None:
    if triage.span in incident.proofs:
        return None
    right, proof = settings.option(incident.cause), incident.proofs[0]
    instead = incident.without_span(triage.span)
    message = say(
        "The span must be one that the cause itself made longer. Had {given} been ordinary, the "
        "step would still take {instead_ms:.1f} ms of {step_ms:.1f} ms; had {right} been, "
        "{mended_ms:.1f} ms.",
        given=named(incident, triage.span),
        right=named(incident, proof),
        step_ms=incident.recording.step_us / 1e3,
        instead_ms=instead.step_us / 1e3,
        mended_ms=incident.without_span(proof).step_us / 1e3,
    )
    data = drawn(
        incident,
        [
            (say("As recorded"), incident.recording),
            (say("Had the span you chose been ordinary"), instead),
            (say("Had span {number} been ordinary", number=proof), incident.without_span(proof)),
        ],
        {"given": triage.span, "right": proof},
    )
    return Refutation(
        message,
        _told(data, named(incident, triage.span), named(incident, proof), right.telltale),
    )


def _refute_measurement(
    triage: Triage, incident: Incident, settings: Settings
) -> Refutation | None:
    given = settings.measurement(triage.measurement)
    if given is None:
        raise JudgeError(f"a measurement that was read must exist, {triage.measurement} does not")
    other = given.mistaken_for(incident.cause)
    if other is None:
        return None
    right = settings.that_singles_out(incident.cause)
    cause = settings.option(incident.cause)
    message = say(
        "The next measurement must read one thing for {cause} and another for everything else. "
        "{given} reads the same for {other}: {reading}. {right} reads: {right_reading}.",
        cause=cause.label,
        given=given.label,
        other=settings.option(other).label,
        reading=given.reading(incident.cause),
        right=right.label,
        right_reading=right.reading(incident.cause),
    )
    readings: list[Json] = [
        {
            "cause": option.label,
            "given": given.reading(option.cause),
            "right": right.reading(option.cause),
            "is_planted": option.cause is incident.cause,
            "is_same": given.reading(option.cause) == given.reading(incident.cause),
        }
        for option in settings.causes
    ]
    data: JsonObject = {"timelines": [], "readings": readings}
    return Refutation(message, _told(data, given.label, right.label, cause.telltale))


def _told(data: JsonObject, given: str, right: str, telltale: str) -> JsonObject:
    return {**data, "got_text": given, "expected_text": right, "telltale": telltale}


_REFUTE: dict[str, Callable[[Triage, Incident, Settings], Refutation | None]] = {
    "cause": _refute_cause,
    "span": _refute_span,
    "measurement": _refute_measurement,
}
