"""A counterexample is small, repeatable, and points at the candidate's own lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders.concurrency import build, results
from graders.concurrency.results import Failure
from tests.graders.concurrency.checker import Checker

PROGRAMS = Path(__file__).parent / "programs"
RELAXED = "std::memory_order_relaxed"


@pytest.fixture(scope="module")
def program(checker: Checker) -> str:
    return checker.program("spsc.cpp", f"PUBLISH={RELAXED}")


@pytest.fixture(scope="module")
def failure(checker: Checker, program: str) -> Failure:
    failure = checker.check(program).failure
    assert failure is not None
    return failure


def test_the_same_seed_finds_the_same_counterexample(
    checker: Checker, program: str, failure: Failure
) -> None:
    assert checker.check(program).failure == failure


def test_a_replayed_schedule_fails_in_the_same_way_step_by_step(
    checker: Checker, program: str, failure: Failure
) -> None:
    again = checker.replay(program, failure.scenario, failure.schedule).failure
    assert again is not None
    assert (again.kind, again.message) == (failure.kind, failure.message)
    assert again.steps == failure.steps


def test_operations_that_have_no_part_in_it_are_left_out(failure: Failure) -> None:
    assert [operation["action"] for operation in failure.operations] == ["push", "pop"]
    assert failure.context_switches == 1


def test_both_sides_of_a_race_are_marked(failure: Failure) -> None:
    marked = [step for step in failure.steps if step.get("part_of_failure")]
    assert sorted((step["thread"], step["what"]) for step in marked) == [
        (1, "plain write"),
        (2, "plain read"),
    ]


def test_steps_name_the_line_that_the_candidate_wrote(
    checker: Checker, program: str, failure: Failure
) -> None:
    own = ["spsc.cpp", "queue_scenarios.h"]
    lines = checker.lines(program, failure.program_counters(), own)
    source = (PROGRAMS / "spsc.cpp").read_text().splitlines()
    told = [(step["what"], lines[step["pc"]]) for step in failure.steps if step.get("pc") in lines]
    file, number = next(line for what, line in told if what == "store").split(":")
    assert file == "spsc.cpp"
    assert "tail.store(at + 1, PUBLISH)" in source[int(number) - 1]
    read = next(line for what, line in told if what == "plain read")
    assert "cells[at % N]" in source[int(read.split(":")[1]) - 1]


def test_a_stale_read_is_marked_as_one(checker: Checker) -> None:
    program = checker.program("seqlock.cpp", "NO_ACQUIRE_FENCE")
    failure = checker.check(program).failure
    assert failure is not None
    assert any(step.get("stale") for step in failure.steps)


@pytest.mark.parametrize(
    "source",
    [
        'void f() { asm("mfence"); }',
        'void f() { __asm__ __volatile__(""); }',
        '#define A as\\\nm\nvoid f() { A(""); }',
    ],
)
def test_inline_assembly_is_refused(source: str) -> None:
    assert "Inline assembly is not allowed" in (build.refusal(source) or "")


@pytest.mark.parametrize("name", ["__SANITIZE_THREAD__", "_GLIBCXX_TSAN", "gauntlet_observe"])
def test_a_submission_cannot_ask_whether_it_is_watched(name: str) -> None:
    assert "reserved" in (build.refusal(f"#ifdef {name}\n#endif") or "")


def test_the_word_in_a_comment_or_a_literal_is_not_refused() -> None:
    assert build.refusal('// no asm here\nconst char* a = "asm"; /* asm */ int b = 1\'000;') is None


def test_a_runner_that_stops_half_way_is_no_answer() -> None:
    with pytest.raises(results.RunnerError, match="must end by saying that it is done"):
        results.read_result(iter([]))


def test_a_frame_that_is_cut_is_no_answer() -> None:
    with pytest.raises(results.RunnerError, match="must be whole"):
        list(results.split_frames(b"\x10\x00\x00\x00half"))
