"""Proves a package by its own submissions: each must get what problem.yaml expects of it.

The reference must be accepted on every case, the starter must not be, and every rejection must
come with a counterexample that shows the same again when it is replayed. All of it goes through
the judge that the web uses.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from typing import Any, cast

from app.practice.judging import (
    Cancelled,
    Mode,
    SandboxLauncher,
    as_typed,
    host_sandbox,
    judge,
    make_launcher,
    seed_of,
)
from graders.verdict import JsonObject, Verdict
from problems.checks import SUBMISSIONS
from problems.complaints import Complaint
from problems.package import Package
from problems.schema import Expectation

logger = logging.getLogger(__name__)

# What was measured differs from run to run; the rest of a message must not.
_MEASURED = re.compile(r"\d+(\.\d+)? ?(s|ms|us|MiB|times)\b")
_FRAME = re.compile(r'File "(?:[^"]*/)?([^"/]+)", line (\d+)')
_RESOURCE_VERDICTS = {
    verdict.value for verdict in (Verdict.TOO_SLOW, Verdict.TIME_LIMIT, Verdict.MEMORY_LIMIT)
}


@dataclass(frozen=True, slots=True)
class Trial:
    """One source to judge. `expectation` is None for the starter: anything but accepted."""

    package: Package
    path: str
    expectation: Expectation | None

    @property
    def expected(self) -> str:
        """The expected verdict, as in a table."""
        return self.expectation.verdict if self.expectation else "not AC"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial.

    `faults` says, one sentence each, where it differs from what is expected, and `place` is then
    the line of the package that says so; `error_id` is set where the judge failed and the log says
    more.
    """

    trial: Trial
    verdict: str
    case: str
    wall_time_s: float
    faults: tuple[str, ...] = ()
    error_id: str = ""
    place: Complaint | None = None

    def tell_faults(self) -> Iterator[str]:
        """Each fault after its file, line and column."""
        for fault in self.faults:
            yield str(replace(self.place, message=fault)) if self.place else fault

    def to_json(self) -> JsonObject:
        return {
            "slug": self.trial.package.slug,
            "path": self.trial.path,
            "expected": self.trial.expected,
            "verdict": self.verdict,
            "case": self.case,
            "wall_time_s": round(self.wall_time_s, 3),
            "faults": list(self.faults),
            "place": str(self.place).removesuffix(": ") if self.place else "",
            "error_id": self.error_id,
        }


def trials_of(package: Package) -> list[Trial]:
    """What a package must be put to, the reference first."""
    return [
        Trial(package, package.spec.reference_name, Expectation(verdict="AC")),
        Trial(package, package.spec.starter_name, None),
        *(
            Trial(package, f"{SUBMISSIONS}{path}", expectation)
            for path, expectation in package.spec.expected.items()
        ),
    ]


def verify(trials: Sequence[Trial], seed: int, workers: int | None = None) -> Iterator[Outcome]:
    """Judge every trial, `workers` at a time (two by default, one on one core), as they end.

    Raises
    ------
    SandboxError
        If this host has no sandbox that holds.
    """
    host_sandbox()  # examined once, before threads could do it twice
    at_once = workers or min(2, os.cpu_count() or 1)
    with ThreadPoolExecutor(at_once, thread_name_prefix="verify") as pool:
        futures = [pool.submit(run, trial, seed, make_launcher()) for trial in trials]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def run(trial: Trial, seed: int, launcher: SandboxLauncher) -> Outcome:
    """Judge one trial and compare. A failure of the judge is in the outcome.

    Raises
    ------
    Cancelled
        If somebody cancelled the launcher meanwhile: what was found until then proves nothing.
    """
    started = time.monotonic()
    verdict, case, error_id, place = "JE", "", "", None
    try:
        report = judge_to_the_end(trial.package, trial.path, Mode.SUBMIT, seed, launcher)
        verdict, case = str(report["verdict"]), telling_case(report)
        faults = [*compare(trial, report), *_replay_differs(trial, report, seed, launcher)]
        place = place_of(trial, case) if faults else None
    except Exception as error:
        if launcher.cancelled:  # then a program that was ended may look like a judge that failed
            raise Cancelled from None
        error_id = secrets.token_hex(6)
        logger.exception("judge error %s on %s %s", error_id, trial.package.slug, trial.path)
        faults = [
            f"the judge failed ({type(error).__name__}: {_shortly(str(error))}); see {error_id} in "
            "the log"
        ]
        place = _place_in_traceback(trial.package, str(error)) or place_of(trial, case)
    wall_time_s = time.monotonic() - started
    return Outcome(trial, verdict, case, wall_time_s, tuple(faults), error_id, place)


def _shortly(text: str) -> str:
    """Of a traceback what failed and with which error; what lies between is in the log."""
    lines = text.strip().splitlines()
    return f"{lines[0]} {lines[-1]}" if len(lines) > 1 else text


def place_of(trial: Trial, case: str) -> Complaint:
    """The line that says what a trial must get; for the reference, that of the case it fails."""
    package = trial.package
    if trial.path.startswith(SUBMISSIONS):
        return package.at("problem.yaml", ("expected", trial.path.removeprefix(SUBMISSIONS)))
    names = [one.name for one in package.spec.cases]
    if trial.expectation is not None and case in names:
        return package.at("problem.yaml", ("cases", names.index(case)))
    return package.at(trial.path, line=1)


def _place_in_traceback(package: Package, text: str) -> Complaint | None:
    """The innermost line of the package's own in a traceback out of its checker's sandbox."""
    own = [(name, int(line)) for name, line in _FRAME.findall(text) if name in package.files]
    return package.at(own[-1][0], line=own[-1][1]) if own else None


def judge_to_the_end(
    package: Package,
    path: str,
    mode: Mode,
    seed: int,
    launcher: SandboxLauncher,
    replay: JsonObject | None = None,
) -> dict[str, Any]:
    """The report (`graders.verdict.Report` as JSON) of a file of the package.

    Raises
    ------
    Cancelled
        If somebody cancelled the launcher: its programs were ended, and a verdict is of no worth.
    """
    if replay is not None:
        seed = seed_of(replay)
    source = as_typed(package.spec, package.files[path], seed)
    *_, last = judge(package.spec, package.files, source, mode, seed, launcher, replay)
    if launcher.cancelled:
        raise Cancelled
    return dict(last.data)


def telling_case(report: dict[str, Any]) -> str:
    """The case that the counterexample is of, or the first one with the worst verdict."""
    if report["verdict"] == Verdict.ACCEPTED.value:
        return ""
    replayed = (report["counterexample"] or {}).get("replay", {}).get("case")
    failed = (case["name"] for case in report["cases"] if case["verdict"] == report["verdict"])
    return str(replayed or next(failed, ""))


def compare(trial: Trial, report: dict[str, Any]) -> Iterator[str]:
    """Where a report differs from the expectation, the rule first."""
    verdict = report["verdict"]
    said = f'it says "{report["message"]}"' if report["message"] else "it says nothing"
    if trial.expectation is None:
        if verdict == Verdict.ACCEPTED.value:
            yield "the starter must not be accepted as it stands, it is; leave the work to do"
        return
    expected = trial.expectation
    if verdict != expected.verdict:
        yield f"verdict must be {expected.verdict}, got {verdict}; {said}"
        return
    if verdict == Verdict.ACCEPTED.value:
        judged = [case["name"] for case in report["cases"]]
        declared = [case.name for case in trial.package.spec.cases]
        if judged != declared:
            yield f"every case must be judged, {declared} are declared, got {judged}"
        return
    if expected.case is not None and telling_case(report) != expected.case:
        yield f"case must be {expected.case}, got {telling_case(report) or 'none'}; {said}"
    summary = (report["counterexample"] or {}).get("summary", "")
    message = expected.message or ""
    if message not in report["message"] and message not in summary:
        yield f'the message must contain "{message}", it does not; {said}'
    if report["counterexample"] is None:
        yield f"every rejection must come with a counterexample, this one has none; {said}"


def _replay_differs(
    trial: Trial, report: dict[str, Any], seed: int, launcher: SandboxLauncher
) -> Iterator[str]:
    """The promise of a counterexample: judged again, it says the same."""
    counterexample = report["counterexample"]
    if counterexample is None:
        return
    replay = cast(JsonObject, counterexample["replay"])
    if not replay:
        # A source that does not compile fails in every case alike, and has nothing to replay.
        if report["verdict"] != Verdict.COMPILE_ERROR.value:
            yield "a counterexample must say how to replay it, this one does not"
        return
    again = judge_to_the_end(trial.package, trial.path, Mode.REPLAY, seed, launcher, replay)
    if again["verdict"] != report["verdict"]:
        yield (
            f"the replay must get {report['verdict']} again, got {again['verdict']}; "
            f"it was {replay}"
        )
        return
    before = _without_measurements(report)
    after = _without_measurements(again)
    if before != after:
        yield f'the replay must say "{before}" again, it says "{after}"; it was {replay}'


def _without_measurements(report: dict[str, Any]) -> str:
    summary = str((report["counterexample"] or {}).get("summary", ""))
    if report["verdict"] in _RESOURCE_VERDICTS:
        return _MEASURED.sub(r"# \2", summary)
    return summary
