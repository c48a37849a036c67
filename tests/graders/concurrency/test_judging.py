"""A structure on its way through the stages, in the sandbox that the web uses."""

from __future__ import annotations

from typing import Any

import pytest

from app.practice.judging import Mode, make_launcher
from app.practice.plain_text import counterexample_lines
from graders.concurrency.compiler import NotCompiled, compile_for_threads
from graders.text import to_json
from graders.verdict import EventKind, Verdict
from tests.graders.concurrency.ring import FOLDER, SEED, events_of, judge_ring

REFERENCE = (FOLDER / "reference.hpp").read_text()
RELAXED = (FOLDER / "submissions/wrong_answer/relaxed_publish.hpp").read_text()
MUTEX = (FOLDER / "submissions/wrong_answer/mutex.hpp").read_text()
SHARED = (FOLDER / "submissions/too_slow/shared_line.hpp").read_text()


def in_push(line: str, before: str = "") -> str:
    """The right ring, with a line at the beginning of its push."""
    start = "bool try_push(const T& item) {"
    return before + REFERENCE.replace(start, start + "\n        " + line)


def test_a_right_ring_is_told_case_by_case_and_accepted_with_its_ratio() -> None:
    events = events_of(REFERENCE)
    kinds = [event.kind for event in events]
    assert kinds[0] is EventKind.COMPILING
    assert kinds[-1] is EventKind.VERDICT
    assert kinds[1:-1] == [EventKind.CASE_STARTED, EventKind.CASE_FINISHED] * 7
    report: Any = events[-1].data
    assert report["verdict"] == Verdict.ACCEPTED
    assert report["score"] == 1.0
    cases = {case["name"]: case for case in report["cases"]}
    assert cases["one-item"]["metrics"]["proved"]
    assert "Proved for this scope" in cases["one-item"]["message"]
    assert cases["never-waits"]["metrics"]["progress_class"] == "wait_free"
    measured = cases["throughput"]["metrics"]
    assert measured["pairs"] == 40
    low, high = measured["throughput_ratio_low"], measured["throughput_ratio_high"]
    assert low <= measured["throughput_ratio"] <= high
    assert low > 0.1  # beside itself, on a machine that may be busy
    assert high < 10


def test_a_race_is_shown_as_the_steps_of_both_threads_with_their_lines() -> None:
    report = judge_ring(RELAXED)
    assert report["verdict"] == Verdict.WRONG_ANSWER
    assert [case["name"] for case in report["cases"]] == ["one-item"]
    assert report["score"] == 0.0
    counterexample = report["counterexample"]
    data = counterexample["data"]
    assert counterexample["kind"] == "interleaving"
    assert data["context_switches"] == 1
    assert [one["text"] for one in data["operations"]] == ["try_push(1)", "try_pop()"]
    wrong = [step for step in data["steps"] if step["wrong"]]
    assert [step["place"] for step in wrong] == ["cells[0]", "cells[0]"]
    lines = RELAXED.splitlines()
    assert "cells[at % Capacity] = item" in lines[wrong[0]["line"] - 1]
    assert "item = cells[at % Capacity]" in lines[wrong[1]["line"] - 1]
    assert {line["number"]: line["text"] for line in data["source"]}[1] == lines[0]


def test_a_pop_that_writes_no_item_is_told_so_and_marked() -> None:
    report = judge_ring(REFERENCE.replace("item = cells[at % Capacity];", ""), "one-item")
    assert report["message"] == "A pop that succeeds must write its item: this one did not."
    pops = [one for one in report["counterexample"]["data"]["operations"] if one["wrong"]]
    assert [(one["text"], one["answer"]) for one in pops] == [
        ("try_pop()", "true, without an item")
    ]


def test_a_replay_repeats_the_execution_alone() -> None:
    found = judge_ring(RELAXED)["counterexample"]
    last = events_of(RELAXED, Mode.REPLAY, replay=found["replay"])[-1]
    again: Any = last.data
    assert again["verdict"] == Verdict.WRONG_ANSWER
    assert to_json(again["counterexample"]) == to_json(found)


def test_a_replay_of_what_was_mended_searches_the_whole_case() -> None:
    found = judge_ring(RELAXED)["counterexample"]
    events = events_of(REFERENCE, Mode.REPLAY, replay=found["replay"])
    report: Any = events[-1].data
    assert report["verdict"] == Verdict.ACCEPTED
    assert "Proved for this scope" in report["cases"][0]["message"]


def test_a_mutex_is_refused_with_the_thread_that_is_suspended_in_it() -> None:
    report = judge_ring(MUTEX, "never-waits")
    assert "must be wait-free, and it is blocking" in report["message"]
    data = report["counterexample"]["data"]
    suspended = [step for step in data["steps"] if step["what"] == "suspended"]
    assert len(suspended) == 1
    assert suspended[0]["wrong"]
    assert data["steps"][-1]["text"] == "mutex: waits for the mutex"
    assert len(data["steps"]) <= 8


def test_fields_in_one_line_are_too_slow_and_named() -> None:
    report = judge_ring(SHARED, "own-lines")
    assert report["verdict"] == Verdict.TOO_SLOW
    variables = report["counterexample"]["data"]["variables"]
    assert [(one["place"], one["line_offset_bytes"]) for one in variables] == [
        ("head", 0),
        ("tail", 8),
    ]
    lines = SHARED.splitlines()
    assert "head.store" in lines[variables[0]["line"] - 1]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (
            in_push("static std::shared_mutex m; m.lock_shared();", "#include <shared_mutex>\n"),
            "a shared mutex",
        ),
        (in_push("std::thread([] {}).join();", "#include <thread>\n"), "pthread_create"),
        (
            in_push("reinterpret_cast<std::atomic<char>*>(&tail)->load();"),
            "must have one size",
        ),
    ],
)
def test_what_the_model_leaves_out_is_refused_with_advice(source: str, what: str) -> None:
    report = judge_ring(source, "one-item")
    assert report["verdict"] == Verdict.RUNTIME_ERROR
    assert what in report["message"]
    assert "use std::atomic" in report["message"]


def test_call_once_is_refused_by_name() -> None:
    call = "static std::once_flag f; std::call_once(f, [] {});"
    report = judge_ring(in_push(call, "#include <mutex>\n"), "one-item")
    assert report["verdict"] == Verdict.COMPILE_ERROR
    assert "std::call_once is not modelled" in report["message"]


def test_an_error_of_the_compiler_names_the_candidates_line() -> None:
    report = judge_ring(in_push("return 1 +;"))
    assert report["verdict"] == Verdict.COMPILE_ERROR
    assert report["message"].startswith("The submission must compile; line 7: ")
    assert "submission.hpp:7" in report["counterexample"]["data"]["output"]


def test_an_error_of_the_linker_names_what_is_missing() -> None:
    files = {"interface.cpp": '#include "submission.hpp"\n', "main.cpp": "int main() {}\n"}
    source = b"void helper(int);\nvoid call() { helper(1); }\n"
    with make_launcher() as launcher:
        done = compile_for_threads(launcher, source, files, ("-I.",), ())
    assert isinstance(done, NotCompiled)
    assert "nothing defines helper(int)." in done.message


def test_a_method_of_another_type_is_named() -> None:
    report = judge_ring(REFERENCE.replace("bool try_pop(T& item)", "int try_pop(T& item)"))
    assert "Queue must have bool try_pop(T&)" in report["message"]


def test_macros_of_the_submission_do_not_reach_the_judges_files() -> None:
    report = judge_ring(RELAXED + "\n#define the_0 nothing\n#define item 0\n#define return", None)
    assert report["verdict"] == Verdict.WRONG_ANSWER
    assert "not ordered" in report["message"]


def test_a_sanitizer_speaks_where_only_real_threads_go_wrong() -> None:
    source = in_push("if (at_call++ == 1000) sum += 1 << (at_call & 1023);").replace(
        "  private:", "  private:\n    int at_call = 0;\n    int sum = 0;"
    )
    report = judge_ring(source, "real-threads")
    assert report["verdict"] == Verdict.RUNTIME_ERROR
    assert "a sanitizer found at line 7: shift exponent" in report["message"]


def test_items_that_real_threads_lose_are_counted() -> None:
    source = in_push("if (++calls == 1000) return true;").replace(
        "  private:", "  private:\n    int calls = 0;"
    )
    report = judge_ring(source, "real-threads")
    assert report["verdict"] == Verdict.WRONG_ANSWER
    assert "Nothing may be lost" in report["message"]


def test_an_execution_can_be_read_as_text() -> None:
    report: Any = judge_ring(RELAXED)
    text = list(counterexample_lines(report["counterexample"]))
    assert any("thread 1: try_push(1) -> true" in line for line in text)
    assert any(line.startswith("!") and "cells[0] is written" in line for line in text)


def test_the_same_seed_tells_the_same() -> None:
    first, again = (to_json(judge_ring(RELAXED)["counterexample"]) for _ in range(2))
    assert first == again
    assert SEED == 7
