"""Answers to a trace: read as text, judged by what the simulation says without what they name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest

from graders.answers import written
from graders.ports import Case, Launcher, ProgramLimits, Task
from graders.text import from_json, to_json
from graders.triage import Settings, draw, faults, fill, judge, unreadable
from graders.triage.authors import WORDS, UnknownWord
from graders.triage.deviations import Cause
from graders.verdict import EventKind
from problems.package import Package
from tests.app.trace_data import package

SEED = 12
LIMITS = ProgramLimits(1.0, 1.0, 16, 1)
CASES = (
    Case("form", "-", True),
    *(Case(answer, "-", False, {"answer": answer}) for answer in ("cause", "span", "measurement")),
)


@pytest.fixture(scope="module")
def shipped() -> Package:
    return package()


@pytest.fixture(scope="module")
def section(shipped: Package) -> dict[str, Any]:
    return shipped.spec.grader.model_dump()


def report(section: dict[str, Any], source: str, seed: int = SEED) -> dict[str, Any]:
    task = Task(section, CASES, LIMITS, {})
    *_, last = judge(task, source.encode(), cast(Launcher, None), seed)
    assert last.kind is EventKind.VERDICT
    return dict(last.data)


def answered(section: dict[str, Any], seed: int = SEED, **changes: str) -> str:
    answers = {"cause": "= planted", "span": "= longest proof", "measurement": "= of the cause"}
    return fill(section, written(answers | changes), seed)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("span", ["longest proof", "shortest proof", "first proof"])
def test_every_span_that_proves_the_cause_is_accepted(
    section: dict[str, Any], seed: int, span: str
) -> None:
    assert report(section, answered(section, seed, span=f"= {span}"), seed)["verdict"] == "AC"


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("field", "word"),
    [(field, word) for field in WORDS for word in WORDS[field]
     if word not in ("planted", "longest proof", "shortest proof", "first proof", "of the cause",
                     "past the last")],
)  # fmt: skip
def test_every_other_word_is_refused_in_its_own_case(
    section: dict[str, Any], seed: int, field: str, word: str
) -> None:
    told = report(section, answered(section, seed, **{field: f"= {word}"}), seed)
    assert told["verdict"] == "WA"
    assert told["counterexample"]["replay"] == {"case": field, "seed": seed}
    assert told["score"] == pytest.approx(3 / 4)


def test_a_wrong_cause_is_refuted_by_the_step_without_it(section: dict[str, Any]) -> None:
    incident = draw(SEED)
    told = report(section, answered(section, cause="= decoy"))["message"]
    step_ms = f"{incident.recording.step_us / 1e3:.1f} ms"
    mended_ms = f"{incident.without([0]).step_us / 1e3:.1f} ms"
    assert f"of {step_ms}" in told
    assert told.endswith(f", {mended_ms}.")


def test_a_waiting_span_is_refuted_by_the_same_step_time(section: dict[str, Any]) -> None:
    told = report(section, answered(section, span="= victim"))
    step_ms = f"{draw(SEED).recording.step_us / 1e3:.1f}"
    assert f"would still take {step_ms} ms of {step_ms} ms" in told["message"]
    drawn = told["counterexample"]["data"]
    assert [one["step_ms"] for one in drawn["timelines"]][:2] == [float(step_ms)] * 2
    assert drawn["timelines"][2]["step_ms"] < float(step_ms)
    assert {mark["kind"] for mark in drawn["marks"]} == {"given", "right"}
    for timeline in drawn["timelines"]:
        assert all(bar["x"] >= 0 and bar["x"] + bar["width"] <= 1001 for bar in timeline["bars"])


def test_a_wrong_measurement_is_refuted_by_a_cause_for_which_it_reads_the_same(
    section: dict[str, Any],
) -> None:
    told = report(section, answered(section, measurement="nccl-tests"))
    assert "reads the same for" in told["message"]
    rows = told["counterexample"]["data"]["readings"]
    planted = next(row for row in rows if row["is_planted"])
    assert sum(row["given"] == planted["given"] for row in rows) > 1
    assert sum(row["right"] == planted["right"] for row in rows) == 1


def test_a_verdict_can_be_said_in_another_language(section: dict[str, Any]) -> None:
    message = report(section, answered(section, span="= victim"))["message"]
    kept = json.loads(json.dumps(to_json(message)))
    assert from_json(kept) == message
    assert from_json(kept, lambda template, plural, count: f"# {template}").startswith("# ")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("", "The cause must be one of data-loader, straggler"),
        ("cause: moon", "got moon. Choose one."),
        ("cause: straggler", "The span must be the number of a span of this trace, 1 to"),
        ("cause: straggler\nspan: -3", "got -3."),
        ("cause: straggler\nspan: 0", "got 0."),
        ("cause: straggler\nspan: ²", "got ²."),
        ("cause: straggler\nspan: [1, 2]", "Select one in the timeline."),
        ("cause: straggler\nspan: 99999999999999999999", "Select one in the timeline."),
        ("cause: straggler\nspan: 7", "The next measurement must be one of"),
        ("cause: straggler\nspan: 7\nmeasurement: clocks\nseed: 3", "seed is none. Remove it."),
        ("cause: = planted\nspan: 7\nmeasurement: clocks", "got = planted."),
    ],
)
def test_what_cannot_be_read_is_refused_before_anything_is_told(
    section: dict[str, Any], source: str, told: str
) -> None:
    assert told in str(unreadable(section, source, SEED))
    refused = report(section, source)
    assert refused["verdict"] == "WA"
    assert told in refused["message"]
    assert refused["counterexample"]["kind"] == "plain"
    assert "ms" not in refused["message"]


def test_what_is_no_yaml_does_not_compile(section: dict[str, Any]) -> None:
    assert report(section, "{")["verdict"] == "CE"
    assert "must be YAML" in str(unreadable(section, "{", SEED))


def test_run_tells_how_answers_are_read_and_nothing_of_their_worth(
    section: dict[str, Any],
) -> None:
    task = Task(section, CASES[:1], LIMITS, {})
    for source in (answered(section), answered(section, cause="= decoy", span="= decoy")):
        *_, last = judge(task, source.encode(), cast(Launcher, None), SEED)
        assert last.data["verdict"] == "AC"
        told: dict[str, Any] = dict(last.data)
        read_as = told["cases"][0]["metrics"]["read_as"]
        assert [row["field"] for row in read_as] == ["cause", "span", "measurement"]
        assert "rank" in str(read_as[1]["read_as"])


def test_an_authors_word_that_nobody_knows_is_an_error(section: dict[str, Any]) -> None:
    with pytest.raises(UnknownWord, match="a word for span must be one of longest proof"):
        fill(section, 'span: "= the best one"', SEED)
    assert fill(section, "{", SEED) == "{"


def test_the_package_singles_out_each_cause(section: dict[str, Any]) -> None:
    settings = Settings.of(section)
    assert list(faults(section)) == []
    singled = [settings.that_singles_out(cause).name for cause in Cause]
    assert len(set(singled)) == len(list(Cause))
    for one in settings.measurements:
        named = [cause for cause in Cause if one.mistaken_for(cause) is None]
        assert len(named) <= 1  # each is right for one cause at most


def broken(section: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    causes, measurements = section["causes"], section["measurements"]
    yield {**section, "causes": causes[1:]}, "data-loader is offered 0 times"
    yield {**section, "causes": [*causes, causes[0]]}, "data-loader is offered 2 times"
    moon = {**causes[0], "name": "moon"}
    yield {**section, "causes": [moon, *causes[1:]]}, "moon is none; there are data-loader"
    own = {**causes[0], "look_alike": causes[0]["name"]}
    yield {**section, "causes": [own, *causes[1:]]}, "a look-alike must be another cause"
    yield {**section, "measurements": measurements[1:]}, "none does data-loader"
    twice = [*measurements, measurements[0]]
    yield {**section, "measurements": twice}, "loader-stacks stands twice"
    odd = {**measurements[0], "shows": {**measurements[0]["shows"], "moon": "full"}}
    yield {**section, "measurements": [odd, *measurements[1:]]}, "causes that exist, moon is none"


def test_a_section_that_does_not_fit_is_complained_about(section: dict[str, Any]) -> None:
    for changed, told in broken(section):
        assert any(told in message for _, message in faults(changed)), told


@pytest.mark.parametrize(
    ("cases", "told"),
    [
        ([("form", True, {}), ("cause", False, {"answer": "cause"})], "span is in 0"),
        ([("form", True, {"answer": "cause"})], "a sample judges no answer"),
        ([("form", False, {})], "a sample judges no answer"),
        ([("form", True, {"answer": "moon"})], "a case judges one answer"),
        ([("form", True, {"fields": []})], "a case judges one answer"),
        ([("a", False, {"answer": "span"}), ("b", False, {"answer": "span"})], "span is in 2"),
    ],
)
def test_cases_that_tell_too_much_or_judge_too_little_are_complained_about(
    shipped: Package, cases: list[tuple[str, bool, dict[str, Any]]], told: str
) -> None:
    made = [Case(name, "-", sample, given) for name, sample, given in cases]
    found = shipped.spec.grader.about_cases(made)  # type: ignore[union-attr]
    assert any(told in message for _, message in found)
