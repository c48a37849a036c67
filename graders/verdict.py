"""What a grader says: verdicts, results of cases, counterexamples, and the events on the way."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]


class Verdict(StrEnum):
    """What the judge decided. Declared mildest first; a submission takes its worst case."""

    ACCEPTED = "AC"
    TOO_SLOW = "SLOW"  # right, but it costs more than the problem allows; the ratio is shown
    WRONG_ANSWER = "WA"
    OUTPUT_LIMIT = "OLE"
    TIME_LIMIT = "TLE"
    MEMORY_LIMIT = "MLE"
    RUNTIME_ERROR = "RE"
    COMPILE_ERROR = "CE"
    JUDGE_ERROR = "JE"  # our fault, never the candidate's

    @property
    def severity(self) -> int:
        """Rank in the declaration: 0 for accepted, larger is worse."""
        return list(Verdict).index(self)


def worst(verdicts: list[Verdict]) -> Verdict:
    """The verdict of a submission with these verdicts of cases; accepted if there are none."""
    return max(verdicts, key=lambda verdict: verdict.severity, default=Verdict.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The smallest concrete thing that shows why a submission is rejected.

    Attributes
    ----------
    kind : str
        Names the drawing: a template ``templates/practice/counterexamples/<kind>.html`` exists.
    summary : str
        One sentence: the rule, then the fact, then what to do.
    data : JsonObject
        What the drawing needs. Numbers carry their unit in the key.
    replay : JsonObject
        ``{"case": name, "seed": int}``: judging this case with this seed shows it again.
    """

    kind: str
    summary: str
    data: JsonObject = field(default_factory=dict)
    replay: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case, judged.

    `output` is what the program itself printed during the case, capped; `output_truncated` says
    that more was printed than is kept.
    """

    name: str
    verdict: Verdict
    message: str = ""
    score: float = 0.0  # 0 to 1
    time_s: float = 0.0
    memory_mib: float = 0.0
    metrics: JsonObject = field(default_factory=dict)
    output: str = ""
    output_truncated: bool = False
    counterexample: Counterexample | None = None

    def to_json(self) -> JsonObject:
        return asdict(self)


class EventKind(StrEnum):
    """Kinds of `Event`, in the order in which a submission sees them."""

    COMPILING = "compiling"
    CASE_STARTED = "case_started"
    CASE_FINISHED = "case_finished"
    VERDICT = "verdict"


@dataclass(frozen=True, slots=True)
class Event:
    """One step of judging, as told to whoever watches."""

    kind: EventKind
    data: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """The end of judging: everything the verdict rests on."""

    verdict: Verdict
    message: str
    score: float
    cases: list[CaseResult]
    counterexample: Counterexample | None = None
    metrics: JsonObject = field(default_factory=dict)

    def to_json(self) -> JsonObject:
        return asdict(self)


def compiling() -> Event:
    """The submission is being compiled or imported."""
    return Event(EventKind.COMPILING)


def case_started(index: int, total: int, name: str) -> Event:
    """Case number `index` (from 1) of `total` begins."""
    return Event(EventKind.CASE_STARTED, {"index": index, "total": total, "name": name})


def case_finished(index: int, total: int, result: CaseResult) -> Event:
    """Case number `index` (from 1) of `total` was judged."""
    return Event(
        EventKind.CASE_FINISHED, {"index": index, "total": total, "result": result.to_json()}
    )


def judged(cases: list[CaseResult], metrics: JsonObject | None = None) -> Event:
    """The last event: the worst case gives verdict, message and counterexample.

    Among cases with the worst verdict the first one speaks, so packages put their smallest first.
    The score is the mean over cases.
    """
    verdict = worst([case.verdict for case in cases])
    speaker = next((case for case in cases if case.verdict is verdict), None)
    rejected = speaker if verdict is not Verdict.ACCEPTED else None
    report = Report(
        verdict=verdict,
        message=rejected.message if rejected else "",
        score=sum(case.score for case in cases) / len(cases) if cases else 0.0,
        cases=cases,
        counterexample=rejected.counterexample if rejected else None,
        metrics=metrics or {},
    )
    return Event(EventKind.VERDICT, report.to_json())


def compile_error(message: str, output: str = "") -> Event:
    """The last event of a submission that did not compile or import."""
    counterexample = Counterexample("compile_error", message, {"output": output})
    report = Report(Verdict.COMPILE_ERROR, message, 0.0, [], counterexample)
    return Event(EventKind.VERDICT, report.to_json())
